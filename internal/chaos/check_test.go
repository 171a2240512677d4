package chaos

import "fmt"

// A window is a time in which there is one right answer: to questions that begin and are
// answered within it.
type window struct {
	from, to moment
	allow    bool
}

// windows are those of a place. Before it is written it has nothing. From when a write is
// called enforced until the next one is sent it is what was written; in between, anything.
func (p *place) windows() []window {
	all := []window{{0, never, false}}
	for _, w := range p.writes {
		all[len(all)-1].to = w.sent
		all = append(all, window{w.enforced, never, w.grants})
	}
	return all
}

// check tells which answers break the promise: no question asked after "enforced" is
// answered from facts older than the change that was enforced.
func (p *place) check() (violations []string) {
	all := p.windows()
	for _, a := range p.answers {
		for _, w := range all {
			if a.begun < w.from || a.ended > w.to || a.allowed == w.allow {
				continue
			}
			violations = append(violations, fmt.Sprintf("%s: %s in %s: asked at %v, answered allow=%v at %v; allow=%v has been in force since %v",
				a.sidecar, p.user, p.account, a.begun, a.allowed, a.ended, w.allow, w.from))
			break
		}
	}
	return violations
}

// expected is whether the directory has an active membership in the end. Both are possible
// when it is not known.
func (p *place) expected() (active, known bool) {
	if len(p.writes) == 0 {
		return false, true
	}
	last := p.writes[len(p.writes)-1]
	return last.grants, last.known
}

// checkStored compares what the directory has in the end with what was acknowledged.
func (p *place) checkStored(active bool) (violations []string) {
	if want, known := p.expected(); known && active != want {
		violations = append(violations, fmt.Sprintf("%s in %s: active=%v was acknowledged, and active=%v is stored", p.user, p.account, want, active))
	}
	return violations
}
