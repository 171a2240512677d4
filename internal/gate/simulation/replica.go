package simulation

import (
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
)

// A replica is a directory process.
type replica struct {
	*process
	store  *store
	keeper *barrier.Keeper
}

// newReplica starts a directory process.
func (s *schedule) newReplica(name string) *replica {
	r := &replica{process: s.process(name)}
	r.store = &store{database: s.database, of: r.process, node: s.database.primary, lose: s.plan.loseConnections, reconnects: s.plan.reconnects, mixed: s.plan.mixed}
	var err error
	r.keeper, err = barrier.New(barrier.Config{
		Store: r.store, Clock: clock{r.process}, Longest: gate.DefaultLease + s.plan.staleness,
		Changes: s.plan.changes, Window: s.plan.window, Idle: s.plan.idle, Random: &random{w: s.world}, Rules: s.plan.mutant.rules,
	})
	if err != nil {
		panic(err)
	}
	r.stalls = s.plan.stalls
	s.start(r.process, r.sweep)
	s.start(r.process, r.pulse)
	return r
}

// sweep and pulse are the loops that every directory runs.
func (r *replica) sweep() {
	for {
		r.hold(r.w.between(500*time.Millisecond, 2*time.Second))
		r.keeper.Sweep(ctx)
	}
}

func (r *replica) pulse() {
	for {
		r.hold(gate.DefaultLease / 6)
		r.keeper.Pulse(ctx)
	}
}
