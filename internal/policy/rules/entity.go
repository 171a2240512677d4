package rules

import "doorward/internal/policy/catalogue"

// EntityInput is the input of a question about an entity action: of its subject only the
// type is known, besides what is declared, and nothing of an account. Kind, place and
// status are those of a stranger who is active: whoever is not is refused before.
func EntityInput(action ActionFacts, subjectType string, mfa, fresh bool, has []bool, request []Value) Input {
	return Input{
		Action:   action,
		Subject:  SubjectFacts{Type: subjectType, Kind: "stranger", Status: "active"},
		Grant:    GrantFacts{State: "none", InScope: "whole_account", Subscribed: "no"},
		Account:  AccountFacts{Status: "none"},
		Session:  SessionFacts{MFA: mfa, MFAFresh: fresh, Acting: "absent", Actor: "nobody"},
		Resource: ResourceFacts{Member: "nobody"},
		Has:      has,
		Request:  request,
	}
}

// ordinaryEntity is the question of a user with a login that has nothing against it.
func (r *reach) ordinaryEntity() Input {
	var absent []Value
	for _, leaf := range r.schema.Request {
		absent = append(absent, leaf.Absent)
	}
	return EntityInput(r.facts, "user", true, true, make([]bool, len(r.schema.Has)), absent)
}

// possibleEntity tells whether a question about an entity action can amount to in.
func (r *reach) possibleEntity(in *Input) bool {
	can := EntityInput(r.facts, in.Subject.Type, in.Session.MFA, in.Session.MFAFresh, in.Has, in.Request)
	return in.Subject == can.Subject && in.Grant == can.Grant && in.Account == can.Account &&
		in.Session == can.Session && in.Resource == can.Resource && r.possibleParts(in)
}

// entities makes of an input one about an entity action.
func (m *maker) entities(a *catalogue.Action, in *Input) {
	r := reachOf(a, m.schema)
	*in = EntityInput(r.facts, in.Subject.Type, in.Session.MFA, in.Session.MFAFresh, make([]bool, len(in.Has)), in.Request)
}
