package shared

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// A health is whether Redis does one of two things, answer or take what is written: one
// that is full, or may only be read, goes on answering.
type health struct {
	what    string
	log     *slog.Logger
	began   time.Time
	until   atomic.Int64 // it is left alone, since began in nanoseconds
	late    atomic.Int32 // how often in a row it was late
	patient int32        // how often that is too often
	failing atomic.Bool
}

// How often in a row Redis may be late until it is left alone. A find waits for a moment only,
// and on a busy machine anybody is late; without finds the directory is asked.
const (
	patientFinds = 3
	patientFills = 1
)

func newHealth(what string, log *slog.Logger, patient int32) *health {
	return &health{what: what, log: log, began: time.Now(), patient: patient}
}

// resting tells whether Redis failed a moment ago.
func (h *health) resting() bool { return int64(time.Since(h.began)) < h.until.Load() }

// heard notes whether Redis works, and logs when that changes.
func (h *health) heard(ctx context.Context, err error) {
	if err == nil {
		h.late.Store(0)
		if h.failing.CompareAndSwap(true, false) {
			h.log.InfoContext(ctx, "the shared cache works again", "what", h.what)
		}
		return
	}
	if errors.Is(err, context.Canceled) {
		return // this process ends
	}
	if isLate(err) && h.late.Add(1) < h.patient {
		return
	}
	h.until.Store(int64(time.Since(h.began) + Pause))
	if h.failing.CompareAndSwap(false, true) {
		h.log.WarnContext(ctx, "the shared cache fails; the directory is asked instead", "what", h.what, "error", shown{err})
	}
}

func isLate(err error) bool {
	timeout, is := errors.AsType[net.Error](err)
	return is && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, redis.ErrPoolTimeout)
}

// maxError bounds what is shown of an error, in bytes.
const maxError = 200

// A shown error is one that people may see. What Redis says is quoted in part only: it may
// be anybody, and the arguments of a command that it does not know have the password.
type shown struct{ error }

func (s shown) Error() string {
	text := s.error.Error()
	if _, is := errors.AsType[redis.Error](s.error); is {
		text, _, _ = strings.Cut(text, "with args beginning")
		text, _, _ = strings.Cut(text, "`")
	}
	return strings.ToValidUTF8(text[:min(len(text), maxError)], "")
}

// Unwrap returns all of it.
func (s shown) Unwrap() error { return s.error }
