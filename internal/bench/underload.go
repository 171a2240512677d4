package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"doorward/internal/audit"
	"doorward/internal/config"
	"doorward/internal/directory"
	"doorward/internal/portal"
	"doorward/internal/server"
)

// changesASecond is how much of the directory changes while a sidecar answers.
const changesASecond = 1000

// underLoad prints how long answers of a sidecar with one core take, at parts of what it
// can do at most, and while many changes come in.
func underLoad(ctx context.Context, o options) error {
	l, err := startLoaded(ctx, o, o.load.duration)
	defer l.fleet.stop()
	if err != nil {
		return err
	}
	fmt.Printf("### Answers under load, one sidecar on one core\n\n"+
		"Questions come when they come, whether or not those before were answered (an open loop), %v each. With 16 clients that wait for their answers it answers "+
		"%.0f a second, at %.0f %% of its core: the ceiling. Milliseconds from when each was due. Of the bench's own lateness, which is not in them, the 99th percentile.\n\n"+
		"| load | questions | p50 | p99 | p99.9 | longest | not 200 | processor | of it collecting garbage | resident | bench late |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
		l.duration, l.ceiling, 100*l.share)
	for _, part := range []float64{0.5, 0.85} {
		if err := l.row(ctx, fmt.Sprintf("%.0f %%", 100*part), part); err != nil {
			return err
		}
	}
	stop := l.fleet.change(ctx, l.members)
	err = l.row(ctx, fmt.Sprintf("50 %%, and %d changes a second", changesASecond), 0.5)
	n, failed := stop()
	if err := errors.Join(err, failed); err != nil {
		return fmt.Errorf("while it changes: %w", err)
	}
	fmt.Printf("\nThere were %.0f changes a second, of memberships that are asked about, among others.\n\n", float64(n)/l.duration.Seconds())
	return nil
}

// A loaded sidecar and its ceiling.
type loaded struct {
	*target
	fleet    *fleet
	members  []member
	requests [][]byte
	duration time.Duration
	ceiling  float64 // answers a second
	share    float64 // of one core, at the ceiling
}

// startLoaded starts a directory and one sidecar with one core that knows everybody, and
// finds its ceiling. The caller stops the fleet, also after an error.
func startLoaded(ctx context.Context, o options, duration time.Duration) (l *loaded, err error) {
	o.fresh.database = ""
	l = &loaded{members: dataset(o.members), duration: duration}
	l.requests = authzenRequests(l.members)
	l.fleet, err = startFleet(ctx, o, "", func(ctx context.Context, store directory.Store) error { return fill(ctx, store, l.members) })
	if err != nil {
		return l, err
	}
	l.fleet.cores = 1
	if l.target, err = l.fleet.sidecar(ctx); err != nil {
		return l, err
	}
	if err := askAboutAll(l.address, l.members); err != nil {
		return l, err
	}
	return l, l.findCeiling(ctx)
}

func (l *loaded) findCeiling(ctx context.Context) error {
	before, err := l.cpu()
	if err != nil {
		return err
	}
	began := time.Now()
	n, err := load(ctx, l.address, l.requests, l.duration)
	if err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	after, err := l.cpu()
	l.ceiling, l.share = float64(n)/took, (after-before).Seconds()/took
	return err
}

// row measures at a part of the ceiling and prints it.
func (l *loaded) row(ctx context.Context, name string, part float64) error {
	before, err := l.usage()
	if err != nil {
		return err
	}
	began := time.Now()
	a, err := openLoop(ctx, l.address, l.requests, part*l.ceiling, l.duration)
	if err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	after, err := l.usage()
	if err != nil {
		return err
	}
	resident, err := residentOf(strconv.Itoa(l.process.Pid))
	if err != nil {
		return err
	}
	used := after.all - before.all
	fmt.Printf("| %s | %d | %.2f | %.2f | %.2f | %.1f | %d | %.0f %% | %.1f %% | %.0f MiB | %.2f |\n", name, len(a.took), a.at(0.5), a.at(0.99), a.at(0.999), a.at(1),
		a.failed, 100*used/took, 100*(after.gc-before.gc)/used, float64(resident)/(1<<20), a.late.Seconds()*1000)
	return nil
}

// A usage is processor time in seconds, as the process tells it.
type usage struct{ all, gc float64 }

func (s *target) usage() (u usage, err error) {
	text, err := s.metrics()
	if err != nil {
		return u, err
	}
	if u.all, err = sample(text, "process_cpu_seconds_total"); err != nil {
		return u, err
	}
	u.gc, err = sample(text, "go_cpu_classes_gc_total_cpu_seconds_total")
	return u, err
}

func (s *target) metrics() ([]byte, error) {
	response, err := http.Get("http://" + s.address + "/metrics")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// sample is the value of a metric without labels.
func sample(text []byte, name string) (float64, error) {
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte(name+" ")); ok {
			return strconv.ParseFloat(string(bytes.TrimSpace(value)), 64)
		}
	}
	return 0, fmt.Errorf("/metrics has no %s", name)
}

// change changes memberships by chance until the returned function is called, which says
// how many.
func (f *fleet) change(ctx context.Context, members []member) (stop func() (int, error)) {
	const atOnce, pause = 20, time.Second / (changesASecond / 20)
	ctx, cancel := context.WithCancel(ctx)
	var n int
	var failed error
	var running sync.WaitGroup
	running.Go(func() {
		store, err := server.OpenDirectory(ctx, config.Config{Data: f.folder}, quiet, true)
		if err != nil {
			failed = err
			return
		}
		defer store.Close()
		ticker := time.NewTicker(pause)
		defer ticker.Stop()
		for ctx.Err() == nil {
			if _, err := store.Update(ctx, func(tx directory.Tx) error { return regrant(ctx, tx, members, atOnce) }); err != nil {
				if ctx.Err() == nil {
					failed = err
				}
				return
			}
			n += atOnce
			<-ticker.C
		}
	})
	return func() (int, error) {
		cancel()
		running.Wait()
		return n, failed
	}
}

// regrant gives some members until another time what they have.
func regrant(ctx context.Context, tx directory.Tx, members []member, n int) error {
	tx.Log(audit.Entry{Actor: "bench", Action: "regrant", Object: "directory"})
	for range n {
		m := members[rand.N(len(members))]
		if m.preset == "owner" {
			m = members[1]
		}
		err := tx.PutMembership(ctx, portal.Membership{Account: m.account, User: m.user, State: portal.MembershipActive,
			Grant: portal.Grant{Presets: []string{m.preset}, NotAfter: time.Now().Add(time.Hour + rand.N(time.Hour)).Truncate(time.Second)}})
		if err != nil {
			return err
		}
	}
	return nil
}

// descriptors counts the files that the process has open.
func (s *target) descriptors() (int, error) {
	all, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(s.process.Pid), "fd"))
	return len(all), err
}
