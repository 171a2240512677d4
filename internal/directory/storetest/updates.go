package storetest

import (
	"context"
	"errors"
	"testing"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

var errChangedMind = errors.New("changed my mind")

// all puts one thing of every kind, each different from what found puts.
func all() []any {
	return []any{fullAccount(), fullUser(), fullMembership(), fullContact(), fullToken(), promotion(1)}
}

func rollback(t *testing.T, s directory.Store) {
	found(t, s)
	was := everything(t, s)
	p, err := s.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(entry("test.put"))
		if err := put(t.Context(), tx, all()...); err != nil {
			t.Error(err)
		}
		return errChangedMind
	})
	if !errors.Is(err, errChangedMind) || p != (portal.Position{}) {
		t.Errorf("got %v, %v", p, err)
	}
	unchanged(t, s, was)
	found(t, s) // and the store is of use still
}

func panicking(t *testing.T, s directory.Store) {
	found(t, s)
	was := everything(t, s)
	func() {
		defer func() {
			if got := recover(); got != errChangedMind {
				t.Errorf("recovered %v", got)
			}
		}()
		s.Update(t.Context(), func(tx directory.Tx) error {
			tx.Log(entry("test.put"))
			if err := put(t.Context(), tx, all()...); err != nil {
				t.Error(err)
			}
			panic(errChangedMind)
		})
	}()
	unchanged(t, s, was)
	found(t, s)
}

func cancelled(t *testing.T, s directory.Store) {
	found(t, s)
	was := everything(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	_, during := s.Update(ctx, func(tx directory.Tx) error {
		tx.Log(entry("test.put"))
		err := put(ctx, tx, all()...)
		cancel()
		return err
	})
	_, before := try(ctx, s, all()...)
	_, head := s.Head(ctx)
	_, _, facts := s.Facts(ctx, []portal.FactKey{key(acme, anna)})
	_, members := s.Members(ctx, acme)
	_, contacts := s.Contacts(ctx, acme)
	_, _, changes := s.Changes(ctx, portal.Position{}, 10)
	var lines error
	for _, err := range s.AuditLines(ctx) {
		lines = err
	}
	for what, err := range map[string]error{
		"update under way": during, "update": before, "head": head, "facts": facts,
		"members": members, "contacts": contacts, "changes": changes, "audit lines": lines,
	} {
		if !errors.Is(err, context.Canceled) || errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("%s: got %v, want context.Canceled", what, err)
		}
	}
	unchanged(t, s, was)
}

func ownWrites(t *testing.T, s directory.Store) {
	was := found(t, s)
	ctx := t.Context()
	_, err := s.Update(ctx, func(tx directory.Tx) error {
		tx.Log(entry("test.put"))
		if tx.Changed() {
			t.Error("changed before anything was")
		}
		a, u, m := fullAccount(), fullUser(), fullMembership()
		if err := put(ctx, tx, a, u, m, fullContact(), fullInvitation(), line("1"), fullToken()); err != nil {
			return err
		}
		if !tx.Changed() {
			t.Error("not changed")
		}
		gotA, errA := tx.Account(ctx, acme)
		gotU, errU := tx.User(ctx, anna)
		gotM, errM := tx.Membership(ctx, acme, anna)
		members, errMs := tx.Members(ctx, acme)
		contact, errC := tx.Contact(ctx, books)
		contacts, errCs := tx.Contacts(ctx, acme)
		staff, errS := tx.Staff(ctx)
		ownInvitations(t, tx)
		tokens, errT := tx.Tokens(ctx)
		facts, at, errF := tx.Facts(ctx, []portal.FactKey{key(acme, anna), key(acme, "nobody"), contactKey(acme, books)})
		if gotA != a || gotU != u || !gotM.Owner || len(gotM.Grant.Scope) != 2 || len(members) != 2 || len(tokens) != 1 {
			t.Errorf("read %+v, %+v, %+v, %v, %v", gotA, gotU, gotM, members, tokens)
		}
		if contact.Status != portal.ContactRemoved || len(contacts) != 1 || len(staff) != 1 {
			t.Errorf("read %+v, %v, %v", contact, contacts, staff)
		}
		if len(facts) != 3 || facts[0].User.Status != u.Status || facts[1].User.Status != "" || facts[2].Contact == nil {
			t.Errorf("facts %+v", facts)
		}
		head, errH := tx.Head(ctx)
		if head != was || at != was {
			t.Errorf("head %v and facts at %v before the commit after %v", head, at, was)
		}
		return errors.Join(errA, errU, errM, errMs, errC, errCs, errS, errT, errF, errH)
	})
	if err != nil {
		t.Error(err)
	}
}

