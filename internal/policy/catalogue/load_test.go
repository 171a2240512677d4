package catalogue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
)

// sound is a catalogue without fault; the cases below change one line of it.
const sound = `categories:
  a: {label: A, freshness: bounded, delegable: true}
  b: {label: B, freshness: strict, delegable: true, implies: [a], whmcs: [bees]}
  own: {label: Own, freshness: strict, delegable: false}
mails:
  news: {label: News, guard: a, whmcs: newsemails}
actions:
  a.do: {guards: [a, b], effect: write, scope: service, sensitive: true}
  a.list: {guards: [a], effect: read, scope: domain, list: true}
  own.do: {guards: [own], effect: write, scope: none}
  me.do: {self: user, effect: write, scope: none}
  ours.do: {staff: true, effect: write, scope: none}
`

func TestSoundCatalogue(t *testing.T) {
	cat, err := catalogue.Load("catalogue.yaml", []byte(sound))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(cat.Objects()); got != "[a b own mail:news]" {
		t.Errorf("objects are %s", got)
	}
	do, _ := cat.Action("a.do")
	if do.Class != catalogue.Guarded || do.Category != "a" || do.Guard != cat.Set("a", "b") || !do.Sensitive || do.List || do.Effect != "write" || do.Scope != "service" {
		t.Errorf("a.do is %+v", *do)
	}
	me, _ := cat.Action("me.do")
	if me.Class != catalogue.Self || me.Category != "self" || me.Self != "user" || !me.Guard.IsEmpty() {
		t.Errorf("me.do is %+v", *me)
	}
	ours, _ := cat.Action("ours.do")
	if ours.Class != catalogue.Staff || ours.Category != "staff" {
		t.Errorf("ours.do is %+v", *ours)
	}
	news, _ := cat.Action("mail.news.receive")
	if news.Class != catalogue.Receive || news.Category != "a" || news.Guard != cat.Set("a") || news.MailBit != 3 {
		t.Errorf("mail.news.receive is %+v", *news)
	}
	if _, ok := cat.Action("A.do"); ok {
		t.Error("actions are found whatever their case") // S14
	}
}

// A domain of the policy's own needs no permissions, and says so.
func TestCatalogueOfEntities(t *testing.T) {
	cat, err := catalogue.Load("catalogue.yaml", []byte(`categories: {}
mails: {}
actions:
  read: {entity: record, effect: read, scope: none}
  write: {entity: record, unlisted: true, effect: write, scope: none, sensitive: true}
`))
	if err != nil {
		t.Fatal(err)
	}
	for name, unlisted := range map[string]bool{"read": false, "write": true} {
		a, _ := cat.Action(name)
		if a.Class != catalogue.Entity || a.Category != "entity" || a.Entity != "record" || a.Unlisted != unlisted || !a.Guard.IsEmpty() || a.MailBit != -1 {
			t.Errorf("%s is %+v", name, *a)
		}
	}
	if len(cat.Objects()) > 0 {
		t.Errorf("objects %v", cat.Objects())
	}
}

