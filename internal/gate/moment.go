package gate

import (
	"time"

	"doorward/internal/gate/internal/rule"
)

// A Moment is when now is, by the database's clock: somewhere from Earliest to Latest.
// What begins at a time has begun if Earliest is not before it; what ends at a time has
// ended unless Latest is before it (R12).
type Moment struct{ Earliest, Latest time.Time }

// clocked is a time that was read from the database's clock some time between two
// readings of our own.
type clocked struct {
	at       time.Time
	from, to Reading
}

// moment says when now is. Our monotonic clock tells how long ago the time was read, at
// least since to, at most since from, and it may be a little fast or slow. The wall
// clock is believed only where it makes the moment longer: the monotonic clock stands
// still while the machine sleeps.
func (c clocked) moment(now Reading, rules rule.Set) Moment {
	if !rules.Keeps(rule.DirectoryTime) {
		return Moment{now.Wall, now.Wall}
	}
	mono, wall := now.since(c.from)
	most := max(mono, wall)
	mono, wall = now.since(c.to)
	least := max(0, min(mono, wall))
	return Moment{Earliest: c.at.Add(least - least/Drift), Latest: c.at.Add(most + most/Drift)}
}
