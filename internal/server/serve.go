package server

import (
	"context"

	"doorward/internal/authzen"
	"doorward/internal/facts"
)

// serve puts together decisions and the directory in one process. What is committed is in
// force for the next question, because memory is proved fresh by the directory itself
// (ADR 2): there are no gates to wait for.
func (b *builder) serve(ctx context.Context) error {
	if err := b.open(ctx); err != nil {
		return err
	}
	b.marking()
	b.judge(facts.NewCache(b.Store, facts.Options{MaxEntries: b.c.Facts.MaxEntries, Registerer: b.reg}), b.Store)
	b.health.look = lookAt(b.Store)
	h := b.answers()
	if err := b.searching(h); err != nil {
		return err
	}
	mux := b.newMux()
	mountDecisions(mux, b.guard, h)
	mountRecords(mux, b.guard, b.records(nil))
	authzen.Metadata{PublicURL: b.c.PublicURL}.Register(mux)
	b.Handler = b.finish(mux)
	return nil
}
