package simulation

import (
	"errors"
	"math"
	"time"

	"github.com/anishathalye/porcupine"

	"doorward/internal/directory"
)

// A history is what people did and were told, without a look inside of any machine. At
// the end of a schedule it must be linearizable: there must be one order of all of it,
// in which everything happens between its beginning and its end, that makes sense.
//
// What makes sense is said by a model of one subject with three parts, account, user and
// membership (or contact), each in force or not. A change sets one part. It is over when
// the directory has called it enforced or, as adding does not wait, has answered; a
// change that nobody was told about, or that stayed pending, is never over and may
// happen at any time after it began. A question that was allowed makes sense while all
// parts are in force: so one that was asked after a removal was called enforced cannot
// have been allowed, unless somebody has given the right again, but one that was asked
// while it was pending can. Denials are left out: adding does not wait, so they may be
// old, times end by themselves, and policies refuse.
type history struct {
	changes []changed
	allows  []allow
}

// changed is a change that somebody made. Until it is over, ended is 0.
type changed struct {
	change
	began, ended time.Duration
}

type allow struct {
	who          subject
	began, ended time.Duration
}

// begin says that somebody begins a change, and which it is.
func (h *history) begin(ch change, at time.Duration) int {
	h.changes = append(h.changes, changed{change: ch, began: at})
	return len(h.changes) - 1
}

// end says that it is over.
func (h *history) end(i int, at time.Duration) { h.changes[i].ended = at }

func (h *history) allowed(who subject, began, ended time.Duration) {
	h.allows = append(h.allows, allow{who, began, ended})
}

// parts says of which parts of a subject's right the last word was that it is in force.
type parts struct{ account, user, place bool }

// set is the input of a change: the parts that it sets, and to what.
type set struct {
	sets parts
	to   bool
}

// model is the specification that histories are compared with.
var model = porcupine.Model{
	Init: func() any { return parts{true, true, true} }, // schedule.populate
	Step: func(state, input, _ any) (bool, any) {
		now := state.(parts)
		change, ok := input.(set)
		if !ok {
			return now == parts{true, true, true}, now // a question that was allowed
		}
		now.account = pick(change.sets.account, change.to, now.account)
		now.user = pick(change.sets.user, change.to, now.user)
		now.place = pick(change.sets.place, change.to, now.place)
		return true, now
	},
}

// patience is how long one history may be looked at; one that takes longer counts as
// linearizable, and is counted.
const patience = 2 * time.Second

var errNotLinearizable = errors.New("no order of what happened makes sense")

// check looks at the history of every subject by itself, and says how many took too long.
func (h *history) check() (unknown int, err error) {
	for a := range accounts {
		for u := range users + 1 {
			switch porcupine.CheckOperationsTimeout(model, h.of(subject{a, u}), patience) {
			case porcupine.Illegal:
				return unknown, errNotLinearizable
			case porcupine.Unknown:
				unknown++
			}
		}
	}
	return unknown, nil
}

// of is what happened to a subject. A removal that is never over is left out: it may
// come after everything. So is an allow during which another began and ended: where that
// one makes sense, so does it.
func (h *history) of(who subject) (ops []porcupine.Operation) {
	for _, c := range h.changes {
		sets := c.parts(who)
		if sets == (parts{}) || c.ended == 0 && !c.active {
			continue
		}
		end := int64(math.MaxInt64)
		if c.ended != 0 {
			end = int64(c.ended)
		}
		ops = append(ops, porcupine.Operation{Input: set{sets, c.active}, Call: int64(c.began), Return: end})
	}
	last := time.Duration(-1)    // when the last one that was kept began
	for _, q := range h.allows { // in the order in which they ended
		if q.who == who && q.began > last {
			last = q.began
			ops = append(ops, porcupine.Operation{Call: int64(q.began), Return: int64(q.ended)})
		}
	}
	return ops
}

// parts are those of a subject's right that the change is about.
func (c change) parts(who subject) (p parts) {
	p.account = c.kind == directory.ChangedAccount && c.account == who.account
	p.user = c.kind == directory.ChangedUser && c.user == who.user
	p.place = c.kind == directory.ChangedMembership && c.account == who.account && c.user == who.user ||
		c.kind == directory.ChangedContact && c.account == who.account && who.contact()
	return p
}
