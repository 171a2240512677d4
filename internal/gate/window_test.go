package gate

import (
	"fmt"
	"testing"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

func user(account, id string) portal.FactKey {
	return portal.FactKey{Account: portal.AccountID(account), Subject: portal.Ref{Type: portal.TypeUser, ID: id}}
}

func contact(account, id string) portal.FactKey {
	return portal.FactKey{Account: portal.AccountID(account), Subject: portal.Ref{Type: portal.TypeContact, ID: id}}
}

// Every kind of change is known to be about the facts that rest on what it names, and
// about no others (R8).
func TestAChangeIsAboutWhatItNames(t *testing.T) {
	anna, ben, other, nowhere, books := user("acme", "anna"), user("acme", "ben"), user("other", "anna"), user("", "anna"), contact("acme", "anna")
	keys := []portal.FactKey{anna, ben, other, nowhere, books}
	for _, c := range []struct {
		change directory.Change
		about  []portal.FactKey
	}{
		{directory.Change{Kind: directory.ChangedAccount, Account: "acme"}, []portal.FactKey{anna, ben, books}},
		{directory.Change{Kind: directory.ChangedUser, User: "anna"}, []portal.FactKey{anna, other, nowhere}},
		{directory.Change{Kind: directory.ChangedMembership, Account: "acme", User: "anna"}, []portal.FactKey{anna}},
		{directory.Change{Kind: directory.ChangedContact, Account: "acme", Contact: "anna"}, []portal.FactKey{books}},
		{directory.Change{Kind: directory.ChangedInvitation, Account: "acme"}, nil},
		{directory.Change{Kind: directory.ChangedToken}, nil},
		{directory.Change{Kind: directory.ChangedPolicy}, nil},
		{directory.Change{Kind: directory.ChangedNothing}, nil},
	} {
		w := newWindow(10)
		n, any, known := named(c.change)
		if !known || any != (c.about != nil) {
			t.Errorf("%s: names something %v, known %v", c.change.Kind, any, known)
		}
		if any {
			w.note(n, 5)
		}
		var about []portal.FactKey
		for _, key := range keys {
			if w.changed([]portal.FactKey{key}, 4) {
				about = append(about, key)
			}
			if w.changed([]portal.FactKey{key}, 5) {
				t.Errorf("%s: %v has changed after its own revision", c.change.Kind, key)
			}
		}
		if fmt.Sprint(about) != fmt.Sprint(c.about) {
			t.Errorf("%s is about %v, want %v", c.change.Kind, about, c.about)
		}
	}
	if _, _, known := named(directory.Change{Kind: "hologram"}); known {
		t.Error("a kind that there is not is known")
	}
}

// A window forgets the oldest changes, and says from where on it knows all of them.
func TestAWindowForgetsTheOldest(t *testing.T) {
	w := newWindow(3)
	w.begin(10)
	for r := portal.Revision(11); r <= 20; r++ {
		w.note(name{kind: directory.ChangedUser, id: fmt.Sprint("u", r%4)}, r)
	}
	if w.floor != 17 || len(w.last) != 3 || len(w.order) != 3 {
		t.Errorf("knows all after %d, %d names of %d", w.floor, len(w.last), len(w.order))
	}
	for r, want := range map[portal.Revision]bool{17: true, 20: false} {
		if got := w.changed([]portal.FactKey{user("", "u0")}, r); got != want { // last at 20
			t.Errorf("u0 changed after %d: %v", r, got)
		}
	}
	w.note(name{kind: directory.ChangedUser, id: "u0"}, 21) // known twice: one may go, the name stays
	w.note(name{kind: directory.ChangedUser, id: "u0"}, 22)
	w.note(name{kind: directory.ChangedUser, id: "u0"}, 23)
	if !w.changed([]portal.FactKey{user("", "u0")}, 22) || w.floor != 20 {
		t.Errorf("forgot a name that changed again; knows all after %d", w.floor)
	}
	w.begin(100)
	if w.floor != 100 || len(w.last) != 0 || w.changed([]portal.FactKey{user("", "u0")}, 1) {
		t.Error("begins with something")
	}
}
