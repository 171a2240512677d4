package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// An arrivals is what became of requests that came when they came, whether or not those
// before were answered (an open loop).
type arrivals struct {
	took   []time.Duration // from when each was due; in order of size
	failed int             // answered, but not with 200
	why    map[string]int  // the problems that those named
	late   time.Duration   // 99th percentile by which the bench itself woke late
}

// openConnections is how many clients there are, each with arrivals of its own.
const openConnections = 64

// openLoop sends requests at a rate a second for a while, at times that chance decides
// (Poisson), over kept connections. A request that is due while its connection is busy
// waits, and that counts: a slow answer delays nobody's question, only the answer to it.
func openLoop(ctx context.Context, address string, requests [][]byte, rate float64, duration time.Duration) (arrivals, error) {
	return openLoopOf(ctx, openConnections, address, requests, rate, duration)
}

// openLoopOf is openLoop with so many clients.
func openLoopOf(ctx context.Context, n int, address string, requests [][]byte, rate float64, duration time.Duration) (arrivals, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	until := time.Now().Add(duration)
	parts, failures := make([]clientLoop, n), make([]error, n)
	var clients sync.WaitGroup
	for i := range parts {
		clients.Go(func() {
			if failures[i] = parts[i].run(ctx, address, requests, rate/float64(n), until); failures[i] != nil {
				cancel()
			}
		})
	}
	clients.Wait()
	all := arrivals{why: map[string]int{}}
	var late []time.Duration
	for _, p := range parts {
		all.took, late = append(all.took, p.took...), append(late, p.late...)
		all.failed += len(p.failed)
		for _, why := range p.failed {
			all.why[why]++
		}
	}
	if err := errors.Join(failures...); err != nil {
		return all, err
	}
	if len(all.took) == 0 {
		return all, errors.New("nothing was asked: choose a longer time")
	}
	slices.Sort(all.took)
	all.late = quantile(late, 0.99)
	return all, nil
}

// at is a quantile, in milliseconds.
func (a arrivals) at(part float64) float64 {
	return a.took[max(0, int(part*float64(len(a.took))+0.999999)-1)].Seconds() * 1000
}

// A clientLoop is one client.
type clientLoop struct {
	took, late []time.Duration
	failed     []string // why
}

func (c *clientLoop) run(ctx context.Context, address string, requests [][]byte, rate float64, until time.Time) error {
	l, err := newLean(address)
	if err != nil {
		return err
	}
	defer l.close()
	due := time.Now()
	for ctx.Err() == nil {
		due = due.Add(time.Duration(rand.ExpFloat64() / rate * float64(time.Second)))
		if due.After(until) {
			return nil
		}
		from := due
		if wait := time.Until(due); wait > 0 {
			// The runtime's own timers are a millisecond off when nothing else goes on.
			t := syscall.NsecToTimespec(int64(wait))
			_ = syscall.Nanosleep(&t, nil)
			from = time.Now() // that the bench was late is no fault of the server's
			c.late = append(c.late, from.Sub(due))
		}
		status, err := l.ask(requests[rand.N(len(requests))])
		if err != nil {
			return err
		}
		c.took = append(c.took, time.Since(from))
		if status != http.StatusOK {
			c.failed = append(c.failed, l.problem)
		}
	}
	return ctx.Err()
}

// A lean client reads of an answer what it must, so that the bench takes less of the
// machine than the server.
type lean struct {
	conn    net.Conn
	reader  *bufio.Reader
	problem string // that the last answer with another status than 200 named
}

func newLean(address string) (*lean, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &lean{conn: conn, reader: bufio.NewReader(conn)}, nil
}

func (l *lean) close() { _ = l.conn.Close() }

var contentLength = []byte("Content-Length: ")

// ask sends a request and returns the status of the answer.
func (l *lean) ask(request []byte) (status int, err error) {
	if _, err := l.conn.Write(request); err != nil {
		return 0, err
	}
	length := -1
	for first := true; ; first = false {
		line, err := l.reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first && len(line) > len("HTTP/1.1 200"):
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, err
			}
		case bytes.HasPrefix(line, contentLength):
			if length, err = strconv.Atoi(string(line[len(contentLength):])); err != nil {
				return 0, err
			}
		}
		if len(line) == 0 {
			break
		}
	}
	if length < 0 {
		return 0, fmt.Errorf("an answer with status %d of unknown length", status)
	}
	if status == http.StatusOK {
		_, err = io.CopyN(io.Discard, l.reader, int64(length))
		return status, err
	}
	body := make([]byte, length)
	_, err = io.ReadFull(l.reader, body)
	_, rest, _ := strings.Cut(string(body), "urn:doorward:problem:")
	l.problem, _, _ = strings.Cut(rest, `"`)
	return status, err
}
