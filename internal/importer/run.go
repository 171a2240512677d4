package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// A run carries a plan out, or compares it with what is there.
type run struct {
	*Plan
	Carry
	read   directory.Reader
	store  directory.Store // nil: compare
	noted  notes
	report Report
}

// run does everything in order: users first, because memberships need them, then
// accounts, then history, then what is to be pruned.
func (p *Plan) run(ctx context.Context, r *run) (Report, error) {
	r.noted = p.notes.clone()
	r.report = Report{DryRun: r.store == nil, Ignored: r.noted.ignored}
	err := r.all(ctx)
	held := r.reportQuarantine(context.WithoutCancel(ctx))
	return r.report, errors.Join(err, held)
}

func (r *run) all(ctx context.Context) error {
	var err error
	if r.report.Position, err = r.read.Head(ctx); err != nil {
		return fmt.Errorf("read the directory's position: %w", err)
	}
	if err := r.shelf.Release(ctx); err != nil { // from a run before
		return err
	}
	if err := r.refuseStaff(ctx); err != nil {
		return err
	}
	if err := r.refusePrune(ctx); err != nil {
		return err
	}
	if err := r.users(ctx, func(s part) error { return r.take(ctx, s) }); err != nil {
		return err
	}
	if r.report.late { // a user who did not come in takes memberships, and they accounts
		if err := r.shelf.Settle(ctx, true); err != nil {
			return err
		}
	}
	if err := r.accounts(ctx, func(s part) error { return r.take(ctx, s) }); err != nil {
		return err
	}
	if err := r.history(ctx, func(s part) error { return r.take(ctx, s) }); err != nil {
		return err
	}
	return r.prune(ctx)
}

// take makes one part true, or compares it. Its commit may be tried several times, so
// what it came to counts only afterwards.
func (r *run) take(ctx context.Context, s part) error {
	var w work
	var err error
	position := r.report.Position
	if r.store == nil {
		w = work{run: r, read: r.read}
		err = w.part(ctx, s)
	} else {
		position, err = r.store.Update(ctx, func(tx directory.Tx) error {
			w = work{run: r, read: tx, write: tx}
			err := w.part(ctx, s)
			if err == nil && tx.Changed() {
				w.log(tx, s)
			}
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("import %s: %w", s.name(), err)
	}
	return r.took(ctx, s, w, position)
}

// took counts what a part came to.
func (r *run) took(ctx context.Context, s part, w work, position portal.Position) error {
	r.report.add(w.tally)
	r.report.Position = position
	r.report.rights(w.rights)
	for _, h := range w.held {
		r.report.late = true
		if err := r.shelf.Quarantine(ctx, h.n, h.reason); err != nil {
			return err
		}
	}
	for _, a := range s.accounts {
		if !slices.ContainsFunc(w.held, func(h held) bool { return h.n == a.row.N }) {
			r.lookAt(a)
		}
	}
	r.report.done += s.records()
	if r.Progress != nil {
		r.Progress(r.report.done, r.total)
	}
	return nil
}
