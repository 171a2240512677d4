package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"doorward/internal/directory"
)

// Bounds of a request that a directory answers in a gate's place.
const (
	maxForwarded   = 64 << 10
	forwardTimeout = 10 * time.Second
)

// What goes with a forwarded request, and with its answer.
var (
	forwarded = []string{"Content-Type", "Doorward-Min-Revision", "X-Request-Id"}
	returned  = []string{
		"Content-Type", "Cache-Control", "X-Content-Type-Options", "Allow", "Retry-After", "Www-Authenticate",
		"Doorward-Revision", "Doorward-Policy", "Doorward-Decision-Id",
	}
)

// Forward has a directory answer a request at the same path (R16): searches look through
// the whole directory. The client's own token goes with it, so that the directory judges
// what the client may ask; a client that needs none here is answered for the gate's.
func (c *Client) Forward(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForwarded))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), forwardTimeout)
	defer cancel()
	header, err := c.forwardedHeader(r)
	if err != nil {
		return err
	}
	path := r.URL.Path
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	answer, err := c.firstAnswer(ctx, path, r.Method, header, body)
	if err != nil {
		return fmt.Errorf("%w: %w", directory.ErrUnavailable, err)
	}
	answer.relay(w)
	return nil
}

// firstAnswer asks the replicas in turn. That a directory cannot answer now is an answer
// only when no other one has a better.
func (c *Client) firstAnswer(ctx context.Context, path, method string, header http.Header, body []byte) (relayed, error) {
	var failed []error
	var sorry relayed
	at, count := c.current.Load(), uint32(len(c.replicas))
	for range c.replicas {
		a, err := c.forward(ctx, c.replicas[at]+path, method, header, body)
		switch {
		case err != nil:
			failed = append(failed, fmt.Errorf("ask %s: %w", c.replicas[at], err))
		case a.status == http.StatusServiceUnavailable:
			sorry = a
		default:
			return a, nil
		}
		if at = (at + 1) % count; ctx.Err() != nil {
			break
		}
	}
	if sorry.status != 0 {
		return sorry, nil
	}
	return relayed{}, errors.Join(failed...)
}

func (c *Client) forwardedHeader(r *http.Request) (http.Header, error) {
	header := http.Header{"Idempotency-Key": {}} // not sent: as in post, a closed connection is no failure
	for _, name := range forwarded {
		if values := r.Header.Values(name); len(values) > 0 {
			header[http.CanonicalHeaderKey(name)] = values
		}
	}
	if own := r.Header.Values("Authorization"); len(own) > 0 {
		header["Authorization"] = own
		return header, nil
	}
	token, err := readToken(c.tokenFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", directory.ErrUnavailable, err)
	}
	header.Set("Authorization", "Bearer "+token)
	return header, nil
}

// forward asks one replica. What comes is an answer if a directory wrote it.
func (c *Client) forward(ctx context.Context, url, method string, header http.Header, body []byte) (relayed, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return relayed{}, err
	}
	r.Header = header
	response, err := c.http.Do(r)
	if err != nil {
		return relayed{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return relayed{}, fmt.Errorf("read the answer: %w", err)
	}
	if t := response.Header.Get("Content-Type"); t != jsonType && t != problemType || len(text) > maxBody {
		return relayed{}, fmt.Errorf("%w: status %d, type %q, %d bytes", ErrGarbled, response.StatusCode, t, len(text))
	}
	return relayed{response.StatusCode, response.Header, text}, nil
}

// A relayed answer is one that a directory gave in the gate's place.
type relayed struct {
	status int
	header http.Header
	text   []byte
}

func (a relayed) relay(w http.ResponseWriter) {
	for _, name := range returned {
		if values := a.header.Values(name); len(values) > 0 {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.text) // a client that went away asks again
}
