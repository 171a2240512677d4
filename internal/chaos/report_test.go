package chaos

import (
	"cmp"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report is the page about a run.
func (r *run) report(failed bool) string {
	var b strings.Builder
	verdict := "passed"
	if failed {
		verdict = "FAILED"
	}
	fmt.Fprintf(&b, "## Chaos of %v, seed %d: %s\n\n", r.lasting, r.seed, verdict)
	r.reportSetting(&b)
	r.reportVerdicts(&b)
	r.reportCounts(&b)
	r.reportLatencies(&b)
	r.reportFaults(&b)
	return b.String()
}

func (r *run) reportSetting(b *strings.Builder) {
	fmt.Fprintf(b, "%s, %s, %d processors (%s/%s), %s.\n\n", version(r.binary, "version"), runtime.Version(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		r.began.UTC().Format(time.DateOnly))
	fmt.Fprintf(b, "%s; %s. %d scenes in turn with %s, %s and %s. In each: one PostgreSQL, %d directories, %d sidecars, %d writers, %d readers; "+
		"lease %v, staleness %v, margin %v.\n\n", version("postgres", "--version"), version("redis-server", "--version"),
		len(r.scenes), topologies[0], topologies[1], topologies[2], directories, sidecars, writers, sidecars*readersEach, lease, staleness, margin)
}

// version is the first line of what a program says of itself.
func version(program, flag string) string {
	if path, err := exec.LookPath(program); err == nil {
		program = path
	}
	cmd := exec.Command(program, flag)
	cmd.Env = plainEnvironment()
	out, err := cmd.Output()
	if err != nil {
		return program
	}
	line, _, _ := strings.Cut(string(out), "\n")
	line, _, _ = strings.Cut(line, " sha=")
	return line
}

func (r *run) reportVerdicts(b *strings.Builder) {
	violations, n := map[check]int{}, r.counts.of
	for _, s := range r.scenes {
		for _, v := range s.violations {
			violations[v.of]++
		}
	}
	of := map[check]string{
		promise:  fmt.Sprintf("%d answers that had to be the one right answer", n[inWindows]),
		durable:  fmt.Sprintf("%d memberships, %d acknowledged writes", n[memberships], n[acked]),
		recorded: fmt.Sprintf("%d decisions", n[sensitive]), trail: fmt.Sprintf("%d lines", n[auditLines]),
		believed: fmt.Sprintf("%d edited, %d times one was looked at and refused", n[injected], n[refusedFind]),
		healthy:  fmt.Sprintf("%d processes, started %d times", len(r.scenes)*(directories+sidecars), r.starts()),
		recovery: fmt.Sprintf("%d scenes, %d removals", len(r.scenes), n[removals]),
	}
	b.WriteString("| checked | of | violations |\n|---|---|---|\n")
	for _, c := range checks {
		fmt.Fprintf(b, "| %s | %s | %d |\n", c, of[c], violations[c])
	}
	b.WriteString("\n")
}

// starts is how often processes of Doorward were started.
func (r *run) starts() (n int) {
	for _, s := range r.scenes {
		for _, p := range s.all() {
			n += p.starts
		}
	}
	return n
}

func (r *run) reportCounts(b *strings.Builder) {
	b.WriteString("| what happened | times |\n|---|---|\n")
	for _, what := range []counted{
		questions, allows, refusals, cached, inWindows, soonAsked, batches, sensitive, unjudged, unanswered,
		acked, removals, byAck, byWaiting, pending, refused, unclear, found, injected, refusedFind, failovers,
	} {
		fmt.Fprintf(b, "| %s | %d |\n", what, r.counts.of[what])
	}
	fmt.Fprintf(b, "\nQuestions by what sidecars answered them from, as far as their own counters survived them: memory %d, the shared cache %d, the directory %d, nothing (503) %d. "+
		"Not judged were %s of all questions.\n\n", r.sums.reads("memory"), r.sums.reads("shared"), r.sums.reads("directory"), r.sums.reads("nowhere"), r.share())
}

// share is how many questions had no decision.
func (r *run) share() string {
	n := r.counts.of
	failed := float64(n[unjudged] + n[unanswered])
	return fmt.Sprintf("%.1f%%", 100*failed/max(1, failed+float64(n[questions])))
}

func (r *run) reportLatencies(b *strings.Builder) {
	b.WriteString("| removals, from the first call to enforced | number | median | 99th percentile | longest |\n|---|---|---|---|---|\n")
	for _, row := range []struct {
		name string
		all  []time.Duration
	}{
		{fmt.Sprintf("nothing broken since %v", aftermath), r.counts.calm}, {"beside faults", r.counts.struck},
	} {
		slices.Sort(row.all)
		fmt.Fprintf(b, "| %s | %d | %s | %s | %s |\n", row.name, len(row.all), inMS(quantile(row.all, 0.5)), inMS(quantile(row.all, 0.99)), inMS(quantile(row.all, 1)))
	}
	b.WriteString("\n")
}

func inMS(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }

func (r *run) reportFaults(b *strings.Builder) {
	b.WriteString("| fault | times | seconds in all |\n|---|---|---|\n")
	seconds := map[string]time.Duration{}
	for _, s := range r.scenes {
		for _, e := range s.events {
			seconds[e.kind] += e.to - e.from
		}
	}
	for _, k := range slices.SortedStableFunc(slices.Values(kinds), func(x, y kind) int { return cmp.Compare(x.lane, y.lane) }) {
		fmt.Fprintf(b, "| %s | %d | %.1f |\n", k.name, r.counts.faults[k.name], seconds[k.name].Seconds())
	}
}