func isolation(t *testing.T, s directory.Store) {
	was := found(t, s)
	_, err := s.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(entry("test.put"))
		if err := put(t.Context(), tx, fullUser()); err != nil {
			return err
		}
		facts, p, err := s.Facts(t.Context(), []portal.FactKey{key(acme, anna)})
		if err == nil && (facts[0].User.Status != portal.UserActive || p != was) {
			t.Errorf("%+v at %v was read before the commit after %v", facts, p, was)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func overIsOver(t *testing.T, s directory.Store) {
	found(t, s)
	var kept directory.Tx
	_, err := s.Update(t.Context(), func(tx directory.Tx) error { kept = tx; return nil })
	if err != nil {
		t.Fatal(err)
	}
	was := everything(t, s)
	if err := kept.PutUser(t.Context(), fullUser()); err == nil {
		t.Error("written after the update was over")
	}
	if _, err := kept.Head(t.Context()); err == nil {
		t.Error("read after the update was over")
	}
	unchanged(t, s, was)
}

func unaudited(t *testing.T, s directory.Store) {
	found(t, s)
	was := everything(t, s)
	for _, thing := range all() {
		_, err := s.Update(t.Context(), func(tx directory.Tx) error { return put(t.Context(), tx, thing) })
		if !errors.Is(err, directory.ErrUnaudited) {
			t.Errorf("%T: got %v, want ErrUnaudited", thing, err)
		}
	}
	for _, e := range []struct{ actor, action string }{{"", "a"}, {"a", ""}, {"\xff", "a"}} {
		bad := entry(e.action)
		bad.Actor = e.actor
		_, err := s.Update(t.Context(), func(tx directory.Tx) error {
			tx.Log(bad)
			return put(t.Context(), tx, fullUser())
		})
		if !errors.Is(err, directory.ErrInvalid) {
			t.Errorf("%+v: got %v, want ErrInvalid", bad, err)
		}
	}
	unchanged(t, s, was)
}

func equalPut(t *testing.T, s directory.Store) {
	found(t, s)
	commit(t, s, all()...)
	was := everything(t, s)
	p, err := s.Update(t.Context(), func(tx directory.Tx) error {
		err := put(t.Context(), tx, all()...)
		if tx.Changed() {
			t.Error("changed")
		}
		return err
	})
	if err != nil || p != was.Head {
		t.Errorf("got %v, %v, want %v", p, err, was.Head)
	}
	unchanged(t, s, was)
}

func entryAlone(t *testing.T, s directory.Store) {
	was := found(t, s)
	p, err := s.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(entry("export.read"))
		tx.Log(entry("export.read"))
		return nil
	})
	if err != nil || p.Revision != was.Revision+1 || p.Tag == was.Tag {
		t.Fatalf("got %v, %v after %v", p, err, was)
	}
	changes, at, err := s.Changes(t.Context(), was, 10)
	want := directory.Change{Revision: p.Revision, Kind: directory.ChangedNothing}
	if err != nil || at != p || len(changes) != 1 || changes[0] != want {
		t.Errorf("got %v, %v, %v, want %v", changes, at, err, want)
	}
}

func ownInvitations(t *testing.T, tx directory.Tx) {
	t.Helper()
	invited, errI := tx.Invitation(t.Context(), "i1")
	all, errA := tx.Invitations(t.Context(), acme)
	history, errH := tx.History(t.Context(), acme, portal.HistoryLine{}, 10)
	if err := errors.Join(errI, errA, errH); err != nil || invited.ID != "i1" || len(all) != 1 || len(history) != 1 {
		t.Errorf("read %+v, %v, %v, %v", invited, all, history, err)
	}
}
