package presets_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/presets"
)

// small is a catalogue with three categories and one mail.
const small = `
categories:
  a: {label: A, freshness: bounded, delegable: true}
  b: {label: B, freshness: bounded, delegable: true, implies: [a]}
  own: {label: Own, freshness: strict, delegable: false}
mails:
  news: {label: News}
actions:
  a.do: {guards: [a], effect: read, scope: none}
`

// ownerLines are lines 1 to 4 of the files below.
const ownerLines = "p, owner, a, allow\np, owner, b, allow\np, owner, own, allow\np, owner, mail:news, allow\n"

func smallCatalogue(t testing.TB) *catalogue.Catalogue {
	t.Helper()
	cat, err := catalogue.Load("catalogue.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func loadSmall(t testing.TB, csv string) (*presets.Table, error) {
	t.Helper()
	return presets.Load(smallCatalogue(t), "model.conf", shippedFile(t, "presets/model.conf"), "presets.csv", []byte(csv))
}

// after is what a file says that has text after the owner's four lines.
func after(text string) string { return ownerLines + text }

// chain is one preset with a line of its own inheriting from the next, n times.
func chain(n int) string {
	var b strings.Builder
	for i := range n + 1 {
		fmt.Fprintf(&b, "p, r%d, a, allow\n", i)
	}
	for i := range n {
		fmt.Fprintf(&b, "g, r%d, r%d\n", i, i+1)
	}
	return b.String()
}

// Engine notes 3.4: what Casbin accepts although it is wrong, or refuses without
// saying where, line by line of that list.
func TestFaultsOfTheFile(t *testing.T) {
	for name, c := range map[string]struct{ csv, want string }{
		// 1: a misspelt deny allows
		"misspelt deny":    {after("p, r, a, denny\n"), `presets.csv:5:10: the effect cannot be "denny". Did you mean "deny"?`},
		"capitalised deny": {after("p, r, a, Deny\n"), `presets.csv:5:10: the effect cannot be "Deny". Did you mean "deny"?`},
		"shouted deny":     {after("p, r, a, DENY\n"), `presets.csv:5:10: the effect cannot be "DENY". Did you mean "deny"?`},
		"strange effect":   {after("p, r, a, perhaps\n"), `presets.csv:5:10: the effect cannot be "perhaps". Write allow or deny.`},
		// 2: a trailing comment becomes part of the effect
		"trailing comment": {after("p, r, a, deny # why\n"), "presets.csv:5:15: a comment behind a rule would be part of it. Write it on a line of its own."},
		// 3: a trailing space becomes part of the name
		"space before a comma": {after("p, r , a, deny\n"), `presets.csv:5:5: a space after "r". Remove it: it would be part of the name.`},
		"space at the end":     {after("p, r, a, deny \n"), `presets.csv:5:14: a space after "deny"`},
		"space after the kind": {after("p , r, a, deny\n"), `presets.csv:5:2: a space after "p"`},
		"space at the margin":  {after(" p, r, a, deny\n"), "presets.csv:5:1: a space before the line"},
		// 4: quotes join fields
		"quoted field":       {after("p, \"r\", a, deny\n"), "presets.csv:5:4: quotes are not allowed"},
		"quoted comma":       {after("p, \"r,a\", a, deny\n"), "presets.csv:5:4: quotes are not allowed"},
		"unterminated quote": {after("p, \"r, a, deny\n"), "presets.csv:5:4: quotes are not allowed"},
		"newline in quotes":  {after("p, \"r\n\", a, deny\n"), "presets.csv:5:4: quotes are not allowed"},
		// 5: empty fields
		"empty fields":      {after("p, , , \n"), "presets.csv:5:4: the field is empty"},
		"empty preset":      {after("p, , a, allow\n"), "presets.csv:5:4: the field is empty"},
		"empty first field": {after(", r, a, allow\n"), "presets.csv:5:1: the field is empty"},
		// 6: what cannot be seen or told apart
		"zero-width space":    {after("p, r\u200b, a, deny\n"), "presets.csv:5:5: an invisible character (U+200B)"},
		"word joiner":         {after("p, r, a, de\u2060ny\n"), "presets.csv:5:12: an invisible character (U+2060)"},
		"leading NBSP":        {after("p,\u00a0r, a, deny\n"), "presets.csv:5:3: a character (U+00A0) that only looks like another"},
		"Cyrillic look-alike": {after("p, r, а, deny\n"), "presets.csv:5:7: a character (U+0430) that only looks like another"},
		"fullwidth comma":     {after("p, r\uff0c a, deny\n"), "presets.csv:5:5: a character (U+FF0C)"},
		"bidi in a comment":   {after("# \u202eyned\n"), "presets.csv:5:3: an invisible character (U+202E)"},
		"tab":                 {after("p,\tr, a, deny\n"), "presets.csv:5:3: a tab. Use spaces."},
		"not UTF-8":           {after("p, \xff, a, deny\n"), "presets.csv:5:4: is not UTF-8"},
		"NUL":                 {after("p, r\x00, a, deny\n"), "presets.csv:5:5: an invisible character (U+0000)"},
		// 7: names that nobody defined
		"unknown category":      {after("p, r, c, allow\n"), `presets.csv:5:7: no category or mail is called "c"`},
		"misspelt mail":         {after("p, r, mail:newss, allow\n"), `presets.csv:5:7: no category or mail is called "mail:newss". Did you mean "mail:news"?`},
		"unknown parent":        {after("p, rolle, a, allow\np, s, a, allow\ng, s, role\n"), `presets.csv:7:7: no preset is called "role". Did you mean "rolle"?`},
		"preset without a line": {after("p, rolle, a, allow\ng, role, rolle\n"), `presets.csv:6:4: no preset is called "role". Did you mean "rolle"?`},
		"wildcard":              {after("p, r, *, allow\n"), `presets.csv:5:7: "*" is a wildcard. Write every category out`},
		"name with a star":      {after("p, r, mail:*, allow\n"), `presets.csv:5:7: "mail:*" is a wildcard`},
		"reserved name":         {after("p, __probe, a, allow\n"), `presets.csv:5:4: "__probe" cannot be the name of a preset`},
		"capital in a name":     {after("p, Role, a, allow\n"), `presets.csv:5:4: "Role" cannot be the name of a preset`},
		"a user as a preset":    {after("p, user:7, a, allow\n"), `presets.csv:5:4: "user:7" cannot be the name of a preset`}, // S23
		// 8: fields too many or too few, lines that say it again or otherwise
		"g with a domain":     {after("p, r, a, allow\ng, r, owner, acme\n"), "presets.csv:6:14: a g line has 3 fields, not 4. Write g, preset, inherited preset."},
		"g without a parent":  {after("p, r, a, allow\ng, r\n"), "presets.csv:6:5: a g line has 3 fields, not 2"},
		"p with a fifth":      {after("p, r, a, allow, x\n"), "presets.csv:5:17: a p line has 4 fields, not 5. Write p, preset, category, allow."},
		"p without an effect": {after("p, r, a\n"), "presets.csv:5:8: a p line has 4 fields, not 3"},
		"p alone":             {after("p\n"), "presets.csv:5:2: a p line has 4 fields, not 1"},
		"same grant":          {after("p, r, a, allow\np, r, a, allow\n"), "presets.csv:6:1: line 5 says the same"},
		"same inheritance":    {after("p, r, a, allow\np, s, a, allow\ng, r, s\ng, r, s\n"), "presets.csv:8:1: line 7 says the same"},
		"allow and deny":      {after("p, r, a, allow\np, r, a, deny\n"), "presets.csv:6:10: line 5 says allow"},
		// 9: cycles
		"inherits itself": {after("p, r, a, allow\ng, r, r\n"), "presets.csv:6:7: r inherits from itself"},
		"cycle of two":    {after("p, r, a, allow\np, s, a, allow\ng, r, s\ng, s, r\n"), "presets.csv:7:7: r inherits from s, which inherits from it"},
		"cycle of three":  {after("p, r, a, allow\np, s, a, allow\np, t, a, allow\ng, r, s\ng, s, t\ng, t, r\n"), "presets.csv:10:7: t inherits from r, which inherits from it"},
		// 10: chains in which Casbin stops looking
		"nine inheritances": {after(chain(9)), "presets.csv:15:8: r0 inherits over more than 8 presets"},
		// 11 and what is refused badly: files that are none
		"empty file":       {"", "presets.csv: holds no preset. Restore it, or copy the shipped one."},
		"comments only":    {"# nothing\n\n", "presets.csv: holds no preset"},
		"byte order mark":  {"\ufeff" + ownerLines, "presets.csv:1:1: begins with a byte order mark"},
		"; comment":        {after("; why\n"), `presets.csv:5:1: a line cannot begin with "; why". Begin comments with #.`},
		"// comment":       {after("// why\n"), "presets.csv:5:1: a line cannot begin with \"// why\". Begin comments with #."},
		"capital P":        {after("P, r, a, allow\n"), `presets.csv:5:1: a line cannot begin with "P". Begin it with p or g, small.`},
		"p2":               {after("p2, r, a, deny\n"), `presets.csv:5:1: a line cannot begin with "p2"`}, // S23
		"CR alone":         {strings.ReplaceAll(ownerLines, "\n", "\r"), "presets.csv:1:19: a carriage return that ends no line. End lines with LF or CRLF."},
		"CR within a line": {after("p, r\r, a, deny\n"), "presets.csv:5:5: a carriage return that ends no line"},
		"long line":        {after("p, r, " + strings.Repeat("a", 600) + ", allow\n"), "presets.csv:5:513: the line is longer than 512 bytes"},
		"long comment":     {after("#" + strings.Repeat("a", 70_000) + "\n"), "presets.csv:5:513: the line is longer than 512 bytes"},
		"large file":       {strings.Repeat("# x\n", 300_000), "presets.csv: is larger than 1 MiB"},
		// req 7: the owner
		"no owner":             {"p, r, a, allow\n", "presets.csv: there is no preset called owner"},
		"owner lacks category": {strings.Replace(ownerLines, "p, owner, b, allow\n", "", 1), "presets.csv:3: the owner lacks b. Add the line p, owner, b, allow."},
		"owner lacks mail":     {strings.Replace(ownerLines, "p, owner, mail:news, allow\n", "", 1), "presets.csv:3: the owner lacks mail:news"},
		"owner is denied":      {strings.Replace(ownerLines, "b, allow", "b, deny", 1), "presets.csv:2:14: the owner would be denied b"},
		"owner inherits deny":  {after("p, r, a, deny\ng, owner, r\n"), "presets.csv:5:10: the owner would be denied a"},
		"owner inherits some":  {"p, r, a, allow\ng, owner, r\n" + strings.Replace(ownerLines, "p, owner, a, allow\n", "", 1), "presets.csv:5: the owner lacks a"},
		// A13.17: what is implied is written out; A13.2: what is the owner's alone
		"without implied":        {after("p, r, b, allow\n"), "presets.csv:5:7: r holds b without a, which it implies"},
		"implied but denied":     {after("p, r, b, allow\np, s, a, deny\ng, r, s\n"), "presets.csv:5:7: r holds b without a, which it implies"},
		"the owner's alone":      {after("p, r, own, allow\n"), "presets.csv:5:7: r would be given own. Remove it: only the owner may hold it."},
		"the owner's alone by g": {after("p, r, a, allow\ng, r, owner\n"), "presets.csv:6:7: r would be given own"},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := loadSmall(t, c.csv)
			var faults fault.List
			if table != nil || !errors.As(err, &faults) {
				t.Fatalf("got %v and %v", table, err)
			}
			if !hasFault(faults, c.want) {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
		})
	}
}

