package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"doorward/internal/ijson"
	"doorward/internal/importer"
)

func (p *Process) printImported(r importer.Report, flags importFlags) error {
	if flags.asJSON {
		return p.printImportJSON(r)
	}
	return p.printImport(r, flags)
}

func (p *Process) printImport(r importer.Report, flags importFlags) error {
	p.noteImport(r)
	heading := "Imported."
	if r.DryRun {
		heading = "Dry run: nothing was changed."
	}
	if err := p.printf("%s\n", heading); err != nil {
		return err
	}
	for _, row := range []struct {
		name string
		importer.Count
		optional bool
	}{
		{"users", r.Users, false}, {"accounts", r.Accounts, false}, {"memberships", r.Memberships, false}, {"contacts", r.Contacts, false},
		{"invites", r.Invites, true}, {"history", r.History, true},
	} {
		if row.optional && row.Count == (importer.Count{}) {
			continue
		}
		pruned := ""
		if flags.prune || row.Pruned > 0 {
			pruned = fmt.Sprintf(", %d pruned", row.Pruned)
		}
		if err := p.printf("%-12s %d new, %d changed, %d unchanged%s\n", row.name, row.New, row.Changed, row.Unchanged, pruned); err != nil {
			return err
		}
	}
	if r.DryRun {
		return nil
	}
	return p.printf("position     %s\n", r.Position)
}

// noteImport says what a person should look at.
func (p *Process) noteImport(r importer.Report) {
	for _, w := range r.Warnings {
		p.notef("warning: %s (%s, first in line %d)", plain(w.Message), count(w.Count, "time"), w.Lines[0])
	}
	p.noteCounts("without meaning to this version", r.Ignored)
	if r.RightsChanged > 0 {
		shown := r.Rights[:min(len(r.Rights), maxShown)]
		p.notef("rights that change: %s: %s%s", count(r.RightsChanged, "member"), plain(strings.Join(shown, ", ")), andMore(r.RightsChanged-len(shown)))
	}
	q := r.Quarantine
	if q.Total() == 0 {
		return
	}
	p.notef("kept out: %s", held(q))
	shown := q.Records[:min(len(q.Records), maxShown)]
	for _, h := range shown {
		p.notef("  line %d: %s: %s", h.Line, plain(h.Record), plain(h.Reason))
	}
	if more := q.Total() - len(shown); more > 0 {
		p.notef("  and %d more; --quarantine FILE writes all of them", more)
	}
}

// maxShown bounds lists in messages.
const maxShown = 20

func andMore(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

// held writes how much is in quarantine.
func held(q importer.Quarantine) string {
	var parts []string
	for _, c := range []struct {
		n    int
		noun string
	}{{q.Users, "user"}, {q.Accounts, "account"}, {q.Memberships, "membership"}, {q.Contacts, "contact"}, {q.Invites, "invite"}} {
		if c.n > 0 {
			parts = append(parts, count(c.n, c.noun))
		}
	}
	return strings.Join(parts, ", ")
}

// printImportJSON prints the report with the position it led to; a dry run leads
// to none.
func (p *Process) printImportJSON(r importer.Report) error {
	var position string
	if !r.DryRun {
		position = r.Position.String()
	}
	return p.printJSON(struct {
		importer.Report
		Position string `json:"position,omitempty"`
	}{r, position})
}

func (p *Process) noteCounts(heading string, counts map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		p.notef("%s: %s (%s)", heading, plain(name), count(counts[name], "time"))
	}
}

// A quarantine is a new file for what is kept out; its zero value is none.
type quarantine struct{ *os.File }

// newQuarantine makes the file before anything else is done: that it cannot be made is not
// to be found when the import is in.
func newQuarantine(name string) (quarantine, error) {
	if name == "" {
		return quarantine{}, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // addresses are personal
	if err != nil {
		return quarantine{}, fmt.Errorf("make the file for what is kept out: %w", err)
	}
	return quarantine{f}, nil
}

// close ends what led to err, and leaves no file of an import that failed.
func (q quarantine) close(err error) error {
	if q.File == nil {
		return err
	}
	if err = errors.Join(err, q.Close()); err == nil || isStatus(err) {
		return err
	}
	return errors.Join(err, os.Remove(q.Name()))
}

// write writes what was kept out, a JSON object a line.
func (q quarantine) write(ctx context.Context, plan *importer.Plan) error {
	if q.File == nil {
		return nil
	}
	w := bufio.NewWriter(q)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	err := plan.Quarantine(ctx, func(h importer.Held, v ijson.Value) error {
		return e.Encode(struct {
			importer.Held
			Value json.RawMessage `json:"value"`
		}{h, v.Append(nil)})
	})
	if err = errors.Join(err, w.Flush()); err != nil {
		return fmt.Errorf("the import is done, but what was kept out could not be written to %s: %w", q.Name(), err)
	}
	return nil
}
