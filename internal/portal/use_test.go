package portal

import (
	"testing"
	"time"
)

// A day is UTC's, wherever its time was read.
func TestDays(t *testing.T) {
	east := time.FixedZone("", 14*60*60)
	for want, at := range map[string]time.Time{
		"2026-08-01": time.Date(2026, 8, 2, 13, 59, 59, 0, east), "2026-08-02": time.Date(2026, 8, 2, 14, 0, 0, 0, east),
		"1970-01-02": time.Unix(secondsOfDay, 0), "": {},
	} {
		if got := DayOf(at).String(); got != want {
			t.Errorf("%v is of %q, want %q", at, got, want)
		}
	}
	if DayOf(time.Unix(-1, 0)) != 0 {
		t.Error("before 1970 there are no days")
	}
}
