package rules

// A change makes another input of one; it keeps together what only changes together.
type change func(*Input)

func nothing(*Input) {}

func owner(in *Input) {
	in.Subject.Kind, in.Grant.State, in.Grant.Holds, in.Grant.InScope = "owner", "active", true, "whole_account"
}

// outsider is somebody with no place in force: none, or one in that state.
func outsider(state string) change {
	return func(in *Input) {
		in.Subject.Kind = "stranger"
		in.Grant = GrantFacts{State: state, InScope: "whole_account", Subscribed: "no"}
		clear(in.Has)
		if in.Resource.Member == "covered" {
			in.Resource.Member = "stranger"
		}
	}
}

func contact(in *Input) {
	subscribed := in.Grant.Subscribed
	outsider("none")(in)
	in.Subject = SubjectFacts{Type: "contact", Kind: "contact", Status: "unknown"}
	in.Grant.Subscribed = subscribed
	in.Resource.Own = in.Action.Category == "tickets" && subscribed == "no"
}

// nobodyKnown is a subject of a type that acts nowhere.
func nobodyKnown(in *Input) {
	outsider("none")(in)
	in.Subject = SubjectFacts{Type: "unknown", Kind: "stranger", Status: "unknown"}
	in.Resource.Own = false
}

func nobodyStored(in *Input) {
	outsider("none")(in)
	in.Subject.Status, in.Subject.StaffMay = "unknown", false
}

// staff is one of the provider's people, without a place in the account.
func staff(in *Input) {
	outsider("none")(in)
	in.Subject.StaffMay = true
}

func inTheOwnersName(in *Input) {
	owner(in)
	in.Session.Actor = "staff"
}

// atHome is somebody with their own affairs, in no account.
func atHome(in *Input) {
	outsider("none")(in)
	in.Account, in.Session.Acting = AccountFacts{Status: "none"}, "absent"
}

// changes are what can be different about an input: lists of which each has the
// values of one fact. Those that are not possible for an action are left out later.
func changes(schema *Schema) [][]change {
	all := [][]change{
		{owner, nobodyKnown, nobodyStored, contact, outsider("none"), outsider("pending"), outsider("expired"), outsider("removed")},
		texts(func(in *Input) *string { return &in.Subject.Status }, userStatuses),
		flags(func(in *Input) *bool { return &in.Subject.StaffMay }),
		flags(func(in *Input) *bool { return &in.Grant.Holds }),
		texts(func(in *Input) *string { return &in.Grant.InScope }, scopes),
		texts(func(in *Input) *string { return &in.Grant.Subscribed }, mailings),
		append(texts(func(in *Input) *string { return &in.Account.Status }, accStatuses), atHome, noAccount),
		secondFactors(),
		flags(func(in *Input) *bool { return &in.Session.MFAFresh }),
		texts(func(in *Input) *string { return &in.Session.Acting }, actings),
		texts(func(in *Input) *string { return &in.Session.Actor }, actors),
		flags(func(in *Input) *bool { return &in.Resource.Own }),
		texts(func(in *Input) *string { return &in.Resource.Member }, members),
	}
	return append(all, declared(schema)...)
}

// secondFactors are the demand for one and the login that meets it or not, which mean
// something only together.
func secondFactors() []change {
	var all []change
	for _, required := range both {
		for _, shown := range both {
			all = append(all, func(in *Input) { in.Account.MFARequired, in.Session.MFA = required, shown })
		}
	}
	return all
}

// maxDeclared is how many values of all that inputs.yaml declares are tried together.
const maxDeclared = 256

// declared are the values of what inputs.yaml declares: all of them together as one
// fact, as far as they are few, because a part of a question mostly matters together
// with a permission.
func declared(schema *Schema) [][]change {
	var each [][]change
	for i := range schema.Has {
		each = append(each, flags(func(in *Input) *bool { return &in.Has[i] }))
	}
	for i, leaf := range schema.Request {
		var values []change
		for _, value := range append([]Value{leaf.Absent}, leaf.Samples...) {
			values = append(values, func(in *Input) { in.Request[i] = value })
		}
		each = append(each, values)
	}
	together := []change{nothing}
	for _, values := range each {
		if len(together)*len(values) > maxDeclared {
			return each
		}
		together = combined(together, values)
	}
	return [][]change{together}
}

// combined are each of some changes followed by each of others.
func combined(some, others []change) []change {
	var all []change
	for _, one := range some {
		for _, other := range others {
			all = append(all, func(in *Input) { one(in); other(in) })
		}
	}
	return all
}

// noAccount is a question about an account that is not there.
func noAccount(in *Input) {
	outsider("none")(in)
	in.Account = AccountFacts{Status: "unknown"}
}

func texts(at func(*Input) *string, values []string) []change {
	var all []change
	for _, value := range values {
		all = append(all, func(in *Input) { *at(in) = value })
	}
	return all
}

func flags(at func(*Input) *bool) []change {
	var all []change
	for _, value := range both {
		all = append(all, func(in *Input) { *at(in) = value })
	}
	return all
}
