package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"doorward/internal/directory"
	"doorward/internal/facts"
	"doorward/internal/portal"
)

// memoryOfSidecars prints what a sidecar has resident before it knows anybody, and for each
// membership that it remembers.
func memoryOfSidecars(ctx context.Context, o options) error {
	if o.fresh.cached == 0 {
		return nil
	}
	o.fresh.database = ""
	members := dataset(o.fresh.cached)
	f, err := startFleet(ctx, o, "", func(ctx context.Context, store directory.Store) error { return fill(ctx, store, members) })
	defer f.stop()
	if err != nil {
		return err
	}
	s, err := f.sidecar(ctx, "--facts-max-bytes", strconv.Itoa(4<<30), "--decision-timeout", "10s")
	if err != nil {
		return err
	}
	before, err := s.resident()
	if err != nil {
		return err
	}
	if err := askAboutAll(s.address, members); err != nil {
		return err
	}
	after, err := s.resident()
	if err != nil {
		return err
	}
	alone, err := remembered(members)
	if err != nil {
		return err
	}
	each := func(bytes int) int { return bytes / len(members) }
	fmt.Printf("### Memory of a sidecar\n\nOf %d memberships in as many users' names and a fifth as many accounts'.\n\n| what | resident |\n|---|---|\n"+
		"| a sidecar that is ready | %.1f MiB |\n| the same, asked about each member | %.1f MiB |\n"+
		"| the difference, for each membership | %d bytes |\n| a process that remembers as much and has collected its garbage | %d bytes |\n\n",
		len(members), float64(before)/(1<<20), float64(after)/(1<<20), each(after-before), each(alone))
	return nil
}

// askAboutAll asks a sidecar about every member, in batches.
func askAboutAll(address string, members []member) error {
	const batch = 100
	a, err := newAsker(address, 0)
	if err != nil {
		return err
	}
	defer a.close()
	for start := 0; start < len(members); start += batch {
		var questions []string
		for _, m := range members[start:min(len(members), start+batch)] {
			questions = append(questions, question(m))
		}
		body, err := a.insist(post("/access/v1/evaluations", `{"evaluations":[`+strings.Join(questions, ",")+`]}`))
		if err != nil {
			return err
		}
		if judged := bytes.Count(body, []byte(`"decision":`)); judged != len(questions) {
			return fmt.Errorf("%d of %d questions are judged: %.200s", judged, len(questions), body)
		}
	}
	return nil
}

// resident is how many bytes of the process are in memory, some seconds after it had
// something to do.
func (s *target) resident() (int, error) {
	time.Sleep(5 * time.Second)
	return residentOf(strconv.Itoa(s.process.Pid))
}

func residentOf(pid string) (int, error) {
	data, err := os.ReadFile("/proc/" + pid + "/statm")
	if err != nil {
		return 0, err
	}
	pages, err := strconv.Atoi(strings.Fields(string(data))[1])
	return pages * os.Getpagesize(), err
}

// remembered is what this process has resident for the facts of the members.
func remembered(members []member) (int, error) {
	runtime.GC()
	debug.FreeOSMemory()
	before, err := residentOf("self")
	if err != nil {
		return 0, err
	}
	memory := facts.NewMemory(facts.Bound{Bytes: 4 << 30})
	for _, m := range members {
		key := portal.FactKey{Account: portal.AccountID(strings.Clone(string(m.account))), Subject: portal.Ref{Type: portal.TypeUser, ID: strings.Clone(string(m.user))}}
		memory.Remember(key, &portal.Facts{
			Account: portal.AccountFacts{Status: portal.AccountActive}, User: portal.UserFacts{Status: portal.UserActive},
			Membership: portal.MembershipFacts{State: portal.MembershipActive, Owner: m.preset == "owner", Grant: &portal.Grant{Presets: []string{m.preset}}},
		})
	}
	debug.FreeOSMemory()
	after, err := residentOf("self")
	runtime.KeepAlive(memory)
	return after - before, err
}
