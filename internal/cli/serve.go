package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"doorward/internal/config"
	"doorward/internal/demo"
	"doorward/internal/directory"
	"doorward/internal/portal"
	"doorward/internal/server"
)

func serveCommand(p *Process) *cobra.Command {
	return processCommand(p, config.Serve, &cobra.Command{
		Use: "serve", Short: "Answer questions over HTTP", Args: exactly(0),
		Long:    "Runs decisions and the directory in one process, until SIGTERM or an interrupt; a second one ends it at once.",
		Example: "  doorward serve --demo\n  doorward serve --listen-socket /run/doorward.sock --policies ./policies",
	})
}

func directoryCommand(p *Process) *cobra.Command {
	return processCommand(p, config.DirectoryProcess, &cobra.Command{
		Use: "directory", Short: "Keep the directory for sidecars", Args: exactly(0),
		Long: "Runs the directory for any number of sidecars: records over HTTP, the changes that sidecars follow, and the wait until\n" +
			"a removal is in force at all of them. Several may run on one PostgreSQL database.",
		Example: "  doorward directory --data var\n  doorward directory --database-url-file /run/secrets/database --gates-address :8082 --tls-cert-file cert.pem --tls-key-file key.pem --auth-mode token --listen-address :8081",
	})
}

func sidecarCommand(p *Process) *cobra.Command {
	return processCommand(p, config.Sidecar, &cobra.Command{
		Use: "sidecar", Short: "Answer questions beside a portal service", Args: exactly(0),
		Long: "Answers questions from its own memory, as fresh as docs/freshness.md says, and from the directory. It has no database.\n" +
			"It starts without its directory, is not ready then, and keeps trying.",
		Example: "  doorward sidecar --directory-urls https://directory.example:8082 --directory-token-file /run/secrets/gate\n" +
			"  doorward sidecar --directory-urls https://directory.example:8082 --directory-token-file /run/secrets/gate --redis rediss://doorward@redis.example --redis-password-file /run/secrets/redis",
	})
}

// processCommand makes the command of one of Doorward's processes.
func processCommand(p *Process, r config.Role, c *cobra.Command) *cobra.Command {
	s := settingsOf(r, p, c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		settings, err := s.load(c.Context())
		if err != nil {
			return err
		}
		return p.run(c.Context(), r, settings)
	}
	return c
}

func (p *Process) run(ctx context.Context, r config.Role, c config.Config) error {
	log := logger(p.Stderr, c.Log)
	log.Info("starting", "version", p.Version, "process", string(r), "data", c.Data, "policies", c.Policies)
	isDemo := false
	o := server.Options{Log: log, Version: p.Version, Role: r, Started: func(urls []string) {
		_ = p.printf("Doorward answers on %s\n", strings.Join(urls, " and "))
		if isDemo && strings.HasPrefix(urls[0], "http") {
			p.printDemo(urls[0])
		}
	}}
	if c.Demo {
		o.Prepare = func(ctx context.Context, s *server.Service) (err error) {
			isDemo, err = p.loadDemo(ctx, s)
			return err
		}
	}
	return server.Run(ctx, c, o)
}

// loadDemo fills an empty directory, and tells whether the demo portal is there.
// A directory that has accounts is left as it is.
func (p *Process) loadDemo(ctx context.Context, s *server.Service) (bool, error) {
	inUse, err := hasAccounts(ctx, s.Store)
	if err != nil {
		return false, fmt.Errorf("look for accounts: %w", err)
	}
	if !inUse {
		if _, err := demo.Load(ctx, s.Store, s.Policy.Catalogue, s.Policy.Presets); err != nil {
			return false, fmt.Errorf("load the demo portal: %w", err)
		}
		return true, nil
	}
	there, err := demo.Loaded(ctx, s.Store)
	if err != nil {
		return false, fmt.Errorf("look for the demo portal: %w", err)
	}
	if there {
		p.notef("The demo portal is there already, as it was left.")
	} else {
		p.notef("The directory has accounts of its own; the demo portal was not loaded.")
	}
	return there, nil
}

// hasAccounts looks for the first account in the change log.
func hasAccounts(ctx context.Context, store directory.Store) (bool, error) {
	const page = 1000
	var after portal.Position
	for {
		changes, at, err := store.Changes(ctx, after, page)
		if err != nil {
			return false, err
		}
		for _, c := range changes {
			if c.Kind == directory.ChangedAccount {
				return true, nil
			}
		}
		if len(changes) == 0 {
			return false, nil
		}
		after = at
	}
}

// printDemo says who is there and what to ask.
func (p *Process) printDemo(url string) {
	var b strings.Builder
	b.WriteString("\nIn the demo portal:\n")
	for _, person := range demo.People() {
		fmt.Fprintf(&b, "  %-14s %s\n", person.Subject, person.Who)
	}
	b.WriteString("\nAsk, in another terminal:\n")
	for _, example := range demo.Curls(url) {
		fmt.Fprintf(&b, "\n# %s\n%s\n", example.Title, example.Command)
	}
	_ = p.printf("%s\n", b.String())
}
