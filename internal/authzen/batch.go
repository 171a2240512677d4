package authzen

import (
	"context"
	"fmt"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/portal"
	"doorward/internal/problem"
)

// maxItems is the most items a batch may have.
const maxItems = 100

// A batch is the items of an Access Evaluations request, read. An item has
// either a question or a fault.
type batch struct {
	faults    []error             // of every item; nil: it has a question
	questions []decision.Question // of the items without fault, in order
	stop      func(decision.Answer) bool
}

// readBatch reads everything of a batch that is wrong for all of it, and its
// items. Its error is a *problem.Error; an item's is its fault (section 7.2.1), also
// that the client's limits keep the question from it.
func readBatch(body ijson.Value, limits *portal.Limits) (batch, error) {
	stop, err := readSemantic(body)
	if err != nil {
		return batch{}, err
	}
	items, err := readItems(body)
	if err != nil || len(items) == 0 {
		return batch{}, err
	}
	for _, member := range []string{"subject", "action", "resource", "context"} {
		if _, err := (place{index: topLevel}).object(body, member); err != nil {
			return batch{}, err
		}
	}
	b := batch{
		faults:    make([]error, len(items)),
		questions: make([]decision.Question, 0, len(items)),
		stop:      stop,
	}
	for i, item := range items {
		q, err := readItem(item, body, i)
		if err == nil {
			err = admit(limits, q)
		}
		b.faults[i] = err
		if err == nil {
			b.questions = append(b.questions, q)
		}
	}
	return b, nil
}

func readItem(item, body ijson.Value, index int) (decision.Question, error) {
	if item.Kind() != ijson.Object {
		return decision.Question{}, place{index: index}.mistyped(item, "", "an object")
	}
	return frame{own: item, defaults: body, index: index}.question()
}

func readItems(body ijson.Value) ([]ijson.Value, error) {
	at := place{index: topLevel}
	v := body.Get("evaluations")
	switch v.Kind() {
	case ijson.Absent, ijson.Null:
		return nil, nil
	case ijson.Array:
	default:
		return nil, at.mistyped(v, "evaluations", "an array")
	}
	if n := len(v.Items()); n > maxItems {
		return nil, &problem.Error{
			Code: problem.BatchTooLarge, Pointer: "/evaluations",
			Detail: fmt.Sprintf("evaluations has %d items; at most %d are answered at once", n, maxItems),
		}
	}
	return v.Items(), nil
}

// semantics are when a batch ends: after the first answer for which the function
// is true. Every item that has no permit counts as denied.
var semantics = map[string]func(decision.Answer) bool{
	"execute_all":            func(decision.Answer) bool { return false },
	"deny_on_first_deny":     func(a decision.Answer) bool { return !permits(a) },
	"permit_on_first_permit": permits,
}

func permits(a decision.Answer) bool { return a.Err == nil && a.Decision.Allow }

// readSemantic reads options.evaluations_semantic (section 7.1.2). A name that is
// not known is refused: deciding too much or too little is not what was asked.
func readSemantic(body ijson.Value) (func(decision.Answer) bool, error) {
	options, err := place{index: topLevel}.object(body, "options")
	if err != nil {
		return nil, err
	}
	at := place{index: topLevel, member: "options"}
	v := options.Get("evaluations_semantic")
	switch v.Kind() {
	case ijson.Absent, ijson.Null:
		return semantics["execute_all"], nil
	case ijson.String:
	default:
		return nil, at.mistyped(v, "evaluations_semantic", "a string")
	}
	stop, known := semantics[v.Text()]
	if !known {
		return nil, at.fault("evaluations_semantic", "must be execute_all, deny_on_first_deny or permit_on_first_permit")
	}
	return stop, nil
}

// judge answers the items in order, as far as the semantic goes. All questions
// are judged in one call, so by one policy and at one position.
func (h *Handler) judge(ctx context.Context, b batch) ([]decision.Answer, error) {
	questions := b.asked()
	if len(questions) == 0 {
		return b.merge(nil)
	}
	answers, err := h.Decider.DecideAll(ctx, questions, b.stop)
	if err != nil {
		return nil, err
	}
	return b.merge(answers)
}

// asked are the questions before the first fault that ends the batch.
func (b batch) asked() []decision.Question {
	n := 0
	for _, fault := range b.faults {
		if fault == nil {
			n++
		} else if b.stop(decision.Answer{Err: fault}) {
			break
		}
	}
	return b.questions[:n]
}

// merge puts answers and faults in the order of the items, as far as the
// semantic goes.
func (b batch) merge(answers []decision.Answer) ([]decision.Answer, error) {
	merged := make([]decision.Answer, 0, len(b.faults))
	for i, fault := range b.faults {
		a := decision.Answer{Err: fault}
		if fault == nil {
			if len(answers) == 0 {
				return nil, fmt.Errorf("judge batch: item %d of %d has no answer", i, len(b.faults))
			}
			a, answers = answers[0], answers[1:]
		}
		merged = append(merged, a)
		if b.stop(a) {
			break
		}
	}
	return merged, nil
}

// basisOf is what a batch's decisions rest on: they share it.
func basisOf(answers []decision.Answer) decision.Basis {
	for _, a := range answers {
		if a.Err == nil {
			return a.Decision.Basis
		}
	}
	return decision.Basis{}
}
