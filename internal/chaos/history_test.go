package chaos

import (
	"sync"
	"time"
)

// A moment is a time since the scene began, by the monotonic clock of the driver. Never is
// later than all of them.
type moment = time.Duration

const never = moment(1<<63 - 1)

// A write is a change of a membership, from the first try on.
type write struct {
	grants   bool // else it removes
	sent     moment
	enforced moment // when the answer came that it is in force; never: it did not
	known    bool   // it was acknowledged: it is in the directory, and nothing of it is still under way
}

// An answer is what a sidecar judged. Questions that it did not judge are only counted.
type answer struct {
	begun, ended moment
	allowed      bool
	sidecar      string
}

// A place is one user's place in one account. One writer changes it, one write after the
// other; everybody asks about it. After a write whose end is not known it is not changed
// any more, because that write may still be under way.
type place struct {
	account, user string
	mu            sync.Mutex
	writes        []write
	answers       []answer
}

// begin notes that a write is sent, before it is.
func (p *place) begin(grants bool, at moment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes = append(p.writes, write{grants: grants, sent: at, enforced: never})
}

// end notes what became of the last write.
func (p *place) end(enforced moment, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := &p.writes[len(p.writes)-1]
	last.enforced, last.known = enforced, known
}

// undo takes the last write back: it was never made.
func (p *place) undo() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes = p.writes[:len(p.writes)-1]
}

// granted tells whether the last write is a grant.
func (p *place) granted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.writes) > 0 && p.writes[len(p.writes)-1].grants
}

func (p *place) answered(a answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = append(p.answers, a)
}
