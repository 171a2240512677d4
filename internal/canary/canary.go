// Package canary gives somebody a membership and takes it away again, as people's are, to
// see how long it takes until that is in force at every gate, and that it is.
//
// It knows the store, the barrier and the decider of its directory, and neither HTTP nor who
// calls it when. Its invariant: it touches nobody but its own user, account and owner, whose
// ids begin with ~doorward-canary~ and whose records are of its own source; those of another
// source stay as they are.
package canary

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/gate/barrier"
	"doorward/internal/ijson"
	"doorward/internal/importer"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
)

// A Canary is one directory process's.
type Canary struct {
	o    Options
	name string // of its user and its account

	seconds         prometheus.Histogram
	success         prometheus.Gauge
	failures, stale prometheus.Counter
	mute            bool // it was told that the policy allows the canary nothing
}

// Options make a Canary. All are needed.
type Options struct {
	Place   string // another one for each directory process
	Store   directory.Store
	Salt    []byte // of digests in the trail
	Keeper  *barrier.Keeper
	Decider *decision.Decider
	Words   func() importer.Words // what records may speak of
	Limit   time.Duration         // a removal must not take longer
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// idPrefix begins the ids of canaries, source is whose records they are.
const (
	idPrefix = "~doorward-canary~"
	source   = "doorward-canary"
)

// New makes a Canary.
func New(o Options) *Canary {
	sum := sha256.Sum256([]byte(o.Place))
	c := &Canary{
		o: o, name: idPrefix + hex.EncodeToString(sum[:6]),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "doorward_canary_seconds", Help: "Time from taking the canary's membership away until that was in force at every gate.",
			Buckets: []float64{5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 3.5, 10, 35},
		}),
		success: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "doorward_canary_last_success_timestamp_seconds", Help: "When that was in force last, in time.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "doorward_canary_failures_total", Help: "Times that it was not, or not in time.",
		}),
		stale: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "doorward_canary_stale_total", Help: "Times that this directory allowed what was taken away, after it was in force.",
		}),
	}
	o.Metrics.MustRegister(c.seconds, c.success, c.failures, c.stale)
	return c
}

// Fly does one round, and counts it. Rounds follow each other.
func (c *Canary) Fly(ctx context.Context) error {
	took, err := c.round(ctx)
	if err == nil && took > c.o.Limit {
		err = fmt.Errorf("it took %v until the canary's removal was in force, longer than %v", took, c.o.Limit)
	}
	if took > 0 {
		c.seconds.Observe(took.Seconds())
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		c.failures.Inc()
	default:
		c.success.SetToCurrentTime()
	}
	return err
}

var (
	errStale    = errors.New("the canary is allowed what was taken away from it, after that was in force")
	errShared   = errors.New("another directory uses the same canary: give each machine a name of its own")
	errNoAction = errors.New("the catalogue has no action that a canary could ask for")
)

// round gives the canary a membership and takes it away. took is how long that took, 0 if it
// never came so far.
func (c *Canary) round(ctx context.Context) (took time.Duration, err error) {
	action, category, err := c.perch()
	if err != nil {
		return 0, err
	}
	if _, err := c.put(ctx, c.nest()...); err != nil {
		return 0, err
	}
	if _, err := c.enforced(ctx, c.membership(category)); err != nil {
		return 0, err
	}
	before, err := c.ask(ctx, action)
	if err != nil {
		return 0, err
	}
	if !before.Allow && !c.mute {
		c.o.Log.WarnContext(ctx, "the policy allows the canary nothing: only times are measured", "action", action, "reason", before.Reason)
	}
	c.mute = !before.Allow
	if took, err = c.enforced(ctx, c.membership("")); err != nil {
		return took, err
	}
	return took, c.refused(ctx, action)
}

// refused asks whether the canary is refused now.
func (c *Canary) refused(ctx context.Context, action string) error {
	after, err := c.ask(ctx, action)
	if err != nil || !after.Allow {
		return err
	}
	m, err := c.o.Store.Membership(ctx, portal.AccountID(c.name), portal.UserID(c.name))
	if err == nil && m.State == portal.MembershipActive {
		return errShared
	}
	c.stale.Inc()
	return errors.Join(errStale, err)
}

