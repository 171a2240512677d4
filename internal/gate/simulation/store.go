package simulation

import (
	"context"
	"slices"
	"time"

	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// store is a barrier.Store: the database as one directory reaches it. Every call takes a
// while, is carried out at one moment or never, and may fail either way.
type store struct {
	*database
	of   *process
	node *node // that the directory is connected to
	lose int   // one connection in so many calls breaks
	// After one error in so many it connects anew, to the primary.
	reconnects int
	// One call in so many goes over another connection, to the primary, whatever the
	// others are connected to. 0: none.
	mixed int
	hooks map[string]func()
}

// op carries something out at the database.
func op[T any](s *store, do func(n *node) (T, error)) (value T, err error) {
	if s.of == nil { // a Memory
		return do(s.primary)
	}
	w, n := s.w, s.node
	if w.oneIn(s.mixed) {
		n = s.primary
	}
	err = errBroken
	w.park(nil, func(wake func()) {
		if w.oneIn(s.lose) && w.oneIn(2) {
			w.after(w.between(0, 300*time.Millisecond), s.of, wake)
			return
		}
		w.after(w.between(50*time.Microsecond, time.Millisecond), nil, func() {
			v, e := value, errDown
			if !n.down {
				v, e = do(n)
			}
			took := w.between(50*time.Microsecond, time.Millisecond)
			if w.oneIn(50) {
				took = w.between(0, 200*time.Millisecond)
			}
			if e != nil || w.oneIn(s.lose) {
				w.after(took, s.of, wake)
				return
			}
			w.after(took, s.of, func() { value, err = v, nil; wake() })
		})
	})
	if err != nil && w.oneIn(s.reconnects) {
		s.node = s.primary
	}
	return value, err
}

// before lets a directed test do something when a call begins.
func (s *store) before(call string) {
	if do := s.hooks[call]; do != nil {
		do()
	}
}

// Touch implements barrier.Store.
func (s *store) Touch(_ context.Context, row barrier.Row, after portal.Position) (barrier.Touched, error) {
	s.before("Touch")
	return op(s, func(n *node) (barrier.Touched, error) {
		v := n.head()
		row.Acknowledged, row.Mark = 0, ""
		if v.holds(after) || s.flaw == heldAck {
			row.Acknowledged = after.Revision
		}
		i, there := v.row(row.Instance)
		if there {
			was := v.rows[i]
			row.Acknowledged = max(row.Acknowledged, was.Acknowledged)
			row.Term = max(row.Term, was.Term)
			if s.flaw == clearedMark {
				row.Mark = was.Mark
			}
			if row == was {
				return barrier.Touched{Era: n.era}, nil
			}
		}
		err := s.commit(n, func(v *version) {
			v.rows = slices.Clone(v.rows)
			if there {
				v.rows[i] = row
			} else {
				v.rows = slices.Insert(v.rows, i, row)
			}
		})
		return barrier.Touched{Wrote: true, Era: n.era}, err
	})
}

// Feed implements barrier.Store.
func (s *store) Feed(_ context.Context, after portal.Position, limit, window int) (barrier.Feed, error) {
	return op(s, func(n *node) (barrier.Feed, error) {
		v := n.head()
		f := barrier.Feed{From: after, Head: v.position(), Era: n.era, Time: epoch.Add(s.w.now), Policy: v.policy}
		if !v.holds(after) || len(v.log)-int(after.Revision) > window {
			f.From = v.positionAt(max(0, len(v.log)-window))
		}
		to := min(len(v.log), int(f.From.Revision)+limit)
		for _, l := range v.log[f.From.Revision:to] {
			f.Changes = append(f.Changes, l.change)
		}
		f.To = v.positionAt(to)
		return f, nil
	})
}

func (v *version) positionAt(revision int) portal.Position {
	if revision == 0 {
		return portal.Position{}
	}
	return portal.Position{Revision: portal.Revision(revision), Tag: v.log[revision-1].tag}
}

// Rows implements barrier.Store.
func (s *store) Rows(_ context.Context, at portal.Position) (barrier.Rows, error) {
	return op(s, func(n *node) (barrier.Rows, error) {
		v := n.head()
		settled := v.settled == n.era || s.flaw == settledHere && v.settled != ""
		return barrier.Rows{Rows: v.rows, Held: v.holds(at), Era: n.era, Settled: settled}, nil
	})
}

// Mark implements barrier.Store.
func (s *store) Mark(_ context.Context, who gate.Instance, mark string) error {
	return s.change(who, func(row *barrier.Row) (keep, write bool) {
		if s.flaw == uniqueMark {
			mark = "marked"
		}
		if row.Mark != "" {
			return true, false
		}
		row.Mark = mark
		return true, true
	})
}

// Delete implements barrier.Store.
func (s *store) Delete(_ context.Context, who gate.Instance, mark string) error {
	return s.change(who, func(row *barrier.Row) (keep, write bool) {
		hit := mark != "" && row.Mark == mark
		return !hit, hit
	})
}

// Leave implements barrier.Store.
func (s *store) Leave(_ context.Context, who gate.Instance) error {
	return s.change(who, func(*barrier.Row) (keep, write bool) { return false, true })
}

// change changes or deletes one row.
func (s *store) change(who gate.Instance, do func(*barrier.Row) (keep, write bool)) error {
	_, err := op(s, func(n *node) (struct{}, error) {
		i, there := n.head().row(who)
		if !there {
			return struct{}{}, nil
		}
		row := n.head().rows[i]
		keep, write := do(&row)
		if !write {
			return struct{}{}, nil
		}
		return struct{}{}, s.commit(n, func(v *version) {
			v.rows = slices.Clone(v.rows)
			if v.rows[i] = row; !keep {
				v.rows = slices.Delete(v.rows, i, i+1)
			}
		})
	})
	return err
}

// Settle implements barrier.Store.
func (s *store) Settle(_ context.Context, era gate.Era) error {
	_, err := op(s, func(n *node) (struct{}, error) {
		if n.era != era || n.head().settled == era {
			return struct{}{}, nil
		}
		return struct{}{}, s.commit(n, func(v *version) { v.settled = era })
	})
	return err
}

// Pulse implements barrier.Store.
func (s *store) Pulse(context.Context) (gate.Era, error) {
	return op(s, func(n *node) (gate.Era, error) {
		if n.behind || n.alone {
			return "", errReadOnly
		}
		n.durable = len(n.versions)
		return n.era, nil
	})
}

// Facts implements barrier.Store.
func (s *store) Facts(_ context.Context, keys []portal.FactKey) (gate.Found, error) {
	found, err := op(s, func(n *node) (gate.Found, error) {
		v := n.head()
		f := gate.Found{Position: v.position(), Era: n.era, Time: epoch.Add(s.w.now), Policy: v.policy}
		for _, key := range keys {
			f.Facts = append(f.Facts, v.content.facts(key))
		}
		return f, nil
	})
	if s.flaw == oneSnapshot && err == nil {
		found.Position, err = op(s, func(n *node) (portal.Position, error) { return n.head().position(), nil })
	}
	return found, err
}

// Keep implements barrier.Store.
func (s *store) Keep(_ context.Context, spool string, records []gate.Record) error {
	_, err := op(s, func(n *node) (struct{}, error) {
		return struct{}{}, s.commit(n, func(v *version) {
			kept := make(map[string]map[uint64]bool, len(v.kept)+1)
			for name, of := range v.kept {
				kept[name] = of
			}
			of := make(map[uint64]bool, len(kept[spool])+len(records))
			for seq := range kept[spool] {
				of[seq] = true
			}
			for _, r := range records {
				of[r.Seq] = true
			}
			kept[spool] = of
			v.kept = kept
		})
	})
	return err
}

// admin is a change of the directory by somebody at a directory process. It tells also
// whether there was anything to do.
func (s *store) admin(ch change, m mutant) (barrier.Done, bool, error) {
	if s.flaw == soleCommit && s.w.oneIn(2) {
		done, err := s.overtaken(ch)
		return done, true, err
	}
	changed := true
	done, err := op(s, func(n *node) (barrier.Done, error) {
		if m.readsGone {
			if now := n.head().content; !now.apply(ch) {
				changed = false
				return barrier.Done{At: n.head().position()}, nil
			}
		}
		at, did, err := s.update(n, ch)
		changed = did
		return barrier.Done{At: at, Committed: did || !ch.adds(), Added: ch.adds()}, err
	})
	return done, changed, err
}

// overtaken takes its revision first and commits a while later, so that others with
// later revisions may be seen before it.
func (s *store) overtaken(ch change) (barrier.Done, error) {
	at, err := op(s, func(n *node) (portal.Position, error) {
		err := s.commit(n, func(v *version) {
			s.logs(v, directory.Change{Revision: portal.Revision(len(v.log) + 1), Kind: directory.ChangedNothing}, -1)
		})
		return n.head().position(), err
	})
	if err != nil {
		return barrier.Done{}, err
	}
	s.of.hold(s.w.between(0, 30*time.Millisecond))
	return op(s, func(n *node) (barrier.Done, error) {
		if !n.head().holds(at) {
			return barrier.Done{}, errBroken
		}
		return barrier.Done{At: at, Committed: true}, s.commit(n, func(v *version) {
			v.content.apply(ch)
			v.log = slices.Clone(v.log)
			v.log[at.Revision-1].change = ch.named(at.Revision)
		})
	})
}

func (s *store) promotes(frozen int) (barrier.Done, error) {
	return op(s, func(n *node) (barrier.Done, error) {
		at, err := s.promote(n, frozen)
		return barrier.Done{At: at, Committed: true}, err
	})
}
