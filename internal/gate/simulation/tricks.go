package simulation

import (
	"regexp"
	"strings"
	"time"

	"doorward/internal/gate"
	"doorward/internal/portal"
)

// A trick is something that Redis, or a neighbour who writes to it, does to its entries
// (R10).
type trick string

const (
	forgetAll trick = "everything is forgotten"
	forgetOne trick = "an entry is forgotten"
	backAll   trick = "everything is as it was a while ago"
	backOne   trick = "an entry is as it was a while ago"
	another   trick = "an entry is under the name of another"
	otherEra  trick = "an entry is under the name that it has in another era"
	granted   trick = "an entry is edited and grants more"
	renewed   trick = "an entry is edited and says a later position"
	damaged   trick = "an entry is damaged"
	foreign   trick = "an entry is sealed with a key of somebody else"
	made      trick = "an entry is sealed with a key that nobody has made"
	retired   trick = "an entry is sealed with a key that is known to all, and retired"
)

var allTricks = []trick{
	forgetAll, forgetOne, backAll, backOne, another, otherEra, granted, renewed, damaged, foreign, made, retired,
}

// play lets a trick be played, and goes on.
func (r *redis) play() {
	s := r.s
	s.after(s.between(0, s.plan.tricks), nil, r.play)
	if len(r.written) == 0 {
		return
	}
	t, e := allTricks[s.rand.IntN(len(allTricks))], r.written[s.rand.IntN(len(r.written))]
	s.count[tricksPlayed]++
	switch t {
	case forgetAll:
		clear(r.holds)
	case forgetOne:
		delete(r.holds, e.name)
	case backAll:
		r.goBack(e.at)
	case backOne:
		e.old = true
		r.holds[e.name] = e.entry
	default:
		r.poison(t, e.entry)
	}
}

// goBack makes everything as it was at a time.
func (r *redis) goBack(at time.Duration) {
	clear(r.holds)
	for _, w := range r.written {
		if w.at > at {
			break
		}
		w.old = true
		r.holds[w.name] = w.entry
	}
}

// poison puts something in that no gate has written there.
func (r *redis) poison(t trick, e entry) {
	era, value := r.s.database.primary.era, e.value
	switch t {
	case another:
		e.key = subject{r.s.rand.IntN(accounts), r.s.rand.IntN(users + 1)}.key()
	case otherEra: // of before the database failed over, mostly
	case granted:
		e.value = grants.Replace(value)
	case renewed:
		e.value = position.ReplaceAllString(value, `"position":"`+string(r.s.database.primary.head().position().AppendWhole(nil))+`"`)
	case damaged:
		e.value = r.damage(value)
	case foreign, made, retired:
		key, ok := r.keyFor(t)
		if !ok {
			return
		}
		e.value = r.forge(key, e.key, era)
	}
	e.name = r.s.plan.sealer.Name(era, e.key)
	if r.isHonest(e) {
		return
	}
	e.trick = t
	r.holds[e.name] = e
}

// isHonest tells whether a gate has written that very entry: nothing was done to it.
func (r *redis) isHonest(e entry) bool {
	for _, w := range r.written {
		if w.name == e.name && w.value == e.value {
			return true
		}
	}
	return false
}

// What somebody writes into an entry to be allowed more.
var (
	grants = strings.NewReplacer(
		string(portal.MembershipRemoved), string(portal.MembershipActive), string(portal.AccountSuspended), string(portal.AccountActive),
		string(portal.UserDisabled), string(portal.UserActive),
	)
	position = regexp.MustCompile(`"position":"[^"]*"`)
)

// damage turns a bit over, or cuts the end off.
func (r *redis) damage(value string) string {
	at := r.s.rand.IntN(len(value))
	if r.s.oneIn(2) {
		return value[:at]
	}
	changed := []byte(value)
	changed[at] ^= 1 << r.s.rand.IntN(8)
	return string(changed)
}

// keyFor is a key that an entry must not be opened with.
func (r *redis) keyFor(t trick) (gate.SharingKey, bool) {
	key := r.stranger
	switch t {
	case retired:
		return r.leaked()
	case made:
		key.Number = r.keys[0].Number + 1 + uint64(r.s.rand.IntN(3))
	default:
		key.Number = r.keys[0].Number
	}
	return key, true
}

// forge seals that everything is granted, now.
func (r *redis) forge(seal gate.SharingKey, key portal.FactKey, era gate.Era) string {
	everybody := content{}
	for a := range accounts {
		everybody.account[a], everybody.contact[a] = true, true
		for u := range users {
			everybody.user[u], everybody.member[a][u].active = true, true
		}
	}
	f := gate.Found{Position: r.s.database.primary.head().position(), Era: era}
	return r.s.plan.sealer.Seal([]gate.SharingKey{seal}, r.s.plan.sealer.Name(era, key), key, everybody.facts(key), f)
}
