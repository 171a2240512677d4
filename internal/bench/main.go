// Command bench measures what docs/performance.md states: what a decision costs
// in process and over HTTP, as ratios against floors in the same run, and what
// directories and their sidecars cost, and how soon a removed person is refused.
//
// It drives the real binary and real servers on loopback, judges them by the CPU
// time of their processes, which a busy machine disturbs least, and asserts
// no timing: those belong in no test. It fails where answers are wrong, for then no
// figure means anything. Run it with make bench.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are what the command line chooses.
type options struct {
	sizes    []int
	portals  []int
	folders  string
	members  int
	rounds   int
	duration time.Duration
	doorward string
	opa      string
	fresh    freshness
	load     loads
}

func main() {
	log.SetFlags(0)
	var (
		o      options
		sizes  = flag.String("sizes", "1000,100000,1000000", "memberships of the in-process measurements; empty: none")
		portal = flag.String("portals", "", "accounts of generated portals to measure in process, too")
		folder = flag.String("directories", "", "data folders of imported portals to search in, too")
		serve  = flag.String("serve", "", "be one of the floor servers: empty or json (used by bench itself)")
	)
	flag.IntVar(&o.members, "members", 10_000, "memberships behind the HTTP servers")
	flag.IntVar(&o.rounds, "rounds", 4, "interleaved rounds over HTTP; the best of each server counts; 0: none")
	flag.DurationVar(&o.duration, "duration", 3*time.Second, "length of one round")
	flag.StringVar(&o.doorward, "doorward", "bin/doorward", "the doorward binary")
	flag.StringVar(&o.opa, "opa", "", "the opa binary; empty: leave the comparison with OPA out")
	choices := freshnessFlags(&o.fresh)
	loadFlags(&o.load)
	flag.Parse()
	if *serve != "" {
		log.Fatal(serveFloor(*serve))
	}
	o.sizes = numbers("-sizes", *sizes, membersPerAccount)
	o.portals = numbers("-portals", *portal, 1)
	o.folders = *folder
	choices()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		log.Fatal("bench: ", err)
	}
}

// numbers reads what a flag lists, or ends the program.
func numbers(flag, list string, least int) []int {
	if list == "" {
		return nil
	}
	var all []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < least {
			log.Fatalf("bench: %s: %q is no size", flag, text)
		}
		all = append(all, n)
	}
	return all
}

// run prints the report as Markdown.
func run(ctx context.Context, o options) error {
	fmt.Printf("%s, %s/%s, %d cores, %s\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	switch {
	case o.fresh.only:
		return measureFreshness(ctx, o)
	case o.load.only:
		return measureLoad(ctx, o)
	case o.load.outages:
		return outages(ctx, o)
	case o.load.soak > 0:
		return soak(ctx, o)
	}
	if err := inProcess(ctx, o.sizes); err != nil {
		return err
	}
	if err := onPortals(ctx, o.portals); err != nil {
		return err
	}
	if err := onDirectories(ctx, o.folders); err != nil {
		return err
	}
	if o.rounds == 0 {
		return nil
	}
	return overHTTP(ctx, o)
}
