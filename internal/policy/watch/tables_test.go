package watch

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/policies"
)

// rows are tables that fail as often as the one file in them says, a line each.
func rows(_ context.Context, s policy.Source) (fault.List, error) {
	var failing fault.List
	for i, line := range strings.Fields(string(s.Tables()["tests/mine.yaml"])) {
		failing.Add(fault.Fault{File: "tests/mine.yaml", Line: i + 1, Message: line})
	}
	return failing, nil
}

// table writes the one table.
func table(t *testing.T, folder, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(folder, "tests", "mine.yaml"), []byte(text), 0o600))
}

// Tables that fail are reported at the start and after each change, rows once each,
// also when the table alone was edited; the policy is in force all the same.
func TestFailingTablesAreReported(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "p")
	copyTo(t, folder)
	table(t, folder, "one two")
	k := prepare(t, folder)
	k.o.Tables = rows
	k.start()
	fails := func(n int) {
		t.Helper()
		k.until("as many rows", func(State) bool { return len(k.Failing()) == n })
	}
	fails(2)
	digest := k.State().Digest
	table(t, folder, "one two three")
	fails(3)
	for _, line := range []string{"one", "two", "three"} {
		want := "a row of a table fails\" row=\"" + filepath.Join(folder, "tests/mine.yaml")
		if n := k.log.count(line + "\"\n"); n != 1 || k.log.count(want) != 3 {
			t.Errorf("row %s was logged %d times:\n%s", line, n, k.log.all.String())
		}
	}
	table(t, folder, "")
	fails(0)
	if k.State().Digest != digest || k.handed() != 0 || k.log.count("hold again") != 1 {
		t.Errorf("%+v, %d handed over", k.State(), k.handed())
	}
	file := filepath.Join(folder, presets)
	table(t, folder, "four")
	must(t, os.WriteFile(file, replaced(t, file, "# Presets", "# presets"), 0o600))
	fails(1)
	k.untilNew(digest)
}

// Where failing tables are a reason, the policy before them stays in force.
func TestFailingTablesMayRefuse(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "p")
	k := prepare(t, folder)
	k.o.Tables, k.o.RefuseFailing = rows, true
	k.start()
	digest := k.State().Digest
	file := filepath.Join(folder, presets)
	table(t, folder, "one")
	must(t, os.WriteFile(file, replaced(t, file, "# Presets", "# presets"), 0o600))
	state := k.untilStale()
	if state.Digest != digest || len(state.Faults) != 1 || state.Faults[0].Message != "one" || k.handed() != 0 {
		t.Errorf("%+v, %d handed over", state, k.handed())
	}
	table(t, folder, "")
	k.untilNew(digest)
}

// held is a Keeper that judges when it is told to, with a log.
func held(t *testing.T, o Options) (*Keeper, *safe) {
	t.Helper()
	log := &safe{}
	o.Log, o.Use = slog.New(slog.NewTextHandler(log, nil)), func(*policy.Policy) {}
	k := New("p", policy.Source{}, &policy.Policy{Digest: "0"}, o)
	n := 0
	k.load = func(policy.Source) (*policy.Policy, error) {
		n++
		return &policy.Policy{Digest: strings.Repeat("x", n)}, nil
	}
	return k, log
}

// A run that a change interrupted is made again when that change is refused.
func TestARefusedChangeDoesNotLoseARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		k, _ := held(t, Options{Tables: func(ctx context.Context, _ policy.Source) (fault.List, error) {
			if runs++; runs == 1 {
				<-ctx.Done()
			}
			return fault.List{{File: "tests/x.yaml", Message: "x"}}, nil
		}})
		k.judge(t.Context(), policy.Source{})
		synctest.Wait()
		k.load = func(policy.Source) (*policy.Policy, error) { return nil, errors.New("no policy") }
		for range 2 { // the second time nothing is interrupted
			k.judge(t.Context(), policy.Source{})
			synctest.Wait()
			if runs != 2 || len(k.Failing()) != 1 {
				t.Errorf("%d runs, %v", runs, k.Failing())
			}
		}
	})
}

// A newer policy ends the run of tables for an older one, whose result is not told.
func TestANewerPolicyEndsTheRunForAnOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := 0
		k, log := held(t, Options{Tables: func(ctx context.Context, s policy.Source) (fault.List, error) {
			if len(s.Tables()) > 0 {
				return fault.List{{File: "tests/new.yaml", Message: "new"}}, nil
			}
			<-ctx.Done()
			ended++
			return fault.List{{File: "tests/old.yaml", Message: "old"}}, nil
		}})
		k.judge(t.Context(), policy.Source{})
		synctest.Wait()
		if ended != 0 || k.Failing() != nil {
			t.Fatalf("ended %d, %v", ended, k.Failing())
		}
		k.judge(t.Context(), policy.Read(policies.FS))
		synctest.Wait()
		if got := k.Failing(); ended != 1 || len(got) != 1 || got[0].Message != "new" || log.count("tests/old") != 0 {
			t.Errorf("ended %d, %v, log:\n%s", ended, got, log.all.String())
		}
	})
}

// Tables that cannot be run, and code of theirs that panics, are said and end nothing.
func TestTablesThatCannotBeRun(t *testing.T) {
	for name, run := range map[string]func() (fault.List, error){
		"an error": func() (fault.List, error) { return nil, errors.New("a bug") },
		"a panic":  func() (fault.List, error) { panic("a bug") },
	} {
		k, log := held(t, Options{Tables: func(context.Context, policy.Source) (fault.List, error) { return run() }})
		k.judge(t.Context(), policy.Source{})
		k.tables.running.Wait()
		if len(k.Failing()) != 1 || k.State().Stale || log.count("a bug") != 1 {
			t.Errorf("%s: %v, %+v, log:\n%s", name, k.Failing(), k.State(), log.all.String())
		}
		k, log = held(t, Options{RefuseFailing: true, Tables: func(context.Context, policy.Source) (fault.List, error) { return run() }})
		k.judge(t.Context(), policy.Source{})
		if !k.State().Stale || log.count("a bug") != 1 {
			t.Errorf("%s, refusing: %+v, log:\n%s", name, k.State(), log.all.String())
		}
	}
}
