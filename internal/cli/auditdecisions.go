package cli

import (
	"context"
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"doorward/internal/decisionlog"
	"doorward/internal/gate/barrier"
	"doorward/internal/server"
)

func auditDecisionsCommand(p *Process) *cobra.Command {
	var since string
	var asJSON bool
	c := &cobra.Command{
		Use: "decisions", Short: "Show what was decided about sensitive actions, newest last", Args: exactly(0),
		Long: "What sidecars and directories have answered about the actions that the catalogue calls sensitive: who asked for what, and whether\n" +
			"it was allowed. They keep it before they answer. In the order in which it came to the directory; what a sidecar answered while it was\n" +
			"out of reach comes later than its time. With --json, a JSON object a line.",
		Example: "  doorward audit decisions --since 24h",
	}
	s := settingsFlags(p, c, "data", "database.url_file")
	c.Flags().StringVar(&since, "since", "", "only what came since a `time`, as in 2026-08-01T12:00:00Z, or a while ago, as in 24h")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, _ []string) error {
		from, err := readSince(since, time.Now())
		if err != nil {
			return err
		}
		show := p.printRecord
		if asJSON {
			show = p.printRecordJSON
		}
		return p.decisions(c.Context(), s, from, show)
	}
	return c
}

// readSince reads a time, or how long ago it is; the zero time when it is not given.
func readSince(written string, now time.Time) (time.Time, error) {
	if written == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(written); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, written)
	if err != nil {
		return at, usagef("--since %q is neither a time as in 2026-08-01T12:00:00Z nor a while as in 24h", written)
	}
	return at, nil
}

func (p *Process) decisions(ctx context.Context, s *settings, since time.Time, show func(barrier.Kept) error) (err error) {
	c, err := s.load(ctx)
	if err != nil {
		return err
	}
	store, done, err := p.openDirectory(ctx, c, true)
	if err != nil {
		return err
	}
	defer done(&err)
	return server.Records(ctx, store, since, show)
}

// printRecord prints who was answered what. What no gate of Doorward's has written is
// told, not shown.
func (p *Process) printRecord(k barrier.Kept) error {
	d, err := decisionlog.Read(k.Data)
	if err != nil {
		return p.printf("%s  unreadable: record %d of %s\n", k.At.Format(time.RFC3339), k.Seq, plain(k.Spool))
	}
	who, answer := d.Subject, "allow"
	if d.Actor != "" {
		who = d.Actor + " as " + d.Subject
	}
	if !d.Decision {
		answer = "deny " + d.Reason
	}
	return p.printf("%s  %s  %s  %s  %s  (%s)\n", d.Time.Format(time.RFC3339), plain(who), plain(d.Action), plain(d.Resource), plain(answer), plain(d.By))
}

// A recordJSON is a record as --json prints it.
type recordJSON struct {
	KeptAt     time.Time             `json:"kept_at"`
	Spool      string                `json:"spool"`
	Seq        uint64                `json:"seq"`
	Record     *decisionlog.Decision `json:"record,omitempty"`
	Unreadable []byte                `json:"unreadable,omitempty"` // in Base64
}

func (p *Process) printRecordJSON(k barrier.Kept) error {
	line := recordJSON{KeptAt: k.At, Spool: k.Spool, Seq: k.Seq}
	if d, err := decisionlog.Read(k.Data); err == nil {
		line.Record = &d
	} else {
		line.Unreadable = k.Data
	}
	e := json.NewEncoder(p.Stdout)
	e.SetEscapeHTML(false)
	return e.Encode(line)
}
