package policygen

import (
	"slices"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// An Asker draws what a policy can be asked: questions, facts to judge them by, and
// inputs of the rules.
type Asker struct {
	cat     *catalogue.Catalogue
	schema  *rules.Schema
	presets []string
	leaves  []rules.Leaf
}

// For returns an Asker of questions to p, whose names are p's.
func For(p *policy.Policy) *Asker {
	schema := p.Rules.Schema()
	return &Asker{cat: p.Catalogue, schema: schema, presets: p.Presets.Names(), leaves: rules.Leaves(p.Catalogue, schema)}
}

// Now is the time by which random grants and logins are drawn: ask at this time.
var Now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// The people and things that questions are about. Few, so that they often meet.
var (
	accounts = []portal.AccountID{"42", "43"}
	people   = []string{"ann", "ben", "cas", "dot"}
	things   = []portal.Ref{{Type: "service", ID: "5"}, {Type: "service", ID: "6"}, {Type: "domain", ID: "5"}, {Type: "ticket", ID: "9"}}
)

// Question draws one question; some are about actions or people that are not known,
// and some are malformed.
func (a *Asker) Question(t *rapid.T) decision.Question {
	typ := mostly("user", "contact", "robot").Draw(t, "subject type")
	q := decision.Question{
		Subject:  decision.Entity{Ref: portal.Ref{Type: typ, ID: rapid.SampledFrom(people).Draw(t, "subject")}},
		Action:   decision.Action{Name: a.action(t), Properties: a.declared(t, "action", "properties")},
		Resource: a.resource(t),
	}
	members := a.declaredMembers(t, "context")
	if oneIn(t, 5) {
		members = append(members, text("account", string(rapid.SampledFrom(accounts).Draw(t, "acting account"))))
	}
	members = append(members, login(t)...)
	q.Context = ijson.ObjectValue(members...)
	return q
}

func (a *Asker) action(t *rapid.T) string {
	if oneIn(t, 40) {
		return "nothing.known"
	}
	// A few that rules and reduction treat specially, so that these are often asked.
	if oneIn(t, 2) {
		return rapid.SampledFrom([]string{
			"ticket.view", "invoice.pay", "user.permissions.update", "mail.invoice.receive", "service.list", "staff.read", "self.2fa.enable",
		}).Draw(t, "usual action")
	}
	return rapid.SampledFrom(a.cat.Actions()).Draw(t, "action").Name
}

func (a *Asker) resource(t *rapid.T) decision.Entity {
	account := string(rapid.SampledFrom(accounts).Draw(t, "account"))
	members := a.declaredMembers(t, "resource", "properties")
	switch rapid.IntRange(0, 3).Draw(t, "resource") {
	case 0:
		return decision.Entity{Ref: portal.Ref{Type: portal.TypeAccount, ID: account}, Properties: ijson.ObjectValue(members...)}
	case 1:
		user := portal.Ref{Type: portal.TypeUser, ID: rapid.SampledFrom(people).Draw(t, "member")}
		return decision.Entity{Ref: user, Properties: ijson.ObjectValue(append(members, text("account", account))...)}
	}
	if !oneIn(t, 5) {
		members = append(members, text("account", account))
	}
	if oneIn(t, 4) {
		members = append(members, text("contact", rapid.SampledFrom(people).Draw(t, "contact")))
	}
	return decision.Entity{Ref: rapid.SampledFrom(things).Draw(t, "thing"), Properties: ijson.ObjectValue(members...)}
}

// login draws what the asker tells of the login, and who acts in the subject's name.
func login(t *rapid.T) []ijson.Member {
	var members []ijson.Member
	if oneIn(t, 2) {
		method := rapid.SampledFrom([]string{"otp", "pwd", "mfa", "face"}).Draw(t, "amr")
		members = append(members, ijson.Member{Name: "amr", Value: ijson.ArrayValue(ijson.StringValue(method))})
	}
	if oneIn(t, 2) {
		members = append(members, ijson.Member{Name: "auth_time", Value: ijson.NumberValue(around(t))})
	}
	if oneIn(t, 8) {
		actor := ijson.ObjectValue(text("type", "user"), text("id", rapid.SampledFrom(people).Draw(t, "actor")),
			ijson.Member{Name: "properties", Value: ijson.ObjectValue(text("ticket", "T1"), ijson.Member{Name: "expires_at", Value: ijson.NumberValue(around(t))})})
		members = append(members, ijson.Member{Name: "actor", Value: actor})
	}
	return members
}

// around draws a time before or after Now, in Unix seconds.
func around(t *rapid.T) string {
	return strconv.FormatInt(Now.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "hours"))*10*time.Minute).Unix(), 10)
}

// declared draws the object in which the policy declares parts of a question.
func (a *Asker) declared(t *rapid.T, root ...string) ijson.Value {
	return ijson.ObjectValue(a.declaredMembers(t, root...)...)
}

// declaredMembers draws the declared parts below root. Some are not there, and a few
// are of another type.
func (a *Asker) declaredMembers(t *rapid.T, root ...string) []ijson.Member {
	var members []ijson.Member
	for _, leaf := range a.schema.Request {
		if len(leaf.Path) <= len(root) || !slices.Equal(leaf.Path[:len(root)], root) || oneIn(t, 3) {
			continue
		}
		value := valueOf(leaf.Type, rapid.SampledFrom(a.Values(rules.Leaf{Type: leaf.Type})).Draw(t, "declared"))
		if oneIn(t, 50) {
			value = ijson.ArrayValue(value)
		}
		path := leaf.Path[len(root):]
		for _, name := range slices.Backward(path[1:]) {
			value = ijson.ObjectValue(ijson.Member{Name: name, Value: value})
		}
		members = append(members, ijson.Member{Name: path[0], Value: value})
	}
	return members
}

func text(name, value string) ijson.Member {
	return ijson.Member{Name: name, Value: ijson.StringValue(value)}
}

func valueOf(typ rules.Type, literal string) ijson.Value {
	switch typ {
	case rules.Number:
		return ijson.NumberValue(literal)
	case rules.Boolean:
		return ijson.BoolValue(literal == "true")
	}
	return ijson.StringValue(literal)
}
