package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"doorward/internal/policy/catalogue"
)

// An encoder turns an Input into the document that rules see.
//
// Nearly all of that document comes from small closed sets, so its parts are
// made once. Looking a part up is also the check that the facts are possible:
// a fact that no rule was written for must not reach one.
type encoder struct {
	schema    *Schema
	actions   map[ActionFacts]*ast.Term
	subjects  map[SubjectFacts]*ast.Term
	grants    map[GrantFacts]grantTerms
	accounts  map[AccountFacts]*ast.Term
	sessions  map[SessionFacts]*ast.Term
	resources map[ResourceFacts]*ast.Term
	request   branch
	absent    *ast.Term            // the request of which nothing declared is there
	names     map[string]*ast.Term // of members
}

func newEncoder(cat *catalogue.Catalogue, schema *Schema) *encoder {
	e := &encoder{
		schema:    schema,
		actions:   map[ActionFacts]*ast.Term{},
		subjects:  map[SubjectFacts]*ast.Term{},
		grants:    map[GrantFacts]grantTerms{},
		accounts:  map[AccountFacts]*ast.Term{},
		sessions:  map[SessionFacts]*ast.Term{},
		resources: map[ResourceFacts]*ast.Term{},
		names:     map[string]*ast.Term{},
	}
	for _, a := range cat.Actions() {
		facts := ActionFacts{Name: a.Name, Category: a.Category, Effect: a.Effect, Sensitive: a.Sensitive}
		e.actions[facts] = e.object("name", a.Name, "category", a.Category, "effect", a.Effect, "sensitive", a.Sensitive)
	}
	for _, name := range []string{"action", "subject", "grant", "account", "session", "resource", "request", "has"} {
		e.name(name)
	}
	for _, leaf := range schema.Has {
		e.name(leaf.Category)
	}
	var absent []Value
	for i, leaf := range schema.Request {
		e.request.add(leaf.Path, i)
		absent = append(absent, leaf.Absent)
	}
	e.absent = e.request.term(absent)
	e.addPeople()
	e.addGrants()
	e.addCircumstances()
	return e
}

// both are the values of a boolean fact.
var both = [...]bool{false, true}

func (e *encoder) addPeople() {
	for _, typ := range subjectTypes {
		for _, kind := range kinds {
			for _, status := range userStatuses {
				for _, may := range both {
					e.subjects[SubjectFacts{typ, kind, status, may}] = e.object("type", typ, "kind", kind, "status", status, "staff_may", may)
				}
			}
		}
	}
}

// grantTerms are a grant with nothing held besides the guards, whole and in parts.
type grantTerms struct {
	bare  *ast.Term
	parts [][2]*ast.Term
}

func (e *encoder) addGrants() {
	nothing := [2]*ast.Term{e.name("has"), e.has(make([]bool, len(e.schema.Has)))}
	for _, state := range grantStates {
		for _, scope := range scopes {
			for _, holds := range both {
				for _, subscribed := range mailings {
					parts := e.pairs("state", state, "holds", holds, "in_scope", scope, "subscribed", subscribed)
					e.grants[GrantFacts{state, holds, scope, subscribed}] = grantTerms{
						bare:  ast.ObjectTerm(append(slices.Clone(parts), nothing)...),
						parts: parts,
					}
				}
			}
		}
	}
}

func (e *encoder) addCircumstances() {
	for _, status := range accStatuses {
		for _, required := range both {
			e.accounts[AccountFacts{status, required}] = e.object("status", status, "mfa_required", required)
		}
	}
	for _, acting := range actings {
		for _, mfa := range both {
			for _, fresh := range both {
				for _, actor := range actors {
					e.sessions[SessionFacts{mfa, fresh, acting, actor}] = e.object("mfa", mfa, "mfa_fresh", fresh, "acting", acting, "actor", actor)
				}
			}
		}
	}
	for _, own := range both {
		for _, member := range members {
			e.resources[ResourceFacts{own, member}] = e.object("own", own, "member", member)
		}
	}
}

func (e *encoder) name(s string) *ast.Term {
	if e.names[s] == nil {
		e.names[s] = ast.StringTerm(s)
	}
	return e.names[s]
}

// pairs makes members from alternating names and values.
func (e *encoder) pairs(namesAndValues ...any) [][2]*ast.Term {
	var pairs [][2]*ast.Term
	for i := 0; i < len(namesAndValues); i += 2 {
		var value *ast.Term
		switch v := namesAndValues[i+1].(type) {
		case bool:
			value = ast.BooleanTerm(v)
		case string:
			value = ast.StringTerm(v)
		}
		pairs = append(pairs, [2]*ast.Term{e.name(namesAndValues[i].(string)), value})
	}
	return pairs
}

func (e *encoder) object(namesAndValues ...any) *ast.Term {
	return ast.ObjectTerm(e.pairs(namesAndValues...)...)
}

