package policytool

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"doorward/internal/strictyaml"
)

// A tableReader reads one table and collects its faults.
type tableReader struct {
	*strictyaml.File
	profiles []string // the names of the profiles there are
}

func (r *tableReader) table(name string, data []byte) Table {
	file, root := strictyaml.Read(name, data)
	r.File = file
	t := Table{File: name}
	if root == nil {
		return t
	}
	keys := r.Known(root, "a table", "title", "article", "profile", "provider", "rows")
	if n := keys["title"]; n != nil {
		t.Title, _ = r.Text(n, "title")
	}
	if n := keys["article"]; n != nil {
		r.Text(n, "article")
	}
	for _, key := range []string{"profile", "provider"} {
		if n := keys[key]; n != nil {
			t.at = n.Line
		}
	}
	t.Profile = r.profile(keys["profile"])
	t.Provider = r.switches(keys["provider"])
	rows := keys["rows"]
	if rows == nil || rows.Kind != yaml.SequenceNode || len(rows.Content) == 0 {
		r.Fault(root, "A table that expects nothing proves nothing.", "the table has no rows")
		return t
	}
	for _, n := range rows.Content {
		t.Rows = append(t.Rows, r.row(n))
	}
	return t
}

// profile reads the name of a profile; "" when there is none.
func (r *tableReader) profile(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	name, ok := r.Text(n, "profile")
	if ok && !slices.Contains(r.profiles, name) {
		r.Fault(n, strictyaml.Suggest(name, r.profiles), "no profile is called %q", name)
	}
	return name
}

// switches reads the provider's switches, written as YAML values.
func (r *tableReader) switches(n *yaml.Node) map[string]string {
	if n == nil {
		return nil
	}
	switches := make(map[string]string)
	for _, field := range r.Fields(n, "provider") {
		text, err := yaml.Marshal(field.Value)
		if err != nil {
			r.Fault(field.Value, "", "cannot be written out: %v", err)
			continue
		}
		switches[field.Key.Value] = string(text)
	}
	return switches
}

func (r *tableReader) row(n *yaml.Node) Row {
	keys := r.Known(n, "a row", "req", "who", "member", "actor", "do", "with", "on", "properties", "context", "account", "want")
	for _, name := range []string{"req", "who", "do", "want"} {
		if keys[name] == nil && n.Kind == yaml.MappingNode {
			r.Fault(n, needed[name], "the row has no %s", name)
		}
	}
	row := Row{
		Line: n.Line, Asked: asked(keys), Req: r.words(keys["req"], "req"), Who: r.who(keys["who"]), Member: r.other(keys["member"]), Actor: r.other(keys["actor"]), Do: r.words(keys["do"], "do"),
		With: r.object(keys["with"], "with"), On: r.word(keys["on"], "on"), Properties: r.object(keys["properties"], "properties"), Context: r.object(keys["context"], "context"),
		Account: r.account(keys["account"]), Want: r.word(keys["want"], "want"),
	}
	r.askable(n, keys["do"], &row)
	return row
}

// askable refuses a row that asks nothing, or something that cannot be asked.
func (r *tableReader) askable(n, do *yaml.Node, row *Row) {
	if do != nil && len(row.Do) == 0 && do.Kind == yaml.SequenceNode {
		r.Fault(do, needed["do"], "do is empty")
	}
	_, err := row.facts()
	if err == nil {
		_, err = row.question("")
	}
	if err != nil {
		r.Fault(n, "", "%v", err)
	}
}

// needed says what each key that a row needs is for.
var needed = map[string]string{
	"req":  "Cite the requirements it holds, as in req: [62].",
	"who":  "Name a preset, or say more: who: {presets: [billing], state: removed}.",
	"do":   "Name an action, or a list of them.",
	"want": "Write want: allow, or want: and the reason.",
}

// word reads a text; "" when there is none.
func (r *tableReader) word(n *yaml.Node, what string) string {
	if n == nil {
		return ""
	}
	text, _ := r.Text(n, what)
	return text
}

