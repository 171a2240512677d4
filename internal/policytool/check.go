package policytool

import (
	"cmp"
	"context"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"doorward/internal/decision"
	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/internal/policy/rules"
)

// A CheckReport is what there is to say about a sound policy folder.
type CheckReport struct {
	Policy   *policy.Policy
	Warnings []Finding // what does nothing, or cannot be known to; in order of place
	Notes    []Finding // what is worth knowing, and may well be meant
	Inputs   []Width
	Evidence Evidence
	Held     rules.Check // of the invariants: all held
}

// A Finding is something about a place of a policy folder that is no fault.
type Finding struct {
	Kind FindingKind `json:"kind"`
	fault.Fault
}

// A FindingKind tells what a Finding is about.
type FindingKind string

// The kinds of findings.
const (
	UnusedCategory  FindingKind = "unused_category"
	OwnersCategory  FindingKind = "owners_category"
	UntestedPreset  FindingKind = "untested_preset"
	UntestedProfile FindingKind = "untested_profile"
	UnreadInput     FindingKind = "unread_input"
	UntestedRail    FindingKind = "untested_guardrail"
	UnreadSwitch    FindingKind = "unread_switch"
	UnfiredRule     FindingKind = "unfired_rule"
	FailingRow      FindingKind = "failing_row"
)

// Evidence counts what the rules were tried on.
type Evidence struct {
	RegoTests int `json:"rego_tests"`
	Answers   int `json:"answers"` // to rows of tables
	MadeUp    int `json:"made_up"` // inputs; 0 when everything had fired before
}

// Inputs is how many inputs there were, a Rego test counted as one.
func (e Evidence) Inputs() int { return e.RegoTests + e.Answers + e.MadeUp }

// A Width tells how wide a declared input makes what is remembered.
type Width struct {
	Leaf    string `json:"leaf"`    // as in input.grant.has.invoices
	Actions int    `json:"actions"` // that it is for
	// Factor is by how much it multiplies the answers remembered for one of them, with
	// the declared samples.
	Factor int `json:"factor"`
	// AtMost is the factor when portals send anything else; equal to Factor when they
	// cannot.
	AtMost int `json:"at_most"`
}

// Exploring is how long people may be kept waiting while rules that never fired are
// tried on made-up inputs.
const Exploring = 2 * time.Second

// Check looks at a whole policy folder, its profiles and tables included; rules that
// no test makes fire are tried on made-up inputs for so long at most. Its error is a
// fault.List with every fault when the folder is not sound.
func Check(ctx context.Context, fsys fs.FS, exploring time.Duration) (*CheckReport, error) {
	s, err := loadSuite(ctx, fsys)
	if err != nil {
		return nil, err
	}
	held, err := s.invariants(ctx)
	if err != nil {
		return nil, err
	}
	noted := &rules.Coverage{}
	files, answers, err := s.run(ctx, noted, func(string, string) bool { return true })
	if err != nil {
		return nil, err
	}
	report := &CheckReport{Policy: s.base, Inputs: s.widths(), Held: held, Evidence: Evidence{Answers: len(answers)}}
	for _, f := range files {
		report.Evidence.RegoTests += len(f.Tests)
	}
	report.Evidence.RegoTests -= len(answers)
	untested := s.unreached(noted)
	if len(untested) > 0 {
		report.Evidence.MadeUp = s.explore(ctx, exploring, noted)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f := &finder{suite: s}
	f.categories()
	f.presets()
	f.profiles()
	f.inputs()
	f.switches()
	f.unfired(s.unreached(noted), report.Evidence)
	f.guardrails(untested, noted)
	f.rows(answers)
	report.Warnings, report.Notes = inOrder(f.warnings), inOrder(f.notes)
	return report, nil
}

// invariants tries the invariants on more than a server takes the time for. Its error
// is a fault.List when one does not hold.
func (s *suite) invariants(ctx context.Context) (rules.Check, error) {
	held, err := s.base.Rules.CheckInvariants(ctx, rules.InPairs)
	if err != nil {
		return rules.Check{}, err
	}
	return held, held.Err()
}

func inOrder(list []Finding) []Finding {
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return list
}

// unreached are the rules and branches that never gave their value.
func (s *suite) unreached(noted *rules.Coverage) []rules.Part {
	return slices.DeleteFunc(s.base.Rules.Parts(), func(p rules.Part) bool {
		return p.Kind == rules.Expression || noted.Reached(p)
	})
}

// explore tries made-up inputs under every setting until all rules have fired or the
// time is up, and returns how many there were.
func (s *suite) explore(ctx context.Context, exploring time.Duration, noted *rules.Coverage) int {
	ctx, cancel := context.WithTimeout(ctx, exploring)
	defer cancel()
	var settings []*policy.Policy
	settings = append(settings, s.base)
	for _, name := range s.profiles {
		settings = append(settings, s.policies[name])
	}
	judged := make([]int, len(settings))
	var group errgroup.Group
	for i, p := range settings {
		group.Go(func() error {
			judged[i] = p.Rules.Covering(noted).Explore(ctx, p.Catalogue, func() []rules.Part { return s.unreached(noted) })
			return nil
		})
	}
	_ = group.Wait() // none returns an error
	total := 0
	for _, n := range judged {
		total += n
	}
	return total
}

// widths tells of each declared input how wide it makes what is remembered.
func (s *suite) widths() []Width {
	schema := s.base.Rules.Schema()
	widths := []Width{}
	for _, leaf := range schema.Has {
		widths = append(widths, Width{Leaf: hasLeaf(leaf), Actions: s.actionsOf(leaf.For), Factor: 2, AtMost: 2})
	}
	for _, leaf := range schema.Request {
		w := Width{Leaf: requestLeaf(leaf), Actions: s.actionsOf(leaf.For), Factor: 2, AtMost: 2}
		if leaf.Type != rules.Boolean {
			w.Factor, w.AtMost = typical(leaf), decision.MemoSize
		}
		widths = append(widths, w)
	}
	return widths
}

// typical is how many values the samples and the absent value are; as many as are
// remembered when there are no samples to go by.
func typical(leaf rules.RequestLeaf) int {
	if len(leaf.Samples) == 0 {
		return decision.MemoSize
	}
	values := map[rules.Value]bool{leaf.Absent: true}
	for _, sample := range leaf.Samples {
		values[sample] = true
	}
	return len(values)
}

func (s *suite) actionsOf(is func(action string) bool) int {
	n := 0
	for _, action := range s.base.Catalogue.Actions() {
		if is(action.Name) {
			n++
		}
	}
	return n
}

func hasLeaf(leaf rules.HasLeaf) string { return "input.grant.has." + leaf.Category }

func requestLeaf(leaf rules.RequestLeaf) string {
	return "input.request." + strings.Join(leaf.Path, ".")
}
