package decision_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"doorward/internal/decision"
	"doorward/internal/portal"
)

// notes are uses as they were heard of.
type notes []string

func (n *notes) hear(account portal.AccountID, user portal.UserID, at time.Time) {
	*n = append(*n, fmt.Sprintf("%s in %s at %v", user, account, at.Unix()))
}

// req 95, req 116: a member who is allowed something on an account uses the membership. Who
// is refused does not, nor does who acts in somebody's name, staff by their rights, a
// contact, mail that is sent, a search or an explanation.
func TestUsesAreNoted(t *testing.T) {
	w := world{}.with("bo", "billing").with("ann", "owner").with("st", "billing").with("ex", "billing")
	staff := portal.UserFacts{Status: portal.UserActive, Staff: portal.NewStaffRights("staff.read", "staff.login_as")}
	w[portal.FactKey{Subject: user("st")}] = portal.Facts{User: staff}
	for id, change := range map[string]func(*portal.Facts){
		"st": func(f *portal.Facts) { f.User = staff },
		"ex": func(f *portal.Facts) { f.Membership.Grant.NotAfter = now },
	} {
		key := portal.FactKey{Account: "42", Subject: user(id)}
		f := w[key]
		change(&f)
		w[key] = f
	}
	var heard notes
	d := decision.New(shipped(t), w, decision.Options{
		Now: func() time.Time { return now }, Timeout: 10 * time.Second, Note: heard.hear, Record: (&ledger{}).keep,
	})
	noted := func(id string) string { return fmt.Sprintf("%s in 42 at %d", id, now.Unix()) }
	for name, c := range map[string]struct {
		question decision.Question
		allowed  bool
		want     string // "": nothing is noted
	}{
		"a member":                  {question("bo", "invoice.view"), true, noted("bo")},
		"the owner":                 {question("ann", "invoice.view"), true, noted("ann")},
		"something sensitive":       {question("ann", "user.remove", on("user", "bo", text("account", "42"))), true, noted("ann")},
		"an account to be left":     {question("bo", "membership.leave"), true, noted("bo")},
		"a member who is staff too": {question("st", "invoice.pay"), true, noted("st")},
		"staff by their right":      {question("st", "invoice.view"), true, ""},
		"in the owner's name":       {question("ann", "invoice.view", by("st")), true, ""},
		"mail":                      {question("ann", "mail.invoice.receive"), true, ""},
		"one's own name":            {question("bo", "self.profile.update", on("user", "bo"), in(text("account", "42"))), true, ""},
		"a denial":                  {question("bo", "service.cancel"), false, ""},
		"a grant that has ended":    {question("ex", "invoice.view"), false, ""},
		"another account":           {question("bo", "invoice.view", on("account", "43")), false, ""},
		"no such action":            {question("bo", "no.such"), false, ""},
	} {
		for _, ask := range []func() (decision.Decision, error){
			func() (decision.Decision, error) { return d.Decide(t.Context(), c.question) },
			func() (decision.Decision, error) {
				all, err := d.DecideAll(t.Context(), []decision.Question{c.question}, nil)
				return all[0].Decision, errors.Join(err, all[0].Err)
			},
		} {
			heard = nil
			got, err := ask()
			if err != nil || got.Allow != c.allowed || !slices.Equal(heard, wanted(c.want)) {
				t.Errorf("%s: %v %s, %v, noted %q", name, got.Allow, got.Reason, err, heard)
			}
		}
		heard = nil
		_, err := d.Case(t.Context(), c.question)
		_, searched := decision.Unrecorded{Decider: d}.DecideAll(t.Context(), []decision.Question{c.question}, nil)
		if err := errors.Join(err, searched); err != nil || len(heard) > 0 {
			t.Errorf("%s: not asked for: %v, %q", name, err, heard)
		}
	}
}

func wanted(one string) (all notes) {
	if one != "" {
		all = append(all, one)
	}
	return all
}

// R16: what could not be recorded was not allowed, and is no use.
func TestWhatIsNotGivenIsNoUse(t *testing.T) {
	var heard notes
	d := decision.New(shipped(t), world{}.with("ann", "owner"), decision.Options{
		Now: func() time.Time { return now }, Timeout: 10 * time.Second, Note: heard.hear, Record: (&ledger{err: errors.New("full")}).keep,
	})
	sensitive := question("ann", "service.cancel", on("service", "7", text("account", "42")))
	if _, err := d.Decide(t.Context(), sensitive); err == nil || len(heard) > 0 {
		t.Errorf("%v, noted %q", err, heard)
	}
	if all, err := d.DecideAll(t.Context(), []decision.Question{sensitive}, nil); err != nil || all[0].Err == nil || len(heard) > 0 {
		t.Errorf("%+v, %v, noted %q", all, err, heard)
	}
}

// R12: the time that is noted is the earliest that it can be, so that no day is noted that
// has not begun at the directory.
func TestUsesAreNotOfTomorrow(t *testing.T) {
	l := &leased{known: decision.Known{Now: decision.Moment{Earliest: now, Latest: now.Add(time.Hour)}}}
	l.known.Facts = []portal.Facts{world{}.with("ann", "owner")[portal.FactKey{Account: "42", Subject: user("ann")}]}
	var heard notes
	d := decision.New(shipped(t), l, decision.Options{Timeout: 10 * time.Second, Note: heard.hear})
	if got, err := d.Decide(t.Context(), question("ann", "invoice.view")); err != nil || !got.Allow || len(heard) != 1 || heard[0] != fmt.Sprintf("ann in 42 at %d", now.Unix()) {
		t.Errorf("%+v, %v, noted %q", got, err, heard)
	}
}
