package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorward/internal/decision"
	"doorward/internal/directory/sqlite"
	"doorward/internal/facts"
	"doorward/internal/policy"
	"doorward/internal/portal"
	"doorward/internal/search"
	"doorward/policies"
)

// onDirectories prints what decisions and searches cost in data folders that are there
// already, of imported portals.
func onDirectories(ctx context.Context, folders string) error {
	if folders == "" {
		return nil
	}
	fmt.Print("### Decisions and searches in imported portals\n\n" +
		"Microseconds for one decision or one page of at most 100. The largest are the account with most members and the user with most accounts.\n\n" +
		"| memberships | decision, facts from disk | facts in memory | who may, an account | the largest | which accounts, a user | the largest | what may one do |\n" +
		"|---|---|---|---|---|---|---|---|\n")
	for folder := range strings.SplitSeq(folders, ",") {
		if err := onDirectory(ctx, folder); err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
	}
	fmt.Println()
	return nil
}

func onDirectory(ctx context.Context, folder string) error {
	store, err := sqlite.Open(ctx, filepath.Join(folder, "doorward.db"), sqlite.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer store.Close()
	p, err := policy.Load(policies.FS)
	if err != nil {
		return err
	}
	members, err := membersOf(ctx, store)
	if err != nil {
		return err
	}
	largest := most(members)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	cold := decision.New(p, facts.NewCache(store, facts.Options{MaxEntries: 1}), decision.Options{Timeout: 10 * time.Second})
	cache := facts.NewCache(store, facts.Options{MaxEntries: 100_000})
	known := decision.New(p, cache, decision.Options{Timeout: 10 * time.Second})
	some := members[:min(len(members), 10_000)]
	if err := warm(ctx, cache, some); err != nil {
		return err
	}
	searcher := &search.Searcher{Directory: store, Decider: known}
	row := []testing.BenchmarkResult{
		testing.Benchmark(func(b *testing.B) { decide(b, cold, members, false) }),
		testing.Benchmark(func(b *testing.B) { decide(b, known, some, false) }),
		pages(searcher, some, subjectsOf),
		pages(searcher, []member{largest}, subjectsOf),
		pages(searcher, some, accountsOf),
		pages(searcher, []member{largest}, accountsOf),
		pages(searcher, some, actionsOf),
	}
	fmt.Printf("| %d |", len(members))
	for _, r := range row {
		fmt.Printf(" %.1f |", float64(r.NsPerOp())/1000)
	}
	fmt.Println()
	return nil
}

// most is the account with most members, and the user with most accounts.
func most(members []member) (largest member) {
	accounts, users := map[portal.AccountID]int{}, map[portal.UserID]int{}
	for _, m := range members {
		accounts[m.account]++
		users[m.user]++
		if accounts[m.account] > accounts[largest.account] {
			largest.account = m.account
		}
		if users[m.user] > users[largest.user] {
			largest.user = m.user
		}
	}
	return largest
}

// pages measures first pages of searches about members in random order.
func pages(s *search.Searcher, members []member, ask func(member) search.Query) testing.BenchmarkResult {
	return testing.Benchmark(func(b *testing.B) {
		for i := range b.N {
			if _, err := s.Find(context.Background(), ask(members[i%len(members)])); err != nil {
				log.Fatal("bench: ", err)
			}
		}
	})
}

func subjectsOf(m member) search.Query {
	return search.Query{Kind: search.Subjects, Limit: 100, Question: decision.Question{
		Subject:  decision.Entity{Ref: portal.Ref{Type: portal.TypeUser}},
		Action:   decision.Action{Name: "invoice.view"},
		Resource: decision.Entity{Ref: portal.Ref{Type: portal.TypeAccount, ID: string(m.account)}},
	}}
}

func accountsOf(m member) search.Query {
	return search.Query{Kind: search.Resources, Limit: 100, Question: decision.Question{
		Subject:  decision.Entity{Ref: portal.Ref{Type: portal.TypeUser, ID: string(m.user)}},
		Action:   decision.Action{Name: "service.list"},
		Resource: decision.Entity{Ref: portal.Ref{Type: portal.TypeAccount}},
	}}
}

func actionsOf(m member) search.Query {
	return search.Query{Kind: search.Actions, Limit: 100, Question: decision.Question{
		Subject:  decision.Entity{Ref: portal.Ref{Type: portal.TypeUser, ID: string(m.user)}},
		Resource: decision.Entity{Ref: portal.Ref{Type: portal.TypeAccount, ID: string(m.account)}},
	}}
}