// oneOf reads one of a few words; "" when there is none.
func (r *tableReader) oneOf(n *yaml.Node, what string, known ...string) string {
	if n == nil {
		return ""
	}
	text, _ := r.OneOf(n, what, known...)
	return text
}

// words reads a scalar, or a list of them.
func (r *tableReader) words(n *yaml.Node, what string) []string {
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}
	case n.Kind == yaml.SequenceNode:
		var all []string
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				r.Fault(item, "", "an item of %s must be a word", what)
			}
			all = append(all, item.Value)
		}
		return all
	}
	r.Fault(n, "", "%s must be a word or a list of words", what)
	return nil
}

// object reads a mapping that a portal would send as a JSON object.
func (r *tableReader) object(n *yaml.Node, what string) *yaml.Node {
	if n != nil && n.Kind != yaml.MappingNode {
		r.Fault(n, "", "%s must be a mapping, as in {key: value}", what)
		return nil
	}
	return n
}

func (r *tableReader) account(n *yaml.Node) AccountState {
	if n == nil {
		return AccountState{}
	}
	keys := r.Known(n, "account", "status", "mfa_required")
	a := AccountState{Status: r.oneOf(keys["status"], "status", "active", "suspended", "closed", "unknown")}
	if n := keys["mfa_required"]; n != nil {
		a.MFARequired, _ = r.Bool(n, "mfa_required")
	}
	return a
}

// who reads a subject: one word, or a mapping that says more.
func (r *tableReader) who(n *yaml.Node) Who {
	switch {
	case n == nil:
		return Who{}
	case n.Kind == yaml.ScalarNode:
		return whoNamed(n.Value)
	case hasKey(n, "entity"):
		keys := r.Known(n, "an entity", "entity", "properties")
		return Who{Entity: r.word(keys["entity"], "entity"), Properties: r.object(keys["properties"], "properties")}
	}
	keys := r.Known(n, "who", "subject", "user", "state", "presets", "categories", "scope",
		"account_wide", "mail", "staff", "not_before", "not_after")
	return Who{
		Subject: r.word(keys["subject"], "subject"), User: r.oneOf(keys["user"], "user", "active", "disabled", "none"),
		State:   r.oneOf(keys["state"], "state", "active", "pending", "removed", "expired", "none"),
		Presets: r.words(keys["presets"], "presets"), Categories: r.words(keys["categories"], "categories"), Scope: r.words(keys["scope"], "scope"),
		Wide: r.words(keys["account_wide"], "account_wide"), Mail: r.mail(keys["mail"]), Staff: r.words(keys["staff"], "staff"),
		NotBefore: r.when(keys["not_before"]), NotAfter: r.when(keys["not_after"]),
	}
}

func hasKey(mapping *yaml.Node, name string) bool {
	for i := 0; mapping.Kind == yaml.MappingNode && i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return true
		}
	}
	return false
}

// other reads somebody besides the subject; nil when there is nobody.
func (r *tableReader) other(n *yaml.Node) *Who {
	if n == nil {
		return nil
	}
	who := r.who(n)
	return &who
}

// mail reads choices, as in {invoice: true, support: false}.
func (r *tableReader) mail(n *yaml.Node) map[string]bool {
	if n == nil {
		return nil
	}
	choices := make(map[string]bool)
	for _, field := range r.Fields(n, "mail") {
		choices[field.Key.Value], _ = r.Bool(field.Value, field.Key.Value)
	}
	return choices
}

// when reads a time, which YAML takes for a value of its own kind.
func (r *tableReader) when(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return n.Value
}

// whoNamed reads the words that stand for a whole subject, and type:id for one of the
// policy's own entities; any other word is the preset that a member holds.
func whoNamed(word string) Who {
	if strings.Contains(word, ":") {
		return Who{Entity: word}
	}
	switch word {
	case "stranger":
		return Who{Name: word, State: "none"}
	case "unknown":
		return Who{Name: word, State: "none", User: "none"}
	case "contact":
		return Who{Name: word, Subject: "contact", State: "none"}
	case "none":
		return Who{Name: word}
	}
	return Who{Name: word, Presets: []string{word}}
}
