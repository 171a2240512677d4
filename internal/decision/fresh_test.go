package decision_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"doorward/internal/decision"
	"doorward/internal/policy"
	"doorward/internal/portal"
	"doorward/policies"
)

// leased are facts that remember what was needed of them.
type leased struct {
	needs []decision.Need
	known decision.Known
	err   error
}

func (l *leased) Read(context.Context, portal.FactKey) (portal.Facts, portal.Position, error) {
	return portal.Facts{}, portal.Position{}, errors.New("read without being told how fresh")
}

func (l *leased) ReadAll(context.Context, []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	return nil, portal.Position{}, errors.New("read without being told how fresh")
}

func (l *leased) ReadFresh(_ context.Context, keys []portal.FactKey, need decision.Need) (decision.Known, error) {
	l.needs = append(l.needs, need)
	known := l.known
	for range keys[1:] {
		known.Facts = append(known.Facts, known.Facts[0])
	}
	return known, l.err
}

func onAcme(action string) decision.Question {
	return decision.Question{
		Subject:  decision.Entity{Ref: portal.Ref{Type: "user", ID: "ben"}},
		Action:   decision.Action{Name: action},
		Resource: decision.Entity{Ref: portal.Ref{Type: "account", ID: "acme"}},
	}
}

func member(g portal.Grant) portal.Facts {
	return portal.Facts{
		Account:    portal.AccountFacts{Status: portal.AccountActive},
		User:       portal.UserFacts{Status: portal.UserActive},
		Membership: portal.MembershipFacts{State: portal.MembershipActive, Grant: &g},
	}
}

// R9: a question is bounded only if everything that its answer depends on is.
func TestTheStrictestCategoryWins(t *testing.T) {
	p, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	l := &leased{known: decision.Known{Facts: []portal.Facts{member(portal.Grant{})}}}
	d := decision.New(p, l, decision.Options{})
	for action, bounded := range map[string]bool{
		"invoice.view": true, "service.list": true, "ticket.open": true, "mail.invoice.receive": true,
		"order.place": false, "password.reveal": false, "user.remove": false, "sso.start": false, "domain.update": false,
		"quote.accept":      false, // quotes are bounded, orders are not
		"self.2fa.enable":   false, // no category
		"staff.import.run":  false,
		"account.close":     false,
		"nothing.like.this": false,
	} {
		l.needs = nil
		_, err := d.Decide(t.Context(), onAcme(action))
		if err != nil || len(l.needs) != 1 || l.needs[0] != (decision.Need{Bounded: bounded}) {
			t.Errorf("%s: needs %+v, %v; want bounded %v", action, l.needs, err, bounded)
		}
	}
	l.needs = nil
	min := portal.Mark{Revision: 7, Prefix: [16]byte{1}}
	for _, batch := range [][]decision.Question{{onAcme("invoice.view"), onAcme("ticket.open")}, {onAcme("invoice.view"), onAcme("order.place")}} {
		if _, err := d.DecideAll(decision.WithMinimum(t.Context(), min), batch, nil); err != nil {
			t.Error(err)
		}
	}
	if len(l.needs) != 2 || l.needs[0] != (decision.Need{Bounded: true, Min: min}) || l.needs[1] != (decision.Need{Min: min}) {
		t.Errorf("batches need %+v", l.needs)
	}
}

