package gate

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"doorward/internal/gate/internal/rule"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// at is a reading so long after another by each clock.
func at(mono, wall time.Duration) Reading {
	return Reading{Mono: time.Hour + mono, Wall: noon.Add(wall)}
}

// R4: both clocks must say that a lease holds.
func TestALeaseHoldsByBothClocks(t *testing.T) {
	l := lease{asked: at(0, 0), lasts: 3 * time.Second}
	for _, c := range []struct {
		now   Reading
		extra time.Duration
		want  bool
	}{
		{at(0, 0), 0, true},
		{at(2999*time.Millisecond, 2999*time.Millisecond), 0, true},
		{at(3*time.Second, time.Second), 0, false},
		{at(time.Second, 3*time.Second), 0, false},         // slept
		{at(time.Second, -time.Millisecond), 0, false},     // set back
		{at(time.Second, time.Hour), 10 * time.Hour, true}, // a bounded question
		{at(4*time.Second, 4*time.Second), 2 * time.Second, true},
		{at(5*time.Second, 5*time.Second), 2 * time.Second, false},
	} {
		if got := l.holds(c.now, c.extra, rule.Set{}); got != c.want {
			t.Errorf("%v, %v more: %v", c.now, c.extra, got)
		}
	}
	if (lease{}).holds(Reading{}, time.Hour, rule.Set{}) {
		t.Error("no lease holds")
	}
}

// R12: whatever the clocks of this machine do, now is between the two ends.
func TestAMomentHoldsNow(t *testing.T) {
	c := clocked{at: noon, from: at(0, 0), to: at(100*time.Millisecond, 100*time.Millisecond)}
	for _, now := range []struct {
		name           string
		reading        Reading
		earliest, most time.Duration // the true time, at the least and at the most
	}{
		{"at once", at(100*time.Millisecond, 100*time.Millisecond), 0, 100 * time.Millisecond},
		{"a while later", at(2*time.Second, 2*time.Second), 1900 * time.Millisecond, 2 * time.Second},
		{"asleep for two of three seconds", at(time.Second, 3*time.Second), 900 * time.Millisecond, 3 * time.Second},
		{"set ahead by an hour", at(time.Second, time.Hour), 900 * time.Millisecond, time.Hour},
		{"set back by an hour", at(time.Second, -time.Hour), 0, time.Second},
	} {
		m := c.moment(now.reading, rule.Set{})
		early, late := m.Earliest.Sub(noon), m.Latest.Sub(noon)
		if early > now.earliest || early < now.earliest-now.earliest/100 || late < now.most || late > now.most+now.most/100 {
			t.Errorf("%s: from %v to %v, want %v to %v", now.name, early, late, now.earliest, now.most)
		}
	}
}

func TestTheClockOfThisMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock()
		first := c.Now()
		c.Wait(t.Context(), nil, time.Minute)
		mono, wall := c.Now().since(first)
		if mono != time.Minute || wall != time.Minute {
			t.Errorf("waited %v, %v", mono, wall)
		}
		signal := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(signal) })
		c.Wait(t.Context(), signal, time.Hour)
		gone, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		c.Wait(gone, make(chan struct{}), time.Hour)
		if mono, _ := c.Now().since(first); mono != time.Minute+2*time.Second {
			t.Errorf("waited %v in all", mono)
		}
	})
}
