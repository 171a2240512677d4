package postgres

import "time"

// SetIdleTimeout is for stores whose updates are to be given up sooner.
func (s *Store) SetIdleTimeout(d time.Duration) {
	s.update = beginUpdate(defaultLockTimeout, d)
}

// Lists are the statements that read a part of each list.
var Lists = lists

// After is the text that stands for another between ids.
var After = after

// Explain turns an error of the driver into one of the contract.
var Explain = explain
