package staff_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
	"doorward/internal/staff"
	"doorward/policies"
)

func shipped(t *testing.T) *catalogue.Catalogue {
	t.Helper()
	p, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	return p.Catalogue
}

// open returns an Admin over a directory with tess, who is nobody's staff.
func open(t *testing.T) *staff.Admin {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "doorward.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	_, err = store.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "test", Action: "user.put", Object: "user:tess"})
		return tx.PutUser(t.Context(), portal.User{
			ID: "tess", Status: portal.UserActive, MFA: true, Person: portal.Person{Email: "tess@host.example"},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return &staff.Admin{Store: store, Actor: "cli:test"}
}

// trail returns the entries after the directory was made and tess put.
func trail(t *testing.T, a *staff.Admin) (entries []audit.Entry) {
	t.Helper()
	for line, err := range a.Store.AuditLines(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, line.Entry)
	}
	return entries[2:]
}

func addOrRemove(t *testing.T, a *staff.Admin, cat *catalogue.Catalogue, may []string) (portal.User, error) {
	t.Helper()
	if may == nil {
		return a.Remove(t.Context(), "tess")
	}
	u, _, err := a.Add(t.Context(), cat, "tess", may)
	return u, err
}

// A13.19, req 120: rights are given, given anew, and taken; each change is in the
// trail, and what else tess is stays.
func TestStaffComeAndGo(t *testing.T) {
	a, cat := open(t), shipped(t)
	tess := portal.User{ID: "tess", Status: portal.UserActive, MFA: true, Person: portal.Person{Email: "tess@host.example"}}
	for _, step := range []struct {
		may  []string // nil: removed
		want portal.StaffRights
	}{
		{[]string{"staff.read", "staff.login_as", "staff.read"}, "staff.login_as,staff.read"},
		{[]string{"staff.login_as", "staff.read"}, "staff.login_as,staff.read"}, // changes nothing
		{[]string{"staff.2fa.reset"}, "staff.2fa.reset"},
		{nil, ""},
		{nil, ""}, // changes nothing
	} {
		u, err := addOrRemove(t, a, cat, step.may)
		tess.Staff = step.want
		stored, errStored := a.Store.User(t.Context(), "tess")
		if u != tess || stored != tess || err != nil || errStored != nil {
			t.Errorf("%v: %+v, stored %+v, %v, %v", step.may, u, stored, err, errStored)
		}
		listed, err := a.List(t.Context())
		if err != nil || (len(listed) == 1) != (step.want != "") {
			t.Errorf("%v: listed %+v, %v", step.may, listed, err)
		}
	}
	entry := func(action, before, may string) audit.Entry {
		return audit.Entry{Actor: "cli:test", Action: action, Object: "user:tess", Detail: map[string]string{"before": before, "may": may}}
	}
	want := []audit.Entry{
		entry("staff.add", "", "staff.login_as staff.read"),
		entry("staff.add", "staff.login_as staff.read", "staff.2fa.reset"),
		entry("staff.remove", "staff.2fa.reset", ""),
	}
	if diff := cmp.Diff(want, trail(t, a)); diff != "" {
		t.Errorf("trail (-want +got):\n%s", diff)
	}
}

// A13.19: what is no staff action is no right, and nobody becomes staff unseen.
func TestWhatCannotBeGiven(t *testing.T) {
	a, cat := open(t), shipped(t)
	for _, c := range []struct {
		may  []string
		want string
	}{
		{nil, "staff need a right: staff.2fa.reset, staff.import.run,"},
		{[]string{"staff.read", "staff.login-as"}, `"staff.login-as" is no right of staff. Did you mean "staff.login_as"?`},
		{[]string{"invoice.pay"}, `"invoice.pay" is no right of staff. There are: staff.2fa.reset,`},
		{[]string{"Staff.read"}, `"Staff.read" is no right of staff. Did you mean "staff.read"?`},
		{[]string{"staff.login_as,staff.read"}, `is no right of staff`},
		{[]string{""}, `"" is no right of staff`},
	} {
		_, _, err := a.Add(t.Context(), cat, "tess", c.may)
		if _, ok := errors.AsType[*staff.ArgumentError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.may, err, c.want)
		}
	}
	for _, id := range []portal.UserID{"nobody", "Tess", ""} { // S14
		_, _, add := a.Add(t.Context(), cat, id, []string{"staff.read"})
		_, remove := a.Remove(t.Context(), id)
		if !errors.Is(add, directory.ErrNotFound) || !errors.Is(remove, directory.ErrNotFound) {
			t.Errorf("%q: %v, %v", id, add, remove)
		}
	}
	if lines := trail(t, a); len(lines) != 0 {
		t.Errorf("the trail has %+v", lines)
	}
}
