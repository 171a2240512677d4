package watch

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"doorward/internal/fault"
	"doorward/internal/policy"
)

// tables run the tables of expected answers off the path of decisions: for the policy
// last put in force, and no other.
type tables struct {
	mu      sync.Mutex
	cancel  context.CancelFunc // of the run under way; nil when none is
	failing fault.List         // what the last run that came to an end found, and logged
	running sync.WaitGroup
}

// Failing lists the rows of tables that the policy in force does not answer as they
// expect, and what is malformed in tables: what was last found. For a moment after a
// change that is what the policy before it did. It is not to be changed.
func (k *Keeper) Failing() fault.List {
	k.tables.mu.Lock()
	defer k.tables.mu.Unlock()
	return k.tables.failing
}

// interrupt ends a run under way, and tells whether there was one: what a change that
// waits to be in force would be loaded more slowly beside.
func (k *Keeper) interrupt() bool {
	k.tables.mu.Lock()
	defer k.tables.mu.Unlock()
	if k.tables.cancel == nil {
		return false
	}
	k.tables.cancel()
	k.tables.cancel = nil
	return true
}

// report runs the tables of what was put in force.
func (k *Keeper) report(ctx context.Context, source policy.Source) {
	if k.o.Tables == nil || k.o.RefuseFailing {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	k.tables.mu.Lock()
	defer k.tables.mu.Unlock()
	k.tables.cancel = cancel
	k.tables.running.Go(func() {
		defer cancel()
		failing, err := k.expected(ctx, source)
		k.found(ctx, failing, err)
	})
}

// expected runs the tables. A panic is an error, as it is of a loader.
func (k *Keeper) expected(ctx context.Context, source policy.Source) (failing fault.List, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("run tables: panic: %v", cause)
		}
	}()
	return k.o.Tables(ctx, source)
}

// found notes and logs what a run found, unless another run has taken its place.
func (k *Keeper) found(ctx context.Context, failing fault.List, err error) {
	k.tables.mu.Lock()
	defer k.tables.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	k.tables.cancel = nil
	switch {
	case err != nil:
		k.o.Log.ErrorContext(ctx, "the tables of the policy folder cannot be run", "error", err)
		failing = fault.List{{File: "tests", Message: "the tables cannot be run", Fix: "See the log."}}
	case len(failing) > 0:
		k.o.Log.WarnContext(ctx, "tables of the policy folder fail", "rows", len(failing))
	case len(k.tables.failing) > 0:
		k.o.Log.InfoContext(ctx, "the tables of the policy folder hold again")
	}
	for _, f := range failing {
		if !slices.Contains(k.tables.failing, f) {
			named := f
			named.File = filepath.Join(k.folder, f.File)
			k.o.Log.WarnContext(ctx, "a row of a table fails", "row", named.Error())
		}
	}
	k.tables.failing = failing
}

// refusing returns why a policy that loads is not put in force: its tables fail, where
// that is a reason.
func (k *Keeper) refusing(ctx context.Context, source policy.Source) error {
	if k.o.Tables == nil || !k.o.RefuseFailing {
		return nil
	}
	failing, err := k.expected(ctx, source)
	if err != nil {
		return err
	}
	return failing.Err()
}
