package reference

import (
	"slices"
	"strings"
	"testing"

	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/policies"
)

// settings are the five profiles of A12 and "", the shipped setting.
var settings = []string{"", "mixed", "indichosts", "webops", "simple", "four-roles"}

// load loads the shipped policy with one of the settings.
func load(t testing.TB, profile string, switches map[string]string) *policy.Policy {
	t.Helper()
	p, err := policy.LoadProfile(policies.FS, profile, switches)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The catalogue is part D with its amendments: A13.3, A13.4, A13.16, A13.17 and
// invariant 13.
func TestTheCatalogueIsPartD(t *testing.T) {
	want := actions()
	for _, a := range load(t, "", nil).Catalogue.Actions() {
		w, known := want[a.Name]
		delete(want, a.Name)
		if !known {
			t.Errorf("%s is in the catalogue only", a.Name)
			continue
		}
		scope := w.scope
		if scope == "" {
			scope = catalogue.ScopeNone
		}
		if string(a.Class) != w.class || !slices.Equal(a.Guards, w.guards) || a.Mail != w.mail ||
			(a.Effect == catalogue.Read) != w.reads || a.Scope != scope || a.Sensitive != w.sensitive {
			t.Errorf("got %+v\nwant %+v", *a, w)
		}
		if got := a.List && a.Scope != catalogue.ScopeNone; got != w.lists() {
			t.Errorf("%s lists things with a scope: %v", a.Name, got)
		}
		if got, want := a.AboutMember, strings.HasPrefix(a.Name, "user.") && strings.Contains("user.permissions.view user.permissions.update user.remove", a.Name); got != want {
			t.Errorf("%s is about a member: %v", a.Name, got)
		}
	}
	for name := range want {
		t.Errorf("%s is in the requirements only", name)
	}
}

// The presets are part D's columns and D2's marks, in every setting (A13.2).
func TestThePresetsArePartDsColumns(t *testing.T) {
	for _, setting := range settings {
		p := load(t, setting, nil)
		switches, _ := Profile(setting)
		m := New(switches)
		for preset := range columns {
			var want []string
			for _, c := range categories {
				if m.presetHolds(preset, c.name) {
					want = append(want, c.name)
				}
			}
			for mail, row := range mails {
				if strings.Contains(row.presets, columns[preset]) && mail != "security" {
					want = append(want, catalogue.MailObject(mail))
				}
			}
			got := p.Catalogue.Names(p.Presets.Holds([]string{preset}, nil))
			got = slices.DeleteFunc(got, func(o string) bool { return o == "mail:security" }) // always sent, held or not
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("setting %q, %s:\n got %v\nwant %v", setting, preset, got, want)
			}
		}
	}
}
