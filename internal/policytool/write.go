package policytool

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"doorward/internal/decision"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
)

// ErrNoRow tells that no row of a table asks what was asked: rows say less than a
// portal can.
var ErrNoRow = errors.New("no row of a table says this")

// WriteRow writes a case and its answer as a row of a table, to be pasted under rows:.
// The row has the names that tables use (account 42, user 7), nothing of the question
// that does not count, and times only where they make the answer. It was read back and
// run, and gave this answer; when that cannot be, the error is ErrNoRow.
func WriteRow(ctx context.Context, c *decision.Case, j *decision.Judgement) (string, error) {
	w := rowWriter{Case: c, judged: j, want: verdict(j.Decision, nil)}
	text, err := yaml.Marshal(list(w.row()))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoRow, err)
	}
	var r tableReader
	table := r.table("row", append([]byte("rows:\n"), text...))
	if err := r.Faults.Err(); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoRow, err)
	}
	results, err := runRows(ctx, c.Policy, &table, nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoRow, err)
	}
	if got := results[0].Got; got != w.want {
		return "", fmt.Errorf("%w: the nearest one gives %s", ErrNoRow, got)
	}
	return strings.TrimSpace(string(text)), nil
}

// A rowWriter writes one case.
type rowWriter struct {
	*decision.Case
	judged *decision.Judgement
	want   string
}

func (w *rowWriter) row() *yaml.Node {
	if a, known := w.Policy.Catalogue.Action(w.Question.Action.Name); known && a.Class == catalogue.Entity {
		return w.entityRow()
	}
	row := flow(yaml.MappingNode)
	put(row, "req", words(nil))
	put(row, "who", w.subject())
	if w.Member != (portal.Ref{}) && w.People.Member.State != "" {
		put(row, "member", w.membership(flow(yaml.MappingNode), w.People.Member))
	}
	if w.Actor != (portal.Ref{}) && w.People.Actor.Status != "" {
		put(row, "actor", w.actor())
	}
	put(row, "do", word(w.Question.Action.Name))
	w.resource(row)
	if context := w.context(); len(context.Content) > 0 {
		put(row, "context", context)
	}
	if account := w.account(); len(account.Content) > 0 {
		put(row, "account", account)
	}
	put(row, "want", word(w.want))
	return row
}

// subject writes who asks.
func (w *rowWriter) subject() *yaml.Node {
	who, facts, typ := flow(yaml.MappingNode), &w.People.Subject, w.Question.Subject.Type
	if typ != portal.TypeUser {
		put(who, "subject", word(typ))
	}
	if typ == portal.TypeContact {
		return w.contact(who, facts.Contact)
	}
	w.user(who, facts.User)
	return w.staff(w.membership(who, facts.Membership), facts.User)
}

func (w *rowWriter) contact(who *yaml.Node, facts *portal.ContactFacts) *yaml.Node {
	if facts == nil {
		put(who, "user", word("none"))
		facts = &portal.ContactFacts{}
	}
	if facts.Status == portal.ContactRemoved {
		put(who, "state", word(string(portal.MembershipRemoved)))
	} else {
		put(who, "state", word("none"))
	}
	putWords(who, "scope", w.refs(facts.Scope))
	w.mail(who, &portal.MailChoices{On: facts.Mails})
	return who
}

func (w *rowWriter) actor() *yaml.Node {
	who := flow(yaml.MappingNode)
	if w.Actor.Type != portal.TypeUser {
		put(who, "subject", word(w.Actor.Type))
	}
	w.user(who, w.People.Actor)
	put(who, "state", word("none"))
	return w.staff(who, w.People.Actor)
}

func (w *rowWriter) user(who *yaml.Node, u portal.UserFacts) {
	switch u.Status {
	case portal.UserActive:
	case "":
		put(who, "user", word("none"))
	default:
		put(who, "user", word(string(u.Status)))
	}
}

func (w *rowWriter) staff(who *yaml.Node, u portal.UserFacts) *yaml.Node {
	putWords(who, "staff", u.Staff.Actions())
	return who
}

func (w *rowWriter) account() *yaml.Node {
	account, facts := flow(yaml.MappingNode), w.People.Subject.Account
	switch {
	case w.Account == "" || facts.Status == portal.AccountActive:
	case facts.Status == "":
		put(account, "status", word("unknown"))
	default:
		put(account, "status", word(string(facts.Status)))
	}
	if facts.MFARequired {
		put(account, "mfa_required", plainNode("!!bool", "true"))
	}
	return account
}
