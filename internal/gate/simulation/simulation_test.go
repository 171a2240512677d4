package simulation

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What a test is told by its environment.
const (
	seedVariable = "DOORWARD_SIMULATION_SEED" // run the schedule of this seed alone, and print it
	forVariable  = "DOORWARD_SIMULATION_FOR"  // run new seeds for so long: 2h
)

// ordinary is how many schedules every run of the tests goes through.
const ordinary = 20_000

// simulate runs the schedule of a seed.
func simulate(seed uint64, free *tasks, m mutant, focus func(*plan), trace func(string)) (counts, error) {
	w := newWorld(seed, free)
	w.trace = trace
	p := planned(w, m)
	p.sealer = sealing{m}
	if focus != nil {
		focus(&p)
	}
	s := newSchedule(w, p)
	err := s.live()
	return s.count, err
}

// A run goes through many schedules on all processors.
type run struct {
	next  atomic.Uint64
	last  func(seed uint64) bool
	mu    sync.Mutex
	total counts
	bad   map[uint64]error
}

func newRun(first uint64, last func(uint64) bool) *run {
	r := &run{last: last, total: counts{}, bad: map[uint64]error{}}
	r.next.Store(first)
	return r
}

func (r *run) all() {
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(r.some)
	}
	workers.Wait()
}

func (r *run) some() {
	free := &tasks{}
	defer free.Close()
	for {
		seed := r.next.Add(1) - 1
		if r.last(seed) || r.failures() >= 3 {
			return
		}
		count, err := simulate(seed, free, mutant{}, nil, nil)
		r.mu.Lock()
		r.total.add(count)
		if err != nil {
			r.bad[seed] = err
		}
		r.mu.Unlock()
	}
}

func (r *run) failures() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bad)
}

// The promise: no question asked after "enforced" is allowed from older facts. Nor is
// one allowed from facts that were never true together, or are older than its lease,
// after its grant has ended, by an older policy, or without a record; the history of what
// people were told is linearizable; and when nothing is broken any more all goes on.
// req 52, req 97.
func TestThePromiseIsKept(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	if seed := os.Getenv(seedVariable); seed != "" {
		n, err := strconv.ParseUint(seed, 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", seedVariable, err)
		}
		replay(t, n, mutant{}, nil, 1<<20)
		return
	}
	first, last := uint64(1), func(seed uint64) bool { return seed > ordinary }
	if long := os.Getenv(forVariable); long != "" {
		d, err := time.ParseDuration(long)
		if err != nil {
			t.Fatalf("%s: %v", forVariable, err)
		}
		first = uint64(time.Now().UnixNano())
		end := time.Now().Add(d)
		last = func(uint64) bool { return time.Now().After(end) }
	}
	r := newRun(first, last)
	fmt.Printf("schedules from seed %d on\n", first) // at once, and whether or not it passes
	r.all()
	t.Logf("seeds %d to %d:\n%v", first, first+uint64(r.total[schedules])-1, r.total)
	for _, seed := range slices.Sorted(maps.Keys(r.bad)) {
		t.Errorf("seed %d: %v\nagain: %s=%d go test -run '^TestThePromiseIsKept$' ./internal/gate/simulation", seed, r.bad[seed], seedVariable, seed)
	}
	if len(r.bad) > 0 {
		replay(t, slices.Min(slices.Collect(maps.Keys(r.bad))), mutant{}, nil, 60)
		return
	}
	if err := r.total.enough(); err != nil {
		t.Error(err)
	}
}

// replay runs a schedule again and prints the last lines of what happened.
func replay(t *testing.T, seed uint64, m mutant, focus func(*plan), lines int) {
	t.Helper()
	free := &tasks{}
	defer free.Close()
	var trace []string
	_, err := simulate(seed, free, m, focus, func(line string) { trace = append(trace, line) })
	t.Logf("seed %d:\n%s", seed, strings.Join(trace[max(0, len(trace)-lines):], "\n"))
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
}

// String lists what was counted, most first.
func (n counts) String() string {
	var b strings.Builder
	for _, what := range slices.SortedFunc(maps.Keys(n), func(x, y counted) int {
		return cmp.Or(cmp.Compare(n[y], n[x]), strings.Compare(string(x), string(y)))
	}) {
		fmt.Fprintf(&b, "%10d  %s\n", n[what], what)
	}
	return b.String()
}

// A seed that fails is worth something only if the same happens again.
func TestTheSameSeedIsTheSameSchedule(t *testing.T) {
	free := &tasks{}
	defer free.Close()
	happened := func(seed uint64) string {
		var b strings.Builder
		count, err := simulate(seed, free, mutant{}, nil, func(line string) { fmt.Fprintln(&b, line) })
		fmt.Fprintln(&b, count, err)
		return b.String()
	}
	for seed := range uint64(30) {
		if one, two := happened(seed), happened(seed); one != two {
			t.Errorf("seed %d happens in two ways:\n%s\n%s", seed, one, two)
		}
	}
	if happened(1) == happened(2) {
		t.Error("two seeds are one schedule")
	}
}
