package decision

import (
	"strings"
	"sync"

	"doorward/internal/ijson"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// A consideration is a question as far as it can be understood without facts.
type consideration struct {
	question Question
	plan     *plan // nil exactly when refusal is ActionUnknown
	key      portal.FactKey
	account  string // the acting account against the question's: same, other or absent
	acting   acting
	// refusal, when not empty, is the answer whatever the facts are.
	refusal  Reason
	request  []rules.Value
	entities entities // what the policy itself knows of whom the question is about
	session  session
	// Set by reduce: what the grant in force gives, how the subject is subscribed to
	// a mail, and how the grant covers the resource.
	holding             holding
	subscription, scope string
	asMember            bool // the subject is judged as a member, not by a right of staff

	// Room for request and for the input's Has, so that questions about actions
	// with a few declared leaves leave no garbage.
	requestRoom [4]rules.Value
	hasRoom     [4]bool
}

// considerations are kept for reuse: a question that the memo answers leaves no
// garbage, so a large cache of facts is seldom walked by the collector for it.
var considerations = sync.Pool{New: func() any { return new(consideration) }}

// putAside keeps c for another question, and nothing of this one.
func putAside(c *consideration) {
	*c = consideration{}
	considerations.Put(c)
}

// consider reads a question into the zero consideration c: which action, on which
// account, and the parts the policy declares.
func (e *engine) consider(c *consideration, q Question) {
	c.question, c.key.Subject = q, q.Subject.Ref
	p, known := e.plans[q.Action.Name]
	if !known {
		c.refusal = ActionUnknown
		return
	}
	c.plan = p
	c.findEntities(e.policy)
	ok := c.nameAccounts() && c.namesMember() && c.readSession(e.policy.Provider) && c.readActor() && c.readRequest(e.policy.Rules.Schema())
	switch {
	case !ok:
		c.refusal = BadInput
	case p.action.Class == catalogue.Entity:
		c.refusal = c.refuseEntities()
	case c.key.Account == "" && !accountless(p):
		c.refusal = AccountRequired
	}
}

// accountless tells whether an action may be asked about without an account: a
// person's own affairs (self.*) have none, and staff refusals need none.
func accountless(p *plan) bool {
	return p.action.Category == "self" || p.action.Category == "staff"
}

// nameAccounts finds the question's account and compares the acting one with it
// (design 3.2, req 104). It returns false for names that cannot be names.
func (c *consideration) nameAccounts() bool {
	q := &c.question
	acting, ok := accountName(q.Context.Get("account"))
	if !ok {
		return false
	}
	account := q.Resource.ID
	if q.Resource.Type != portal.TypeAccount {
		if nearlyAccount(q.Resource.Type) {
			return false
		}
		if account, ok = accountName(q.Resource.Properties.Get("account")); !ok {
			return false
		}
	}
	if account == "" {
		account = acting
	}
	c.key.Account = portal.AccountID(account)
	switch acting {
	case "":
		c.account = "absent"
	case account:
		c.account = "same"
	default:
		c.account = "other"
	}
	return true
}

// AccountOf returns the account that a question is about, "" when it names none. It
// returns false when a name in it cannot be one: the question is answered bad_input.
func AccountOf(q Question) (portal.AccountID, bool) {
	c := consideration{question: q}
	ok := c.nameAccounts()
	return c.key.Account, ok
}

// nearlyAccount tells a type that was meant to be account and is not: taken for
// any other thing, it would be judged in the acting account.
func nearlyAccount(typ string) bool {
	return strings.EqualFold(strings.TrimSpace(typ), portal.TypeAccount)
}

// accountName reads an account's id out of a property: "" when absent, not ok
// when it is something other than a name. Null is: a portal that looked an
// account up and found none must not be asking about the acting one.
func accountName(v ijson.Value) (name string, ok bool) {
	switch v.Kind() {
	case ijson.Absent:
		return "", true
	case ijson.String:
		return v.Text(), portal.ValidName(v.Text())
	}
	return "", false
}

// readRequest reads the parts of the question that the policy declares for this
// action, and what is stored where the question says nothing. It returns false when a
// part has another type than declared.
func (c *consideration) readRequest(schema *rules.Schema) bool {
	c.request = c.plan.absent
	if len(c.plan.request) == 0 {
		return true
	}
	c.request = append(c.requestRoom[:0], c.plan.absent...)
	for _, i := range c.plan.request {
		leaf := &schema.Request[i]
		if stored := c.entities.at(i, leaf); stored != (rules.Value{}) {
			c.request[i] = stored
		}
		if leaf.Stored {
			continue
		}
		v, ok := c.find(leaf.Path)
		if !ok {
			return false
		}
		if k := v.Kind(); k == ijson.Absent || k == ijson.Null {
			continue
		}
		if kinds[v.Kind()] != leaf.Type || len(v.Text()) > rules.MaxText ||
			leaf.Type == rules.Number && !rules.ValidNumber(v.Text()) {
			return false
		}
		c.request[i] = rules.Value{Type: leaf.Type, Text: v.Text()}
	}
	return true
}

// kinds are the kinds of JSON value that rules can read.
var kinds = map[ijson.Kind]rules.Type{
	ijson.String: rules.String,
	ijson.Number: rules.Number,
	ijson.Bool:   rules.Boolean,
}

// find walks a declared path into the question. It is not ok when the path leads
// through something that is there and no object.
func (c *consideration) find(path []string) (ijson.Value, bool) {
	v, path := c.root(path)
	for _, name := range path {
		switch v.Kind() {
		case ijson.Absent, ijson.Null:
			return ijson.Value{}, true
		case ijson.Object:
			v = v.Get(name)
		default:
			return ijson.Value{}, false
		}
	}
	return v, true
}

// root returns the object a declared path starts in, and the rest of the path.
func (c *consideration) root(path []string) (ijson.Value, []string) {
	q := &c.question
	if path[0] == "context" {
		return q.Context, path[1:]
	}
	// The other roots are followed by "properties"; inputs.yaml is refused else.
	switch rest := path[2:]; path[0] {
	case "subject":
		return q.Subject.Properties, rest
	case "action":
		return q.Action.Properties, rest
	default:
		return q.Resource.Properties, rest
	}
}
