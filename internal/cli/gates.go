package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorward/internal/ijson"
)

func gatesCommand(p *Process) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "gates", Short: "List the sidecars of a directory", Args: exactly(0),
		Long: "Asks a running doorward directory which sidecars may answer from memory: what each has applied, by which policy it\n" +
			"judges, and until when it is trusted. Removals wait for these. The token needs the scope manage.",
		Example: "  doorward gates --server http://127.0.0.1:8081 --token-file manage.token",
	}
	r := remoteFlags(c)
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, _ []string) error {
		asked, err := r.dial()
		if err != nil {
			return err
		}
		return p.gates(c.Context(), asked, asJSON)
	}
	return c
}

// A gateLine is a sidecar as /v1/gates tells of it.
type gateLine struct {
	Label        string     `json:"label"`
	Instance     string     `json:"instance"`
	Policy       string     `json:"policy"`
	Acknowledged uint64     `json:"acknowledged"`
	Behind       uint64     `json:"behind"`
	AskedMSAgo   *int64     `json:"asked_ms_ago"`
	TrustedUntil *time.Time `json:"trusted_until"`
	Silent       bool       `json:"silent"`
}

func (p *Process) gates(ctx context.Context, asked *client, asJSON bool) error {
	status, answer, err := asked.do(ctx, http.MethodGet, "/v1/gates", nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		v, _ := ijson.Parse(answer) // without one there is the status
		return refusedBy("not listed", status, v)
	}
	if asJSON {
		return p.printf("%s\n", strings.TrimSpace(string(answer)))
	}
	var list struct {
		Gates []gateLine `json:"gates"`
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return fmt.Errorf("ask the server: its answer to /v1/gates is not Doorward's: %w", err)
	}
	rows := [][]string{{"LABEL", "PROCESS", "APPLIED", "BEHIND", "TRUSTED UNTIL", "STATE", "POLICY"}}
	for _, g := range list.Gates {
		rows = append(rows, g.row())
	}
	return p.printTable(rows)
}

// row is what a line of the table shows. Of a digest the beginning tells policies apart.
func (g gateLine) row() []string {
	until, state := "asks another directory", "current"
	if g.TrustedUntil != nil {
		until = g.TrustedUntil.UTC().Format(time.RFC3339)
	}
	switch {
	case g.Silent:
		state = "silent"
	case g.Behind > 0:
		state = "behind"
	}
	return []string{
		g.Label, g.Instance, strconv.FormatUint(g.Acknowledged, 10), strconv.FormatUint(g.Behind, 10), until, state,
		g.Policy[:min(len(g.Policy), 12)],
	}
}
