package simulation

import (
	"context"
	"sync"

	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// A Memory is the database of the simulation by itself: a barrier.Store that carries out
// every call at once. It is the reference for barrier/storetest, and for tests that need
// some store. It is used by many goroutines.
type Memory struct {
	mu    sync.Mutex
	store store
}

// NewMemory makes an empty one.
func NewMemory() *Memory {
	return &Memory{store: store{database: newDatabase(newWorld(0, nil), "")}}
}

// Put makes the user of a number, from 0 to 2, active or not, and a member of account 0.
// It returns the position of the commit.
func (m *Memory) Put(user int, active bool) portal.Position {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.store.update(m.store.primary, change{kind: directory.ChangedAccount, active: true})
	m.store.update(m.store.primary, change{kind: directory.ChangedMembership, user: user, active: true})
	at, _, _ := m.store.update(m.store.primary, change{kind: directory.ChangedUser, user: user, active: active})
	return at
}

// Promote promotes a policy and returns the position of the commit (R13).
func (m *Memory) Promote() portal.Position {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, _ := m.store.promote(m.store.primary, -1)
	return at
}

// Key is the key of the user of a number.
func Key(user int) portal.FactKey { return subject{0, user}.key() }

// FailOver gives the database another era, as a failover does that loses nothing.
func (m *Memory) FailOver() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.store.failOver(0, false)
}

func locked[T any](m *Memory, do func() (T, error)) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return do()
}

func none(err error) (struct{}, error) { return struct{}{}, err }

// Touch implements barrier.Store.
func (m *Memory) Touch(ctx context.Context, row barrier.Row, after portal.Position) (barrier.Touched, error) {
	return locked(m, func() (barrier.Touched, error) { return m.store.Touch(ctx, row, after) })
}

// Feed implements barrier.Store.
func (m *Memory) Feed(ctx context.Context, after portal.Position, limit, window int) (barrier.Feed, error) {
	return locked(m, func() (barrier.Feed, error) { return m.store.Feed(ctx, after, limit, window) })
}

// Rows implements barrier.Store.
func (m *Memory) Rows(ctx context.Context, at portal.Position) (barrier.Rows, error) {
	return locked(m, func() (barrier.Rows, error) { return m.store.Rows(ctx, at) })
}

// Mark implements barrier.Store.
func (m *Memory) Mark(ctx context.Context, who gate.Instance, mark string) error {
	_, err := locked(m, func() (struct{}, error) { return none(m.store.Mark(ctx, who, mark)) })
	return err
}

// Delete implements barrier.Store.
func (m *Memory) Delete(ctx context.Context, who gate.Instance, mark string) error {
	_, err := locked(m, func() (struct{}, error) { return none(m.store.Delete(ctx, who, mark)) })
	return err
}

// Leave implements barrier.Store.
func (m *Memory) Leave(ctx context.Context, who gate.Instance) error {
	_, err := locked(m, func() (struct{}, error) { return none(m.store.Leave(ctx, who)) })
	return err
}

// Settle implements barrier.Store.
func (m *Memory) Settle(ctx context.Context, era gate.Era) error {
	_, err := locked(m, func() (struct{}, error) { return none(m.store.Settle(ctx, era)) })
	return err
}

// Pulse implements barrier.Store.
func (m *Memory) Pulse(ctx context.Context) (gate.Era, error) {
	return locked(m, func() (gate.Era, error) { return m.store.Pulse(ctx) })
}

// Facts implements barrier.Store.
func (m *Memory) Facts(ctx context.Context, keys []portal.FactKey) (gate.Found, error) {
	return locked(m, func() (gate.Found, error) { return m.store.Facts(ctx, keys) })
}

// Keep implements barrier.Store.
func (m *Memory) Keep(ctx context.Context, spool string, records []gate.Record) error {
	_, err := locked(m, func() (struct{}, error) { return none(m.store.Keep(ctx, spool, records)) })
	return err
}
