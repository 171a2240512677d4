package policytool

import (
	"fmt"
	"slices"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
)

// Coverage tells what Rego tests and tables together exercise.
type Coverage struct {
	Rules []RuleCoverage
	Cells []CellCoverage // preset by preset, in the catalogue's order of categories
}

// RuleCoverage is what is exercised of one file of rules: its rules and their
// branches, by giving their value, and its expressions, by being evaluated.
type RuleCoverage struct {
	File    string
	Covered int
	Total   int
	Missed  []Missed
}

// Percent is the share that is covered; an empty file is.
func (c RuleCoverage) Percent() float64 {
	if c.Total == 0 {
		return 100
	}
	return 100 * float64(c.Covered) / float64(c.Total)
}

// Missed are lines that nothing exercises.
type Missed struct {
	Line int    `json:"line"`
	End  int    `json:"end"`
	What string `json:"what"`
}

// CellCoverage tells which answers rows of tables have seen of somebody with exactly
// that preset, about actions that the category guards.
type CellCoverage struct {
	Preset   string `json:"preset"`
	Category string `json:"category"`
	Held     bool   `json:"held"` // the preset gives the category, as provider.yaml says
	Allowed  bool   `json:"allowed"`
	Refused  bool   `json:"refused"`
}

// Shown tells whether a row shows what the cell says: an allow where the preset
// gives the category, else a refusal.
func (c CellCoverage) Shown() bool { return c.Held && c.Allowed || !c.Held && c.Refused }

func (s *suite) coverage(noted *rules.Coverage, answers []Result) *Coverage {
	return &Coverage{Rules: rulesCovered(s.base.Rules.Parts(), noted), Cells: s.cells(answers)}
}

// rulesCovered counts the parts file by file. The parts are in order of place.
func rulesCovered(parts []rules.Part, noted *rules.Coverage) []RuleCoverage {
	var files []RuleCoverage
	for _, part := range parts {
		if len(files) == 0 || files[len(files)-1].File != part.File {
			files = append(files, RuleCoverage{File: part.File})
		}
		file := &files[len(files)-1]
		file.Total++
		if noted.Reached(part) {
			file.Covered++
			continue
		}
		missed := Missed{Line: part.Line, End: max(part.Line, part.End), What: fmt.Sprintf("%s of %s was never evaluated", part.Kind, part.Rule)}
		if part.Kind != rules.Expression {
			missed.What = describe(part) + " never gave its value"
		}
		file.Missed = append(file.Missed, missed)
	}
	return files
}

// describe names a rule or a branch for people.
func describe(part rules.Part) string {
	switch {
	case part.Name != "":
		return "guardrail " + part.Name
	case part.Kind == rules.Branch:
		return "a branch of " + part.Rule
	}
	return "rule " + part.Rule
}

// cells tells of every preset and category what rows have seen.
func (s *suite) cells(answers []Result) []CellCoverage {
	cat := s.base.Catalogue
	var cells []CellCoverage
	at := map[[2]string]int{}
	for _, preset := range s.base.Presets.Names() {
		held := s.base.Presets.Holds([]string{preset}, nil)
		for bit, category := range cat.Categories {
			at[[2]string{preset, category.Name}] = len(cells)
			cells = append(cells, CellCoverage{Preset: preset, Category: category.Name, Held: held.Has(bit)})
		}
	}
	for _, r := range answers {
		who := r.row.Who
		action, known := cat.Action(r.Action)
		if !known || action.Class != catalogue.Guarded || len(who.Presets) != 1 || len(who.Categories)+len(who.Wide) > 0 {
			continue
		}
		for _, guard := range action.Guards {
			if i, ok := at[[2]string{who.Presets[0], guard}]; ok {
				cells[i].Allowed = cells[i].Allowed || r.Got == allow
				cells[i].Refused = cells[i].Refused || slices.Contains(rules.Reasons(), r.Got) || slices.Contains(s.base.Rules.Guardrails(), r.Got)
			}
		}
	}
	return cells
}
