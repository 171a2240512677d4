package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"doorward/internal/server"
)

func healthCommand(p *Process) *cobra.Command {
	var address string
	var asJSON bool
	c := &cobra.Command{
		Use: "health", Short: "Ask a running server whether it is ready, for probes", Args: exactly(0),
		Long: "Asks /readyz of the server that these settings describe, or of the one named by --server. " +
			"It needs no shell, so a container's exec probe can run it.",
		Example: "  doorward health\n  doorward health --server unix:/run/doorward.sock",
	}
	s := settingsFlags(p, c, "listen.address", "listen.socket", "tls.cert_file", "tls.key_file")
	c.Flags().StringVar(&address, "server", "", "ask the server at this `URL`, or unix:PATH")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, _ []string) error {
		asked, err := healthClient(c.Context(), s, address)
		if err != nil {
			return err
		}
		return p.health(c.Context(), asked, asJSON)
	}
	return c
}

// healthClient dials the named server, else the one the settings describe.
// Whether those would be safe to serve with is not its business: the server has
// judged them when it started.
func healthClient(ctx context.Context, s *settings, address string) (*client, error) {
	if address != "" {
		return dial(address)
	}
	c, err := s.loadToFind(ctx)
	if err != nil {
		return nil, err
	}
	return fromSettings(c)
}

func (p *Process) health(ctx context.Context, asked *client, asJSON bool) error {
	status, answer, err := asked.do(ctx, http.MethodGet, "/readyz", nil)
	if err != nil {
		return err
	}
	var r server.Readiness
	if err := json.Unmarshal(answer, &r); err != nil || r.Status == "" {
		return fmt.Errorf("ask the server: its answer to /readyz (HTTP %d) is not Doorward's", status)
	}
	if asJSON {
		err = p.printf("%s\n", strings.TrimSpace(string(answer)))
	} else {
		err = p.printReadiness(r)
	}
	if err != nil {
		return err
	}
	if status != http.StatusOK || r.Status != server.Ready {
		return statusError(statusFailure)
	}
	return nil
}

func (p *Process) printReadiness(r server.Readiness) error {
	if err := p.printf("%s\npolicy: %s\nposition: %s\nversion: %s\n", plain(r.Status), plain(r.Policy), plain(r.Position), plain(r.Version)); err != nil {
		return err
	}
	for _, problem := range r.Problems {
		if err := p.printf("problem: %s: %s\n", plain(problem.Part), plain(problem.Detail)); err != nil {
			return err
		}
	}
	for _, warning := range r.Warnings {
		if err := p.printf("warning: %s: %s\n", plain(warning.Part), plain(warning.Detail)); err != nil {
			return err
		}
		for _, f := range warning.Faults {
			if err := p.printf("  %s\n", plain(f.Error())); err != nil {
				return err
			}
		}
	}
	return nil
}
