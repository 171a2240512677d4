package wire

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// Uses sends uses of memberships, maxUses at most. Without an error the directory has them
// all; with one it may have. They go by a call of their own, so that nothing that a question
// needs waits for them (R16).
func (c *Client) Uses(ctx context.Context, uses []portal.Use) error {
	call := newCall()
	body, err := encodeUses(call, uses)
	if err != nil {
		return fmt.Errorf("write the uses: %w", err)
	}
	return c.call(ctx, usesTimeout, pathUses, body, func(text []byte) error { return decodeUsed(text, call) })
}

func encodeUses(call string, uses []portal.Use) ([]byte, error) {
	return written(func(w *writer) {
		w.text("call", call)
		w.list("uses", len(uses), func(i int) { w.use(uses[i]) })
	})
}

// use writes a list: account, user and day.
func (w *writer) use(u portal.Use) {
	w.b = append(w.b, '[')
	w.quote(string(u.Account))
	w.b = append(w.b, ',')
	w.quote(string(u.User))
	w.b = append(w.b, ',')
	w.b = strconv.AppendInt(w.b, int64(u.Day), 10)
	w.b = append(w.b, ']')
}

func decodeUses(body []byte) (call string, uses []portal.Use, err error) {
	err = parse(body, func(o object) {
		call = o.named("call")
		o.list("uses", func(n int) {
			if n > maxUses {
				o.r.fail(fmt.Sprintf("has more than %d", maxUses))
				return
			}
			uses = make([]portal.Use, n)
		}, func(i int, v ijson.Value) { uses[i] = o.r.use(v) })
	})
	return call, uses, err
}

// use reads a list, which may be longer.
func (r *reader) use(v ijson.Value) portal.Use {
	if !r.expect(v, ijson.Array) {
		return portal.Use{}
	}
	items := v.Items()
	if len(items) < 3 {
		r.fail("must be account, user and day")
		return portal.Use{}
	}
	u := portal.Use{Account: portal.AccountID(r.name(items[0])), User: portal.UserID(r.name(items[1]))}
	if r.expect(items[2], ijson.Number) {
		day := r.number(items[2])
		if day < 1 || day > math.MaxInt32 {
			r.fail("must have whole days since 1970, of 31 bits")
		}
		u.Day = portal.Day(day)
	}
	return u
}

func encodeUsed(call string) ([]byte, error) {
	return written(func(w *writer) {
		w.number("version", version)
		w.text("call", call)
	})
}

func decodeUsed(body []byte, call string) error {
	return parse(body, func(o object) {
		o.version()
		o.repeats("call", call)
	})
}

func (s *Server) uses(ctx context.Context, body []byte) ([]byte, error) {
	call, uses, err := decodeUses(body)
	if err != nil {
		return nil, err
	}
	if err := s.used(ctx, uses); err != nil {
		return nil, err
	}
	return encodeUsed(call)
}
