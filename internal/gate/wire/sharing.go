package wire

import (
	"context"
	"encoding/hex"
	"fmt"

	"doorward/internal/gate"
	"doorward/internal/ijson"
)

// SharingKeys reads the keys that gates seal entries of a shared cache with, the newest
// first (R10).
func (c *Client) SharingKeys(ctx context.Context) (all []gate.SharingKey, err error) {
	call := newCall()
	body, err := written(func(w *writer) { w.text("call", call) })
	if err != nil {
		return nil, fmt.Errorf("write the call: %w", err)
	}
	err = c.call(ctx, gate.ReadTimeout, pathSharing, body, func(text []byte) (err error) {
		all, err = decodeSharing(text, call)
		return err
	})
	return all, err
}

func encodeSharing(call string, all []gate.SharingKey) ([]byte, error) {
	return written(func(w *writer) {
		w.number("version", version)
		w.text("call", call)
		w.list("keys", len(all), func(i int) {
			w.braces(func(w *writer) {
				w.number("number", all[i].Number)
				w.text("secret", hex.EncodeToString(all[i].Secret[:]))
			})
		})
	})
}

func decodeSharing(body []byte, call string) (all []gate.SharingKey, err error) {
	err = parse(body, func(o object) {
		o.version()
		o.repeats("call", call)
		o.list("keys", func(n int) { all = make([]gate.SharingKey, n) }, func(i int, v ijson.Value) {
			if !o.r.expect(v, ijson.Object) {
				return
			}
			o.r.enter(v, func(o object) { all[i] = o.sharingKey() })
			if i > 0 && all[i].Number >= all[i-1].Number {
				o.r.fail("is not older than the one before")
			}
		})
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// sharingKey reads a key. No fault has anything of a secret in it.
func (o object) sharingKey() (k gate.SharingKey) {
	k.Number = o.number("number")
	o.member("secret", ijson.String, func(v ijson.Value) {
		secret, err := hex.DecodeString(v.Text())
		if err != nil || len(secret) != len(k.Secret) {
			o.r.fail("must be 64 hex digits")
			return
		}
		copy(k.Secret[:], secret)
	})
	return k
}

func (s *Server) sharing(ctx context.Context, body []byte) ([]byte, error) {
	call, err := decodeTokenCall(body)
	if err != nil {
		return nil, err
	}
	all, err := s.sharingKeys(ctx)
	if err != nil {
		return nil, err
	}
	return encodeSharing(call, all)
}
