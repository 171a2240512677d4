package watch

import (
	"context"
	"time"
)

// Each calls use at once, and again whenever what print returns has changed and was
// then still for a while, until ctx ends. Print is to name all of the folder that
// matters. Both are called by the caller's goroutine. Of the Options, Log is needed
// and Use is not called.
func Each(ctx context.Context, folder string, o Options, print func() string, use func()) {
	o = o.filled()
	e := &each{still: o.Still, poll: o.Poll, print: print, use: use}
	loop(ctx, newHints(folder, o.Log), o, nil, func(now time.Time, _ bool) time.Time { return e.look(now) })
}

// each is what Each knows between two looks.
type each struct {
	still, poll   time.Duration
	print         func() string
	use           func()
	begun         bool
	used, waiting string // prints
	since         time.Time
}

// look uses the folder if it is new and has been still, and returns when to look
// again.
func (e *each) look(now time.Time) time.Time {
	print := e.print()
	switch {
	case !e.begun:
		e.begun, e.used = true, print
		e.use()
		return time.Now()
	case print == e.used:
		e.waiting = ""
		return now.Add(e.poll)
	case print != e.waiting:
		e.waiting, e.since = print, now
	}
	if due := e.since.Add(e.still); now.Before(due) {
		return due
	}
	e.used, e.waiting = print, ""
	e.use()
	return time.Now() // what came meanwhile is looked at before it is hinted at
}
