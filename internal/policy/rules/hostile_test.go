package rules_test

import (
	"errors"
	"testing"

	"doorward/internal/policy/rules"
)

// OPA panics on numbers with a huge exponent, and reckons with a large one for
// minutes. Whoever sends one gets no answer, and nobody else loses theirs (S40).
func TestEvalSurvivesAnyNumber(t *testing.T) {
	const declared = "has: []\nrequest:\n  - {path: context.amount, type: number, absent: 0, for: [invoice.pay]}\n"
	rule := "package doorward\n\ndecision := {\"allow\": round(input.request.context.amount * 2) > 3, \"reason\": \"\", \"obligations\": []}\n"
	cat := shippedCatalogue(t)
	p, err := rules.Load(cat, rules.File{Path: "inputs.yaml", Data: []byte(declared)},
		[]rules.File{{Path: "rules/a.rego", Data: []byte(rule)}}, switches())
	if err != nil {
		t.Fatal(err)
	}
	for number, want := range map[string]bool{
		"7": true, "7.5": true, "7e0": true, "7E+2": true, "7e300": true, "20e-1": true,
		"7e301": false, "1e99999": false, "1e999999999": false, "1e99999999999999999999": false,
		"0e999999999": false, "-1e-999999999": false, "1E+999999999": false, "07": false, "": false, "1e": false,
	} {
		in := question(t, p, cat, "invoice.pay")
		in.Request[0] = rules.Value{Type: rules.Number, Text: number}
		out, err := p.Eval(t.Context(), in)
		if out.Allow != want || (err == nil) != want {
			t.Errorf("%s: got %+v, %v", number, out, err)
		}
		if rules.ValidNumber(number) != want {
			t.Errorf("%s is valid: %v", number, !want)
		}
	}
}

// A panic of OPA's, here on a number that a rule makes, is an error like
// any other: it denies.
func TestEvalTurnsPanicsIntoErrors(t *testing.T) {
	p := program(t, "package doorward\n\ndecision := {\"allow\": json.unmarshal(\"1e999999999\") > count(input.subject.kind), \"reason\": \"\", \"obligations\": []}\n")
	out, err := p.Eval(t.Context(), question(t, p, shippedCatalogue(t), "invoice.pay"))
	var failed *rules.EvalError
	if !errors.As(err, &failed) || out.Allow {
		t.Errorf("got %+v, %v", out, err)
	}
}
