package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorward/internal/portal"
)

// linesAtOnce is how many lines of history are read in one go.
const linesAtOnce = 500

func auditHistoryCommand(p *Process) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "history ACCOUNT", Short: "Show what an imported log says about an account, oldest first", Args: exactly(1),
		Long: "What doorward import has brought of another system's log. It is no part of the audit trail: nobody here can vouch for it. " +
			"With --json, a JSON object a line.",
		Example: "  doorward audit history account:42",
	}
	s := settingsFlags(p, c, "data", "database.url_file")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		show := p.printHistory
		if asJSON {
			show = p.printHistoryJSON
		}
		account := portal.AccountID(strings.TrimPrefix(args[0], portal.TypeAccount+":"))
		return p.history(c.Context(), s, account, show)
	}
	return c
}

// history shows all lines about an account, some at a time.
func (p *Process) history(ctx context.Context, s *settings, account portal.AccountID, show func(portal.HistoryLine) error) (err error) {
	c, err := s.load(ctx)
	if err != nil {
		return err
	}
	store, done, err := p.openDirectory(ctx, c, true)
	if err != nil {
		return err
	}
	defer done(&err)
	for after := (portal.HistoryLine{}); ; {
		lines, err := store.History(ctx, account, after, linesAtOnce)
		if err != nil || len(lines) == 0 {
			return err
		}
		for _, l := range lines {
			if err := show(l); err != nil {
				return err
			}
		}
		after = lines[len(lines)-1]
	}
}

// printHistory prints who did it as far as the log says: its own words, else the ids.
func (p *Process) printHistory(l portal.HistoryLine) error {
	who := cmp.Or(l.Actor, prefixed("user:", string(l.User)), prefixed("staff:", l.Staff), "?")
	at := "-"
	if !l.At.IsZero() {
		at = l.At.Format(time.RFC3339)
	}
	return p.printf("%s  %s  %s  %s\n", at, l.Source, plain(who), plain(strings.ReplaceAll(l.Text, "\n", " ")))
}

func prefixed(prefix, id string) string {
	if id == "" {
		return ""
	}
	return prefix + id
}

// A historyJSON is a line in the members of an import file, with its source.
type historyJSON struct {
	Source  string           `json:"source"`
	ID      string           `json:"id"`
	At      string           `json:"at,omitempty"`
	Account portal.AccountID `json:"account,omitempty"`
	User    portal.UserID    `json:"user,omitempty"`
	Staff   string           `json:"staff,omitempty"`
	Actor   string           `json:"actor,omitempty"`
	IP      string           `json:"ip,omitempty"`
	Text    string           `json:"text,omitempty"`
}

func (p *Process) printHistoryJSON(l portal.HistoryLine) error {
	at := ""
	if !l.At.IsZero() {
		at = l.At.Format(time.RFC3339Nano)
	}
	e := json.NewEncoder(p.Stdout)
	e.SetEscapeHTML(false)
	return e.Encode(historyJSON{l.Source, l.ID, at, l.Account, l.User, l.Staff, l.Actor, l.IP, l.Text})
}
