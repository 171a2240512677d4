package manage

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"doorward/internal/gate/barrier"
	"doorward/internal/ijson"
	"doorward/internal/importer"
	"doorward/internal/portal"
	"doorward/internal/problem"
)

// Gates knows the gates: *barrier.Keeper does.
type Gates interface {
	// Enforce waits until a change is in force at every gate (R6), or says that it is
	// not yet.
	Enforce(context.Context, barrier.Done) (barrier.Outcome, error)
	Gates(context.Context) ([]barrier.Sighting, error)
}

// enforcements is where one asks whether a position is in force by now.
const enforcements = "/v1/enforcements/"

// done says what was done, as barriers ask. New users, accounts and contacts take
// nothing from anybody, nor do sign-ins. A first membership may: who holds more is out of
// the reach of those who manage people with less (R7).
func done(result importer.Result, records []ijson.Value) barrier.Done {
	adds := func(i int) bool {
		switch importer.Kind(records[i].Get("kind").Text()) {
		case importer.KindUser, importer.KindAccount, importer.KindContact:
			return result.Outcomes[i] == importer.New
		case importer.KindSignin:
			return true
		}
		return false
	}
	all := true
	for i := range records {
		all = all && adds(i)
	}
	return barrier.Done{At: result.Position, Committed: true, Added: all}
}

// conclude waits for the gates, if there are any to wait for, and answers.
func (h *Handler) conclude(w http.ResponseWriter, r *http.Request, status int, d barrier.Done, v ijson.Value) error {
	if h.Gates == nil {
		reply(w, status, d.At, v)
		return nil
	}
	outcome, err := h.Gates.Enforce(r.Context(), d)
	if err != nil {
		return unsaid(err)
	}
	if !outcome.Waived {
		v, status = withOutcome(w, status, d.At, v, outcome)
	}
	reply(w, status, d.At, v)
	return nil
}

// unsaid answers when it is not known whether a change is in force: making the call again
// does no harm, and waits anew.
func unsaid(err error) error {
	detail := "The change was made. Whether it is in force everywhere could not be found out: make the same call again."
	if errors.Is(err, barrier.ErrLost) {
		detail = "The database has lost this change, in a failover or a restore: make the same call again."
	}
	return &problem.Error{Code: problem.DirectoryUnavailable, Detail: detail, Err: err}
}

// withOutcome adds what a barrier came to. What is not in force everywhere yet is 202, with
// where to ask again.
func withOutcome(w http.ResponseWriter, status int, at portal.Position, v ijson.Value, o barrier.Outcome) (ijson.Value, int) {
	name := "enforced"
	if !o.Enforced {
		name, status = "pending", http.StatusAccepted
		w.Header().Set("Location", enforcements+string(at.AppendWhole(nil)))
	}
	members := []ijson.Member{{Name: "milliseconds", Value: number(o.After.Milliseconds())}, {Name: "gates", Value: number(int64(o.Gates))}}
	for _, m := range []struct {
		name string
		n    int
	}{{"acknowledged", o.Acknowledged}, {"waited_for", o.WaitedFor}, {"left", o.Left}} {
		members = append(members, ijson.Member{Name: m.name, Value: number(int64(m.n))})
	}
	return ijson.ObjectValue(append(slices.Clone(v.Members()), ijson.Member{Name: name, Value: ijson.ObjectValue(members...)})...), status
}

func number(n int64) ijson.Value { return ijson.NumberValue(strconv.FormatInt(n, 10)) }

// enforcement tells whether a position is in force everywhere, and waits for it as the
// call did that led to it.
func (h *Handler) enforcement(w http.ResponseWriter, r *http.Request) error {
	if err := h.beginAbout(r); err != nil {
		return err
	}
	at, err := portal.ParsePosition(r.PathValue("position"))
	if err != nil {
		return &problem.Error{Code: problem.InvalidRequest, Detail: "The address ends with a position: a revision, a dot and 64 hex digits."}
	}
	outcome, err := h.Gates.Enforce(r.Context(), barrier.Done{At: at})
	if errors.Is(err, barrier.ErrLost) {
		return &problem.Error{Code: problem.NotFound, Detail: "The directory does not have this position: it was lost in a failover or a restore, or never was.", Err: err}
	}
	if err != nil {
		return unsaid(err)
	}
	v, status := withOutcome(w, http.StatusOK, at, ijson.ObjectValue(), outcome)
	reply(w, status, at, v)
	return nil
}

// beginAbout lets a client ask about the directory as a whole.
func (h *Handler) beginAbout(r *http.Request) error {
	if err := refuseStrange(r); err != nil {
		return err
	}
	return h.admit(r)
}

// shownOfInstance is how much operators are shown of a gate's name: whoever has a gate's
// token and knows all of it can give its lease back.
const shownOfInstance = 8

// gates lists the gates that may answer from what they know.
func (h *Handler) gates(w http.ResponseWriter, r *http.Request) error {
	if err := h.beginAbout(r); err != nil {
		return err
	}
	if h.Limits(r.Context()) != nil {
		return &problem.Error{Code: problem.Forbidden, Detail: "This token is limited to some accounts or types. Gates serve all."}
	}
	all, err := h.Gates.Gates(r.Context())
	if err != nil {
		return err
	}
	head, err := h.Store.Head(r.Context())
	if err != nil {
		return err
	}
	list := make([]ijson.Value, len(all))
	for i, s := range all {
		list[i] = h.gate(s, head)
	}
	reply(w, http.StatusOK, head, ijson.ObjectValue(ijson.Member{Name: "gates", Value: ijson.ArrayValue(list...)}))
	return nil
}

func (h *Handler) gate(s barrier.Sighting, head portal.Position) ijson.Value {
	ago, until := ijson.NullValue(), ijson.NullValue()
	if s.Here {
		ago = number(s.Ago.Milliseconds())
		until = ijson.StringValue(h.Now().Add(s.Term - s.Ago).UTC().Format(time.RFC3339))
	}
	id := string(s.Instance)
	return ijson.ObjectValue(
		ijson.Member{Name: "label", Value: ijson.StringValue(s.Label)},
		ijson.Member{Name: "instance", Value: ijson.StringValue(id[:min(len(id), shownOfInstance)])},
		ijson.Member{Name: "policy", Value: ijson.StringValue(s.Policy)},
		ijson.Member{Name: "acknowledged", Value: number(int64(s.Acknowledged))},
		ijson.Member{Name: "behind", Value: number(max(0, int64(head.Revision)-int64(s.Acknowledged)))},
		ijson.Member{Name: "asked_ms_ago", Value: ago},
		ijson.Member{Name: "trusted_until", Value: until},
		ijson.Member{Name: "silent", Value: ijson.BoolValue(s.Mark != "")},
	)
}