func TestFaultsHaveTheirPlace(t *testing.T) {
	const a, b, do, me = "  a: {label: A, freshness: bounded, delegable: true}", "  b: {label: B, freshness: strict, delegable: true, implies: [a], whmcs: [bees]}",
		"  a.do: {guards: [a, b], effect: write, scope: service, sensitive: true}", "  me.do: {self: user, effect: write, scope: none}"
	edited := func(old, replacement string) string {
		if strings.Count(sound, old) != 1 {
			t.Fatalf("%q is not once in the catalogue", old)
		}
		return strings.Replace(sound, old, replacement, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"unknown section":         {sound + "more: {}\n", `catalogue.yaml:13:1: the catalogue has no key "more"`},
		"misspelt section":        {edited("mails:", "mail:"), `catalogue.yaml:5:1: the catalogue has no key "mail". Did you mean "mails"?`},
		"missing section":         {edited("mails:", "mail:"), "catalogue.yaml:1:1: the catalogue has no mails. Write mails out: nothing is assumed."},
		"unknown key":             {edited(a, strings.Replace(a, "label", "lable", 1)), `catalogue.yaml:2:7: category a has no key "lable". Did you mean "label"?`},
		"missing label":           {edited(a, "  a: {freshness: bounded, delegable: true}"), "catalogue.yaml:2:6: category a has no label"},
		"missing freshness":       {edited(a, "  a: {label: A, delegable: true}"), "catalogue.yaml:2:6: category a has no freshness"},
		"missing delegable":       {edited(a, "  a: {label: A, freshness: strict}"), "catalogue.yaml:2:6: category a has no delegable"},
		"bad freshness":           {edited(a, strings.Replace(a, "bounded", "bound", 1)), `catalogue.yaml:2:28: freshness cannot be "bound". Did you mean "bounded"?`},
		"yes":                     {edited(a, strings.Replace(a, "true", "yes", 1)), `catalogue.yaml:2:48: delegable must be true or false, not "yes"`},
		"number for a label":      {edited(a, strings.Replace(a, "label: A", "label: 1", 1)), `catalogue.yaml:2:14: label must be a text, not "1"`},
		"empty label":             {edited(a, strings.Replace(a, "label: A", "label: ''", 1)), "catalogue.yaml:2:14: label must be a text, not empty"},
		"list for a category":     {edited(a, "  a: [label]"), "catalogue.yaml:2:6: category a must be a mapping, as in key: value, not a list"},
		"nothing for a category":  {edited(a, "  a:"), "category a must be a mapping, as in key: value, not empty"},
		"category twice":          {edited(b, a), `catalogue.yaml:3:3: "a" is there twice; the first is in line 2. Keep one of them.`},
		"category capitalised":    {edited(a, a+"\n  C: {label: C, freshness: strict, delegable: true}"), `catalogue.yaml:3:3: "C" cannot be the name of a category. Use small letters`},
		"category with a dot":     {edited(a, a+"\n  c.d: {label: C, freshness: strict, delegable: true}"), `catalogue.yaml:3:3: "c.d" cannot be the name of a category`},
		"category called self":    {edited(a, a+"\n  self: {label: C, freshness: strict, delegable: true}"), `catalogue.yaml:3:3: a category cannot be called "self"`},
		"unknown implied":         {edited("implies: [a]", "implies: [aa]"), `catalogue.yaml:3:63: no category is called "aa". Did you mean "a"?`},
		"implies itself":          {edited("implies: [a]", "implies: [b]"), "catalogue.yaml:3:62: b implies itself: b implies b. Leave out one of the implications."},
		"cycle":                   {edited(a, strings.Replace(a, "}", ", implies: [b]}", 1)), "catalogue.yaml:2:63: a implies itself: a implies b implies a"},
		"implies what is not":     {edited("implies: [a]", "implies: [own]"), "catalogue.yaml:3:62: b is delegable but implies own, which is not"},
		"implied twice":           {edited("implies: [a]", "implies: [a, a]"), `catalogue.yaml:3:66: "a" is there twice`},
		"text for implies":        {edited("implies: [a]", "implies: a"), `catalogue.yaml:3:62: implies must be a list, as in [one, two], not "a"`},
		"unknown guard of a mail": {edited("guard: a", "guard: aa"), `catalogue.yaml:6:30: no category is called "aa"`},
		"mail with a dot":         {edited("news:", "news.x:"), `catalogue.yaml:6:3: "news.x" cannot be the name of a mail category`},
		"no categories":           {"categories: {}\nmails: {}\nactions: {}\n", "catalogue.yaml:1:13: categories is empty"},
		"no actions":              {"categories: {}\nmails: {}\nactions: {}\n", "catalogue.yaml:3:10: actions is empty"},
		"unknown guard":           {edited("guards: [a, b]", "guards: [a, bb]"), `catalogue.yaml:8:22: no category is called "bb"`},
		"guard and self":          {edited(do, strings.Replace(do, "effect", "self: user, effect", 1)), "catalogue.yaml:8:9: action a.do has 2 of them. Write exactly one of guards, self, staff and entity."},
		"guard and staff":         {edited(do, strings.Replace(do, "effect", "staff: true, effect", 1)), "catalogue.yaml:8:9: action a.do has 2 of them"},
		"no class":                {edited("guards: [a, b], ", ""), "catalogue.yaml:8:9: action a.do has 0 of them"},
		"no guards":               {edited("guards: [a, b]", "guards: []"), "catalogue.yaml:8:18: action a.do is guarded by nothing. Name at least one category."},
		"staff: false":            {edited("staff: true", "staff: false"), "catalogue.yaml:12:20: action ours.do is guarded by nothing"},
		"guard and entity":        {edited(do, strings.Replace(do, "effect", "entity: record, effect", 1)), "catalogue.yaml:8:9: action a.do has 2 of them"},
		"category called entity":  {edited(a, a+"\n  entity: {label: C, freshness: strict, delegable: true}"), `catalogue.yaml:3:3: a category cannot be called "entity"`},
		"entity of no type":       {edited(me, "  me.do: {entity: 7, effect: write, scope: none}"), `catalogue.yaml:11:19: entity must be a text, not "7"`},
		"entity with a colon":     {edited(me, "  me.do: {entity: a:b, effect: write, scope: none}"), `catalogue.yaml:11:19: "a:b" cannot be a type of resources`},
		"entity that is account":  {edited(me, "  me.do: {entity: Account, effect: write, scope: none}"), `catalogue.yaml:11:19: "Account" cannot be a type of resources. Use letters, digits, _, - and dots, beginning with a letter; account is the portal's.`},
		"entity with a scope":     {edited(me, "  me.do: {entity: record, effect: write, scope: service}"), "catalogue.yaml:11:49: action me.do is about no account, which could have a service. Write scope: none."},
		"entity about a member":   {edited(me, "  me.do: {entity: record, effect: write, scope: none, about: member}"), "catalogue.yaml:11:62: action me.do is about no account, which could have members. Remove it."},
		"unlisted what":           {edited(me, "  me.do: {self: user, unlisted: true, effect: write, scope: none}"), "catalogue.yaml:11:33: action me.do is about no entity, and so about no unlisted one. Remove it."},
		"no categories for one":   {"categories: {}\nmails: {}\nactions:\n  a: {entity: x, effect: read, scope: none}\n  b: {self: user, effect: read, scope: none}\n", "catalogue.yaml:1:13: categories is empty"},
		"bad self":                {edited(me, strings.Replace(me, "user", "usr", 1)), `catalogue.yaml:11:17: self cannot be "usr". Did you mean "user"?`},
		"bad effect":              {edited(do, strings.Replace(do, "write", "wirte", 1)), `catalogue.yaml:8:34: effect cannot be "wirte". Did you mean "write"?`},
		"bad scope":               {edited(do, strings.Replace(do, "service", "account", 1)), `catalogue.yaml:8:48: scope cannot be "account"`},
		"missing effect":          {edited(do, strings.Replace(do, "effect: write, ", "", 1)), "catalogue.yaml:8:9: action a.do has no effect"},
		"missing scope":           {edited(me, strings.Replace(me, ", scope: none", "", 1)), "catalogue.yaml:11:10: action me.do has no scope"},
		"list that writes":        {edited("effect: read, scope: domain", "effect: write, scope: domain"), "catalogue.yaml:9:61: action a.list lists things and changes them"},
		"action twice":            {edited("a.list:", "a.do:"), `catalogue.yaml:9:3: "a.do" is there twice; the first is in line 8`},
		"action capitalised":      {edited("a.list:", "a.List:"), `catalogue.yaml:9:3: "a.List" cannot be the name of an action`},
		"action with a dot more":  {edited("a.list:", "a..list:"), `catalogue.yaml:9:3: "a..list" cannot be the name`},
		"action of a mail":        {edited("a.list:", "mail.news.receive:"), `catalogue.yaml:9:3: "mail.news.receive" would be an action of a mail category`},
		"key as a list":           {edited("a.list:", "? [a]\n  :"), "a key of actions must be a name, not a list"},
		"anchor":                  {edited("guards: [a, b]", "guards: &g [a, b]"), "catalogue.yaml:8:18: an anchor (&g) is not allowed. Remove it"},
		"alias":                   {edited("guards: [a, b]", "guards: &g [a, b]") + "  z.do: {guards: *g, effect: read, scope: none}\n", "catalogue.yaml:13:18: an alias (*g) is not allowed. Write the value out."},
		"merge key":               {edited("guards: [a], ", "<<: {guards: [a]}, "), "catalogue.yaml:9:12: a merge key (<<) is not allowed"},
		"tag":                     {edited("[bees]", "[!!str 7]"), "a tag (!!str) is not allowed"},
		"second document":         {sound + "---\ncategories: {}\n", "catalogue.yaml:13:1: a second YAML document begins"},
		"broken second document":  {sound + "---\n[\n", "catalogue.yaml:14: is not YAML"},
		"byte order mark":         {"\ufeff" + sound, "catalogue.yaml:1:1: begins with a byte order mark"},
		"not UTF-8":               {edited("A,", "\xff,"), "catalogue.yaml:2:14: is not UTF-8"},
		"not YAML":                {"categories:\n\t- x\n", "catalogue.yaml:2: is not YAML: found character that cannot start any token"},
		"empty":                   {"", "catalogue.yaml: is empty"},
		"comments only":           {"# nothing\n", "catalogue.yaml: is empty"},
		"a list":                  {"- categories\n", "catalogue.yaml:1:1: the catalogue must be a mapping"},
		"too large":               {strings.Repeat("#", 1<<20) + "\n" + sound, "catalogue.yaml: is larger than 1 MiB"},
		"too many":                {many(124), "129 categories and mail categories are more than 128. Join some of them."},
	} {
		t.Run(name, func(t *testing.T) {
			cat, err := catalogue.Load("catalogue.yaml", []byte(c.text))
			var faults fault.List
			if cat != nil || !errors.As(err, &faults) {
				t.Fatalf("got %v and %v", cat, err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
			for _, f := range faults {
				if f.File != "catalogue.yaml" {
					t.Errorf("the fault %v is in no file", f)
				}
			}
		})
	}
}

// many is the sound catalogue, which has four objects, with n categories and one
// mail more.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  c%d: {label: X, freshness: strict, delegable: true}\n", i)
	}
	text := strings.Replace(sound, "mails:\n", b.String()+"mails:\n  more: {label: More}\n", 1)
	return text
}

func TestAsManyObjectsAsASetHas(t *testing.T) {
	cat, err := catalogue.Load("catalogue.yaml", []byte(many(123)))
	if err != nil {
		t.Fatal(err)
	}
	all := cat.Set(cat.Objects()...)
	if got := len(cat.Names(all)); got != catalogue.MaxObjects {
		t.Errorf("%d names, want %d", got, catalogue.MaxObjects)
	}
	if bit, ok := cat.Bit("mail:news"); !ok || bit != 127 || !all.Has(bit) {
		t.Errorf("the last object has bit %d", bit)
	}
}

func TestEveryFaultIsReportedAtOnce(t *testing.T) {
	_, err := catalogue.Load("c.yaml", []byte(`categories:
  A: {label: 1, freshness: fresh, delegable: no, implies: [x]}
mails:
  m: {guard: y}
actions:
  B: {guards: [z], effect: reed, scope: all, extra: 1}
`))
	want := `c.yaml:2:3: "A" cannot be the name of a category. Use small letters, digits and _, beginning with a letter.
c.yaml:2:14: label must be a text, not "1"
c.yaml:2:28: freshness cannot be "fresh". Known are: strict, bounded.
c.yaml:2:46: delegable must be true or false, not "no"
c.yaml:2:60: no category is called "x". Did you mean "A"?
c.yaml:4:6: mail category m has no label. Write label out: nothing is assumed.
c.yaml:4:14: no category is called "y". Did you mean "A"?
c.yaml:6:3: "B" cannot be the name of an action. Use small letters, digits and _ in words joined by dots, as in invoice.pay.
c.yaml:6:16: no category is called "z". Did you mean "A"?
c.yaml:6:28: effect cannot be "reed". Did you mean "read"?
c.yaml:6:41: scope cannot be "all". Known are: service, domain, none.
c.yaml:6:46: action B has no key "extra". Known are: effect, scope, guards, self, staff, entity, unlisted, sensitive, list, about.`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestImpliedIsTransitive(t *testing.T) {
	text := strings.Replace(sound, "delegable: false}", "delegable: false, implies: [b]}", 1)
	cat, err := catalogue.Load("catalogue.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := cat.Implied(cat.Set("own", "mail:news")); got != cat.Set("a", "b", "own", "mail:news") {
		t.Errorf("own brings %v", cat.Names(got))
	}
	if got := cat.Implied(catalogue.Set{}); !got.IsEmpty() {
		t.Errorf("nothing brings %v", cat.Names(got))
	}
}

func TestSet(t *testing.T) {
	one, two := catalogue.Set{}.With(0).With(127), catalogue.Set{}.With(64)
	both := one.Union(two)
	for _, c := range []struct {
		what      string
		got, want bool
	}{
		{"first", one.Has(0), true},
		{"last", one.Has(127), true},
		{"other", one.Has(64), false},
		{"below", one.Has(-1), false},
		{"beyond", both.Has(128), false},
		{"with what cannot be", catalogue.Set{}.With(-1).With(128).IsEmpty(), true},
		{"union contains", both.Contains(one) && both.Contains(two), true},
		{"part contains whole", one.Contains(both), false},
		{"empty is contained", catalogue.Set{}.Contains(catalogue.Set{}), true},
		{"minus", both.Minus(one) == two, true},
		{"empty", catalogue.Set{}.IsEmpty(), true},
		{"not empty", two.IsEmpty(), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, c.got, c.want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, text := range []string{
		sound, many(3), "", "a: &a [*a]\n", "? {a: b}\n: !!merge <<\n", "categories: {a: {implies: [a]}}\n", "- - - -", "{{{{", "%YAML 1.1\n---\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cat, err := catalogue.Load("c.yaml", data)
		if (cat == nil) == (err == nil) {
			t.Fatalf("got %v and %v", cat, err)
		}
		var faults fault.List
		if err != nil && !errors.As(err, &faults) {
			t.Fatalf("not a list of faults: %v", err)
		}
		if cat == nil {
			return
		}
		for _, a := range cat.Actions() {
			if a.Class == catalogue.Guarded && a.Guard.IsEmpty() {
				t.Fatalf("%s is guarded by nothing", a.Name)
			}
		}
	})
}
