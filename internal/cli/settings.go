package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"doorward/internal/config"
	"doorward/internal/portal"
	"doorward/internal/server"
)

// settings collects the settings a command takes as flags.
type settings struct {
	process *Process
	role    config.Role // "": of a command that is no process
	file    string
	given   map[string]string
}

// settingsFlags adds --config and the flags of the settings with those keys; of
// all settings when there are none.
func settingsFlags(p *Process, c *cobra.Command, keys ...string) *settings {
	return settingsOf("", p, c, keys...)
}

// settingsOf is settingsFlags for a process of a role.
func settingsOf(r config.Role, p *Process, c *cobra.Command, keys ...string) *settings {
	s := &settings{process: p, role: r, given: map[string]string{}}
	c.Flags().StringVar(&s.file, "config", "", "configuration `file` (default "+config.DefaultFile+", if there is one)")
	for _, row := range config.Table() {
		if len(keys) > 0 && !slices.Contains(keys, row.Key) {
			continue
		}
		f := c.Flags().VarPF(settingFlag{row, r, s.given}, row.Flag(), "", strings.ReplaceAll(row.Doc, "`", ""))
		if row.Switch() {
			f.NoOptDefVal = "true"
		}
	}
	return s
}

// load reads the settings from every source.
func (s *settings) load(ctx context.Context) (config.Config, error) {
	return config.Load(ctx, config.Sources{File: s.file, Environ: s.process.Environ, Flags: s.given, Role: s.role})
}

// loadToFind reads the settings of a server that is to be asked, not started.
func (s *settings) loadToFind(ctx context.Context) (config.Config, error) {
	return config.Load(ctx, config.Sources{File: s.file, Environ: s.process.Environ, Flags: s.given, Elsewhere: true})
}

// A settingFlag hands a flag's text to package config, which judges it.
type settingFlag struct {
	setting config.Setting
	role    config.Role
	given   map[string]string
}

var _ pflag.Value = settingFlag{}

// Set remembers the text.
func (f settingFlag) Set(text string) error { f.given[f.setting.Flag()] = text; return nil }

// String is the default, for the help text.
func (f settingFlag) String() string { return f.setting.DefaultOf(f.role) }

// Type names what a value looks like, for the help text.
func (f settingFlag) Type() string {
	if f.setting.Switch() {
		return "bool"
	}
	kind := strings.TrimPrefix(strings.TrimPrefix(f.setting.Kind, "a "), "octal ")
	return strings.NewReplacer(", ", "|", " or ", "|", " ", "-").Replace(kind)
}

// logger makes the process's log.
func logger(w io.Writer, c config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.Level}
	if c.Format == config.LogJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// openDirectory opens the directory of the data folder for one command; done
// closes it. What was committed meanwhile is in force at every sidecar then, or the user
// is told that it is not.
func (p *Process) openDirectory(ctx context.Context, c config.Config, mustExist bool) (store server.Directory, done func(*error), err error) {
	store, err = server.OpenDirectory(ctx, c, logger(p.Stderr, c.Log), mustExist)
	if err != nil {
		return nil, nil, noDirectory(err, c)
	}
	before, err := store.Head(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return store, func(failed *error) {
		if after, err := store.Head(ctx); err == nil && after != before {
			p.enforce(ctx, c, store, after)
		}
		*failed = errors.Join(*failed, store.Close())
	}, nil
}

// enforce waits for the sidecars, if there are any, and tells what it came to. The command
// has done its work in any case.
func (p *Process) enforce(ctx context.Context, c config.Config, store server.Directory, at portal.Position) {
	o, err := server.Enforce(ctx, c, store, at)
	switch {
	case err != nil:
		p.notef("This is committed. Whether it is in force at every sidecar could not be found out: %s", plain(err.Error()))
	case !o.Enforced:
		p.notef("This is committed, and not in force at every sidecar yet: %d of %d have it. It will be within %s; see doorward gates.",
			o.Acknowledged+o.Left+o.WaitedFor, o.Gates, c.Gates.LongestTerm+c.Gates.Margin)
	case o.Gates > 0:
		p.notef("In force at every sidecar, after %d ms.", o.After.Milliseconds())
	}
}

// noDirectory says what to do when there is no directory yet.
func noDirectory(err error, c config.Config) error {
	if _, statErr := os.Stat(server.DatabasePath(c.Data)); errors.Is(err, fs.ErrNotExist) && errors.Is(statErr, fs.ErrNotExist) {
		return fmt.Errorf("there is no directory in %s: name its folder with --data, or make one with doorward import or doorward serve", c.Data)
	}
	return err
}

// actor names the operator in the audit trail.
func actor() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return "cli:" + u.Username
	}
	return "cli"
}
