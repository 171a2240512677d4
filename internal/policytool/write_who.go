package policytool

import (
	"regexp"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"doorward/internal/portal"
)

// membership writes a place in the account and what was granted there.
func (w *rowWriter) membership(who *yaml.Node, m portal.MembershipFacts) *yaml.Node {
	g := m.Grant
	if m.State == "" || g == nil {
		put(who, "state", word("none"))
		return who
	}
	state, notBefore, notAfter := w.times(m)
	if state != portal.MembershipActive {
		put(who, "state", word(string(state)))
	}
	putWords(who, "presets", g.Presets)
	putWords(who, "categories", g.Categories)
	putWords(who, "account_wide", g.AccountWide)
	putWords(who, "scope", w.refs(g.Scope))
	w.mail(who, m.Mail)
	putTime(who, "not_before", notBefore)
	putTime(who, "not_after", notAfter)
	return who
}

// times are the state and bounds in time to write. A row is run on later days as well:
// so a grant in force has no end, and one that has not begun waits as an invitation
// does. Where two grants are compared, how long they last counts and is kept.
func (w *rowWriter) times(m portal.MembershipFacts) (state portal.MembershipState, notBefore, notAfter time.Time) {
	g := m.Grant
	over := !g.NotAfter.IsZero() && !w.Now.Before(g.NotAfter)
	switch {
	case w.Member != (portal.Ref{}):
		return m.State, g.NotBefore, g.NotAfter
	case m.State == portal.MembershipActive && over:
		return m.State, time.Time{}, g.NotAfter
	case m.State == portal.MembershipActive && w.Now.Before(g.NotBefore):
		return portal.MembershipPending, time.Time{}, time.Time{}
	}
	return m.State, time.Time{}, time.Time{}
}

func (w *rowWriter) mail(who *yaml.Node, choices *portal.MailChoices) {
	if choices == nil || len(choices.On)+len(choices.Off) == 0 {
		return
	}
	mail := flow(yaml.MappingNode)
	for _, name := range sorted(choices.On) {
		put(mail, name, plainNode("!!bool", "true"))
	}
	for _, name := range sorted(choices.Off) {
		if !slices.Contains(choices.On, name) {
			put(mail, name, plainNode("!!bool", "false"))
		}
	}
	put(who, "mail", mail)
}

func sorted(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

func (w *rowWriter) refs(refs []portal.Ref) []string {
	var texts []string
	for _, r := range refs {
		texts = append(texts, w.named(r).String())
	}
	return texts
}

// named is a thing as tables name it: people by the numbers that tables give them.
func (w *rowWriter) named(r portal.Ref) portal.Ref {
	switch {
	case r == w.Question.Subject.Ref:
		r.ID = tableSubject
	case r == w.Actor && r != w.Member:
		r.ID = tableActor
	case r.Type == portal.TypeUser, r.Type == w.Question.Subject.Type && r.ID == tableSubject:
		r.ID = tableMember
	}
	return r
}

// flow is an empty mapping or list on one line.
func flow(kind yaml.Kind) *yaml.Node { return &yaml.Node{Kind: kind, Style: yaml.FlowStyle} }

func list(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Content: items}
}

// wordLike is what people write without quotes.
var wordLike = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)

// word is a text, in quotes where people would write them. The encoder adds them
// where YAML would read something else.
func word(s string) *yaml.Node {
	n := plainNode("!!str", s)
	if !wordLike.MatchString(s) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func plainNode(tag, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}

func words(texts []string) *yaml.Node {
	n := flow(yaml.SequenceNode)
	for _, text := range texts {
		n.Content = append(n.Content, word(text))
	}
	return n
}

func put(mapping *yaml.Node, name string, value *yaml.Node) {
	mapping.Content = append(mapping.Content, word(name), value)
}

func putWords(mapping *yaml.Node, name string, texts []string) {
	if len(texts) > 0 {
		put(mapping, name, words(texts))
	}
}

func putTime(mapping *yaml.Node, name string, at time.Time) {
	if !at.IsZero() {
		put(mapping, name, word(at.UTC().Format(time.RFC3339Nano)))
	}
}
