package policygen

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"doorward/internal/policy/rules"
)

// decision writes the entrypoint: mostly one chain of reasons whose last is an
// allow, as people write it; else several decisions that may contradict each other.
func (a *author) decision() {
	switch rapid.IntRange(0, 5).Draw(a.t, "decision") {
	case 4:
		a.decisions()
	case 5:
		a.write("default decision := %s\n", a.refusal())
		a.decisions()
	default:
		a.reasons()
	}
}

// reasons writes a decision that is one reason and the obligations.
func (a *author) reasons() {
	a.write(`decision := {"allow": reason == "", "reason": reason, "obligations": obligations}` + "\n")
	if len(a.guardrails) > 0 {
		a.write("forbidden := min(guardrail)\n")
	}
	if oneIn(a.t, 8) { // contradictory when two bodies hold
		for range a.upTo(2) {
			a.when("reason := " + a.reason())
		}
		a.when(`reason := ""`)
	} else {
		a.reasonChain()
	}
	a.write("default obligations := []\n")
	a.chain("obligations", a.obligations)
}

func (a *author) reasonChain() {
	text := fmt.Sprintf("reason := %s if {\n%s}", a.reason(), a.body())
	for range rapid.IntRange(0, 4).Draw(a.t, "reasons") {
		text += fmt.Sprintf(" else := %s if {\n%s}", a.reason(), a.body())
	}
	if len(a.guardrails) > 0 {
		text += " else := forbidden if {\n\tforbidden\n}"
	}
	switch rapid.IntRange(0, 5).Draw(a.t, "last") {
	case 4:
		text += fmt.Sprintf(" else := \"\" if {\n%s}", a.body()) // nothing is decided when it does not hold
	case 5:
		text += " else := " + a.reason()
	default:
		text += ` else := ""`
	}
	a.write("%s\n", text)
}

// decisions writes whole decisions under conditions.
func (a *author) decisions() {
	for range a.upTo(2) {
		a.when("decision := " + a.refusal())
	}
	a.when(fmt.Sprintf(`decision := {"allow": true, "reason": "", "obligations": %s}`, a.obligations()))
}

// refusal draws a denial; seldom one that means nothing.
func (a *author) refusal() string {
	allow := oneIn(a.t, 20)
	return fmt.Sprintf(`{"allow": %t, "reason": %s, "obligations": []}`, allow, a.reason())
}

// reason draws a reason of a denial, mostly a known one.
func (a *author) reason() string {
	if oneIn(a.t, 25) {
		return `"because"`
	}
	return fmt.Sprintf("%q", draw(a, append(rules.Reasons(), a.guardrails...)))
}

// obligations draws a list of obligations. They tell leaves of the input, so that
// answers differ by what a question is about and not only by allow and reason.
func (a *author) obligations() string {
	var all []string
	for range rapid.IntRange(0, 2).Draw(a.t, "obligations") {
		all = append(all, a.obligation())
	}
	if len(a.sets) > 0 && oneIn(a.t, 4) {
		x := a.name("x")
		return fmt.Sprintf(`[{"id": %[1]s} | some %[1]s in %[2]s; %[1]s != ""]`, x, draw(a, a.sets).name)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func (a *author) obligation() string {
	text := `{"id": "told"`
	for i := range rapid.IntRange(0, 4).Draw(a.t, "told") {
		from := draw(a, [][]term{a.texts, a.flags, a.numbers})
		text += fmt.Sprintf(`, "part_%d": %s`, i, draw(a, from).ref)
	}
	return text + "}"
}
