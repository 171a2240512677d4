package provider_test

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/fault"
	"doorward/internal/policy/provider"
)

// shippedFolder is the policy folder, which a test may read but the package is
// always handed.
const shippedFolder = "../../../policies"

// shippedProfiles are the profiles' files, as the folder names them.
func shippedProfiles(t *testing.T) []string {
	t.Helper()
	files, err := fs.Glob(os.DirFS(shippedFolder), "profiles/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %v, %v", files, err)
	}
	return files
}

// folder is the shipped folder with some files put in place of its own.
func folder(t *testing.T, files map[string]string) map[string][]byte {
	t.Helper()
	folder := map[string][]byte{}
	for _, name := range append(shippedProfiles(t), "provider.yaml") {
		data, err := os.ReadFile(shippedFolder + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		folder[name] = data
	}
	for name, text := range files {
		folder[name] = []byte(text)
	}
	return folder
}

func load(t *testing.T, files map[string]string) *provider.Provider {
	t.Helper()
	p, err := provider.Load(folder(t, files))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func switches(changes map[string]any) map[string]any {
	data := map[string]any{
		"invite": map[string]any{"ttl": int64(7 * 24 * 3600)}, "contacts": map[string]any{"mode": "notify_only"},
		"delegation": map[string]any{"inviters": "owner"}, "presets": offered("all"),
		"cancellations": "with_orders", "ownership": map[string]any{"mode": "staff_review"}, "direct_add": false,
		"notify":        map[string]any{"users": "explicit", "credentials_require_permission": false},
		"all_semantics": "dynamic", "billing": map[string]any{"pay": true}, "closed": map[string]any{"access": "none"},
		"suspended": map[string]any{"writes": []any{"invoices", "payment_methods", "tickets"}},
		"session":   map[string]any{"require_acting": false, "mfa_methods": []any{"mfa", "otp", "hwk", "sc"}},
		"step_up":   map[string]any{"mode": "advise", "max_age": int64(900)},
	}
	for name, value := range changes {
		data[name] = value
	}
	return data
}

// offered are the presets offered, with nothing added to the preset all.
func offered(presets ...any) map[string]any {
	return map[string]any{"offered": presets, "all_adds": []any{}}
}

// A12: the columns of the five articles.
func TestProfilesAreTheArticlesColumns(t *testing.T) {
	byPermission := map[string]any{"users": "by_permission", "credentials_require_permission": false} // C12
	limited := map[string]any{"mode": "limited"}                                                      // C2
	columns := map[string]map[string]any{
		"mixed": switches(map[string]any{ // req 36, req 26, req 109
			"contacts": limited, "presets": offered("all", "billing", "support"), "notify": byPermission,
		}),
		"indichosts": switches(map[string]any{ // req 26, A13.2, A13.10
			"contacts": limited, "delegation": map[string]any{"inviters": "holders_of_users"}, // C6
			"presets": map[string]any{"offered": []any{}, "all_adds": []any{"users"}}, "notify": byPermission,
		}),
		"webops": switches(map[string]any{ // req 88, req 49, req 56; C1, C5
			"invite": map[string]any{"ttl": int64(72 * 3600)}, "presets": offered("all", "developer"), "cancellations": "owner_only",
		}),
		"simple": switches(nil), // req 81, req 89
		"four-roles": switches(map[string]any{ // req 59, req 61, req 73, req 80
			"delegation":    map[string]any{"inviters": "administrators"},
			"presets":       offered("owner", "billing", "support", "administrator"),
			"cancellations": "owner_only", "direct_add": true, "notify": byPermission,
		}),
	}
	for _, file := range shippedProfiles(t) {
		if _, ok := columns[strings.TrimSuffix(path.Base(file), ".yaml")]; !ok {
			t.Errorf("%s is no article's column", file)
		}
	}
	for profile, want := range columns {
		p := load(t, map[string]string{"provider.yaml": "profile: " + profile + "\n"})
		if diff := cmp.Diff(want, p.Data()); diff != "" {
			t.Errorf("profile %s (-want +got):\n%s", profile, diff)
		}
		if p.Profile != profile {
			t.Errorf("profile %q is called %q", profile, p.Profile)
		}
		alone, err := provider.LoadProfile(folder(t, nil), profile)
		if err != nil || alone.Profile != profile || !cmp.Equal(alone.Data(), p.Data()) {
			t.Errorf("profile %s in place of provider.yaml: %v, %v", profile, alone, err)
		}
	}
}

// req 73: the shipped demo has an administrator who authorizes people.
func TestShippedSwitches(t *testing.T) {
	p := load(t, nil)
	want := switches(map[string]any{"delegation": map[string]any{"inviters": "administrators"}})
	if diff := cmp.Diff(want, p.Data()); diff != "" {
		t.Errorf("shipped switches (-want +got):\n%s", diff)
	}
	if p.StepUpMaxAge() != 15*time.Minute || !slices.Equal(p.MFAMethods(), []string{"mfa", "otp", "hwk", "sc"}) || !slices.Equal(p.PresetsOffered(), []string{"all"}) {
		t.Errorf("got %v, %v, %v", p.StepUpMaxAge(), p.MFAMethods(), p.PresetsOffered())
	}
}

// C5, A13.4: two switches that Go reads, too.
func TestSwitchesThatSayWhatComesAlong(t *testing.T) {
	for text, want := range map[string][2]bool{
		"profile: simple\n":     {true, true},
		"profile: four-roles\n": {false, true},
		"profile: simple\noverrides:\n  billing.pay: false\n": {true, false},
	} {
		p := load(t, map[string]string{"provider.yaml": text})
		if got := [2]bool{p.OrdersCancel(), p.InvoicesPay()}; got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestDataBelongsToTheCaller(t *testing.T) {
	p := load(t, nil)
	p.Data()["billing"].(map[string]any)["pay"] = false
	if p.Data()["billing"].(map[string]any)["pay"] != true {
		t.Error("changing the data changed the provider")
	}
}

func TestWithSetsSwitchesOtherwise(t *testing.T) {
	p := load(t, nil)
	changed, err := p.With(map[string]string{
		"delegation.inviters": "owner", "billing.pay": "false", "step_up.max_age": "5m", "suspended.writes": "[tickets]",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := switches(map[string]any{
		"billing": map[string]any{"pay": false}, "step_up": map[string]any{"mode": "advise", "max_age": int64(300)},
		"suspended": map[string]any{"writes": []any{"tickets"}},
	})
	if diff := cmp.Diff(want, changed.Data()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p.StepUpMaxAge() != 15*time.Minute {
		t.Error("With changed the provider it was called on")
	}
}

func TestWithRefuses(t *testing.T) {
	p := load(t, nil)
	for name, c := range map[string]struct{ override, value, want string }{
		"unknown switch": {"delegation.inviter", "owner", `override delegation.inviter: no switch is called that. Did you mean "delegation.inviters"?`},
		"unknown value":  {"delegation.inviters", "admins", "override delegation.inviters: delegation.inviters cannot be \"admins\""},
		"wrong type":     {"billing.pay", "yes", `override billing.pay: billing.pay must be true or false, not "yes"`},
		"nothing":        {"billing.pay", "", "override billing.pay: is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.With(map[string]string{c.override: c.value})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestCheckNames(t *testing.T) {
	p := load(t, map[string]string{"provider.yaml": "profile: simple\noverrides:\n  suspended.writes: [invoice]\n  presets.all_adds: [user]\n"})
	err := p.CheckNames([]string{"invoices", "users"}, []string{"owner", "al"})
	want := `profiles/simple.yaml:16:12: presets.offered names all, and no preset is called that. Did you mean "al"?
provider.yaml:3:21: suspended.writes names invoice, and no category is called that. Did you mean "invoices"?
provider.yaml:4:21: presets.all_adds names user, and no category is called that. Did you mean "users"?`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if err := load(t, nil).CheckNames([]string{"invoices", "payment_methods", "tickets"}, []string{"all"}); err != nil {
		t.Error(err)
	}
}

func TestFaultsHaveTheirPlace(t *testing.T) {
	simple, err := os.ReadFile(shippedFolder + "/profiles/simple.yaml")
	if err != nil {
		t.Fatal(err)
	}
	edited := func(old, replacement string) map[string]string {
		text := strings.Replace(string(simple), old, replacement, 1)
		if text == string(simple) {
			t.Fatalf("%q is not in the profile", old)
		}
		return map[string]string{"profiles/simple.yaml": text}
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"unknown profile":     {map[string]string{"provider.yaml": "profile: simpel\n"}, `provider.yaml:1:10: no profile is called "simpel". Did you mean "simple"?`},
		"profile elsewhere":   {map[string]string{"provider.yaml": "profile: ../provider\n"}, `provider.yaml:1:10: no profile is called "../provider"`},
		"no profile":          {map[string]string{"provider.yaml": "overrides: {}\n"}, "provider.yaml:1:1: no profile is named"},
		"unknown key":         {map[string]string{"provider.yaml": "profile: simple\noverride: {}\n"}, `provider.yaml:2:1: provider.yaml has no key "override". Did you mean "overrides"?`},
		"unknown override":    {map[string]string{"provider.yaml": "profile: simple\noverrides:\n  billing.pays: true\n"}, `provider.yaml:3:3: no switch is called "billing.pays". Did you mean "billing.pay"?`},
		"empty":               {map[string]string{"provider.yaml": "# nothing\n"}, "provider.yaml: is empty"},
		"a list":              {map[string]string{"provider.yaml": "- profile\n"}, "provider.yaml:1:1: provider.yaml must be a mapping"},
		"not YAML":            {map[string]string{"provider.yaml": "profile: simple\noverrides: [\n"}, "provider.yaml:"},
		"byte order mark":     {map[string]string{"provider.yaml": "\ufeffprofile: simple\n"}, "provider.yaml:1:1: begins with a byte order mark"},
		"second document":     {map[string]string{"provider.yaml": "profile: simple\n---\nprofile: four-roles\n"}, "provider.yaml:2:1: a second YAML document begins"},
		"anchor and alias":    {map[string]string{"provider.yaml": "profile: &p simple\noverrides: {billing.pay: *p}\n"}, "provider.yaml:1:10: an anchor (&p) is not allowed"},
		"bad duration":        {edited("168h", "7 days"), `profiles/simple.yaml:6:8: invite.ttl cannot be "7 days". Write a positive time`},
		"duration as number":  {edited("168h", "168"), `profiles/simple.yaml:6:8: invite.ttl, a time such as 72h or 15m, must be a text, not "168"`},
		"negative duration":   {edited("15m", "-15m"), `cannot be "-15m"`},
		"parts of a second":   {edited("15m", "1500ms"), `cannot be "1500ms"`},
		"yes for true":        {edited("pay: true", "pay: yes"), `billing.pay must be true or false, not "yes"`},
		"text for a list":     {edited("[all]", "all"), `profiles/simple.yaml:16:12: presets.offered must be a list`},
		"number in a list":    {edited("[all]", "[1]"), `an item of presets.offered must be a text, not "1"`},
		"repeated in a list":  {edited("[all]", "[all, all]"), `profiles/simple.yaml:16:18: "all" is there twice`},
		"strange name":        {edited("[all]", "[All]"), `presets.offered cannot hold "All"`},
		"unknown amr":         {edited("otp,", "otpp,"), `an item of session.mfa_methods cannot be "otpp". Did you mean "otp"?`},
		"no amr":              {edited("[mfa, otp, hwk, sc]", "[]"), "session.mfa_methods is empty"},
		"unknown value":       {edited("notify_only ", "notify "), `contacts.mode cannot be "notify"`},
		"misspelt switch":     {edited("direct_add:", "direct_ad:"), `no switch is called "direct_ad". Did you mean "direct_add"?`},
		"missing switch":      {edited("direct_add:", "# direct_add:"), "profiles/simple.yaml:5:1: direct_add is not set"},
		"dotted in a profile": {edited("direct_add:", "billing.pay:"), `"billing.pay" is not one key`},
		"repeated group":      {edited("direct_add:", "billing:"), `"billing" is there twice`},
		"group as a value":    {edited("  pay: true", "  [pay]"), "billing must be a mapping, as in key: value, not a list"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := provider.Load(folder(t, c.files))
			var faults fault.List
			if p != nil || !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestEveryFaultIsReportedAtOnce(t *testing.T) {
	_, err := provider.Load(folder(t, map[string]string{
		"provider.yaml": "profile: four-roles\noverrides:\n  billing.pay: 1\n  direct_add: 2\n", "profiles/four-roles.yaml": "direct_add: 3\n",
	}))
	var faults fault.List
	if !errors.As(err, &faults) || len(faults) != 2+1+17 {
		t.Errorf("got %d faults:\n%v", len(faults), err)
	}
}

func TestLoadProfileRefuses(t *testing.T) {
	for name, c := range map[string]struct{ profile, content, want string }{
		"unknown profile":   {"simpel", "", `profile simpel: no profile is called that. Did you mean "simple"?`},
		"profile elsewhere": {"../provider", "", "profile ../provider: no profile is called that"},
		"faults of it":      {"simple", "direct_add: 3\n", "profiles/simple.yaml:1:1: invite.ttl is not set"},
	} {
		files := folder(t, nil)
		if c.content != "" {
			files["profiles/simple.yaml"] = []byte(c.content)
		}
		p, err := provider.LoadProfile(files, c.profile)
		if p != nil || err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// A13.2: what the preset all has besides, and where to mend it.
func TestAllAddsHasItsPlace(t *testing.T) {
	p := load(t, map[string]string{"provider.yaml": "profile: simple\noverrides:\n  presets.all_adds: [users, cancellations]\n"})
	got, at := p.AllAdds()
	if want := (fault.Fault{File: "provider.yaml", Line: 3, Column: 21}); !slices.Equal(got, []string{"users", "cancellations"}) || at != want {
		t.Errorf("got %v at %v, want %v", got, at, want)
	}
}

func TestMissingFile(t *testing.T) {
	_, err := provider.Load(nil)
	if err == nil || !strings.HasPrefix(err.Error(), "provider.yaml: is missing") {
		t.Errorf("got %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("profile: simple\noverrides: {billing.pay: false}\n", "direct_add: true\n")
	f.Add("profile: simple\noverrides:\n  step_up.max_age: 1h\n", "billing: {pay: true}\nsession: {mfa_methods: [otp]}\n")
	f.Add("? [a]\n: &x {<<: *x}\n", "- !!binary x\n")
	f.Fuzz(func(t *testing.T, main, profile string) {
		p, err := provider.Load(map[string][]byte{"provider.yaml": []byte(main), "profiles/simple.yaml": []byte(profile)})
		if (p == nil) == (err == nil) {
			t.Fatalf("got %v and %v", p, err)
		}
		var faults fault.List
		if err != nil && !errors.As(err, &faults) {
			t.Fatalf("not a list of faults: %v", err)
		}
	})
}

// A switch that nothing reads does nothing, unless it is for something that no rule
// decides.
func TestUnreadSwitches(t *testing.T) {
	p := load(t, nil)
	var read []string
	for _, name := range []string{
		"contacts.mode", "delegation.inviters", "cancellations", "notify.users", "notify.credentials_require_permission",
		"closed.access", "suspended.writes", "session.require_acting", "step_up.mode",
	} {
		read = append(read, "data.doorward.provider."+name)
	}
	unread := p.Unread(read)
	if len(unread) != 1 || unread[0].File != "profiles/simple.yaml" || unread[0].Line == 0 || unread[0].Message != "billing.pay is set, and no rule reads it" {
		t.Errorf("got %v", unread)
	}
	if unread := p.Unread(append(read, "data.doorward.provider.billing.pay")); len(unread) > 0 {
		t.Errorf("got %v", unread)
	}
}

// A policy that is about no portal has no switches: nothing is unread, and rules see none.
func TestNoSwitches(t *testing.T) {
	none := provider.None()
	if got := none.Unread(nil); len(got) > 0 || len(none.Data()) > 0 || len(none.Choices()) > 0 || len(none.MFAMethods()) > 0 || none.StepUpMaxAge() != 0 {
		t.Errorf("%v, %v, %v", got, none.Data(), none.Choices())
	}
	if err := none.CheckNames(nil, nil); err != nil {
		t.Error(err)
	}
}