func hasFault(faults fault.List, prefix string) bool {
	for _, f := range faults {
		if strings.HasPrefix(f.Error(), prefix) {
			return true
		}
	}
	return false
}

// What is allowed to vary: line ends, alignment, comments, order, the last newline.
func TestFormsOfTheFile(t *testing.T) {
	want := after("p, r, a, allow\np, s, b, allow\ng, s, r\n")
	plain, err := loadSmall(t, want)
	if err != nil {
		t.Fatal(err)
	}
	for name, csv := range map[string]string{
		"CRLF":               strings.ReplaceAll(want, "\n", "\r\n"),
		"no last newline":    strings.TrimSuffix(want, "\n"),
		"aligned":            after("p, r,  a,  allow\np,s,b,allow\n\n   \ng, s,        r\n"),
		"comments":           "# Überschrift: naïve\n" + want + "# p, r, own, allow\n",
		"inheritance before": "g, s, r\n" + after("p, s, b, allow\np, r, a, allow\n"),
	} {
		t.Run(name, func(t *testing.T) {
			table, err := loadSmall(t, csv)
			if err != nil {
				t.Fatal(err)
			}
			for _, preset := range plain.Names() {
				if got, want := table.Holds([]string{preset}, nil), plain.Holds([]string{preset}, nil); got != want {
					t.Errorf("%s holds %v, want %v", preset, got, want)
				}
			}
		})
	}
}

