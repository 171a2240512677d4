package shared

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
)

// A Redis that is late now and then is asked on; one that is late again and again, or fails
// otherwise, is left alone.
func TestWhoIsLateOnce(t *testing.T) {
	h := newHealth("find", slog.New(slog.DiscardHandler), patientFinds)
	late := fmt.Errorf("read: %w", context.DeadlineExceeded)
	for range 2 {
		for range patientFinds - 1 {
			if h.heard(t.Context(), late); h.resting() {
				t.Fatal("late once, and left alone")
			}
		}
		h.heard(t.Context(), nil)
	}
	for range patientFinds {
		h.heard(t.Context(), late)
	}
	if !h.resting() {
		t.Error("late again and again, and asked on")
	}
	h = newHealth("find", slog.New(slog.DiscardHandler), patientFinds)
	if h.heard(t.Context(), errors.New("broken")); !h.resting() {
		t.Error("broken, and asked on")
	}
}
