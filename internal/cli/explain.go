package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"doorward/internal/explain"
	"doorward/internal/ijson"
	"doorward/internal/policy/rules"
)

// explanationMember is where an answer has its explanation, in its context.
const explanationMember = "explanation"

// printExplanation prints why, one thing a paragraph. The text of an explanation is
// the server's, so what is printed goes through plain.
func (p *Process) printExplanation(answer []byte) error {
	var with struct {
		Decision bool
		Context  struct {
			Explanation *explain.Explanation
		}
	}
	if err := json.Unmarshal(answer, &with); err != nil {
		return fmt.Errorf("read the server's explanation: %w", err)
	}
	x := with.Context.Explanation
	if x == nil { // an older server; the answer counts all the same
		p.notef("The server explains nothing.")
		return nil
	}
	x.Decision.Allow = with.Decision
	for _, lines := range [][]string{decidedBy(x), guardLines(x), factLines(x), changeLines(x), rowLines(x)} {
		if err := p.printParagraph(lines); err != nil {
			return err
		}
	}
	return nil
}

func (p *Process) printParagraph(lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	for i, line := range lines {
		lines[i] = plain(strings.ReplaceAll(line, "\t", "    "))
	}
	return p.printf("\n%s\n", strings.Join(lines, "\n"))
}

// decidedBy says which rule it was, as written, and through which others.
func decidedBy(x *explain.Explanation) []string {
	if len(x.Steps) == 0 {
		return []string{"refused before the rules: " + x.BeforeRules}
	}
	last, verb := x.Steps[len(x.Steps)-1], "refused"
	if x.Decision.Allow {
		verb = "allowed"
	}
	lines := []string{verb + " by " + named(last)}
	for line := range strings.SplitSeq(last.Text, "\n") {
		lines = append(lines, "    "+line)
	}
	var through []string
	for _, step := range x.Steps[:len(x.Steps)-1] {
		through = append(through, named(step))
	}
	if len(through) > 0 {
		lines = append(lines, "through "+strings.Join(through, ", "))
	}
	return lines
}

func named(s rules.Step) string { return fmt.Sprintf("%s:%d (%s)", s.File, s.Line, s.Rule) }

// guardLines say what the action needs, and where it comes from.
func guardLines(x *explain.Explanation) []string {
	if x.Action == nil {
		return nil
	}
	lines := []string{x.Action.Text}
	for _, g := range x.Guards {
		line := "  " + g.Object + " " + g.Text
		if g.Need == "declared" {
			line += " (rules may ask for it)"
		}
		lines = append(lines, line)
	}
	return lines
}

// changeLines say what would make the other answer.
func changeLines(x *explain.Explanation) []string {
	other := "allow"
	if x.Decision.Allow {
		other = "refuse"
	}
	if len(x.Changes) == 0 && !x.Incomplete {
		return []string{"no single change that was tried would " + other + " it"}
	}
	lines := []string{"any one of these would " + other + " it:"}
	for _, c := range x.Changes {
		line := "  - " + c.Text
		if c.Then != "" {
			line += ": " + string(c.Then)
		}
		lines = append(lines, line)
	}
	if x.Incomplete {
		lines = append(lines, "  and maybe others: not all were tried")
	}
	return lines
}

// rowLines are the question as a row of a table.
func rowLines(x *explain.Explanation) []string {
	if x.Row == "" {
		return []string{"as a row of tests/*.yaml: " + x.NoRow}
	}
	return []string{"as a row of tests/*.yaml:", "  " + x.Row}
}

// withoutExplanation is an answer's context without it.
func withoutExplanation(context ijson.Value) ijson.Value {
	var rest []ijson.Member
	for _, m := range context.Members() {
		if m.Name != explanationMember {
			rest = append(rest, m)
		}
	}
	return ijson.ObjectValue(rest...)
}
