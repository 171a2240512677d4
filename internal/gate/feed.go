package gate

import (
	"context"
	"errors"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/gate/internal/rule"
	"doorward/internal/portal"
)

// maxRecords is how many records go with one ask.
const maxRecords = 100

var (
	errLeft    = errors.New("the gate has given its lease back")
	errNoLease = errors.New("the directory could not prove that its database can commit, and gave no lease")
)

// Step asks the directory once and applies the answer. There is one ask at a time.
// After an error it is tried again, of another replica if there is one; a lease that is
// not renewed ends by itself.
func (g *Gate) Step(ctx context.Context) error {
	err := g.step(ctx)
	g.failed.Store(&err)
	return err
}

func (g *Gate) step(ctx context.Context) error {
	if g.hasLeft() {
		return errLeft // its row is not made again
	}
	asked := g.clock.Now() // R4: before asking
	ask := g.nextAsk(asked)
	answer, err := g.directory.Ask(ctx, ask)
	if err != nil {
		return fmt.Errorf("ask the directory: %w", err)
	}
	if (answer.Number != ask.Number || answer.Instance != ask.Instance) && g.rules.Keeps(rule.OwnAnswer) {
		g.odd.otherAnswers.Add(1)
		return ErrOtherAnswer // R2: it says nothing about now
	}
	if err := g.use(ctx, answer.Policy); err != nil { // R13: not applied until the policy is in force
		return fmt.Errorf("use the policy promoted at revision %d: %w", answer.Policy.At, err)
	}
	if err := g.apply(answer, asked, g.clock.Now()); err != nil {
		return err
	}
	if answer.To == answer.Head && len(answer.Changes) == 0 && !answer.Lease {
		g.odd.noLease.Add(1)
		return errNoLease
	}
	return g.stored(answer.Stored)
}

// nextAsk acknowledges what is applied: by then it was deleted from memory (R2). Who has
// a lease may wait for news; who has none wants one now.
func (g *Gate) nextAsk(now Reading) Ask {
	g.asks++
	at := g.standing.Load()
	ask := Ask{
		Number: g.asks, Instance: g.instance, Label: g.label, After: at.position, Term: g.lasts + g.staleness,
		Window: uint64(g.window.size),
	}
	if g.policies != nil {
		ask.Policy = g.policies.Digest()
	}
	if g.spool != nil {
		ask.Spool, ask.Records = g.spool.Name(), g.spool.Oldest(maxRecords)
	}
	if at.lease.holds(now, 0, g.rules) && len(ask.Records) == 0 { // what is spooled is to be stored soon
		ask.Wait = g.lasts / 3
	}
	return ask
}

func (g *Gate) use(ctx context.Context, promoted portal.Promoted) error {
	if g.policies == nil || promoted == g.standing.Load().policy {
		return nil
	}
	return g.policies.Use(ctx, promoted)
}

// apply deletes from memory what changes name. asked and came are readings of the clock
// around the ask.
func (g *Gate) apply(a Answer, asked, came Reading) error {
	g.applying.Lock()
	defer g.applying.Unlock()
	if g.left {
		return errLeft
	}
	was := g.standing.Load()
	now := *was
	now.position, now.era, now.policy, now.time = a.To, a.Era, a.Policy, clocked{a.Time, asked, came}
	now.head = a.Head.Revision
	if a.From != was.position && g.rules.Keeps(rule.ForgetForeign) { // R1: drop everything
		if was.era != "" { // who joins begins somewhere
			g.odd.foreign.Add(1)
		}
		g.memory.Forget()
		g.window.begin(a.From.Revision)
		now.lease = lease{}
		now.generation++
		now.tokens++
	}
	g.applyChanges(a, &now)
	if a.To == a.Head || !g.rules.Keeps(rule.CaughtUp) { // R4: everything up to the head is applied
		g.renew(a, asked, came, &now)
	}
	if !g.rules.Keeps(rule.AcknowledgeApplied) {
		now.position = a.Head
	}
	g.standing.Store(&now)
	return nil
}

func (g *Gate) applyChanges(a Answer, now *standing) {
	for _, change := range a.Changes {
		n, any, known := named(change)
		switch {
		case !known: // a directory newer than this gate: whatever it is, it is forgotten
			g.odd.unknown.Add(1)
			g.memory.Forget()
			g.window.begin(change.Revision)
		case any:
			g.memory.Drop(change)
			g.window.note(n, change.Revision)
		}
		if !known || change.Kind == directory.ChangedToken {
			now.tokens++
		}
		now.generation++
	}
}

func (g *Gate) renew(a Answer, asked, came Reading, now *standing) {
	if !a.Lease {
		return
	}
	now.lease = lease{asked: asked, lasts: g.lasts}
	if !g.rules.Keeps(rule.CountFromAsking) {
		now.lease.asked = came
	}
}

func (g *Gate) hasLeft() bool {
	g.applying.RLock()
	defer g.applying.RUnlock()
	return g.left
}

// Leave gives the lease back, so that no barrier waits for this process. It stops
// answering from memory first and for good (R6); what the directory is asked about is
// still answered.
func (g *Gate) Leave(ctx context.Context) error {
	g.applying.Lock()
	g.left = true
	if was := g.standing.Load(); g.rules.Keeps(rule.StopFirst) {
		g.standing.Store(&standing{era: was.era, policy: was.policy, head: was.head, generation: was.generation + 1, tokens: was.tokens})
	}
	g.applying.Unlock()
	return g.directory.Leave(ctx, g.instance)
}
