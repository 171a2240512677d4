package shared

import (
	"context"
	"errors"
	"log/slog"
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
	failing atomic.Bool
}

func newHealth(what string, log *slog.Logger) *health {
	return &health{what: what, log: log, began: time.Now()}
}

// resting tells whether Redis failed a moment ago.
func (h *health) resting() bool { return int64(time.Since(h.began)) < h.until.Load() }

// heard notes whether Redis works, and logs when that changes.
func (h *health) heard(ctx context.Context, err error) {
	if err == nil {
		if h.failing.CompareAndSwap(true, false) {
			h.log.InfoContext(ctx, "the shared cache works again", "what", h.what)
		}
		return
	}
	if errors.Is(err, context.Canceled) {
		return // this process ends
	}
	h.until.Store(int64(time.Since(h.began) + Pause))
	if h.failing.CompareAndSwap(false, true) {
		h.log.WarnContext(ctx, "the shared cache fails; the directory is asked instead", "what", h.what, "error", shown{err})
	}
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
