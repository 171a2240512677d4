package chaos

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// counted is something that is counted.
type counted string

const (
	questions   counted = "questions judged"
	allows      counted = "allows"
	refusals    counted = "refusals"
	unjudged    counted = "questions answered 503"
	unanswered  counted = "questions without an answer (a process or connection had ended)"
	batches     counted = "batches"
	sensitive   counted = "decisions about sensitive actions"
	cached      counted = "allows from a cache, at least"
	inWindows   counted = "answers that had to be the one right answer"
	soonAsked   counted = "questions begun within 50 ms after a removal was enforced"
	acked       counted = "acknowledged writes"
	refused     counted = "calls to directories that failed"
	unclear     counted = "calls to directories whose end is not known"
	removals    counted = "removals enforced"
	byAck       counted = "removals enforced by acknowledgement"
	byWaiting   counted = "removals enforced by waiting"
	pending     counted = "calls answered 202 pending"
	failovers   counted = "failovers of Redis"
	injected    counted = "entries edited in Redis"
	found       counted = "entries found in Redis"
	refusedFind counted = "entries in Redis that were not believed"
	auditLines  counted = "lines of audit trails that verify"
	memberships counted = "memberships compared with what was acknowledged"
)

// atLeast is what a run of two minutes has at least: less than a third of what two busy
// cores manage.
var atLeast = map[counted]int{
	questions: 8_000, allows: 800, refusals: 4_000, cached: 200, inWindows: 4_000, soonAsked: 400, batches: 500, sensitive: 300,
	acked: 100, removals: 50, byAck: 25, byWaiting: 4, found: 200, injected: 10, refusedFind: 3, failovers: 1, memberships: 50,
}

// ordinary is how long a run is unless somebody wants a longer one.
const ordinary = 2 * time.Minute

// soon is how shortly after enforced a question counts as such.
const soon = 50 * time.Millisecond

// counts are what happened in a run.
type counts struct {
	mu     sync.Mutex
	of     map[counted]int
	faults map[string]int
	calm   []time.Duration // how long removals took until they were enforced
	struck []time.Duration // the same, while something was broken or had just been
}

func newCounts() *counts { return &counts{of: map[counted]int{}, faults: map[string]int{}} }

func (c *counts) add(what counted, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[what] += n
}

func (c *counts) fault(kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults[kind]++
}

func (c *counts) took(d time.Duration, faulty bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if faulty {
		c.struck = append(c.struck, d)
	} else {
		c.calm = append(c.calm, d)
	}
}

// enough tells what happened too little in a run of some length for it to show anything.
func (c *counts) enough(took time.Duration) (missing []string) {
	for _, what := range slices.Sorted(maps.Keys(atLeast)) {
		want := atLeast[what]
		if took > ordinary && want > 1 {
			want = int(float64(want) * float64(took) / float64(ordinary))
		}
		if c.of[what] < want {
			missing = append(missing, fmt.Sprintf("only %d %s, want %d at least", c.of[what], what, want))
		}
	}
	for _, k := range kinds {
		if c.faults[k.name] == 0 {
			missing = append(missing, "never: "+k.name)
		}
	}
	return missing
}
