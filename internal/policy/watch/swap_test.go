package watch

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorward/internal/decision"
	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/internal/portal"
)

// anna holds billing in every account.
type anna struct{}

func (anna) Read(context.Context, portal.FactKey) (portal.Facts, portal.Position, error) {
	return portal.Facts{
		Account: portal.AccountFacts{Status: portal.AccountActive},
		User:    portal.UserFacts{Status: portal.UserActive},
		Membership: portal.MembershipFacts{
			State: portal.MembershipActive, Grant: &portal.Grant{Presets: []string{"billing"}},
		},
	}, portal.Position{Revision: 1}, nil
}

func (a anna) ReadAll(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all := make([]portal.Facts, len(keys))
	var at portal.Position
	for i, key := range keys {
		all[i], at, _ = a.Read(ctx, key)
	}
	return all, at, nil
}

func asks(action string) decision.Question {
	return decision.Question{
		Subject:  decision.Entity{Ref: portal.Ref{Type: portal.TypeUser, ID: "anna"}},
		Action:   decision.Action{Name: action},
		Resource: decision.Entity{Ref: portal.Ref{Type: portal.TypeAccount, ID: "42"}},
	}
}

// Two thousand reloads while questions are asked: two policies by turns, in one of
// which billing has invoices and in the other tickets, and one that is refused
// between them. No question fails, and every answer, batches whole, is that of the
// policy it names.
func TestTwoThousandReloadsUnderQuestions(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "p")
	copyTo(t, folder)
	invoices := policy.Read(os.DirFS(folder))
	file := filepath.Join(folder, presets)
	must(t, os.WriteFile(file, replaced(t, file, "p, billing, invoices, allow", "p, billing, tickets, allow"), 0o600))
	tickets := policy.Read(os.DirFS(folder))
	first, err := invoices.Load()
	must(t, err)
	second, err := tickets.Load()
	must(t, err)

	d := decision.New(first, anna{}, decision.Options{Timeout: time.Minute})
	k := New(folder, invoices, first, Options{Use: d.Use, Log: slog.New(slog.DiscardHandler)})
	loaded := map[string]*policy.Policy{invoices.Print(): first, tickets.Print(): second}
	k.load = func(s policy.Source) (*policy.Policy, error) {
		if p := loaded[s.Print()]; p != nil {
			return p, nil
		}
		return nil, fault.List{{File: presets, Line: 1, Message: "is wrong"}}
	}

	var asked, sawFirst, sawSecond atomic.Int64
	stop := make(chan struct{})
	var asking sync.WaitGroup
	check := func(got decision.Decision, action string) error {
		named := got.Basis.Policy
		if named == first.Digest {
			sawFirst.Add(1)
		} else if named == second.Digest {
			sawSecond.Add(1)
		}
		want := action == "invoice.list" && named == first.Digest || action == "ticket.list" && named == second.Digest
		if got.Allow != want {
			return errors.New(action + " is not answered by the policy that it names")
		}
		return nil
	}
	round := func() error {
		one, err := d.Decide(t.Context(), asks("invoice.list"))
		if err != nil {
			return err
		}
		both, err := d.DecideAll(t.Context(), []decision.Question{asks("invoice.list"), asks("ticket.list")}, nil)
		if err != nil {
			return err
		}
		asked.Add(3)
		if both[0].Decision.Allow == both[1].Decision.Allow || both[0].Decision.Basis.Policy != both[1].Decision.Basis.Policy {
			return errors.New("a batch is answered by two policies")
		}
		return errors.Join(both[0].Err, both[1].Err, check(one, "invoice.list"),
			check(both[0].Decision, "invoice.list"), check(both[1].Decision, "ticket.list"))
	}
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := round(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 2000 {
		k.judge(t.Context(), []policy.Source{tickets, {}, invoices, {}}[i%4])
		if stale := k.State().Stale; stale != (i%2 == 1) {
			t.Fatalf("reload %d: stale is %t", i, stale)
		}
	}
	close(stop)
	asking.Wait()
	if sawFirst.Load() == 0 || sawSecond.Load() == 0 {
		t.Errorf("of %d questions %d met one policy and %d the other", asked.Load(), sawFirst.Load(), sawSecond.Load())
	}
	t.Logf("%d questions", asked.Load())
}
