package rules

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
)

// violated is asked together with the decision that it is about.
const violated = "data.doorward.invariants.violated"

// A Depth is how much of what can be asked is tried.
type Depth int

// The depths of CheckInvariants: how many facts are changed at once in a question
// that may do what it asks.
const (
	Singly  Depth = 1
	InPairs Depth = 2
)

// A Check is what trying the invariants found.
type Check struct {
	Inputs     int // tried, each standing for those that no rule can tell from it
	Violations []Violation
}

// Err is the violations as faults, or nil when there are none.
func (c Check) Err() error {
	var faults fault.List
	for _, v := range c.Violations {
		faults.Add(v.Fault())
	}
	return faults.Err()
}

// A Violation is an input for which an invariant does not hold.
type Violation struct {
	Invariant string // its name; "" when the rules give no answer
	At        fault.Fault
	Answer    string // allow, the reason of the denial, or the error
	Facts     string // the input, as far as it is not that of an ordinary member
	Input     string // the input, as JSON
}

// Fault is the violation at the line of its invariant.
func (v Violation) Fault() fault.Fault {
	f := v.At
	if v.Invariant == "" {
		f.Message = fmt.Sprintf("the rules cannot answer %s: %s. Input: %s", v.Facts, v.Answer, v.Input)
		f.Fix = "Write a rule for it."
		return f
	}
	f.Message = fmt.Sprintf("%s does not hold: the answer is %s to %s. Input: %s", v.Invariant, v.Answer, v.Facts, v.Input)
	f.Fix = "Mend the rules, the presets or the switches; the invariant only if it says too much."
	return f
}

// invariants are what CheckInvariants needs to know of a policy.
type invariants struct {
	at      map[string]*ast.Location // where each is stated, by name
	decides *ast.Location            // the rule that every question is put to
	judge   rego.PreparedEvalQuery   // of the decision and what it violates
	actions []*catalogue.Action
	readings
}

// Invariants are the names of the invariants, sorted.
func (p *Program) Invariants() []string { return slices.Sorted(maps.Keys(p.invariants.at)) }

// CheckInvariants evaluates every invariant on inputs that questions can amount to:
// those of people who may do what they ask, and those with one fact, or two, changed.
// It reports the smallest input for each invariant that does not hold, and the
// smallest that the rules do not answer. Its error is the context's.
//
// It is no proof: what takes more changes at once than depth is not tried.
func (p *Program) CheckInvariants(ctx context.Context, depth Depth) (Check, error) {
	tries := p.tries(depth)
	found := &findings{first: map[string]int{}, answers: map[string]string{}}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(tries) && ctx.Err() == nil && !found.late.Load(); i = int(next.Add(1)) - 1 {
				p.try(ctx, i, &tries[i].in, found)
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return Check{}, fmt.Errorf("check invariants: %w", err)
	}
	return Check{Inputs: len(tries), Violations: p.violations(tries, found)}, nil
}

// tryTime is how long one input may take. Rules answer in microseconds; the first
// that takes so long ends the check.
const tryTime = 5 * time.Second

// try evaluates the invariants on the i-th input.
func (p *Program) try(ctx context.Context, i int, in *Input, found *findings) {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	names, answer := p.broken(ctx, in)
	if len(names) > 0 {
		found.add(i, names, answer)
	}
	if ctx.Err() != nil {
		found.late.Store(true)
	}
}

// Possible tells whether questions can amount to an input: whether CheckInvariants
// would try it, if it tried all.
func (p *Program) Possible(in *Input) bool {
	for _, a := range p.invariants.actions {
		if a.Name == in.Action.Name {
			return reachOf(a, p.schema).possible(in)
		}
	}
	return false
}

// findings are, for each invariant that was broken, the first input that broke it.
type findings struct {
	mu      sync.Mutex
	first   map[string]int
	answers map[string]string
	late    atomic.Bool // an input took too long
}

func (f *findings) add(i int, names []string, answer string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range names {
		if first, known := f.first[name]; !known || i < first {
			f.first[name], f.answers[name] = i, answer
		}
	}
}

func (p *Program) violations(tries []try, found *findings) []Violation {
	var all []Violation
	for name, i := range found.first {
		at := p.invariants.decides
		if name != "" {
			at = p.invariants.at[name]
		}
		all = append(all, Violation{
			Invariant: name, At: fault.Fault{File: at.File, Line: at.Row, Column: at.Col}, Answer: found.answers[name],
			Facts: tries[i].facts(p.schema), Input: p.json(&tries[i].in),
		})
	}
	slices.SortFunc(all, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.At.File, b.At.File), cmp.Compare(a.At.Line, b.At.Line))
	})
	return all
}

// json is an input as rules see it.
func (p *Program) json(in *Input) string {
	text, err := p.Document(in)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// broken returns the invariants that do not hold for an input, and its answer. The
// name "" stands for an input without an answer.
func (p *Program) broken(ctx context.Context, in *Input) (names []string, answer string) {
	defer func() {
		if cause := recover(); cause != nil {
			names, answer = []string{""}, fmt.Sprintf("OPA panicked: %v", cause)
		}
	}()
	term, err := p.ask(ctx, p.invariants.judge, in, nil)
	if err != nil {
		return []string{""}, err.Error()
	}
	pair, ok := term.Value.(*ast.Array)
	if !ok || pair.Len() != 2 {
		return []string{""}, ErrUndefined.Error()
	}
	outcome, err := p.outcome(pair.Elem(0))
	if err != nil {
		return []string{""}, err.Error()
	}
	set, ok := pair.Elem(1).Value.(ast.Set)
	if !ok {
		return nil, ""
	}
	set.Foreach(func(t *ast.Term) { names = append(names, bare(t)) })
	return names, cmp.Or(outcome.Reason, "allow")
}
