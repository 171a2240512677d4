package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	outageRate    = 50 // questions a second of each kind
	outageClients = 16 // for each kind
	// newcomers is how many members each kind of question is asked about in a row who were
	// not asked about before.
	newcomers = 250
)

const outageHeader = "| down | when | strict, known | strict, new | bounded, known | bounded, new |\n|---|---|---|---|---|---|\n"

// strictAction is guarded by a strict category alone, and is not sensitive.
const strictAction = "account.profile.view"

// row asks questions of the four kinds at the same time and prints what became of them.
func (b *outageBench) row(ctx context.Context, s *scene, edge *target, name string, duration time.Duration) error {
	kinds := []struct {
		action  string
		members []member
	}{
		{strictAction, b.members[:known]}, {strictAction, b.strangers(s)}, {action, b.members[:known]}, {action, b.strangers(s)},
	}
	all, failures := make([]arrivals, len(kinds)), make([]error, len(kinds))
	var running sync.WaitGroup
	for i, kind := range kinds {
		var requests [][]byte
		for _, m := range kind.members {
			requests = append(requests, post("/access/v1/evaluation", strings.Replace(question(m), action, kind.action, 1)))
		}
		running.Go(func() {
			all[i], failures[i] = openLoopOf(ctx, outageClients, edge.address, requests, outageRate, duration)
		})
	}
	running.Wait()
	fmt.Printf("| %s |", name)
	for i, a := range all {
		if failures[i] != nil {
			return failures[i]
		}
		fmt.Printf(" %s |", a.summary())
	}
	fmt.Println()
	return nil
}

// strangers are members whom nobody has asked about.
func (b *outageBench) strangers(s *scene) []member {
	from := s.asked
	s.asked += newcomers
	return b.members[from:s.asked]
}

// summary says how many were answered, what the others said, and how soon.
func (a arrivals) summary() string {
	n := len(a.took)
	text := fmt.Sprintf("%d %%", 100*(n-a.failed)/n)
	var why []string
	for code := range a.why {
		why = append(why, "`"+code+"`")
	}
	if slices.Sort(why); len(why) > 0 {
		text += " " + strings.Join(why, " ")
	}
	return text + fmt.Sprintf("; %.1f, %.1f", a.at(0.5), a.at(0.99))
}
