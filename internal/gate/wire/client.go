package wire

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/gate"
	"doorward/internal/portal"
)

// A ClientConfig makes a Client.
type ClientConfig struct {
	// URLs are the replicas of one directory, as in https://directory.example:8082. One
	// without TLS has to be a loopback address.
	URLs []string
	// TokenFile has a client token of scope gate. It is read for every call, so a token
	// is replaced by replacing the file.
	TokenFile string
	CAFile    string                // PEM; "": those that this machine trusts
	Metrics   prometheus.Registerer // nil: none
}

// A Client is a directory as a gate sees it: the replica that works, or the next one. It
// is used by many goroutines, starts none that outlives a call but those of idle
// connections, and asks no proxy.
type Client struct {
	replicas  []string
	current   atomic.Uint32 // index of the one that is asked first
	http      *http.Client
	tokenFile string
	metrics   *clientMetrics
}

var _ gate.Directory = (*Client)(nil)

// NewClient makes a Client. It asks nothing yet, but the files have to be there.
func NewClient(c ClientConfig) (*Client, error) {
	if len(c.URLs) == 0 {
		return nil, errors.New("no address of a directory is set")
	}
	replicas := make([]string, len(c.URLs))
	for i, text := range c.URLs {
		var err error
		if replicas[i], err = checkURL(text); err != nil {
			return nil, err
		}
	}
	if _, err := readToken(c.TokenFile); err != nil {
		return nil, err
	}
	transport, err := newTransport(c.CAFile)
	if err != nil {
		return nil, err
	}
	return &Client{
		replicas: replicas, tokenFile: c.TokenFile, metrics: newClientMetrics(c.Metrics),
		http: &http.Client{Transport: transport, CheckRedirect: stay},
	}, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Ask implements gate.Directory. Of the records as many go as there is room for.
func (c *Client) Ask(ctx context.Context, ask gate.Ask) (answer gate.Answer, err error) {
	began := time.Now()
	defer func() { c.metrics.asked(began, err) }()
	ask.Records = fitting(ask.Records)
	ask.Wait = min(ask.Wait, maxWait)
	body, err := encodeAsk(ask)
	if err != nil {
		return gate.Answer{}, fmt.Errorf("write the ask: %w", err)
	}
	err = c.call(ctx, ask.Wait+gate.ReadTimeout, pathAsk, body, func(text []byte) (err error) {
		answer, err = decodeAnswer(text, ask)
		return err
	})
	return answer, err
}

// Leave implements gate.Directory.
func (c *Client) Leave(ctx context.Context, who gate.Instance) error {
	body, err := encodeLeave(who)
	if err != nil {
		return fmt.Errorf("write who leaves: %w", err)
	}
	return c.call(ctx, leaveTimeout, pathLeave, body, func(text []byte) error { return decodeLeft(text, who) })
}

// Facts implements gate.Directory.
func (c *Client) Facts(ctx context.Context, keys []portal.FactKey, confirmed bool) (found gate.Found, err error) {
	read := read{call: newCall(), keys: keys, confirmed: confirmed}
	body, err := encodeRead(read)
	if err != nil {
		return gate.Found{}, fmt.Errorf("write the keys: %w", err)
	}
	err = c.call(ctx, gate.ReadTimeout, pathFacts, body, func(text []byte) (err error) {
		found, err = decodeFound(text, read)
		return err
	})
	return found, err
}

// newCall names a call: an answer that something in between has kept is that of another.
func newCall() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(id[:])
}

// call asks the replicas in turn, from the one that worked last, until one answers or
// there is no time left. Who failed is asked last from then on. Asking twice does no
// harm: whatever the first has done, the second does no more.
func (c *Client) call(ctx context.Context, limit time.Duration, path string, body []byte, use func([]byte) error) error {
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	token, err := readToken(c.tokenFile)
	if err != nil {
		return err
	}
	var failed []error
	count := uint32(len(c.replicas))
	at := c.current.Load()
	for range c.replicas {
		err := c.post(timed, c.replicas[at]+path, token, body, use)
		if err == nil {
			return nil
		}
		failed = append(failed, fmt.Errorf("ask %s: %w", c.replicas[at], err))
		if ctx.Err() != nil {
			break // the caller's doing
		}
		next := (at + 1) % count
		c.current.CompareAndSwap(at, next)
		if at = next; timed.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}
