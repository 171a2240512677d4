package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// A scene is a fleet with people who use it and drivers who break it.
type scene struct {
	*fleet
	topology topology
	counts   *counts
	began    time.Time
	asking   *http.Client
	managing *http.Client

	mu         sync.Mutex
	places     []*place
	owners     []*place // of accounts: nobody ever takes theirs away
	events     []*event
	violations []violation
	witness    string // the last position that anybody was told
	injected   int
	given      int // decisions about sensitive actions
	sums       tally
}

// Bounds of what people wait for.
const (
	askWait    = 3 * time.Second
	manageWait = 15 * time.Second // a removal is pending after 10
	removeWait = time.Minute      // within which a removal is enforced, whatever is broken
)

func newScene(f *fleet, how topology, c *counts) *scene {
	transport := &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute}
	s := &scene{
		fleet: f, topology: how, counts: c, began: time.Now(), sums: tally{},
		asking: &http.Client{Transport: transport, Timeout: askWait}, managing: &http.Client{Transport: transport.Clone(), Timeout: manageWait},
	}
	for n := range accounts {
		p := &place{account: accountID(n), user: ownerOf(accountID(n))}
		p.begin(true, 0)
		p.end(0, true)
		s.owners = append(s.owners, p)
	}
	return s
}

func (s *scene) now() moment { return time.Since(s.began) }

// A check is something that a run shows.
type check string

const (
	promise  check = "no question is answered from facts older than what was enforced before it"
	durable  check = "no acknowledged write is lost"
	recorded check = "no decision about a sensitive action is given and not recorded"
	trail    check = "the audit trail is whole"
	believed check = "entries of Redis that were edited are refused, and no others"
	healthy  check = "no process ends by itself, panics, or answers what it should not"
	recovery check = "when nothing is broken any more all works again, by itself; removals are enforced within a minute whatever is broken"
)

var checks = []check{promise, durable, recorded, trail, believed, healthy, recovery}

// A violation is what a check found.
type violation struct {
	of   check
	text string
}

func (s *scene) violate(of check, format string, arguments ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprintf(format, arguments...)
	s.violations = append(s.violations, violation{of, fmt.Sprintf("%s, at %v: %s", s.topology, s.now().Round(time.Millisecond), text)})
}

// users is how many a scene has. Writers take a new one when a place is given up.
const users = 4_000

// newPlace takes a user who has no place yet.
func (s *scene) newPlace() *place {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.places)
	p := &place{account: accountID(n), user: userID(n % users)}
	if n >= users {
		return nil
	}
	s.places = append(s.places, p)
	return p
}

// recent is how many places people ask about, the last ones.
const recent = 80

// somewhere is one of the last places, or an owner's.
func (s *scene) somewhere() *place {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.places) == 0 || rand.IntN(8) == 0 {
		return s.owners[rand.IntN(len(s.owners))]
	}
	last := min(len(s.places), recent)
	return s.places[len(s.places)-1-rand.IntN(last)]
}

const (
	writers      = 6
	readersEach  = 2 // of a sidecar
	calmAtFirst  = 4 * time.Second
	settlingWait = 45 * time.Second
)

// play has people use the fleet for a while and breaks it as planned, and lets it recover.
func (s *scene) play(t *testing.T, plan [][]step, lasting time.Duration) {
	over, end := context.WithTimeout(t.Context(), lasting)
	defer end()
	asked, quiet := context.WithCancel(t.Context())
	defer quiet()
	var writing, reading, breaking sync.WaitGroup
	written, settled := context.WithCancel(t.Context())
	defer settled()
	for range writers {
		writing.Go(func() { s.write(written) })
	}
	for _, p := range s.sidecars {
		for range readersEach {
			reading.Go(func() { s.read(asked, p) })
		}
	}
	for _, lane := range plan {
		breaking.Go(func() { s.drive(over, lane) })
	}
	breaking.Wait()
	s.recover(t.Context())
	settled()
	writing.Wait()
	quiet()
	reading.Wait()
}

// recover waits until everything works again by itself.
func (s *scene) recover(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settlingWait)
	defer cancel()
	for _, p := range s.all() {
		err := eventually(ctx, p.name+" is ready again", func() bool {
			response, err := s.asking.Get("http://" + p.address + "/readyz")
			return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK
		})
		if err != nil {
			s.violate(recovery, "after all faults had ended: %v", err)
		}
	}
}
