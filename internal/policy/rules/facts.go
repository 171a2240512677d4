package rules

import (
	"cmp"
	"strconv"
	"strings"
)

// facts are the input for people: the action, and what is peculiar.
func (t *try) facts(schema *Schema) string {
	if t.distance == 0 {
		return t.in.Action.Name + " by an ordinary member"
	}
	var peculiar []string
	facts, ordinary := appendFacts(nil, &t.in), appendFacts(nil, t.ordinary)
	for i, name := range factNames(schema) {
		if facts[i] != ordinary[i] {
			peculiar = append(peculiar, name+" "+cmp.Or(facts[i], `""`))
		}
	}
	return t.in.Action.Name + " with " + strings.Join(peculiar, ", ")
}

// distance is how many facts of an input the other has not.
func distance(in, other *Input) int {
	n := 0
	theirs := appendFacts(nil, other)
	for i, fact := range appendFacts(nil, in) {
		if fact != theirs[i] {
			n++
		}
	}
	return n
}

// factNames are the references to an input's facts, without input, in the order of
// appendFacts.
func factNames(schema *Schema) []string {
	names := []string{
		"action.name", "action.category", "action.effect", "action.sensitive",
		"subject.type", "subject.kind", "subject.status", "subject.staff_may",
		"grant.state", "grant.holds", "grant.in_scope", "grant.subscribed",
		"account.status", "account.mfa_required",
		"session.mfa", "session.mfa_fresh", "session.acting", "session.actor",
		"resource.own", "resource.member",
	}
	for _, leaf := range schema.Has {
		names = append(names, "grant.has."+leaf.Category)
	}
	for _, leaf := range schema.Request {
		names = append(names, "request."+strings.Join(leaf.Path, "."))
	}
	return names
}

// appendFacts appends the values of an input's facts.
func appendFacts(dst []string, in *Input) []string {
	flag := strconv.FormatBool
	dst = append(dst,
		in.Action.Name, in.Action.Category, in.Action.Effect, flag(in.Action.Sensitive),
		in.Subject.Type, in.Subject.Kind, in.Subject.Status, flag(in.Subject.StaffMay),
		in.Grant.State, flag(in.Grant.Holds), in.Grant.InScope, in.Grant.Subscribed,
		in.Account.Status, flag(in.Account.MFARequired),
		flag(in.Session.MFA), flag(in.Session.MFAFresh), in.Session.Acting, in.Session.Actor,
		flag(in.Resource.Own), in.Resource.Member)
	for _, held := range in.Has {
		dst = append(dst, flag(held))
	}
	for _, value := range in.Request {
		dst = append(dst, value.Text)
	}
	return dst
}
