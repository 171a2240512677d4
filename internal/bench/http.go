package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// connections is how many clients ask at once, each over one kept connection.
const connections = 16

// overHTTP prints the CPU time each server spends on a request with the same
// questions, the best of interleaved rounds.
func overHTTP(ctx context.Context, o options) error {
	members := dataset(o.members)
	servers, err := startServers(ctx, o, members)
	defer func() {
		for _, s := range servers {
			s.stop()
		}
	}()
	if err != nil {
		return err
	}
	for range o.rounds {
		for _, s := range servers {
			if err := s.round(ctx, o.duration); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	report(servers, o)
	return nil
}

func report(servers []*target, o options) {
	fmt.Printf("### One request over HTTP, %d memberships, server on one core\n\n"+
		"| server | CPU ns a request | of the empty handler | of the decoding handler | requests measured |\n|---|---|---|---|---|\n", o.members)
	empty, decoding := servers[0].best, servers[1].best
	for _, s := range servers {
		fmt.Printf("| %s | %.0f | %.2f | %.2f | %d |\n", s.name, s.best, s.best/empty, s.best/decoding, s.requests)
	}
	if last := servers[len(servers)-1]; len(servers) > 3 {
		fmt.Printf("\nDecisions per CPU second: %.1f times those of OPA's own server.\n", last.best/servers[2].best)
	}
}

// round asks s questions for a while and notes the CPU time per request.
func (s *target) round(ctx context.Context, duration time.Duration) error {
	before, err := s.cpu()
	if err != nil {
		return err
	}
	n, err := load(ctx, s.address, s.requestsToSend, duration)
	if err != nil {
		return err
	}
	after, err := s.cpu()
	if err != nil {
		return err
	}
	s.requests += n
	if each := float64(after-before) / float64(n); s.best == 0 || each < s.best {
		s.best = each
	}
	return nil
}

// cpu is the CPU time the server's process has used.
func (s *target) cpu() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Pid))
	if err != nil {
		return 0, err
	}
	// The command's name, in parentheses, may hold spaces; utime and stime are the
	// 12th and 13th fields after it, in ticks of 10 ms.
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// load sends requests in turn over every connection until the time is up, and
// returns how many were answered.
func load(ctx context.Context, address string, requests [][]byte, duration time.Duration) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	var answered atomic.Int64
	var clients sync.WaitGroup
	failures := make(chan error, connections)
	for first := range connections {
		clients.Go(func() {
			if err := ask(ctx, address, requests, first, &answered); err != nil {
				failures <- err
			}
		})
	}
	clients.Wait()
	close(failures)
	return answered.Load(), <-failures
}

func ask(ctx context.Context, address string, requests [][]byte, next int, answered *atomic.Int64) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for ; ctx.Err() == nil; next++ {
		if _, err := conn.Write(requests[next%len(requests)]); err != nil {
			return err
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("answered %s", response.Status)
		}
		answered.Add(1)
	}
	return nil
}
