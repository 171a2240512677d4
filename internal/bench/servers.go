package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"doorward/internal/directory/sqlite"
	"doorward/internal/policy"
	"doorward/internal/server"
	"doorward/policies"
)

// A target is a server process under measurement.
type target struct {
	name           string
	address        string
	requestsToSend [][]byte
	process        *os.Process
	ended          chan error
	said           bytes.Buffer // once it has ended
	folder         string

	requests int64
	best     float64 // CPU nanoseconds a request
}

func (s *target) stop() {
	if s.process != nil {
		_ = s.process.Kill()
		<-s.ended
	}
	_ = os.RemoveAll(s.folder)
}

// action is what every question asks about: a billing member may, a support
// member may not.
const action = "invoice.view"

// startServers starts the two floors, Doorward and OPA, in this order, which
// report relies on.
func startServers(ctx context.Context, o options, members []member) ([]*target, error) {
	questions := authzenRequests(members)
	starts := []func() (*target, error){
		func() (*target, error) { return startFloor(ctx, "empty", questions) },
		func() (*target, error) { return startFloor(ctx, "json", questions) },
		func() (*target, error) { return startDoorward(ctx, o.doorward, members, questions) },
	}
	if o.opa != "" {
		starts = append(starts, func() (*target, error) { return startOPA(ctx, o.opa, members) })
	}
	var servers []*target
	for _, start := range starts {
		s, err := start()
		if s != nil {
			servers = append(servers, s)
		}
		if err != nil {
			return servers, err
		}
	}
	return servers, sameAnswers(servers[2:], members)
}

// launch starts a command that will serve on the server's address, on one core.
func (s *target) launch(ctx context.Context, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Env = append(os.Environ(), "GOMAXPROCS=1")
	if err := s.start(command); err != nil {
		return err
	}
	return s.await(50*time.Millisecond, s.listens)
}

// start starts a command. What it says is of interest only if it ends.
func (s *target) start(command *exec.Cmd) error {
	command.Stderr = &s.said
	if err := command.Start(); err != nil {
		return err
	}
	s.process, s.ended = command.Process, make(chan error, 1)
	go func() { s.ended <- command.Wait() }()
	return nil
}

// await looks again and again, with pauses, until the server is as it should be.
func (s *target) await(pause time.Duration, so func() bool) error {
	for !so() {
		select {
		case err := <-s.ended:
			s.process = nil
			return fmt.Errorf("%s ended before it answered: %w: %s", s.name, err, s.said.Bytes())
		case <-time.After(pause):
		}
	}
	return nil
}

func (s *target) listens() bool {
	conn, err := net.Dial("tcp", s.address)
	return err == nil && conn.Close() == nil
}

// freeAddress finds a loopback port nobody listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

func newServer(name string, requests [][]byte) (*target, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "doorward-bench")
	if err != nil {
		return nil, err
	}
	return &target{name: name, address: address, requestsToSend: requests, folder: folder}, nil
}

func startFloor(ctx context.Context, kind string, questions [][]byte) (*target, error) {
	s, err := newServer(map[string]string{"empty": "empty handler", "json": "encoding/json decodes the body"}[kind], questions)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	return s, s.launch(ctx, self, "-serve", kind+"="+s.address)
}

// evaluation is an AuthZEN request as encoding/json would be used to read it.
type evaluation struct {
	Subject, Resource struct {
		Type, ID   string
		Properties map[string]any
	}
	Action struct {
		Name       string
		Properties map[string]any
	}
	Context map[string]any
}

// serveFloor serves one of the floors, named kind=address.
func serveFloor(what string) error {
	answer := []byte(`{"decision":true}`)
	handlers := map[string]http.HandlerFunc{
		"empty": func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) },
		"json": func(w http.ResponseWriter, r *http.Request) {
			var body evaluation
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(answer)
		},
	}
	for kind, handler := range handlers {
		if address, ok := strings.CutPrefix(what, kind+"="); ok {
			listener, err := net.Listen("tcp", address)
			if err != nil {
				return err
			}
			return server.NewHTTPServer(handler, slog.Default()).Serve(listener)
		}
	}
	return fmt.Errorf("no floor server %q", what)
}

func startDoorward(ctx context.Context, binary string, members []member, questions [][]byte) (*target, error) {
	s, err := newServer("doorward", questions)
	if err != nil {
		return nil, err
	}
	store, err := sqlite.Open(ctx, filepath.Join(s.folder, "doorward.db"), sqlite.Options{})
	if err != nil {
		return s, err
	}
	err = fill(ctx, store, members)
	if closed := store.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return s, err
	}
	return s, s.launch(ctx, binary, "serve", "--listen-address", s.address, "--data", s.folder, "--log-level", "error")
}

//go:embed equivalent.rego
var equivalentRules []byte

// startOPA starts OPA's server with equivalent rules, and the same memberships
// and presets as data in its memory.
func startOPA(ctx context.Context, binary string, members []member) (*target, error) {
	s, err := newServer("OPA's own server", opaRequests(members))
	if err != nil {
		return nil, err
	}
	data, err := opaData(members)
	if err != nil {
		return s, err
	}
	rulesFile, dataFile := filepath.Join(s.folder, "rules.rego"), filepath.Join(s.folder, "data.json")
	if err := os.WriteFile(rulesFile, equivalentRules, 0o600); err != nil {
		return s, err
	}
	if err := os.WriteFile(dataFile, data, 0o600); err != nil {
		return s, err
	}
	return s, s.launch(ctx, binary, "run", "--server", "--addr", s.address, "--log-level", "error", "--skip-version-check", rulesFile, dataFile)
}

// opaData is what OPA keeps in memory: catalogue, presets and memberships.
func opaData(members []member) ([]byte, error) {
	p, err := policy.Load(policies.FS)
	if err != nil {
		return nil, err
	}
	presets := make(map[string]map[string]bool)
	for _, name := range presetsOfAccount {
		presets[name] = make(map[string]bool)
		for _, category := range p.Catalogue.Names(p.Presets.Holds([]string{name}, nil)) {
			presets[name][category] = true
		}
	}
	actions := make(map[string]any)
	for _, a := range p.Catalogue.Actions() {
		actions[a.Name] = map[string]any{"guards": a.Guards, "category": a.Category, "effect": a.Effect, "sensitive": a.Sensitive}
	}
	accounts, users, memberships := make(map[string]any), make(map[string]any), make(map[string]map[string]any)
	for _, m := range members {
		accounts[string(m.account)] = map[string]any{"status": "active", "mfa_required": false}
		users[string(m.user)] = map[string]any{"status": "active"}
		if memberships[string(m.account)] == nil {
			memberships[string(m.account)] = make(map[string]any)
		}
		memberships[string(m.account)][string(m.user)] = map[string]any{"state": "active", "owner": m.preset == "owner", "presets": []string{m.preset}}
	}
	return json.Marshal(map[string]any{"portal": map[string]any{
		"presets": presets, "actions": actions, "accounts": accounts, "users": users, "memberships": memberships,
		"provider": p.Provider.Data(),
	}})
}