// R13: facts are judged by the policy that was promoted where they were true. A question
// that took the one before is tried anew, and not for ever.
func TestFactsGoWithThePolicyPromotedThere(t *testing.T) {
	open := shipped(t)
	tight, err := policy.Load(appended{"presets/presets.csv", "\np, penniless, invoices, deny\n"})
	if err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]func(*decision.Decider) (decision.Decision, error){
		"one": func(d *decision.Decider) (decision.Decision, error) {
			return d.Decide(t.Context(), onAcme("invoice.view"))
		},
		"batch": func(d *decision.Decider) (decision.Decision, error) {
			all, err := d.DecideAll(t.Context(), []decision.Question{onAcme("invoice.view")}, nil)
			if err != nil {
				return decision.Decision{}, err
			}
			return all[0].Decision, all[0].Err
		},
		"case": func(d *decision.Decider) (decision.Decision, error) {
			c, err := d.Case(t.Context(), onAcme("invoice.view"))
			if err != nil {
				return decision.Decision{}, err
			}
			return c.Judge(t.Context())
		},
	} {
		p := &promoting{leased: leased{known: decision.Known{Facts: []portal.Facts{member(portal.Grant{Presets: []string{"billing", "penniless"}})}}}}
		d := decision.New(open, p, decision.Options{})
		if got, err := ask(d); err != nil || !got.Allow {
			t.Errorf("%s, before: %+v, %v", name, got, err)
		}
		p.at, p.moved = portal.Promoted{At: 7, Digest: tight.Digest}, func() { d.UsePromoted(tight, portal.Promoted{At: 7, Digest: tight.Digest}) }
		if got, err := ask(d); err != nil || got.Allow || got.Basis.Policy != tight.Digest {
			t.Errorf("%s, promoted meanwhile: %+v, %v", name, got, err)
		}
		p.at, p.moved = portal.Promoted{At: 7, Digest: "of another history"}, func() {}
		got, err := ask(d)
		if u, ok := errors.AsType[*decision.UnavailableError](err); !ok || u.Code != decision.Stale || got.Allow {
			t.Errorf("%s, promoted and not in use: %+v, %v", name, got, err)
		}
	}
}

// promoting are facts that go with a policy promoted at a revision. Who asks for those of
// another is refused, and then moved is called.
type promoting struct {
	leased
	at    portal.Promoted
	moved func()
}

func (p *promoting) ReadFresh(ctx context.Context, keys []portal.FactKey, need decision.Need) (decision.Known, error) {
	if need.Policy != p.at {
		p.moved()
		return decision.Known{}, decision.ErrPolicyMoved
	}
	return p.leased.ReadFresh(ctx, keys, need)
}

// R12: a grant ends at the earliest, and begins at the latest, that it can by the
// directory's time.
func TestTimesAreJudgedCarefully(t *testing.T) {
	p, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	now := decision.Moment{Earliest: noon.Add(-time.Second), Latest: noon.Add(time.Second)}
	for name, c := range map[string]struct {
		from, to time.Time
		reason   decision.Reason // "": allow
	}{
		"well within":     {noon.Add(-time.Hour), noon.Add(time.Hour), ""},
		"perhaps ended":   {time.Time{}, noon, decision.Expired},
		"just not ended":  {time.Time{}, noon.Add(time.Second + 1), ""},
		"perhaps begun":   {noon, time.Time{}, decision.Pending},
		"just begun":      {noon.Add(-time.Second), time.Time{}, ""},
		"ends at its end": {time.Time{}, noon.Add(time.Second), decision.Expired},
	} {
		l := &leased{known: decision.Known{Now: now, Facts: []portal.Facts{member(portal.Grant{Presets: []string{"billing"}, NotBefore: c.from, NotAfter: c.to})}}}
		got, err := decision.New(p, l, decision.Options{}).Decide(t.Context(), onAcme("invoice.view"))
		if err != nil || got.Allow != (c.reason == "") || got.Reason != c.reason {
			t.Errorf("%s: %v %s, %v", name, got.Allow, got.Reason, err)
		}
	}
}

// What cannot be known fresh enough is never answered, and says which of the ways it is.
func TestFactsThatCannotBeFresh(t *testing.T) {
	p, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	for err, code := range map[error]decision.Unavailability{
		decision.ErrNotReady: decision.NotReady, decision.ErrStale: decision.Stale,
		decision.ErrRevisionNotReached: decision.RevisionNotReached, errors.New("broken"): decision.FactsUnavailable,
	} {
		l := &leased{known: decision.Known{Facts: []portal.Facts{member(portal.Grant{Presets: []string{"billing"}})}}, err: err}
		got, gotErr := decision.New(p, l, decision.Options{}).Decide(t.Context(), onAcme("invoice.view"))
		var unavailable *decision.UnavailableError
		if !errors.As(gotErr, &unavailable) || unavailable.Code != code || got.Allow {
			t.Errorf("%v: %+v, %v", err, got, gotErr)
		}
	}
}
