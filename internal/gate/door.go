package gate

import (
	"doorward/internal/gate/internal/rule"
	"doorward/internal/portal"
)

// admit judges facts that were read from the directory, or found in a shared cache, and
// puts them in memory if everything there is true at one position then (R8). It tells
// whether they were current when they were judged, as far as the feed knows, and the
// position that they were true at.
func (g *Gate) admit(keys []portal.FactKey, f Found) (at portal.Position, current bool) {
	g.applying.RLock()
	defer g.applying.RUnlock()
	if at, current = g.judge(keys, f, g.standing.Load()); !current {
		g.odd.unfit.Add(1)
	}
	return at, current
}

func (g *Gate) judge(keys []portal.FactKey, f Found, now *standing) (at portal.Position, current bool) {
	if f.Era != now.era && g.rules.Keeps(rule.OneHistory) {
		return f.Position, false // of a history that may not be ours
	}
	ahead := f.Position.Revision > now.position.Revision
	if ahead && g.rules.Keeps(rule.NotAhead) {
		return f.Position, true // newer than everything in memory: not to be mixed with it
	}
	if f.Position.Revision < g.window.floor && g.rules.Keeps(rule.InWindow) {
		return f.Position, false // whether it changed since is not known
	}
	if g.window.changed(keys, f.Position.Revision) && g.rules.Keeps(rule.Door) {
		return f.Position, false
	}
	for i, key := range keys {
		g.memory.Remember(key, &f.Facts[i])
	}
	return now.position, true // nothing that they rest on has changed in between
}

// offer judges facts of a shared cache, and puts them in memory if they are as good as read
// (R8). That they are the directory's own is for the Shared to see to (R10).
func (g *Gate) offer(keys []portal.FactKey, f Found) bool {
	if len(f.Facts) != len(keys) {
		return false
	}
	_, current := g.admit(keys, f)
	return current
}
