package wire

import (
	"context"
	"encoding/base64"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// Policy reads the bundle of a policy that was promoted at a revision (R13). Whether it
// is signed by somebody who is trusted, and the one that was meant, is for the caller to
// see to.
func (c *Client) Policy(ctx context.Context, promoted portal.Revision) (p directory.Promotion, err error) {
	call := newCall()
	body, err := encodePolicyCall(call, promoted)
	if err != nil {
		return directory.Promotion{}, fmt.Errorf("write the call: %w", err)
	}
	err = c.call(ctx, policyTimeout, pathPolicy, body, func(text []byte) (err error) {
		p, err = decodePolicy(text, call, promoted)
		return err
	})
	return p, err
}

func encodePolicyCall(call string, promoted portal.Revision) ([]byte, error) {
	return written(func(w *writer) {
		w.text("call", call)
		w.number("revision", uint64(promoted))
	})
}

func decodePolicyCall(body []byte) (call string, promoted portal.Revision, err error) {
	err = parse(body, func(o object) { call, promoted = o.named("call"), portal.Revision(o.number("revision")) })
	return call, promoted, err
}

func encodePolicy(call string, p directory.Promotion) ([]byte, error) {
	return written(func(w *writer) {
		w.number("version", version)
		w.text("call", call)
		w.number("revision", uint64(p.Revision))
		w.text("digest", p.Digest)
		w.name("bundle")
		w.b = append(w.b, '"')
		w.b = base64.StdEncoding.AppendEncode(w.b, p.Bundle)
		w.b = append(w.b, '"')
	})
}

func decodePolicy(body []byte, call string, promoted portal.Revision) (p directory.Promotion, err error) {
	err = parse(body, func(o object) {
		o.version()
		o.repeats("call", call)
		p.Revision, p.Digest = portal.Revision(o.number("revision")), o.named("digest")
		if p.Revision != promoted {
			o.r.within("revision", func() { o.r.fail("is not what was asked for") })
		}
		o.member("bundle", ijson.String, func(v ijson.Value) {
			var err error
			if p.Bundle, err = base64.StdEncoding.Strict().DecodeString(v.Text()); err != nil {
				o.r.fail("must be base64 with padding")
			}
		})
	})
	if err != nil {
		return directory.Promotion{}, err
	}
	return p, nil
}

func (s *Server) policy(ctx context.Context, body []byte) ([]byte, error) {
	call, promoted, err := decodePolicyCall(body)
	if err != nil {
		return nil, err
	}
	p, err := s.promoted(ctx, promoted)
	if err != nil {
		return nil, err
	}
	return encodePolicy(call, p)
}
