package authzen

import (
	"strconv"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/portal"
	"doorward/internal/problem"
)

// A frame is where the members of one question are found: in the question
// itself and, for what it leaves out, whole in the batch around it (section 7.1.1).
type frame struct {
	own      ijson.Value // an Object
	defaults ijson.Value // the batch; absent for a question of its own
	index    int         // of the question in the batch, or topLevel
}

// topLevel is the index of what is in no batch's item.
const topLevel = -1

// question reads a whole question. Members that AuthZEN does not name are
// ignored (section 10.1.1). The error is a *problem.Error.
func (f frame) question() (decision.Question, error) {
	var q decision.Question
	var err error
	if q.Subject, err = f.entity("subject"); err != nil {
		return q, err
	}
	if q.Action, err = f.action(); err != nil {
		return q, err
	}
	if q.Resource, err = f.entity("resource"); err != nil {
		return q, err
	}
	q.Context, err = f.context()
	return q, err
}

func (f frame) entity(member string) (decision.Entity, error) {
	v, at := f.find(member)
	if v.Kind() != ijson.Object {
		return decision.Entity{}, at.mistyped(v, "", "an object with type and id")
	}
	typ, err := at.name(v, "type")
	if err != nil {
		return decision.Entity{}, err
	}
	id, err := at.name(v, "id")
	if err != nil {
		return decision.Entity{}, err
	}
	properties, err := at.object(v, "properties")
	return decision.Entity{Ref: portal.Ref{Type: typ, ID: id}, Properties: properties}, err
}

func (f frame) action() (decision.Action, error) {
	v, at := f.find("action")
	if v.Kind() != ijson.Object {
		return decision.Action{}, at.mistyped(v, "", "an object with name")
	}
	name, err := at.name(v, "name")
	if err != nil {
		return decision.Action{}, err
	}
	properties, err := at.object(v, "properties")
	return decision.Action{Name: name, Properties: properties}, err
}

// context reads the one optional member. Null is as good as nothing, so an item
// whose context is null inherits the batch's.
func (f frame) context() (ijson.Value, error) {
	if f.own.Get("context").Kind() == ijson.Null {
		return place{index: topLevel}.object(f.defaults, "context")
	}
	v, at := f.find("context")
	return at.optional(v, "")
}

// find returns a member and its place: the question's own or else the batch's.
// What is nowhere is missing from the question.
func (f frame) find(member string) (ijson.Value, place) {
	own := place{f.index, member}
	if v := f.own.Get(member); v.Kind() != ijson.Absent {
		return v, own
	}
	if v := f.defaults.Get(member); v.Kind() != ijson.Absent {
		return v, place{topLevel, member}
	}
	return ijson.Value{}, own
}

// A place is a member of the body or of an item, for faults to name.
type place struct {
	index  int
	member string // "" is the item or the body itself
}

// name reads a required name.
func (p place) name(v ijson.Value, key string) (string, error) {
	n := v.Get(key)
	if n.Kind() != ijson.String {
		return "", p.mistyped(n, key, "a string")
	}
	if !portal.ValidName(n.Text()) {
		return "", p.fault(key, "must have 1 to 256 bytes and no control characters")
	}
	return n.Text(), nil
}

// object reads an optional object; null is absent.
func (p place) object(v ijson.Value, key string) (ijson.Value, error) {
	return p.optional(v.Get(key), key)
}

func (p place) optional(v ijson.Value, key string) (ijson.Value, error) {
	switch v.Kind() {
	case ijson.Object:
		return v, nil
	case ijson.Absent, ijson.Null:
		return ijson.Value{}, nil
	default:
		return ijson.Value{}, p.mistyped(v, key, "an object")
	}
}

// mistyped is the fault that v, found at the place or at its key, is not want.
func (p place) mistyped(v ijson.Value, key, want string) error {
	if v.Kind() == ijson.Absent {
		return p.fault(key, "is missing; it must be "+want)
	}
	return p.fault(key, "must be "+want+", not "+v.Kind().String())
}

// fault is the error that something is wrong with the place, or with its key.
func (p place) fault(key, detail string) error {
	pointer, subject := "", "the body"
	if p.index != topLevel {
		pointer, subject = "/evaluations/"+strconv.Itoa(p.index), "the item"
	}
	for _, name := range []string{p.member, key} {
		if name != "" {
			pointer, subject = pointer+"/"+name, name
		}
	}
	return &problem.Error{Code: problem.InvalidRequest, Pointer: pointer, Detail: subject + " " + detail}
}