// perch finds an action for the canary to ask for, and the category that guards it: the first
// that is about the account as a whole, that an owner may give, and that leaves no record.
func (c *Canary) perch() (action, category string, err error) {
	for _, a := range c.o.Decider.Policy().Catalogue.Actions() {
		if a.Class == catalogue.Guarded && len(a.Guards) == 1 && a.Scope == catalogue.ScopeNone && !a.Sensitive && !a.AboutMember &&
			a.Guard.Common(c.o.Decider.Policy().Catalogue.OwnersOnly()).IsEmpty() {
			return a.Name, a.Guards[0], nil
		}
	}
	return "", "", errNoAction
}

// nest are the records of a canary's account, its owner and its user.
func (c *Canary) nest() [][]ijson.Member {
	owner := c.name + "~owner"
	address := func(of string) ijson.Member {
		return word("email", of+"-"+c.name[len(idPrefix):]+"@doorward.invalid")
	}
	return [][]ijson.Member{
		{word("kind", "user"), word("id", owner), address("owner")},
		{word("kind", "user"), word("id", c.name), address("canary")},
		{word("kind", "account"), word("id", c.name), word("name", "Doorward's canary"), word("owner", owner)},
	}
}

// membership is the record of the canary's membership: with a category, or taken away.
func (c *Canary) membership(category string) []ijson.Member {
	m := []ijson.Member{word("kind", "membership"), word("account", c.name), word("user", c.name)}
	if category == "" {
		return append(m, word("state", "removed"))
	}
	return append(m, word("state", "active"), ijson.Member{Name: "categories", Value: ijson.ArrayValue(ijson.StringValue(category))})
}

func word(name, text string) ijson.Member {
	return ijson.Member{Name: name, Value: ijson.StringValue(text)}
}

// put takes records in as those of portals are taken in.
func (c *Canary) put(ctx context.Context, records ...[]ijson.Member) (portal.Position, error) {
	all := make([]ijson.Value, len(records))
	for i, members := range records {
		all[i] = ijson.ObjectValue(members...)
	}
	o := importer.UpsertOptions{Source: source, Now: time.Now(), Salt: c.o.Salt}
	u, err := importer.ReadUpsert(all, c.o.Words(), o)
	if err != nil {
		return portal.Position{}, fmt.Errorf("read the canary's records: %w", err)
	}
	r, err := u.Apply(ctx, c.o.Store, importer.By{Actor: "doorward"}, nil)
	if err != nil {
		return portal.Position{}, fmt.Errorf("put the canary's records: %w", err)
	}
	return r.Position, nil
}

// enforced puts a record and waits until it is in force, however often that has to be asked
// for. took is how long since the commit.
func (c *Canary) enforced(ctx context.Context, members []ijson.Member) (took time.Duration, err error) {
	at, err := c.put(ctx, members)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	c.o.Keeper.News()
	for done := (barrier.Done{At: at, Committed: true}); ; done.Committed = false {
		o, err := c.o.Keeper.Enforce(ctx, done)
		took = time.Since(began)
		switch {
		case err != nil:
			return took, fmt.Errorf("wait until the canary's membership is in force: %w", err)
		case o.Enforced:
			return took, nil
		case took > 2*c.o.Limit:
			return took, fmt.Errorf("the canary's membership is not in force after %v: %d of %d gates have it", took, o.Acknowledged+o.WaitedFor+o.Left, o.Gates)
		}
	}
}

func (c *Canary) ask(ctx context.Context, action string) (decision.Decision, error) {
	d, err := c.o.Decider.Decide(ctx, decision.Question{
		Subject:  decision.Entity{Ref: portal.Ref{Type: portal.TypeUser, ID: c.name}},
		Action:   decision.Action{Name: action},
		Resource: decision.Entity{Ref: portal.Ref{Type: portal.TypeAccount, ID: c.name}},
	})
	if err != nil {
		return d, fmt.Errorf("ask for the canary: %w", err)
	}
	return d, nil
}
