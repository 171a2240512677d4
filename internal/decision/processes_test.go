package decision_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"doorward/internal/decision"
	"doorward/internal/policy"
	"doorward/internal/policygen"
	"doorward/policies"
)

// childVariable holds what this test binary does when it is run as another process:
// the part of the questions that it asks, and the folder of a second policy, if any.
const childVariable = "DOORWARD_TEST_DECISION_CHILD"

func TestMain(m *testing.M) {
	order, ok := os.LookupEnv(childVariable)
	if !ok {
		os.Exit(m.Run())
	}
	if err := child(context.Background(), order); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(ctx context.Context, order string) error {
	number, folder, _ := strings.Cut(order, " ")
	part, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	if err := tellDecisions(ctx, testless{policies.FS}, part); err != nil || folder == "" {
		return err
	}
	return tellDecisions(ctx, os.DirFS(folder), part)
}

// Each of the processes asks one of the parts of the questions, so many questions, of
// one policy; of every three rounds of parts, one asks a second policy as well.
const processes, parts, questions = 100, 10, 150

// tellDecisions prints the digest of a policy and the hash of what it decides.
func tellDecisions(ctx context.Context, fsys fs.FS, part int) error {
	p, err := policy.Load(fsys)
	if err != nil {
		return err
	}
	asker := policygen.For(p)
	d := newDecider(p, rapid.Custom(asker.World).Example(part))
	sum, allowed, denied := sha256.New(), 0, 0
	for _, q := range rapid.SliceOfN(rapid.Custom(asker.Question), questions, questions).Example(part) {
		got, err := d.Decide(ctx, q)
		tell(sum, got, err)
		if got.Allow {
			allowed++
		} else if err == nil {
			denied++
		}
	}
	fmt.Printf("%s %s: %d allowed, %d denied\n", p.Digest, hex.EncodeToString(sum.Sum(nil)), allowed, denied)
	return nil
}

// tell hashes all of a decision, but for how it was found, or why there is none.
func tell(sum hash.Hash, got decision.Decision, err error) {
	fmt.Fprintf(sum, "%t %q %q %q %q %v %v\n", got.Allow, got.Reason, got.Category, got.SwitchTo, got.Filter, got.Basis.Position, err)
	for _, o := range got.Obligations {
		fmt.Fprintf(sum, "%q %s\n", o.ID, o.JSON)
	}
}

// testless hides the tests of the rules, which decide nothing and take long to compile.
type testless struct{ fs.FS }

func (f testless) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(f.FS, name)
	isTest := func(entry fs.DirEntry) bool { return strings.HasSuffix(entry.Name(), "_test.rego") }
	return slices.DeleteFunc(slices.Clone(entries), isTest), err
}

// The same folder gives the same digest and the same decisions in every process:
// nothing hangs on the order of a map, on an address or on the number of processors.
func TestFreshProcessesDecideTheSame(t *testing.T) {
	folder, drawn := t.TempDir(), loadable(t, openSource(t))
	if err := os.CopyFS(folder, drawn.Files); err != nil {
		t.Fatal(err)
	}
	told := make([][]string, processes)
	var group errgroup.Group
	group.SetLimit(2)
	for i := range told {
		order := strconv.Itoa(i % parts)
		if i/parts%3 == 0 {
			order += " " + folder
		}
		group.Go(func() (err error) {
			told[i], err = runChild(t.Context(), order, 1+(i+i/parts)%2)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, lines := range told {
		first := told[i%parts] // of the first round, which asks both
		for n, line := range lines {
			if line != first[n] {
				t.Errorf("process %d: %s\nprocess %d: %s", i%parts, first[n], i, line)
			}
		}
		if digest := strings.Fields(lines[0])[0]; digest != strings.Fields(told[0][0])[0] {
			t.Errorf("process %d: digest %s", i, digest)
		}
	}
	checkTold(t, told)
	if t.Failed() {
		t.Logf("the second policy is\n%v", drawn)
	}
}

// checkTold tells when the processes had little to say.
func checkTold(t *testing.T, told [][]string) {
	t.Helper()
	different, lines := map[string]bool{}, 0
	for _, line := range slices.Concat(told...) {
		different[line], lines = true, lines+1
		if strings.Contains(line, " 0 denied") || strings.HasPrefix(line, strings.Fields(told[0][0])[0]) && strings.Contains(line, " 0 allowed") {
			t.Errorf("too little was asked: %s", line)
		}
	}
	if lines != processes+4*parts || len(different) != 2*parts {
		t.Errorf("%d lines, of which %d differ", lines, len(different))
	}
}

// runChild runs this test binary as another process that tells decisions, a line for
// each policy.
func runChild(ctx context.Context, order string, processors int) ([]string, error) {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+order, fmt.Sprintf("GOMAXPROCS=%d", processors))
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("child: %w: %s", err, exit.Stderr)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"), err
}

// loadable is the first random policy that loads and is not always of one opinion.
func loadable(t *testing.T, source *policygen.Source) *policygen.Policy {
	t.Helper()
	for seed := range 100 {
		drawn := rapid.Custom(source.Policy).Example(seed + 1)
		p, err := policy.Load(drawn.Files)
		if err != nil {
			continue
		}
		answers := map[string]int{}
		asker := policygen.For(p)
		for i := range 40 {
			in := rapid.Custom(asker.Input).Example(i)
			out, err := p.Rules.Eval(t.Context(), &in)
			answers[fmt.Sprintf("%t %s %t", out.Allow, out.Reason, err != nil)]++
		}
		if len(answers) >= 5 && answers["true  false"] > 5 {
			return drawn
		}
	}
	t.Fatal("no random policy has several opinions")
	return nil
}
