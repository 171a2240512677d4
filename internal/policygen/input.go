package policygen

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
)

// numbers are literals of which several are the same number: different to a rule
// that tells them (S12).
var numbers = []string{"0", "1", "1.0", "1e0", "-0", "1.50", "1000"}

// Input draws an input of the rules: any values that its leaves can have, whether or
// not a question could lead to them.
func (a *Asker) Input(t *rapid.T) rules.Input {
	in := a.actionInput(rapid.SampledFrom(a.cat.Actions()).Draw(t, "action"))
	for _, leaf := range a.Leaves() {
		a.Set(&in, leaf, rapid.SampledFrom(a.Values(leaf)).Draw(t, leaf.Path))
	}
	return in
}

// actionInput is an input about an action, whose other parts are not yet filled.
func (a *Asker) actionInput(action *catalogue.Action) rules.Input {
	return rules.Input{
		Action:  rules.ActionFacts{Name: action.Name, Category: action.Category, Effect: action.Effect, Sensitive: action.Sensitive},
		Has:     make([]bool, len(a.schema.Has)),
		Request: make([]rules.Value, len(a.schema.Request)),
	}
}

// Leaves are the leaves that an input about one action can have different values of.
func (a *Asker) Leaves() []rules.Leaf {
	return slices.DeleteFunc(slices.Clone(a.leaves), func(l rules.Leaf) bool { return strings.HasPrefix(l.Path, "input.action.") })
}

// Values are what a leaf of an input can be, or some of it where that is anything.
func (a *Asker) Values(leaf rules.Leaf) []string {
	switch {
	case leaf.Type == rules.Boolean:
		return []string{"false", "true"}
	case leaf.Type == rules.Number:
		return numbers
	case leaf.Domain == nil:
		return freeTexts
	}
	return leaf.Domain
}

// Set gives a leaf of an input one of its values. The lists of in must be its own.
func (a *Asker) Set(in *rules.Input, leaf rules.Leaf, value string) {
	for i, declared := range a.schema.Has {
		if leaf.Path == "input.grant.has."+declared.Category {
			in.Has[i] = value == "true"
			return
		}
	}
	for i, declared := range a.schema.Request {
		if leaf.Path == "input.request."+strings.Join(declared.Path, ".") {
			in.Request[i] = rules.Value{Type: leaf.Type, Text: value}
			return
		}
	}
	if field := fieldOf(in, leaf.Path); leaf.Type == rules.Boolean {
		field.SetBool(value == "true")
	} else {
		field.SetString(value)
	}
}

// fieldOf finds the field of an input that rules see at a path: input.session.mfa_fresh
// is Session.MFAFresh. A leaf without one is a mistake in package rules.
func fieldOf(in *rules.Input, path string) reflect.Value {
	v := reflect.ValueOf(in).Elem()
	for _, name := range strings.Split(path, ".")[1:] {
		plain := strings.ReplaceAll(name, "_", "")
		v = v.FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, plain) })
		if !v.IsValid() {
			panic(fmt.Sprintf("rules.Input has no field for %s", path))
		}
	}
	return v
}
