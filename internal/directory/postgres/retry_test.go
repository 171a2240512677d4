package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/postgres"
	"doorward/internal/portal"
)

// rename gives acme the name, after it has read it; between the two it calls meanwhile,
// with which run of the function it is. It looks at no error of the put.
func rename(ctx context.Context, s directory.Store, name string, meanwhile func(run int)) (p portal.Position, runs int, err error) {
	p, err = s.Update(ctx, func(tx directory.Tx) error {
		runs++
		a, err := tx.Account(ctx, "acme")
		if err != nil {
			return err
		}
		meanwhile(runs)
		a.Name += name
		tx.Log(audit.Entry{Actor: "user:tester", Action: "account.put"})
		_ = tx.PutAccount(ctx, a)
		return nil
	})
	return p, runs, err
}

// Whoever writes past Doorward and is quicker makes the update run again, on what is
// there then.
func TestSerializationFailureRunsAgain(t *testing.T) {
	database := server.Database(t)
	s := open(t, server.DSN(database), postgres.Options{})
	before := found(t, s)
	conn := raw(t, server, database)
	p, runs, err := rename(t.Context(), s, "Ltd", func(n int) {
		if n < 3 {
			run(t, conn, `UPDATE doorward.accounts SET name = name || 'Acme '`)
		}
	})
	if err != nil || runs != 3 || p.Revision != before.Revision+1 {
		t.Errorf("got %v after %d runs, %v", p, runs, err)
	}
	if a, err := s.Account(t.Context(), "acme"); err != nil || a.Name != "Acme Acme Ltd" {
		t.Errorf("got %+v, %v", a, err)
	}
	report, err := directory.Verify(t.Context(), s, nil)
	if err != nil || report.Position != p || report.Lines != 3 {
		t.Errorf("%+v, %v", report, err)
	}
}

// It does not run for ever.
func TestSerializationFailuresWithoutEnd(t *testing.T) {
	database := server.Database(t)
	s := open(t, server.DSN(database), postgres.Options{})
	before := found(t, s)
	conn := raw(t, server, database)
	_, runs, err := rename(t.Context(), s, "Ltd", func(int) {
		run(t, conn, `UPDATE doorward.accounts SET name = name || 'x'`)
	})
	if !errors.Is(err, directory.ErrUnavailable) || runs < 3 || runs > 20 {
		t.Errorf("got %v after %d runs, want ErrUnavailable", err, runs)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, runs, err = rename(ctx, s, "Ltd", func(int) {
		run(t, conn, `UPDATE doorward.accounts SET name = name || 'x'`)
		cancel()
	})
	if !errors.Is(err, context.Canceled) || errors.Is(err, directory.ErrUnavailable) || runs != 1 {
		t.Errorf("got %v after %d runs, want context.Canceled", err, runs)
	}
	if p, err := s.Head(t.Context()); err != nil || p != before {
		t.Errorf("the head is %v, %v, want %v", p, err, before)
	}
}

// Of a deadlock with somebody who writes past Doorward the update is the victim, and
// runs again.
func TestDeadlockRunsAgain(t *testing.T) {
	database := server.Database(t)
	server.Do(t, database, `ALTER DATABASE `+database+` SET deadlock_timeout = '100ms'`)
	s := open(t, server.DSN(database), postgres.Options{})
	before := found(t, s)
	conn, watch := raw(t, server, database), raw(t, server, database)
	run(t, conn, `SET deadlock_timeout = '1h'`)
	outcome := make(chan error, 1)
	p, runs, err := rename(t.Context(), s, "Ltd", func(n int) {
		if n > 1 {
			return
		}
		run(t, conn, `BEGIN`)
		run(t, conn, `SELECT 1 FROM doorward.accounts FOR UPDATE`)
		go func() {
			until(t, watch, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'transactionid')`)
			_, err := conn.Exec(t.Context(), `LOCK TABLE doorward.turn; ROLLBACK`)
			outcome <- err
		}()
	})
	if err := <-outcome; err != nil {
		t.Errorf("the other: %v", err)
	}
	if err != nil || runs != 2 || p.Revision != before.Revision+1 {
		t.Errorf("got %v after %d runs, %v", p, runs, err)
	}
}

// holdTurn takes the turn, as an update of another process that does not end.
func holdTurn(t *testing.T, database string) (other *pgx.Conn) {
	t.Helper()
	other = raw(t, server, database)
	run(t, other, `BEGIN`)
	run(t, other, `LOCK TABLE doorward.turn IN EXCLUSIVE MODE`)
	return other
}

// The turn is waited for so long and no longer. Reading goes on meanwhile.
func TestAnotherProcessHasTheTurn(t *testing.T) {
	database := server.Database(t)
	s := open(t, server.DSN(database), postgres.Options{LockTimeout: 30 * time.Millisecond})
	before := found(t, s)
	other := holdTurn(t, database)
	if _, err := addUser(t.Context(), s, "anna"); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	second := open(t, server.DSN(database), postgres.Options{}) // opening needs no turn
	for _, s := range []*postgres.Store{s, second} {
		if p, err := s.Head(t.Context()); err != nil || p != before {
			t.Errorf("read %v, %v meanwhile", p, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	outcome := make(chan error)
	go func() {
		_, err := addUser(ctx, second, "ben")
		outcome <- err
	}()
	until(t, other, looks)
	cancel()
	if err := <-outcome; !errors.Is(err, context.Canceled) || errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	run(t, other, `ROLLBACK`)
	if p, err := addUser(t.Context(), second, "cid"); err != nil || p.Revision != before.Revision+1 {
		t.Errorf("afterwards: %v, %v", p, err)
	}
}

func TestContextEndsTheWaitForOtherUpdates(t *testing.T) {
	s := open(t, server.DSN(server.Database(t)), postgres.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Update(t.Context(), func(directory.Tx) error {
		waiting := make(chan error)
		go func() {
			_, err := addUser(ctx, s, "anna")
			waiting <- err
		}()
		cancel()
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A process that stops in the middle of an update holds up the others for a while only,
// and its update is lost.
func TestUpdateThatStops(t *testing.T) {
	database := server.Database(t)
	s, other := open(t, server.DSN(database), postgres.Options{}), open(t, server.DSN(database), postgres.Options{})
	s.SetIdleTimeout(100 * time.Millisecond)
	_, err := s.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "user:tester", Action: "user.put"})
		if err := tx.PutUser(t.Context(), portal.User{ID: "anna", Status: portal.UserActive}); err != nil {
			return err
		}
		if _, err := addUser(t.Context(), other, "ben"); err != nil { // waits for the turn of this one
			t.Error(err)
		}
		return nil
	})
	if !errors.Is(err, directory.ErrUnavailable) || added(t, s, "anna") || !added(t, s, "ben") {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}
