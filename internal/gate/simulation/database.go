package simulation

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// A version is what a database holds after a commit. It never changes: a transaction
// makes a new one, so a snapshot is a pointer.
type version struct {
	committed time.Duration
	log       []logged // log[i] is revision i+1
	content   content
	rows      []barrier.Row // by instance
	policy    portal.Promoted
	settled   gate.Era
	kept      map[string]map[uint64]bool // records, by spool
}

// logged is one revision.
type logged struct {
	tag    portal.Tag
	change directory.Change
	frozen int // the account that the policy promoted here refuses; -1: none is
}

func (v *version) position() portal.Position {
	if len(v.log) == 0 {
		return portal.Position{}
	}
	return portal.Position{Revision: portal.Revision(len(v.log)), Tag: v.log[len(v.log)-1].tag}
}

// holds tells whether a position is of this history (R1).
func (v *version) holds(p portal.Position) bool {
	switch {
	case p.Revision == 0:
		return p == portal.Position{}
	case p.Revision > portal.Revision(len(v.log)):
		return false
	}
	return v.log[p.Revision-1].tag == p.Tag
}

// promotion names what was promoted at a revision.
func (v *version) promotion(at portal.Revision) portal.Promoted {
	return portal.Promoted{At: at, Digest: hex.EncodeToString(v.log[at-1].tag[:8])}
}

func (v *version) row(who gate.Instance) (i int, there bool) {
	return slices.BinarySearchFunc(v.rows, who, func(r barrier.Row, who gate.Instance) int {
		return strings.Compare(string(r.Instance), string(who))
	})
}

// A node is one database server: the primary, or what was one.
type node struct {
	era      gate.Era
	versions []*version // by commit; the last is the head
	durable  int        // so many of them are on the replica
	down     bool
	behind   bool // another has taken its place: it reads, and cannot commit
	alone    bool // its replica is out of reach: likewise
}

func (n *node) head() *version { return n.versions[len(n.versions)-1] }

// A database is a primary and a replica that may take its place. With synchronous
// replication every commit that was seen is on the replica.
type database struct {
	w       *world
	primary *node
	eras    int
	tags    uint64
	of      map[portal.Tag]*version
	flaw    flaw
}

// A flaw is a promise of barrier.Store that this store breaks, to see that it is needed.
type flaw string

const (
	soleCommit  flaw = "R1: revisions are counted in the order of the commits"
	heldAck     flaw = "R1: a position that the history does not hold is not acknowledged"
	uniqueMark  flaw = "R6: a row is deleted for the mark that was watched, not for any"
	clearedMark flaw = "R6: an ask clears the mark"
	settledHere flaw = "R11: what was settled counts in the era that it was said of"
	oneSnapshot flaw = "R8: facts and their position come from one snapshot"
)

func newDatabase(w *world, flaw flaw) *database {
	d := &database{w: w, of: map[portal.Tag]*version{}, flaw: flaw}
	d.primary = &node{era: d.era()}
	d.of[portal.Tag{}] = &version{settled: d.primary.era} // it has had no gates
	d.primary.versions = []*version{d.of[portal.Tag{}]}
	return d
}

func (d *database) era() gate.Era {
	d.eras++
	return gate.Era(fmt.Sprintf("era %d", d.eras))
}

var (
	errDown     = errors.New("the database is down")
	errReadOnly = errors.New("the replica does not acknowledge the commit")
	errBroken   = errors.New("the connection broke")
)

// commit makes a new version of the head of n.
func (d *database) commit(n *node, change func(v *version)) error {
	if n.behind || n.alone {
		return errReadOnly
	}
	v := *n.head()
	v.committed = d.w.now
	change(&v)
	n.versions = append(n.versions, &v)
	n.durable = len(n.versions) // whoever waits for the replica waits for all that came before
	return nil
}

// logs adds a revision to v.
func (d *database) logs(v *version, c directory.Change, frozen int) {
	d.tags++
	l := logged{change: c, frozen: frozen}
	binary.BigEndian.PutUint64(l.tag[:], d.tags)
	v.log = append(v.log[:len(v.log):len(v.log)], l)
	d.of[l.tag] = v
}

// update makes the change that an administrator asked for, in one transaction, and
// returns its position. Whoever takes a right away leaves a line in the trail in any
// case.
func (d *database) update(n *node, ch change) (at portal.Position, changed bool, err error) {
	now := n.head().content
	changed = now.apply(ch)
	if !changed && ch.adds() {
		return n.head().position(), false, nil
	}
	named := ch.named(portal.Revision(len(n.head().log) + 1))
	if !changed {
		named = directory.Change{Revision: named.Revision, Kind: directory.ChangedNothing}
	}
	err = d.commit(n, func(v *version) {
		v.content = now
		d.logs(v, named, -1)
	})
	return n.head().position(), changed, err
}

// promote makes a policy the one in force (R13).
func (d *database) promote(n *node, frozen int) (at portal.Position, err error) {
	err = d.commit(n, func(v *version) {
		r := portal.Revision(len(v.log) + 1)
		d.logs(v, directory.Change{Revision: r, Kind: directory.ChangedPolicy}, frozen)
		v.policy = v.promotion(r)
	})
	return n.head().position(), err
}

// failOver makes a replica the primary. It has everything that was acknowledged until
// lag ago.
func (d *database) failOver(lag time.Duration, answers bool) {
	old := d.primary
	old.behind, old.down = true, !answers
	i := old.durable
	for i > 1 && old.versions[i-1].committed > d.w.now-lag {
		i--
	}
	d.primary = &node{era: d.era(), versions: slices.Clone(old.versions[:i]), durable: i}
}

// restart is a crash of the primary, which comes up again with all it had.
func (d *database) restart() { d.primary.era = d.era() }

// stray restarts the primary with a commit that was waiting for the replica and that
// nobody has seen before. The replica is out of reach.
func (d *database) stray(waiting change) {
	d.restart()
	n, durable := d.primary, d.primary.durable
	d.update(n, waiting)
	n.durable, n.alone = durable, true
}
