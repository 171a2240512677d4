package policytool_test

import (
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"doorward/internal/policytool"
	"doorward/policies"
)

// Every row of the shipped tables holds. The rows cite the requirements.
func TestShippedTables(t *testing.T) {
	results, err := policytool.RunTables(t.Context(), policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if !r.OK() {
			t.Error(r)
		}
	}
	if len(results) < 300 {
		t.Errorf("only %d answers: did the tables get lost?", len(results))
	}
}

// A malformed table is refused with its place; it does not merely expect less.
func TestMalformedTablesAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ table, want string }{
		"no rows":         {"title: x\n", "tests/x.yaml:1:1: the table has no rows. A table that expects nothing proves nothing."},
		"unknown key":     {"titel: x\nrows: [{req: 62, who: billing, do: invoice.list, want: allow}]\n", `tests/x.yaml:1:1: a table has no key "titel". Did you mean "title"?`},
		"no requirement":  {"rows:\n  - {who: billing, do: invoice.list, want: allow}\n", "tests/x.yaml:2:5: the row has no req. Cite the requirements it holds, as in req: [62]."},
		"no action":       {"rows:\n  - {req: 62, who: billing, want: allow}\n", "tests/x.yaml:2:5: the row has no do. Name an action, or a list of them."},
		"no answer":       {"rows:\n  - {req: 62, who: billing, do: invoice.list}\n", "tests/x.yaml:2:5: the row has no want. Write want: allow, or want: and the reason."},
		"nobody":          {"rows:\n  - {req: 62, do: invoice.list, want: allow}\n", "tests/x.yaml:2:5: the row has no who. Name a preset, or say more: who: {presets: [billing], state: removed}."},
		"misspelt member": {"rows:\n  - {req: 62, who: {preset: [billing]}, do: invoice.list, want: allow}\n", `tests/x.yaml:2:21: who has no key "preset". Did you mean "presets"?`},
		"unknown profile": {"profile: webop\nrows: [{req: 62, who: billing, do: invoice.list, want: allow}]\n", `tests/x.yaml:1:10: no profile is called "webop". Did you mean "webops"?`},
		"no profile":      {"profile:\nrows: [{req: 62, who: billing, do: invoice.list, want: allow}]\n", `tests/x.yaml:1:9: profile must be a text, not empty`},
	} {
		_, err := policytool.ReadTables(fstest.MapFS{"tests/x.yaml": {Data: []byte(c.table)}, "profiles/webops.yaml": {Data: []byte("x")}})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// A name that nothing has would make a row pass for the wrong reason. It is refused,
// but where the row is about that: it cites invariant 12, or wants action_unknown.
func TestMisspeltNamesInRowsAreRefused(t *testing.T) {
	for row, want := range map[string]string{
		"req: 62, who: biling, do: invoice.pay, want: category_missing":                                         `no preset is called "biling". Did you mean "billing"?`,
		"req: 62, who: {presets: [support, biling]}, do: invoice.pay, want: category_missing":                   `no preset is called "biling". Did you mean "billing"?`,
		"req: 62, who: {categories: [Invoices]}, do: invoice.pay, want: category_missing":                       `no category is called "Invoices". Did you mean "invoices"?`,
		"req: 62, who: {account_wide: [invoice]}, do: invoice.pay, want: category_missing":                      `no category is called "invoice". Did you mean "invoices"?`,
		`req: 62, who: owner, member: {presets: [suport]}, do: user.remove, on: "user:8", want: allow`:          `no preset is called "suport". Did you mean "support"?`,
		"req: 62, who: owner, actor: {presets: [suport]}, do: invoice.pay, want: allow":                         `no preset is called "suport". Did you mean "support"?`,
		"req: 62, who: billing, do: [invoice.pay, invoice.pai], want: allow":                                    `no action is called "invoice.pai". Did you mean "invoice.pay"?`,
		"req: [62, invariant 12], who: {presets: [biling], categories: [x]}, do: invoice.pay, want: not_member": "",
		"req: 62, who: billing, do: invoice.pai, want: action_unknown":                                          "",
		"req: 62, who: stranger, do: invoice.pay, want: not_member":                                             "",
	} {
		table := "rows:\n  - {" + row + "}\n"
		_, err := policytool.RunTables(t.Context(), overlay{policies.FS, fstest.MapFS{"tests/x.yaml": {Data: []byte(table)}}})
		got := ""
		if err != nil {
			got = err.Error()
		}
		if want != "" {
			want = "tests/x.yaml:2: " + want
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", row, got, want)
		}
	}
}

// A table that nobody reads would be believed to hold.
func TestTablesThatWouldNotBeReadAreRefused(t *testing.T) {
	for _, name := range []string{"tests/x.yml", "tests/more/x.yaml", "tests/x.YAML"} {
		if _, err := policytool.ReadTables(fstest.MapFS{name: {Data: []byte("rows: []")}}); err == nil || !strings.Contains(err.Error(), "would not be read here") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A table's profile stands in place of provider.yaml, overrides included, and the
// table's switches stand on top of it. A13.2, C6
func TestATableNamesItsProfile(t *testing.T) {
	const row = "rows: [{req: C6, who: all, do: user.invite, want: allow}]\n"
	for table, want := range map[string]string{
		row:                           "category_missing", // simple, and its override administrators
		"profile: simple\n" + row:     "owner_only",
		"profile: indichosts\n" + row: "allow",
		"profile: indichosts\nprovider: {delegation.inviters: owner}\n" + row: "owner_only",
		"profile: indichosts\nprovider: {presets.all_adds: []}\n" + row:       "category_missing",
		"provider: {presets.all_adds: [users]}\n" + row:                       "allow",
	} {
		results, err := policytool.RunTables(t.Context(), overlay{policies.FS, fstest.MapFS{"tests/x.yaml": {Data: []byte(table)}}})
		if err != nil || len(results) != 1 || results[0].Got != want {
			t.Errorf("%s: got %v, %v, want %s", table, results, err, want)
		}
	}
}

// Each profile has its table of expected answers, which names it.
func TestEachProfileHasItsTable(t *testing.T) {
	files, err := fs.Glob(policies.FS, "profiles/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %v, %v", files, err)
	}
	tables, err := policytool.ReadTables(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]string)
	for _, table := range tables {
		named[table.File] = table.Profile
	}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".yaml")
		if got := named["tests/profile-"+name+".yaml"]; got != name {
			t.Errorf("the table of %s names the profile %q", name, got)
		}
	}
}

// A row whose answer is another is reported, with its line.
func TestAWrongRowIsReported(t *testing.T) {
	files := fstest.MapFS{"tests/x.yaml": {Data: []byte("rows:\n  - {req: 62, who: billing, do: [invoice.list, ticket.open], want: allow}\n")}}
	folder := overlay{policies.FS, files}
	results, err := policytool.RunTables(t.Context(), folder)
	if err != nil || len(results) != 2 || !results[0].OK() || results[1].OK() {
		t.Fatalf("got %v, %v", results, err)
	}
	if got, want := results[1].String(), "tests/x.yaml:2: ticket.open: got category_missing, want allow"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// overlay is the shipped policy with other tables.
type overlay struct {
	fs.FS
	tables fs.FS
}

func (o overlay) Open(name string) (fs.File, error) {
	if name == "tests" || strings.HasPrefix(name, "tests/") {
		return o.tables.Open(name)
	}
	return o.FS.Open(name)
}
