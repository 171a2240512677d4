package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// errStale is the failure of what Doorward promises (docs/freshness.md).
var errStale = errors.New("STALE: a question that was asked after the removal was called enforced is allowed")

// An asker asks one sidecar question after question over a kept connection.
type asker struct {
	conn   net.Conn
	reader *bufio.Reader
	pause  time.Duration

	// About the member asked about last: when the last question was sent that was
	// allowed, how many were asked, and how many of them not judged.
	lastAllowed         time.Time
	questions, unjudged int
}

func newAsker(address string, pause time.Duration) (*asker, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &asker{conn: conn, reader: bufio.NewReader(conn), pause: pause}, nil
}

func (a *asker) close() { _ = a.conn.Close() }

// afterwards is how many questions are asked after a removal was called enforced.
const afterwards = 10

// watch asks whether a member may do the action until it was called enforced that he may
// not, and a little longer. It calls known when he was let in.
func (a *asker) watch(ctx context.Context, who member, known func(), enforced *atomic.Pointer[time.Time]) error {
	request := post("/access/v1/evaluation", question(who))
	a.questions, a.unjudged = 0, 0
	for late := 0; late < afterwards; {
		if err := ctx.Err(); err != nil {
			return err
		}
		sent := time.Now()
		allowed, err := a.ask(request)
		if err != nil {
			return err
		}
		if at := enforced.Load(); at != nil && sent.After(*at) {
			late++
			if allowed {
				return fmt.Errorf("%w: asked %v later", errStale, sent.Sub(*at))
			}
		}
		if allowed {
			a.lastAllowed = sent
			known()
		}
		if a.pause > 0 {
			time.Sleep(a.pause)
		}
	}
	return nil
}

// ask asks once. What is not judged is not allowed.
func (a *asker) ask(request []byte) (allowed bool, err error) {
	a.questions++
	body, err := a.answer(request)
	if errors.Is(err, errUnjudged) {
		a.unjudged++
		return false, nil
	}
	return bytes.HasPrefix(body, []byte(`{"decision":true`)), err
}

// errUnjudged is a sidecar's 503.
var errUnjudged = errors.New("not judged")

// insist asks again until there is an answer: a busy machine is slow at times.
func (a *asker) insist(request []byte) (body []byte, err error) {
	const tries = 20
	for range tries {
		if body, err = a.answer(request); !errors.Is(err, errUnjudged) {
			return body, err
		}
	}
	return nil, err
}

func (a *asker) answer(request []byte) (body []byte, err error) {
	if _, err := a.conn.Write(request); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(a.reader, nil)
	if err != nil {
		return nil, err
	}
	if body, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	switch response.StatusCode {
	case http.StatusOK:
		return body, nil
	case http.StatusServiceUnavailable:
		return nil, fmt.Errorf("%w: %s", errUnjudged, body)
	}
	return nil, fmt.Errorf("answered %s: %s", response.Status, body)
}
