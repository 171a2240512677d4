package catalogue

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"doorward/internal/strictyaml"
)

// The keys of an action that say what decides about it. Exactly one is there.
const (
	keyGuards = "guards"
	keySelf   = "self"
	keyStaff  = "staff"
	keyEntity = "entity"
)

var classes = []string{keyGuards, keySelf, keyStaff, keyEntity}

// reservedPrefix begins the names of the actions that mail categories make.
const reservedPrefix = "mail."

func (r *reader) actions(n *yaml.Node) []*Action {
	fields := r.Fields(n, "actions")
	if n.Kind == yaml.MappingNode && len(fields) == 0 {
		r.Fault(n, "Copy the shipped catalogue.", "actions is empty")
	}
	actions := make([]*Action, 0, len(fields))
	for _, field := range fields {
		r.name(field.Key, "an action", dotted)
		if strings.HasPrefix(field.Key.Value, reservedPrefix) {
			r.Fault(field.Key, "Add a mail category instead.", "%q would be an action of a mail category", field.Key.Value)
		}
		actions = append(actions, r.action(field))
	}
	return actions
}

func (r *reader) action(field strictyaml.Field) *Action {
	name, n := field.Key.Value, field.Value
	a := &Action{Name: name, Line: field.Key.Line, MailBit: -1}
	keys := r.required(n, "action "+name,
		[]string{"effect", "scope"}, append(slices.Clone(classes), "unlisted", "sensitive", "list", "about"))
	r.class(a, n, keys)
	if v := keys["effect"]; v != nil {
		a.Effect, _ = r.OneOf(v, "effect", Read, Write)
	}
	if v := keys["scope"]; v != nil {
		a.Scope, _ = r.OneOf(v, "scope", ScopeService, ScopeDomain, ScopeNone)
	}
	if v := keys["sensitive"]; v != nil {
		a.Sensitive, _ = r.Bool(v, "sensitive")
	}
	if v := keys["list"]; v != nil {
		if a.List, _ = r.Bool(v, "list"); a.List && a.Effect == Write {
			r.Fault(v, "Make its effect read.", "action %s lists things and changes them", name)
		}
	}
	if v := keys["about"]; v != nil {
		_, a.AboutMember = r.OneOf(v, "about", "member")
	}
	r.ofNoAccount(a, keys)
	return a
}

// class reads what decides about a. One key must say so, and only one: an action
// that two things could allow is an action nobody can predict.
func (r *reader) class(a *Action, n *yaml.Node, keys map[string]*yaml.Node) {
	var given []string
	for _, key := range classes {
		if keys[key] != nil {
			given = append(given, key)
		}
	}
	if len(given) != 1 {
		if n.Kind == yaml.MappingNode {
			r.Fault(n, "Write exactly one of guards, self, staff and entity.", "action %s has %d of them", a.Name, len(given))
		}
		return
	}
	switch v := keys[given[0]]; given[0] {
	case keyGuards:
		r.guards(a, v)
	case keySelf:
		a.Class, a.Category = Self, string(Self)
		a.Self, _ = r.OneOf(v, "self", "user", "account", "invitation", "transfer")
	case keyStaff:
		a.Class, a.Category = Staff, string(Staff)
		if yes, ok := r.Bool(v, "staff"); ok && !yes {
			r.Fault(v, "Write staff: true, or what guards the action.", "action %s is guarded by nothing", a.Name)
		}
	case keyEntity:
		a.Class, a.Category = Entity, string(Entity)
		r.entity(a, v)
	}
}

// entity reads the type of the resources of an entity action. An account is the
// portal's, however it is spelt.
func (r *reader) entity(a *Action, v *yaml.Node) {
	var ok bool
	if a.Entity, ok = r.Text(v, keyEntity); ok && (!ValidType(a.Entity) || strings.EqualFold(a.Entity, "account")) {
		r.Fault(v, "Use letters, digits, _, - and dots, beginning with a letter; account is the portal's.", "%q cannot be a type of resources", a.Entity)
	}
}

// ofNoAccount reads what only an entity action has, and refuses what it cannot have:
// there is no account that services, domains or members could be of.
func (r *reader) ofNoAccount(a *Action, keys map[string]*yaml.Node) {
	if v := keys["unlisted"]; v != nil {
		if a.Unlisted, _ = r.Bool(v, "unlisted"); a.Class != Entity {
			r.Fault(v, "Remove it.", "action %s is about no entity, and so about no unlisted one", a.Name)
		}
	}
	if a.Class != Entity {
		return
	}
	if v := keys["scope"]; v != nil && a.Scope != ScopeNone {
		r.Fault(v, "Write scope: none.", "action %s is about no account, which could have a %s", a.Name, v.Value)
	}
	if v := keys["about"]; v != nil {
		r.Fault(v, "Remove it.", "action %s is about no account, which could have members", a.Name)
	}
}

func (r *reader) guards(a *Action, v *yaml.Node) {
	a.Class = Guarded
	a.Guards = r.categoryList(v, "guards")
	a.Guard = r.catalogue.Set(a.Guards...)
	switch {
	case len(a.Guards) > 0:
		a.Category = a.Guards[0]
	case v.Kind == yaml.SequenceNode && len(v.Content) == 0:
		r.Fault(v, "Name at least one category.", "action %s is guarded by nothing", a.Name)
	}
}
