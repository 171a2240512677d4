package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"doorward/internal/decision"
	"doorward/internal/directory/sqlite"
	"doorward/internal/facts"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/portal"
	"doorward/policies"
)

// inProcess prints what one decision costs with its facts in memory, at each
// size of the directory: answered from the memo, and by the rules.
func inProcess(ctx context.Context, sizes []int) error {
	if len(sizes) == 0 {
		return nil
	}
	fmt.Print("### One decision in process, facts in memory\n\n" +
		"| memberships | memo hit ns | allocs | memo miss ns | allocs |\n|---|---|---|---|---|\n")
	for _, n := range sizes {
		hit, miss, err := measure(ctx, func(ctx context.Context, store *sqlite.Store, _ *policy.Policy) ([]member, error) {
			members := dataset(n)
			return members, fill(ctx, store, members)
		})
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %d | %d | %d | %d |\n", n, hit.NsPerOp(), hit.AllocsPerOp(), miss.NsPerOp(), miss.AllocsPerOp())
	}
	fmt.Println()
	return nil
}

// onPortals prints the same for generated portals, at each number of accounts.
func onPortals(ctx context.Context, accounts []int) error {
	if len(accounts) == 0 {
		return nil
	}
	fmt.Print("### The same, in generated portals\n\n" +
		"| accounts | memberships | memo hit ns | allocs | memo miss ns | allocs |\n|---|---|---|---|---|---|\n")
	for _, n := range accounts {
		var members []member
		hit, miss, err := measure(ctx, func(ctx context.Context, store *sqlite.Store, p *policy.Policy) (_ []member, err error) {
			members, err = importPortal(ctx, store, p, n)
			return members, err
		})
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %d | %d | %d | %d | %d |\n", n, len(members), hit.NsPerOp(), hit.AllocsPerOp(), miss.NsPerOp(), miss.AllocsPerOp())
	}
	fmt.Println()
	return nil
}

// measure measures decisions about the members that fill puts into a directory.
func measure(ctx context.Context, fill filler) (hit, miss testing.BenchmarkResult, err error) {
	folder, err := os.MkdirTemp("", "doorward-bench")
	if err != nil {
		return hit, miss, err
	}
	defer os.RemoveAll(folder)
	store, err := sqlite.Open(ctx, filepath.Join(folder, "doorward.db"), sqlite.Options{})
	if err != nil {
		return hit, miss, err
	}
	defer store.Close()
	p, err := policy.Load(policies.FS)
	if err != nil {
		return hit, miss, err
	}
	members, err := fill(ctx, store, p)
	if err != nil {
		return hit, miss, err
	}
	// Shards of the cache fill unevenly; room to spare keeps every entry in.
	cache := facts.NewCache(store, facts.Options{MaxEntries: 2*len(members) + 100_000})
	if err := warm(ctx, cache, members); err != nil {
		return hit, miss, err
	}
	// A busy machine may be slow; what is measured must not fail for it.
	decider := decision.New(p, cache, decision.Options{Timeout: 10 * time.Second})
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	hit = testing.Benchmark(func(b *testing.B) { decide(b, decider, members, false) })
	miss = testing.Benchmark(func(b *testing.B) { decide(b, decider, members, true) })
	return hit, miss, nil
}

// warm reads every member's facts once, so that the cache holds them all.
func warm(ctx context.Context, cache *facts.Cache, members []member) error {
	const batch = 1000
	for start := 0; start < len(members); start += batch {
		var keys []portal.FactKey
		for _, m := range members[start:min(len(members), start+batch)] {
			keys = append(keys, portal.FactKey{Account: m.account, Subject: portal.Ref{Type: portal.TypeUser, ID: string(m.user)}})
		}
		if _, _, err := cache.ReadAll(ctx, keys); err != nil {
			return err
		}
	}
	return nil
}

// decide asks about member after member in random order. With a new department
// each time no question has been answered before.
func decide(b *testing.B, decider *decision.Decider, members []member, newInput bool) {
	b.ReportAllocs()
	ctx := context.Background()
	properties := ijson.Value{}
	for i := range b.N {
		m := &members[i%len(members)]
		if newInput {
			properties = ijson.ObjectValue(ijson.Member{Name: "department", Value: ijson.StringValue(strconv.Itoa(i))})
		}
		_, err := decider.Decide(ctx, decision.Question{
			Subject:  decision.Entity{Ref: portal.Ref{Type: portal.TypeUser, ID: string(m.user)}},
			Action:   decision.Action{Name: "ticket.view"},
			Resource: decision.Entity{Ref: portal.Ref{Type: portal.TypeAccount, ID: string(m.account)}, Properties: properties},
		})
		if err != nil {
			log.Fatal("bench: ", err) // b.Fatal needs a test around it
		}
	}
}