func TestEveryFaultOfTheFileIsReported(t *testing.T) {
	_, err := loadSmall(t, "p, owner, a, alow\np, r, c, Deny\ng, r, t\nq\n")
	want := `presets.csv: there is no preset called owner. Copy its lines from the shipped file.
presets.csv:1:14: the effect cannot be "alow". Did you mean "allow"?
presets.csv:2:7: no category or mail is called "c". Did you mean "a"?
presets.csv:2:10: the effect cannot be "Deny". Did you mean "deny"?
presets.csv:3:4: no preset is called "r". Give it a p line.
presets.csv:3:7: no preset is called "t". Give it a p line.
presets.csv:4:1: a line cannot begin with "q". Begin it with p or g, small.`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestEightInheritances(t *testing.T) {
	cat := smallCatalogue(t)
	table, err := loadSmall(t, after(strings.Replace(chain(8), "p, r8, a, allow", "p, r8, mail:news, allow", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if got := table.Holds([]string{"r0"}, nil); got != cat.Set("a", "mail:news") {
		t.Errorf("r0 holds %v", cat.Names(got))
	}
}

// A deny takes away what others allow, directly or not (A13.6, C13).
func TestDenyWins(t *testing.T) {
	table, err := loadSmall(t, after("p, r, a, allow\np, no, a, deny\np, child, mail:news, allow\ng, child, no\n"))
	if err != nil {
		t.Fatal(err)
	}
	cat := smallCatalogue(t)
	for _, c := range []struct {
		presets, objects, want []string
	}{
		{[]string{"r"}, nil, []string{"a"}},
		{[]string{"r", "no"}, nil, nil},
		{[]string{"no", "r"}, nil, nil},
		{[]string{"no"}, []string{"a"}, nil},
		{[]string{"r", "child"}, []string{"b"}, []string{"b", "mail:news"}},
	} {
		if got := table.Holds(c.presets, c.objects); got != cat.Set(c.want...) {
			t.Errorf("%v and %v hold %v, want %v", c.presets, c.objects, cat.Names(got), c.want)
		}
	}
}

// Engine notes 3.4, model.conf: what Casbin accepts although one word of it can
// allow everything.
func TestFaultsOfTheModel(t *testing.T) {
	shipped := string(shippedFile(t, "presets/model.conf"))
	const effect, matcher = "e = some(where (p.eft == allow)) && !some(where (p.eft == deny))", "m = g(r.sub, p.sub) && r.obj == p.obj"
	replaced := func(old, replacement string) string {
		text := strings.Replace(shipped, old, replacement, 1)
		if text == shipped {
			t.Fatalf("%q is not in the model", old)
		}
		return text
	}
	for name, c := range map[string]struct{ model, want string }{
		"appended matcher":    {shipped + "m = true\n", "[matchers] m is there twice; the first is in line 20"},
		"repeated section":    {shipped + "[matchers]\nm = true\n", "[matchers] is there twice"},
		"unknown section":     {shipped + "[more]\nx = y\n", "[more] does not belong in the model"},
		"second matcher":      {shipped + "m2 = true\n", "[matchers] m2 does not belong in the model"},
		"second effect":       {replaced(effect, effect+"\ne2 = some(where (p.eft == allow))"), "[policy_effect] e2 does not belong"},
		"second policy":       {replaced("p = sub, obj, eft", "p = sub, obj, eft\np2 = sub, obj"), "[policy_definition] p2 does not belong"},
		"eft misnamed":        {replaced("sub, obj, eft", "sub, obj, effect"), `[policy_definition] p must be "sub, obj, eft", not "sub, obj, effect"`},
		"effect without deny": {replaced(" && !some(where (p.eft == deny))", ""), "[policy_effect] e must be"},
		"deny-only effect":    {replaced("some(where (p.eft == allow)) && ", ""), "[policy_effect] e must be"},
		"effect spaced":       {replaced("&& !some", "&&!some"), "[policy_effect] e must be"},
		"everything":          {replaced(matcher, "m = true"), `[matchers] m must be "g(r.sub, p.sub) && r.obj == p.obj", not "true"`},
		"matcher turned":      {replaced("r.sub, p.sub", "p.sub, r.sub"), "[matchers] m must be"},
		"wildcard":            {replaced("r.obj == p.obj", `(r.obj == p.obj || p.obj == "*")`), "[matchers] m must be"},
		"comment in matcher":  {replaced(matcher, matcher+" # why"), "[matchers] m must be"},
		"bad matcher":         {replaced("r.obj == p.obj", "r.obj = p.obj"), "[matchers] m must be"},
		"continued matcher":   {replaced(matcher, "m = g(r.sub, p.sub) \\\n&& r.obj == p.obj"), "[matchers] m must be"},
		"g with a domain":     {replaced("g = _, _", "g = _, _, _"), `[role_definition] g must be "_, _"`},
		"no role definition":  {replaced("[role_definition]\ng = _, _\n", ""), "[role_definition] g is missing"},
		"misspelt section":    {replaced("[matchers]", "[Matchers]"), `"[Matchers]" is no line of the model`},
		"spaced section":      {replaced("[matchers]", "[ matchers ]"), `"[ matchers ]" is no line of the model`},
		"; comment":           {"; why\n" + shipped, `model.conf:1:1: "; why" is no line of the model`},
		"byte order mark":     {"\ufeff" + shipped, "model.conf:1:1: "},
		"empty":               {"", "model.conf: [matchers] m is missing"},
		"CR alone":            {strings.ReplaceAll(shipped, "\n", "\r"), "is no line of the model"},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := presets.Load(smallCatalogue(t), "model.conf", []byte(c.model), "presets.csv", []byte(ownerLines))
			var faults fault.List
			if table != nil || !errors.As(err, &faults) {
				t.Fatalf("got %v and %v", table, err)
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "Restore the shipped model.conf") {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
		})
	}
}

func TestFormsOfTheModel(t *testing.T) {
	shipped := string(shippedFile(t, "presets/model.conf"))
	for name, model := range map[string]string{
		"CRLF":            strings.ReplaceAll(shipped, "\n", "\r\n"),
		"other comments":  strings.ReplaceAll(shipped, "# ", "# noch einmal: "),
		"spaces around =": strings.ReplaceAll(shipped, "r = sub", "r   =   sub"),
	} {
		if _, err := presets.Load(smallCatalogue(t), "model.conf", []byte(model), "presets.csv", []byte(ownerLines)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	cat := smallCatalogue(f)
	model := shippedFile(f, "presets/model.conf")
	for _, csv := range []string{ownerLines, after("p, r, a, deny\ng, r, owner\n"), after(chain(9)), "g, a, a\n", "p, \"a\r\n,,#\xff"} {
		f.Add(string(model), csv)
	}
	f.Add("[matchers]\nm = true\n[matchers]\n", ownerLines)
	f.Fuzz(func(t *testing.T, model, csv string) {
		table, err := presets.Load(cat, "model.conf", []byte(model), "presets.csv", []byte(csv))
		if (table == nil) == (err == nil) {
			t.Fatalf("got %v and %v", table, err)
		}
		var faults fault.List
		if err != nil && !errors.As(err, &faults) {
			t.Fatalf("not a list of faults: %v", err)
		}
		if table != nil && table.Holds([]string{presets.Owner}, nil) != cat.Set(cat.Objects()...) {
			t.Fatal("the owner lacks something")
		}
	})
}
