package rules_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/internal/policy/rules"
)

func anyInput(t *rapid.T, name string) rules.Input {
	// Few and short strings, so that different cuts of the same bytes are common.
	word := rapid.SampledFrom([]string{"", "a", "b", "ab", "\x00", "\x01", "\x01a", "1", "1.0"})
	yes := rapid.Bool()
	values := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) rules.Value {
		typ := rapid.SampledFrom([]rules.Type{rules.String, rules.Number, rules.Boolean, ""}).Draw(t, "type")
		return rules.Value{Type: typ, Text: word.Draw(t, "text")}
	}), 0, 3)
	return rules.Input{
		Action:   rules.ActionFacts{Name: word.Draw(t, name), Category: word.Draw(t, name), Effect: word.Draw(t, name), Sensitive: yes.Draw(t, name)},
		Subject:  rules.SubjectFacts{Type: word.Draw(t, name), Kind: word.Draw(t, name), Status: word.Draw(t, name), StaffMay: yes.Draw(t, name)},
		Grant:    rules.GrantFacts{State: word.Draw(t, name), Holds: yes.Draw(t, name), InScope: word.Draw(t, name), Subscribed: word.Draw(t, name)},
		Account:  rules.AccountFacts{Status: word.Draw(t, name), MFARequired: yes.Draw(t, name)},
		Session:  rules.SessionFacts{MFA: yes.Draw(t, name), MFAFresh: yes.Draw(t, name), Acting: word.Draw(t, name), Actor: word.Draw(t, name)},
		Resource: rules.ResourceFacts{Own: yes.Draw(t, name), Member: word.Draw(t, name)},
		Has:      rapid.SliceOfN(yes, 0, 3).Draw(t, name),
		Request:  values.Draw(t, name),
	}
}

// S12: equal keys mean equal inputs.
func checkInjective(t *rapid.T) {
	a, b := anyInput(t, "a"), anyInput(t, "b")
	if rapid.Bool().Draw(t, "near") {
		b = a
		b.Request = append(b.Request[:len(b.Request):len(b.Request)], rules.Value{Type: rules.String, Text: "a"})
	}
	same := string(a.AppendKey(nil)) == string(b.AppendKey(nil))
	equal := cmp.Diff(normal(a), normal(b)) == ""
	if same != equal {
		t.Fatalf("same key %v, equal %v:\n%+v\n%+v", same, equal, a, b)
	}
}

// normal makes nil and empty lists the same.
func normal(in rules.Input) rules.Input {
	in.Has, in.Request = append([]bool{}, in.Has...), append([]rules.Value{}, in.Request...)
	return in
}

func TestKeyIsInjective(t *testing.T) { rapid.Check(t, checkInjective) }

func FuzzKey(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkInjective)) }

// Every part of an input is in its key: S12, S15.
func TestKeyHasEverything(t *testing.T) {
	base := func() rules.Input {
		return rules.Input{Has: []bool{false}, Request: []rules.Value{{Type: rules.Number, Text: "1"}}}
	}
	for name, change := range map[string]func(*rules.Input){
		"action.name":        func(in *rules.Input) { in.Action.Name = "x" },
		"action.category":    func(in *rules.Input) { in.Action.Category = "x" },
		"action.effect":      func(in *rules.Input) { in.Action.Effect = "x" },
		"action.sensitive":   func(in *rules.Input) { in.Action.Sensitive = true },
		"subject.type":       func(in *rules.Input) { in.Subject.Type = "x" },
		"subject.kind":       func(in *rules.Input) { in.Subject.Kind = "x" },
		"subject.status":     func(in *rules.Input) { in.Subject.Status = "x" },
		"grant.state":        func(in *rules.Input) { in.Grant.State = "x" },
		"grant.holds":        func(in *rules.Input) { in.Grant.Holds = true },
		"grant.in_scope":     func(in *rules.Input) { in.Grant.InScope = "x" },
		"grant.subscribed":   func(in *rules.Input) { in.Grant.Subscribed = "x" },
		"grant.has":          func(in *rules.Input) { in.Has[0] = true },
		"account.status":     func(in *rules.Input) { in.Account.Status = "x" },
		"account.mfa":        func(in *rules.Input) { in.Account.MFARequired = true },
		"session.mfa":        func(in *rules.Input) { in.Session.MFA = true },
		"session.mfa_fresh":  func(in *rules.Input) { in.Session.MFAFresh = true },
		"session.acting":     func(in *rules.Input) { in.Session.Acting = "x" },
		"subject.staff_may":  func(in *rules.Input) { in.Subject.StaffMay = true },
		"session.actor":      func(in *rules.Input) { in.Session.Actor = "x" },
		"resource.member":    func(in *rules.Input) { in.Resource.Member = "x" },
		"resource.own":       func(in *rules.Input) { in.Resource.Own = true },
		"request type":       func(in *rules.Input) { in.Request[0].Type = rules.String },
		"request literal 1.": func(in *rules.Input) { in.Request[0].Text = "1.0" },
		"request literal e":  func(in *rules.Input) { in.Request[0].Text = "1e0" },
		"longer has":         func(in *rules.Input) { in.Has = append(in.Has, false) },
	} {
		changed, plain := base(), base()
		change(&changed)
		if string(changed.AppendKey(nil)) == string(plain.AppendKey(nil)) {
			t.Errorf("%s is not in the key", name)
		}
	}
}

// Neighbours cannot be cut differently: S12.
func TestKeyKeepsNeighboursApart(t *testing.T) {
	parts := []func(*rules.Input) *string{
		func(in *rules.Input) *string { return &in.Action.Name },
		func(in *rules.Input) *string { return &in.Action.Category },
		func(in *rules.Input) *string { return &in.Action.Effect },
		func(in *rules.Input) *string { return &in.Subject.Type },
		func(in *rules.Input) *string { return &in.Subject.Kind },
		func(in *rules.Input) *string { return &in.Subject.Status },
		func(in *rules.Input) *string { return &in.Grant.State },
		func(in *rules.Input) *string { return &in.Grant.InScope },
		func(in *rules.Input) *string { return &in.Grant.Subscribed },
		func(in *rules.Input) *string { return &in.Account.Status },
		func(in *rules.Input) *string { return &in.Session.Acting },
		func(in *rules.Input) *string { return &in.Session.Actor },
		func(in *rules.Input) *string { return &in.Resource.Member },
		func(in *rules.Input) *string { return (*string)(&in.Request[0].Type) },
		func(in *rules.Input) *string { return &in.Request[0].Text },
		func(in *rules.Input) *string { return (*string)(&in.Request[1].Type) },
		func(in *rules.Input) *string { return &in.Request[1].Text },
	}
	cut := func(i int, left, right string) string {
		in := rules.Input{Request: make([]rules.Value, 2)}
		*parts[i](&in), *parts[i+1](&in) = left, right
		return string(in.AppendKey(nil))
	}
	for i := range len(parts) - 1 {
		if cut(i, "ab", "") == cut(i, "a", "b") || cut(i, "", "ab") == cut(i, "a", "b") {
			t.Errorf("parts %d and %d run into each other", i, i+1)
		}
	}
	has := rules.Input{Has: []bool{true, false}}
	request := rules.Input{Request: make([]rules.Value, 1)}
	if string(has.AppendKey(nil)) == string(request.AppendKey(nil)) {
		t.Error("has and request run into each other")
	}
}

func BenchmarkAppendKey(b *testing.B) {
	p := shippedProgram(b, switches())
	in := question(b, p, shippedCatalogue(b), "invoice.pay")
	buffer := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buffer = in.AppendKey(buffer[:0])
	}
}