// encode returns in as a document, or an error when no such facts can be.
func (e *encoder) encode(in *Input) (ast.Value, error) {
	if len(in.Has) != len(e.schema.Has) || len(in.Request) != len(e.schema.Request) {
		return nil, fmt.Errorf("%d has and %d request values for a schema of %d and %d",
			len(in.Has), len(in.Request), len(e.schema.Has), len(e.schema.Request))
	}
	action, subject, grant := e.actions[in.Action], e.subjects[in.Subject], e.grants[in.Grant]
	account, session, resource := e.accounts[in.Account], e.sessions[in.Session], e.resources[in.Resource]
	if action == nil || subject == nil || grant.bare == nil || account == nil || session == nil || resource == nil {
		return nil, fmt.Errorf("impossible facts: action %+v, subject %+v, grant %+v, account %+v, session %+v, resource %+v",
			in.Action, in.Subject, in.Grant, in.Account, in.Session, in.Resource)
	}
	if err := e.fits(in.Request); err != nil {
		return nil, err
	}
	return ast.NewObject(
		[2]*ast.Term{e.names["action"], action},
		[2]*ast.Term{e.names["subject"], subject},
		[2]*ast.Term{e.names["grant"], e.grant(grant, in.Has)},
		[2]*ast.Term{e.names["account"], account},
		[2]*ast.Term{e.names["session"], session},
		[2]*ast.Term{e.names["resource"], resource},
		[2]*ast.Term{e.names["request"], e.asked(in.Request)},
	), nil
}

func (e *encoder) grant(g grantTerms, held []bool) *ast.Term {
	if !slices.Contains(held, true) {
		return g.bare
	}
	return ast.ObjectTerm(append(slices.Clone(g.parts), [2]*ast.Term{e.names["has"], e.has(held)})...)
}

// asked is the document of the request's values, which must fit.
func (e *encoder) asked(values []Value) *ast.Term {
	for i, leaf := range e.schema.Request {
		if values[i] != leaf.Absent {
			return e.request.term(values)
		}
	}
	return e.absent
}

func (e *encoder) has(held []bool) *ast.Term {
	members := ast.NewObject()
	for i, leaf := range e.schema.Has {
		members.Insert(e.names[leaf.Category], ast.InternedTerm(held[i]))
	}
	return ast.NewTerm(members)
}

// fits checks the request's values against their declared types.
func (e *encoder) fits(values []Value) error {
	for i, leaf := range e.schema.Request {
		v := values[i]
		valid := v.Type == leaf.Type
		switch v.Type {
		case Boolean:
			valid = valid && (v.Text == "true" || v.Text == "false")
		case Number:
			valid = valid && ValidNumber(v.Text)
		}
		if !valid {
			return fmt.Errorf("request value %s is %s %q, declared as %s", strings.Join(leaf.Path, "."), v.Type, v.Text, leaf.Type)
		}
	}
	return nil
}

// maxExponent is the largest power of ten that a number may have, of either sign.
const maxExponent = 300

// ValidNumber tells whether rules can reckon with a number in JSON: OPA panics on
// 1e999999999, and takes minutes over less.
func ValidNumber(literal string) bool {
	if !json.Valid([]byte(literal)) {
		return false
	}
	if at := strings.IndexAny(literal, "eE"); at >= 0 {
		exponent, err := strconv.Atoi(literal[at+1:])
		return err == nil && -maxExponent <= exponent && exponent <= maxExponent
	}
	return true
}

// A branch is one object of the request document, or the place of one value.
type branch struct {
	name    *ast.Term
	members []*branch
	value   int // index into Input.Request, when there are no members
}

// add makes the branches of a path that ends in the i-th value.
func (b *branch) add(path []string, i int) {
	if len(path) == 0 {
		b.value = i
		return
	}
	at := slices.IndexFunc(b.members, func(m *branch) bool { return m.name.Value.Compare(ast.String(path[0])) == 0 })
	if at < 0 {
		at = len(b.members)
		b.members = append(b.members, &branch{name: ast.StringTerm(path[0])})
	}
	b.members[at].add(path[1:], i)
}

// term is the document of the branches, which must not be the place of a value.
func (b *branch) term(values []Value) *ast.Term {
	members := ast.NewObject()
	for _, m := range b.members {
		if m.members == nil {
			members.Insert(m.name, values[m.value].term())
		} else {
			members.Insert(m.name, m.term(values))
		}
	}
	return ast.NewTerm(members)
}

// term is v in Rego. v must be of a known type, with a fitting text.
func (v Value) term() *ast.Term {
	switch v.Type {
	case Boolean:
		return ast.InternedTerm(v.Text == "true")
	case Number:
		return ast.NumberTerm(json.Number(v.Text))
	default:
		return ast.StringTerm(v.Text)
	}
}
