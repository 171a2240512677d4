package explain

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorward/internal/decision"
	"doorward/internal/portal"
)

// slow is a directory that answers when it is let.
type slow struct {
	facts
	let chan struct{}
}

func (s slow) Read(ctx context.Context, key portal.FactKey) (portal.Facts, portal.Position, error) {
	<-s.let
	return s.facts.Read(ctx, key)
}

// Two explanations are made at a time. Others wait, and in vain when their time ends.
func TestTwoExplanationsAreMadeAtATime(t *testing.T) {
	p := shipped(t)
	synctest.Test(t, func(t *testing.T) {
		c, let := ann("invoice.view", "billing"), make(chan struct{})
		e := New(decision.New(p, slow{facts{c}, let}, decision.Options{Timeout: time.Hour}), Options{Timeout: time.Minute})
		done := make(chan error)
		for range atOnce {
			go func() {
				_, err := e.Explain(context.Background(), c.Question)
				done <- err
			}()
		}
		synctest.Wait()
		began := time.Now()
		var unavailable *decision.UnavailableError
		if _, err := e.Explain(context.Background(), c.Question); !errors.As(err, &unavailable) || unavailable.Code != decision.Deadline {
			t.Errorf("the third: %v", err)
		}
		if waited := time.Since(began); waited != time.Minute {
			t.Errorf("it waited %v", waited)
		}
		close(let)
		for range atOnce {
			<-done
		}
		if _, err := e.Explain(context.Background(), c.Question); err != nil {
			t.Errorf("when there is room again: %v", err)
		}
	})
}

// A grant that lists very much is told of in few words, and no row is made of it.
func TestALongGrantIsToldOfInFewWords(t *testing.T) {
	of := ann("service.view", "developer")
	for i := range longest {
		of.People.Subject.Membership.Grant.Scope = append(of.People.Subject.Membership.Grant.Scope, portal.Ref{Type: "service", ID: fmt.Sprint(i)})
	}
	x := explained(t, of)
	if x.Row != "" || x.NoRow != "a row would list 201 names, and at most 200 are written" {
		t.Errorf("got %q, %q", x.Row, x.NoRow)
	}
	if got := x.Guards[0].Text; !strings.HasSuffix(got, ", service:6, service:7 and 192 more only") {
		t.Errorf("got %s", got)
	}
	if len(x.Facts.Membership.Scope) != longest {
		t.Errorf("the facts list %d", len(x.Facts.Membership.Scope))
	}
	s := considered(t, decision.New(shipped(t), facts{ann("invoice.view")}, decision.Options{Timeout: time.Minute}), ann("invoice.view").Question)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if row, none := s.row(over); row != "" || none != "there was no time left to try a row" {
		t.Errorf("without time: %q, %q", row, none)
	}
}
