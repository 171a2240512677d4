package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What a run is told by its environment.
const (
	forVariable    = "DOORWARD_CHAOS_FOR"    // how long: 30m
	seedVariable   = "DOORWARD_CHAOS_SEED"   // plan the same faults again
	reportVariable = "DOORWARD_CHAOS_REPORT" // write the report to this file as well
	binaryVariable = "DOORWARD_CHAOS_BINARY" // run this program instead of one that is built here
)

// longestScene is how long one fleet is broken before another takes its place.
const longestScene = 2 * time.Minute

// A run is what TestChaos does.
type run struct {
	binary  string
	lasting time.Duration
	seed    uint64
	began   time.Time
	counts  *counts
	sums    tally
	scenes  []*scene
}

// The promise, with everything real: no question asked after "enforced" is answered from
// facts older than the change, whatever breaks meanwhile; nothing acknowledged is lost; the
// trail is whole; and all of it recovers by itself. req 52, req 97.
func TestChaos(t *testing.T) {
	r := &run{lasting: ordinary, seed: rand.Uint64N(1 << 32), began: time.Now(), counts: newCounts(), sums: tally{}}
	r.configure(t)
	fmt.Printf("chaos for %v with seed %d\n", r.lasting, r.seed) // at once, and whether or not it passes
	db, plans := newDatabase(t), newPlanner(r.seed)
	n := len(topologies) * int(1+(r.lasting-1)/(longestScene*time.Duration(len(topologies))))
	for i := range n {
		how := topologies[i%len(topologies)]
		t.Run(fmt.Sprintf("%d, %s", i, how), func(t *testing.T) {
			lasting := max(r.lasting/time.Duration(n), calmAtFirst) // however long it took to start
			s := newScene(newFleet(t, r.binary, db, fmt.Sprintf("scene%d", i), how), how, r.counts)
			s.play(t, plans.scene(how, lasting), lasting)
			s.judge(t.Context(), r.binary)
			r.conclude(t, s)
		})
	}
	r.judge(t)
}

func (r *run) configure(t *testing.T) {
	var err error
	if text := os.Getenv(forVariable); text != "" {
		if r.lasting, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", forVariable, err)
		}
	}
	if text := os.Getenv(seedVariable); text != "" {
		if r.seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", seedVariable, err)
		}
	}
	if r.binary = os.Getenv(binaryVariable); r.binary == "" {
		r.binary = build(t)
		r.began = time.Now()
	}
}

// build builds the program as it is delivered: without cgo, and without the race detector,
// which would change what is looked for.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "doorward")
	version := "unknown"
	if said, err := exec.Command("git", "describe", "--always", "--dirty").Output(); err == nil {
		version = strings.TrimSpace(string(said))
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-X main.version="+version, "-o", binary, "doorward/cmd/doorward")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	return binary
}

// conclude takes in what became of a scene.
func (r *run) conclude(t *testing.T, s *scene) {
	for name, n := range s.sums {
		r.sums[name] += n
	}
	r.scenes = append(r.scenes, s)
	for i, v := range s.violations {
		if i == mostShown {
			t.Errorf("and %d more", len(s.violations)-i)
			break
		}
		t.Errorf("%s: %s", v.of, v.text)
	}
	if t.Failed() {
		for _, e := range s.events {
			t.Logf("%9v to %9v  %s: %s", e.from.Round(time.Millisecond), e.to.Round(time.Millisecond), e.kind, e.target)
		}
		for _, p := range s.all() {
			t.Logf("the end of the log of %s:\n%s", p.name, p.tail())
		}
	}
	s.places, s.owners = nil, nil // the history of a long run would fill memory
}

// mostShown is how many violations of a scene are printed.
const mostShown = 20

// judge says whether enough happened, and writes the report.
func (r *run) judge(t *testing.T) {
	r.counts.add(cached, max(0, r.counts.of[allows]-r.sums.reads("directory")))
	for _, missing := range r.counts.enough(r.lasting) {
		t.Error(missing)
	}
	text := r.report(t.Failed())
	t.Log("\n" + text)
	if file := os.Getenv(reportVariable); file != "" {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Error(err)
		}
	}
}
