package wire

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// Tokens reads the client tokens that are in force, of a database that has committed
// something after the call began (R9). Of each there is what a request is judged by:
// id, digest, scopes and limits. An error is directory.ErrUnavailable.
func (c *Client) Tokens(ctx context.Context) (all []directory.Token, err error) {
	call := newCall()
	body, err := written(func(w *writer) { w.text("call", call) })
	if err != nil {
		return nil, fmt.Errorf("write the call: %w", err)
	}
	err = c.call(ctx, gate.ReadTimeout, pathTokens, body, func(text []byte) (err error) {
		all, err = decodeTokens(text, call)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", directory.ErrUnavailable, err)
	}
	return all, nil
}

func decodeTokenCall(body []byte) (call string, err error) {
	err = parse(body, func(o object) { call = o.named("call") })
	return call, err
}

func encodeTokens(call string, all []directory.Token) ([]byte, error) {
	all = slices.DeleteFunc(slices.Clone(all), func(t directory.Token) bool { return !t.RevokedAt.IsZero() })
	return written(func(w *writer) {
		w.number("version", version)
		w.text("call", call)
		w.list("tokens", len(all), func(i int) { w.braces(func(w *writer) { w.token(all[i]) }) })
	})
}

func (w *writer) token(t directory.Token) {
	w.text("id", t.ID)
	w.text("digest", hex.EncodeToString(t.Digest[:]))
	w.texts("scopes", t.Scopes)
	w.object("limits", t.Limits != nil, func(w *writer) {
		w.list("accounts", len(t.Limits.Accounts), func(i int) { w.quote(string(t.Limits.Accounts[i])) })
		w.texts("types", t.Limits.Types)
	})
}

func decodeTokens(body []byte, call string) (all []directory.Token, err error) {
	err = parse(body, func(o object) {
		o.version()
		o.repeats("call", call)
		o.list("tokens", func(n int) { all = make([]directory.Token, n) }, func(i int, v ijson.Value) {
			if o.r.expect(v, ijson.Object) {
				o.r.enter(v, func(o object) { all[i] = o.token() })
			}
		})
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// token reads a token. Limits of nothing are a fault: they would be taken for none.
func (o object) token() (t directory.Token) {
	t.ID, t.Scopes = o.named("id"), o.texts("scopes")
	o.member("digest", ijson.String, func(v ijson.Value) {
		digest, err := hex.DecodeString(v.Text())
		if err != nil || len(digest) != len(t.Digest) {
			o.r.fail("must be 64 hex digits")
			return
		}
		copy(t.Digest[:], digest)
	})
	var limits portal.Limits
	if o.object("limits", func(o object) {
		for _, id := range o.texts("accounts") {
			limits.Accounts = append(limits.Accounts, portal.AccountID(id))
		}
		limits.Types = o.texts("types")
		if len(limits.Accounts)+len(limits.Types) == 0 {
			o.r.fail("limits to nothing")
		}
	}) {
		t.Limits = &limits
	}
	return t
}
