package policytool

import (
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// otherAccount is an account that is not the row's.
const otherAccount = "43"

// farFuture is a time, in seconds since 1970, that no row lives to see.
const farFuture = "99999999999"

// resource writes what it is done to, unless that is the account itself, and what is
// said of it.
func (w *rowWriter) resource(row *yaml.Node) {
	resource := w.Question.Resource
	switch {
	case resource.Type == portal.TypeAccount:
	case resource.Ref == w.Question.Subject.Ref:
		put(row, "on", word("self"))
	default:
		put(row, "on", word(w.named(resource.Ref).String()))
	}
	if properties := w.properties(); len(properties.Content) > 0 {
		put(row, "properties", properties)
	}
}

// properties writes those of the resource that can count.
func (w *rowWriter) properties() *yaml.Node {
	properties, declared := flow(yaml.MappingNode), w.declared("resource", "properties")
	for _, m := range w.Question.Resource.Properties.Members() {
		switch {
		case m.Name == "account" && m.Value.Text() == string(w.Account) && m.Value.Kind() == ijson.String:
			if w.Question.Resource.Type == portal.TypeUser { // to others a row adds it
				put(properties, m.Name, word(tableAccount))
			}
		case m.Name == "contact" && w.Question.Subject.Type == portal.TypeContact:
			contact := w.named(portal.Ref{Type: portal.TypeContact, ID: m.Value.Text()})
			put(properties, m.Name, word(contact.ID))
		case m.Name == "account" || declared[m.Name]:
			put(properties, m.Name, node(m.Value))
		}
	}
	return properties
}

// declared are the names below a root of the question that inputs.yaml declares.
func (w *rowWriter) declared(root ...string) map[string]bool {
	names := make(map[string]bool)
	for _, leaf := range w.Policy.Rules.Schema().Request {
		path := leaf.Path
		if leaf.For(w.Question.Action.Name) && !leaf.Stored && path[0] == root[0] && len(path) > len(root) {
			names[path[len(root)]] = true
		}
	}
	return names
}

// context writes the parts of the session that can count.
func (w *rowWriter) context() *yaml.Node {
	context, declared := flow(yaml.MappingNode), w.declared("context")
	for _, m := range w.Question.Context.Members() {
		switch {
		case m.Name == "account":
			put(context, m.Name, w.acting(m.Value))
		case m.Name == "auth_time":
			put(context, m.Name, w.login(m.Value))
		case m.Name == "actor" && w.Actor != (portal.Ref{}):
			put(context, m.Name, w.acts(m.Value))
		case m.Name == "actor" && w.inOwnName(m.Value):
		case m.Name == "actor" || m.Name == "amr" || declared[m.Name]:
			put(context, m.Name, node(m.Value))
		}
	}
	return context
}

func (w *rowWriter) inOwnName(actor ijson.Value) bool {
	s := w.Question.Subject
	return actor.Get("type").Text() == s.Type && actor.Get("id").Text() == s.ID
}

func (w *rowWriter) acting(account ijson.Value) *yaml.Node {
	switch {
	case account.Kind() != ijson.String || !portal.ValidName(account.Text()):
		return node(account)
	case account.Text() == string(w.Account):
		return word(tableAccount)
	}
	return word(otherAccount)
}

// login writes when the person signed in, so that it means the same on every day.
func (w *rowWriter) login(at ijson.Value) *yaml.Node {
	if in := w.judged.Input; in != nil && in.Session.MFAFresh {
		return word(freshLogin)
	}
	return w.lasting(at)
}

// lasting writes a time that lies ahead as one that always will.
func (w *rowWriter) lasting(at ijson.Value) *yaml.Node {
	seconds, err := strconv.ParseInt(at.Text(), 10, 64)
	if at.Kind() == ijson.Number && err == nil && w.Now.Before(time.Unix(seconds, 0)) {
		return plainNode("!!int", farFuture)
	}
	return node(at)
}

// acts writes who acts in the subject's name. Any ticket will do.
func (w *rowWriter) acts(actor ijson.Value) *yaml.Node {
	properties := flow(yaml.MappingNode)
	put(properties, "ticket", word("T-1"))
	put(properties, "expires_at", w.lasting(actor.Get("properties").Get("expires_at")))
	written := flow(yaml.MappingNode)
	put(written, "type", word(w.Actor.Type))
	put(written, "id", word(tableActor))
	put(written, "properties", properties)
	return written
}

// node is a JSON value in YAML.
func node(v ijson.Value) *yaml.Node {
	switch v.Kind() {
	case ijson.Object:
		n := flow(yaml.MappingNode)
		for _, m := range v.Members() {
			put(n, m.Name, node(m.Value))
		}
		return n
	case ijson.Array:
		n := flow(yaml.SequenceNode)
		for _, item := range v.Items() {
			n.Content = append(n.Content, node(item))
		}
		return n
	case ijson.Number:
		return number(v.Text())
	case ijson.Bool:
		return plainNode("!!bool", v.Text())
	case ijson.String:
		return word(v.Text())
	}
	return plainNode("!!null", "null")
}

// number is a literal of JSON, which YAML takes for one of two kinds of number.
func number(literal string) *yaml.Node {
	n := plainNode("", literal)
	n.Tag = n.ShortTag()
	return n
}
