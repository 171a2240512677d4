package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"doorward/internal/config"
	"doorward/internal/directory"
	"doorward/internal/server"
	"doorward/internal/token"
)

// A fleet is a directory and its sidecars, each a process with all cores.
type fleet struct {
	binary    string
	folder    string // of tokens, and of a directory in SQLite that has none of its own
	directory *target
	gates     string // address at which the directory answers gates
	sidecars  []*target
	cores     int // of each sidecar; 0: all
}

// gateToken and manageToken are files in the folder of a fleet.
const (
	gateToken   = "gate.token"
	manageToken = "manage.token"
)

// startFleet fills a directory and starts its process. data is a data folder that has
// one; "": a new one.
func startFleet(ctx context.Context, o options, data string, fill func(context.Context, directory.Store) error) (*fleet, error) {
	s, err := newServer("directory", nil)
	if err != nil {
		return nil, err
	}
	f := &fleet{binary: o.doorward, folder: s.folder, directory: s}
	c := config.Config{Data: data}
	if data == "" {
		c.Data = f.folder
		c.Database.URLFile = o.fresh.database
	}
	if err := f.prepare(ctx, c, fill); err != nil {
		return f, fmt.Errorf("prepare the directory: %w", err)
	}
	if f.gates, err = freeAddress(); err != nil {
		return f, err
	}
	return f, s.begin(ctx, f.binary, "directory", "--data", c.Data, "--database-url-file", c.Database.URLFile,
		"--listen-address", s.address, "--gates-address", f.gates, "--log-level", "error")
}

// prepare makes the directory and the tokens of the bench and of the sidecars.
func (f *fleet) prepare(ctx context.Context, c config.Config, fill func(context.Context, directory.Store) error) error {
	store, err := server.OpenDirectory(ctx, c, quiet, false)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := fill(ctx, store); err != nil {
		return err
	}
	admin := token.Admin{Store: store, Now: time.Now, Actor: "bench"}
	for file, scope := range map[string]token.Scope{gateToken: token.Gate, manageToken: token.Manage} {
		made, err := admin.Create(ctx, "bench", []string{string(scope)})
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(f.folder, file), []byte(made.Text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// sidecar starts one more, and returns when it is ready.
func (f *fleet) sidecar(ctx context.Context, settings ...string) (*target, error) {
	s, err := newServer("sidecar", nil)
	if err != nil {
		return nil, err
	}
	f.sidecars = append(f.sidecars, s)
	args := []string{"sidecar", "--data", s.folder, "--listen-address", s.address, "--directory-urls", "http://" + f.gates,
		"--directory-token-file", filepath.Join(f.folder, gateToken), "--log-level", "error"}
	command := exec.CommandContext(ctx, f.binary, append(args, settings...)...)
	if f.cores > 0 {
		command.Env = append(os.Environ(), fmt.Sprint("GOMAXPROCS=", f.cores))
	}
	return s, s.ready(command)
}

// begin starts a process of Doorward and returns as soon as it is ready.
func (s *target) begin(ctx context.Context, binary string, args ...string) error {
	return s.ready(exec.CommandContext(ctx, binary, args...))
}

func (s *target) ready(command *exec.Cmd) error {
	if err := s.start(command); err != nil {
		return err
	}
	return s.await(2*time.Millisecond, func() bool {
		response, err := http.Get("http://" + s.address + "/readyz")
		return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK
	})
}

// leave ends a process in good order, so that no removal waits for it.
func (s *target) leave() {
	if s.process != nil {
		_ = s.process.Signal(os.Interrupt)
		<-s.ended
		s.process = nil
	}
	s.stop()
}

// dismiss ends the sidecars.
func (f *fleet) dismiss() {
	for _, s := range f.sidecars {
		s.leave()
	}
	f.sidecars = nil
}

// stop ends everything.
func (f *fleet) stop() {
	if f == nil {
		return
	}
	f.dismiss()
	f.directory.leave()
}

// quiet logs nothing: the settings are those of a bench, and known to be.
var quiet = slog.New(slog.DiscardHandler)
