package decision

import (
	"context"
	"time"

	"doorward/internal/portal"
)

// A Record is what is kept of a decision about a sensitive action (invariant 13): names,
// and nothing of what the question says besides.
type Record struct {
	Time     time.Time // when it was judged: the latest that it can be (R12)
	Subject  portal.Ref
	Action   string
	Resource portal.Ref
	Account  portal.AccountID // "": none
	Actor    portal.Ref       // who acts in the subject's name; zero: nobody
	Decision Decision
}

// A Recorder keeps records, all of them or none. With an error the decisions are not
// given (design R16).
type Recorder func(context.Context, []Record) error

// An Unrecorded is a Decider of whose decisions nothing is kept or noted: for candidates of
// searches, which nobody has asked about one by one.
type Unrecorded struct{ *Decider }

// DecideAll is Decider's.
func (u Unrecorded) DecideAll(ctx context.Context, questions []Question, stop func(Answer) bool) ([]Answer, error) {
	return u.decideAll(ctx, questions, stop, nil, nil)
}

// keep keeps what has to be kept of answers to considered questions. Without an error all
// of it is. Otherwise those that had to be kept are no answers any more.
func (r Recorder) keep(ctx context.Context, known Known, considered []consideration, answers []Answer) error {
	if r == nil {
		return nil
	}
	var records []Record
	for i := range answers {
		if c := &considered[i]; c.recorded(answers[i]) {
			records = append(records, c.record(known, answers[i].Decision))
		}
	}
	if len(records) == 0 {
		return nil
	}
	err := r(ctx, records)
	if err == nil {
		return nil
	}
	for i := range answers {
		if considered[i].recorded(answers[i]) {
			answers[i] = Answer{Err: &UnavailableError{Code: NotRecorded, Err: err}}
		}
	}
	return err
}

// recordOne is keep for one answer that has to be kept.
func (d *Decider) recordOne(ctx context.Context, known Known, c *consideration, a Answer) Answer {
	if err := d.record(ctx, []Record{c.record(known, a.Decision)}); err != nil {
		return Answer{Err: &UnavailableError{Code: NotRecorded, Err: err}}
	}
	return a
}

// recorded tells whether an answer has to be kept before it is given.
func (c *consideration) recorded(a Answer) bool {
	return a.Err == nil && c.plan != nil && c.plan.action.Sensitive
}

func (c *consideration) record(known Known, d Decision) Record {
	q := &c.question
	return Record{
		Time: known.Now.Latest, Subject: q.Subject.Ref, Action: q.Action.Name, Resource: q.Resource.Ref,
		Account: c.key.Account, Actor: c.acting.by, Decision: d,
	}
}

// again looks where answers end that are others now, from one on: they stop there, or not.
func again(answers []Answer, from int, stop func(Answer) bool) ([]Answer, bool) {
	for i := from; stop != nil && i < len(answers); i++ {
		if stop(answers[i]) {
			return answers[:i+1], true
		}
	}
	return answers, false
}
