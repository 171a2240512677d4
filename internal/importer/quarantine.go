package importer

import (
	"context"
	"slices"

	"doorward/internal/ijson"
	"doorward/internal/importer/shelf"
	"doorward/internal/policy/catalogue"
)

// A Held record is one in quarantine: sound by itself, and kept out, because of the rest
// of the file or of what the directory holds.
type Held struct {
	Line   int    `json:"line"`
	Record string `json:"record"` // as in membership of user 9 in account 42
	Reason string `json:"reason"`
}

// maxHeld bounds the records in quarantine that a report lists.
const maxHeld = 100

// reportQuarantine puts what is there into the report: the counts, and the first
// records.
func (r *run) reportQuarantine(ctx context.Context) error {
	r.report.Warnings = r.noted.list()
	counts, err := r.shelf.Held(ctx)
	if err != nil {
		return err
	}
	for kind, n := range counts {
		r.report.Quarantine.count(kind, n)
	}
	for held, err := range r.heldRecords(ctx, maxHeld) {
		if err != nil {
			return err
		}
		r.report.Quarantine.Records = append(r.report.Quarantine.Records, held)
	}
	return nil
}

func (r *run) heldRecords(ctx context.Context, limit int) func(yield func(Held, error) bool) {
	return func(yield func(Held, error) bool) {
		n := 0
		err := r.shelf.InQuarantine(ctx, func(row shelf.Row) error {
			if n++; n > limit || !yield(Held{row.Line, row.String(), row.Reason}, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && err != errEnough {
			yield(Held{}, err)
		}
	}
}

// Quarantine calls fn with every record that the last run kept out, and the record
// itself, to be mended and imported again.
func (p *Plan) Quarantine(ctx context.Context, fn func(Held, ijson.Value) error) error {
	return p.shelf.InQuarantine(ctx, func(row shelf.Row) error {
		o, err := p.reader.again(row)
		if err != nil {
			return err
		}
		return fn(Held{row.Line, row.String(), row.Reason}, o.value)
	})
}

// lookAt reports what a person should look at in an account that came in.
func (r *run) lookAt(a accountPlan) {
	invoices := func(c contactPlan) bool { return c.ID == a.billing && slices.Contains(c.Mails, invoiceMail) }
	if a.billing != "" && !slices.ContainsFunc(a.contacts, invoices) {
		r.noted.warn(a.row.Line, "an account whose billing contact is not sent invoices")
	}
	if !slices.ContainsFunc(a.members, r.sentDomainMail) &&
		!slices.ContainsFunc(a.contacts, func(c contactPlan) bool { return slices.Contains(c.Mails, domainMail) }) {
		r.noted.warn(a.row.Line, "an account of which nobody is sent mail about domains; it goes to the owner all the same")
	}
}

// The mail categories that have rules of their own (D2).
const (
	invoiceMail = "invoice"
	domainMail  = "domain"
)

// sentDomainMail tells whether a member is sent it, by choice or by permission.
func (r *run) sentDomainMail(m memberPlan) bool {
	cat := r.reader.grants.cat
	held := r.reader.grants.presets.Holds(m.Grant.Presets, slices.Concat(m.Grant.Categories, m.Grant.AccountWide))
	bit, known := cat.Bit(catalogue.MailObject(domainMail))
	by := known && r.reader.grants.withMail(held).Has(bit)
	return by && !slices.Contains(m.Mail.Off, domainMail)
}
