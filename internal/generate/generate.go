// Package generate makes up customer portals as hosting companies have them, as files
// of the format doorward-import/1: mostly accounts with an owner and nobody else, some
// with an accountant or a developer, agencies that work for hundreds of customers, and
// a few accounts with thousands of members.
//
// It knows no directory and no importer, only the words of the policy in force. Its
// invariants: the same Options and policy give the same bytes on every machine, whatever
// the version of Go; and what is remembered does not grow with the number of accounts
// but for one number an agency and a bookkeeper.
package generate

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"

	"doorward/internal/policy/catalogue"
)

// Format is what the meta line names as its format.
const Format = "doorward-import/1"

// Options say which portal to make up.
type Options struct {
	// Accounts is how many accounts it has. 0: none.
	Accounts int
	// Seed picks one of many portals of that size.
	Seed uint64
	// MembersMax bounds the people of its own that an account has besides the owner.
	// 0: DefaultMembersMax.
	MembersMax int
	// At is when the file pretends to be exported; all its times are relative to it.
	// Zero: DefaultAt.
	At time.Time
	// Catalogue has the categories that members can hold, and the mail.
	Catalogue *catalogue.Catalogue
	// Presets are those of the policy. Members of a portal without any hold categories.
	Presets []string
}

// DefaultMembersMax bounds accounts whose Options do not say.
const DefaultMembersMax = 5000

// The most accounts, and members of one, that can be told apart.
const (
	AccountsMax   = 1 << 30
	MembersMaxMax = 1 << 20
)

// DefaultAt is the time of files whose Options do not say. It is fixed: the bytes must
// not depend on the day.
var DefaultAt = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// A writer makes up one portal.
type writer struct {
	Options
	encoder
	words   words
	summary Summary

	agencies, bookkeepers partners
}

// Write writes the portal to w. Its error is that of writing, or of ctx.
func Write(ctx context.Context, to io.Writer, o Options) (Summary, error) {
	if o.MembersMax <= 0 {
		o.MembersMax = DefaultMembersMax
	}
	if o.At.IsZero() {
		o.At = DefaultAt
	}
	buffer := bufio.NewWriterSize(to, 64<<10)
	w := &writer{Options: o, encoder: newEncoder(buffer), words: newWords(o.Catalogue, o.Presets)}
	w.agencies = newPartners(agency, o.Accounts/400)
	w.bookkeepers = newPartners(bookkeeper, o.Accounts/250)
	err := w.portal(ctx)
	if err == nil {
		err = buffer.Flush()
	}
	if err != nil {
		return w.summary, fmt.Errorf("write portal: %w", err)
	}
	w.summary.LargestAgency, w.summary.LargestBookkeeper = w.agencies.most(), w.bookkeepers.most()
	return w.summary, nil
}

// portal writes every line. Whoever works for many accounts comes first.
func (w *writer) portal(ctx context.Context) error {
	w.write(metaLine{Kind: "meta", Format: Format, Source: "generated", ExportedAt: w.stamp(w.At)})
	w.staffOf(&w.agencies)
	w.staffOf(&w.bookkeepers)
	for i := 0; i < w.Accounts && w.err == nil; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.account(i)
	}
	return w.err
}

func (w *writer) stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// ago is a time up to so many days before the file's.
func (w *writer) ago(d dice, days int) time.Time {
	return w.At.Add(-time.Duration(d.below(days*24*3600)) * time.Second)
}

// since is a time between from and the file's.
func (w *writer) since(d dice, from time.Time) time.Time {
	return from.Add(time.Duration(d.below(int(w.At.Sub(from)/time.Second)+1)) * time.Second)
}
