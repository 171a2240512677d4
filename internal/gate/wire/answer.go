package wire

import (
	"strconv"
	"strings"

	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// everything is a kind of change that no gate knows, and so forgets everything for. It
// stands for more changes than an answer has room for.
const everything directory.ChangeKind = "everything"

// encodeAnswer writes an answer. Changes that are too many for a body, as of an import
// that committed at once, are told as one that touches everything.
func encodeAnswer(a gate.Answer) ([]byte, error) {
	body, err := writeAnswer(a)
	if err == nil && len(body) > maxBody {
		a.Changes = []directory.Change{{Revision: a.To.Revision, Kind: everything}}
		return writeAnswer(a)
	}
	return body, err
}

func writeAnswer(a gate.Answer) ([]byte, error) {
	return written(func(w *writer) {
		w.number("version", version)
		w.text("instance", string(a.Instance))
		w.number("number", a.Number)
		w.position("from", a.From)
		w.position("to", a.To)
		w.position("head", a.Head)
		w.flag("lease", a.Lease)
		w.text("era", string(a.Era))
		w.moment("time_us", a.Time)
		w.promoted(a.Policy)
		w.number("stored", a.Stored)
		w.list("changes", len(a.Changes), func(i int) { w.change(a.Changes[i]) })
	})
}

// change writes a list, because there may be many: revision, kind, account, user, contact.
func (w *writer) change(c directory.Change) {
	w.b = append(w.b, '[')
	w.b = strconv.AppendUint(w.b, uint64(c.Revision), 10)
	for _, s := range [...]string{string(c.Kind), string(c.Account), string(c.User), string(c.Contact)} {
		w.b = append(w.b, ',')
		w.quote(s)
	}
	w.b = append(w.b, ']')
}

// decodeAnswer reads the answer to an ask: what is not exactly that is an error.
func decodeAnswer(body []byte, ask gate.Ask) (a gate.Answer, err error) {
	err = parse(body, func(o object) {
		o.version()
		o.repeats("instance", string(ask.Instance))
		if a.Number = o.number("number"); a.Number != ask.Number {
			o.r.within("number", func() { o.r.fail("is that of another ask") })
		}
		a.Instance = ask.Instance
		a.From, a.To, a.Head = o.position("from"), o.position("to"), o.position("head")
		a.Lease, a.Era, a.Time = o.flag("lease"), gate.Era(o.text("era")), o.moment("time_us")
		a.Policy, a.Stored = o.promoted(), o.number("stored")
		o.list("changes", func(n int) { a.Changes = make([]directory.Change, n) }, func(i int, v ijson.Value) {
			a.Changes[i] = o.r.change(v)
		})
		if message := flaw(a, ask); message != "" {
			o.r.fail(message)
		}
	})
	if err != nil {
		return gate.Answer{}, err
	}
	return a, nil
}

// change reads a list that may be longer: what a later version adds to a change must not
// be needed to know what to forget.
func (r *reader) change(v ijson.Value) (c directory.Change) {
	if !r.expect(v, ijson.Array) {
		return c
	}
	items := v.Items()
	if len(items) < 5 {
		r.fail("must be revision, kind, account, user and contact")
		return c
	}
	texts := items[1:5]
	for _, t := range texts {
		r.expect(t, ijson.String)
	}
	if r.expect(items[0], ijson.Number) {
		c.Revision = portal.Revision(r.number(items[0]))
	}
	c.Kind = kind(texts[0].Text())
	c.Account, c.User = portal.AccountID(strings.Clone(texts[1].Text())), portal.UserID(strings.Clone(texts[2].Text()))
	c.Contact = portal.ContactID(strings.Clone(texts[3].Text()))
	return c
}

// kind is a known kind without a copy of its own, or whatever a newer directory has: what
// to make of that is the gate's business.
func kind(s string) directory.ChangeKind {
	for _, known := range [...]directory.ChangeKind{
		directory.ChangedMembership, directory.ChangedUser, directory.ChangedAccount, directory.ChangedContact,
		directory.ChangedInvitation, directory.ChangedToken, directory.ChangedPolicy, directory.ChangedNothing, everything,
	} {
		if s == string(known) {
			return known
		}
	}
	return directory.ChangeKind(strings.Clone(s))
}

// flaw says what in an answer contradicts itself or the ask; "" when nothing does.
func flaw(a gate.Answer, ask gate.Ask) string {
	last := a.From.Revision
	for _, c := range a.Changes {
		if c.Revision < last || c.Revision == a.From.Revision {
			return "changes are not in the order of their revisions, after from"
		}
		last = c.Revision
	}
	sent := uint64(0)
	if n := len(ask.Records); n > 0 {
		sent = ask.Records[n-1].Seq
	}
	switch {
	case last != a.To.Revision:
		return "changes do not lead to its position to"
	case !ordered(a.From, a.To) || !ordered(a.To, a.Head):
		return "positions are not in order"
	case a.Stored > sent:
		return "stored names records that were not sent"
	}
	return ""
}

// ordered tells whether both may be of one history, in that order.
func ordered(a, b portal.Position) bool {
	return a.Revision < b.Revision || a == b
}
