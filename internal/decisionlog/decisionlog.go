// Package decisionlog is how decisions about sensitive actions are kept (invariant 13, design
// R16): one JSON object each, written by whoever gives the answer and read by auditors.
//
// It knows neither disks nor databases. Its invariants: what was written is read as it
// was; nothing is in it but names, of bounded length; of a text that is anything else
// nothing is believed.
package decisionlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// A Decision is one that was given. Names are as the question had them, entities as
// type:id.
type Decision struct {
	Time     time.Time `json:"time"` // by the directory's clock, to the microsecond
	By       string    `json:"by"`   // the label of the process that answered
	Subject  string    `json:"subject"`
	Actor    string    `json:"actor,omitempty"` // who acted in the subject's name
	Action   string    `json:"action"`
	Resource string    `json:"resource"`
	Account  string    `json:"account,omitempty"`
	Decision bool      `json:"decision"`
	Reason   string    `json:"reason,omitempty"` // of a denial
	Policy   string    `json:"policy"`           // its digest
	Position string    `json:"position"`         // of the facts
}

// Of writes what is kept of a decision.
func Of(r decision.Record, by string) ([]byte, error) {
	return json.Marshal(Decision{
		Time: r.Time.UTC().Truncate(time.Microsecond), By: by,
		Subject: name(r.Subject), Actor: name(r.Actor), Action: r.Action, Resource: name(r.Resource), Account: string(r.Account),
		Decision: r.Decision.Allow, Reason: string(r.Decision.Reason),
		Policy: r.Decision.Basis.Policy, Position: r.Decision.Basis.Position.String(),
	})
}

func name(r portal.Ref) string {
	if r == (portal.Ref{}) {
		return ""
	}
	return r.Type + ":" + r.ID
}

// ErrUnreadable: a text is no record of a decision.
var ErrUnreadable = errors.New("no record of a decision")

// Read reads what Of wrote. Its error is ErrUnreadable.
func Read(data []byte) (Decision, error) {
	v, err := ijson.Parse(data) // no name twice, nothing after it
	if err != nil {
		return Decision{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	o := object{Value: v}
	d := Decision{
		By: o.text("by"), Subject: o.text("subject"), Actor: o.maybe("actor"), Action: o.text("action"), Resource: o.text("resource"),
		Account: o.maybe("account"), Reason: o.maybe("reason"), Policy: o.text("policy"), Position: o.text("position"),
	}
	at, err := time.Parse(time.RFC3339Nano, o.text("time"))
	if d.Time = at.UTC(); err != nil {
		o.strange = "time"
	}
	answer := v.Get("decision")
	if d.Decision = answer.True(); answer.Kind() != ijson.Bool {
		o.strange = "decision"
	}
	if o.strange != "" {
		return Decision{}, fmt.Errorf("%w: its %s is missing or strange", ErrUnreadable, o.strange)
	}
	return d, nil
}

// An object is read member by member. strange names one that was not what it had to be.
type object struct {
	ijson.Value
	strange string
}

func (o *object) text(name string) string {
	v := o.Get(name)
	if v.Kind() != ijson.String {
		o.strange = name
	}
	return v.Text()
}

func (o *object) maybe(name string) string {
	if o.Get(name).Kind() == ijson.Absent {
		return ""
	}
	return o.text(name)
}
