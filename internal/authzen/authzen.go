// Package authzen serves the AuthZEN Authorization API 1.0: Access Evaluation,
// Access Evaluations and the searches, over HTTP with JSON (sections 6 to 8 and 10 of
// the specification).
//
// It reads requests strictly and writes answers; it does not know what any
// subject, action or resource means, nor who the client is. Its invariants: only
// a decision that allows is written as true; whatever is wrong with a request, or
// cannot be judged, is an error and never an allow; the same question on the same
// facts gets the same bytes.
package authzen

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"

	"doorward/internal/decision"
	"doorward/internal/explain"
	"doorward/internal/ijson"
	"doorward/internal/portal"
	"doorward/internal/problem"
)

// The paths served: the defaults of section 10.1.
const (
	EvaluationPath  = "/access/v1/evaluation"
	EvaluationsPath = "/access/v1/evaluations"
)

// A Decider judges questions. Errors are *decision.UnavailableError.
type Decider interface {
	Decide(context.Context, decision.Question) (decision.Decision, error)
	// DecideAll judges questions in order, by one policy and at one position, and
	// ends after the first answer for which stop, which may be nil, is true.
	DecideAll(ctx context.Context, questions []decision.Question, stop func(decision.Answer) bool) ([]decision.Answer, error)
}

// An Explainer judges a question as the Decider does and says why. Its error is a
// *decision.UnavailableError.
type Explainer interface {
	Explain(context.Context, decision.Question) (explain.Explanation, error)
}

// A Handler serves the evaluation endpoints, and the searches.
type Handler struct {
	Decider   Decider
	Explainer Explainer // nil: nothing is explained
	Searcher  Searcher  // nil: nothing is searched
	Pager     *Pager    // for the Searcher
	// Limits returns what the client of a request may ask about. nil: everything.
	Limits func(context.Context) *portal.Limits
	// Admit stands before explanations, which disclose facts: it passes on requests
	// of those who may have one. nil: nothing is explained.
	Admit func(http.Handler) http.Handler
	Log   *slog.Logger              // nil: nothing is logged
	last  atomic.Pointer[basisText] // the basis written last
}

// A Mux takes handlers by pattern, as *http.ServeMux does.
type Mux interface {
	Handle(pattern string, handler http.Handler)
}

// Register adds the endpoints to mux, for every method: what is not POST is
// answered with a problem (405).
func (h *Handler) Register(mux Mux) {
	mux.Handle(EvaluationPath, h.orExplained(problem.Handle(h.Log, h.endpoint(h.evaluation)), h.explaining()))
	mux.Handle(EvaluationsPath, h.orExplained(problem.Handle(h.Log, h.endpoint(h.evaluations)), problem.Handle(h.Log, oneAtATime)))
	if h.Searcher != nil {
		h.RegisterSearch(mux)
	}
}

// An endpoint answers a body that was read.
type endpoint func(http.ResponseWriter, *http.Request, ijson.Value) error

func (h *Handler) endpoint(serve endpoint) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodPost {
			return &problem.Error{Code: problem.MethodNotAllowed, Allow: http.MethodPost}
		}
		if !isJSON(r.Header["Content-Type"]) {
			return &problem.Error{Code: problem.WrongContentType}
		}
		r, err := withMinimum(r)
		if err != nil {
			return err
		}
		body, err := readBody(w, r)
		if err != nil {
			return err
		}
		return serve(w, r, body)
	}
}

// evaluation answers one question.
func (h *Handler) evaluation(w http.ResponseWriter, r *http.Request, body ijson.Value) error {
	q, err := frame{own: body, index: topLevel}.question()
	if err != nil {
		return err
	}
	if err := admit(h.limits(r), q); err != nil {
		return err
	}
	d, err := h.Decider.Decide(r.Context(), q)
	if err != nil {
		return err
	}
	buffer := buffers.Get().(*[]byte)
	defer release(buffer)
	*buffer = appendDecision((*buffer)[:0], d)
	h.reply(w, d.Basis, *buffer)
	return nil
}

// evaluations answers a batch; without items it is one question (c-3-4-2, c-3-4-3).
func (h *Handler) evaluations(w http.ResponseWriter, r *http.Request, body ijson.Value) error {
	batch, err := readBatch(body, h.limits(r))
	if err != nil {
		return err
	}
	if len(batch.faults) == 0 {
		return h.evaluation(w, r, body)
	}
	answers, err := h.judge(r.Context(), batch)
	if err != nil {
		return err
	}
	h.recordUnjudged(r.Context(), answers)
	buffer := buffers.Get().(*[]byte)
	defer release(buffer)
	*buffer = appendBatch((*buffer)[:0], answers)
	h.reply(w, basisOf(answers), *buffer)
	return nil
}

// recordUnjudged logs that items could not be judged: once for the batch, for
// they mostly share one cause.
func (h *Handler) recordUnjudged(ctx context.Context, answers []decision.Answer) {
	var unjudged []error
	for _, a := range answers {
		if a.Err != nil && problem.From(a.Err).Status() >= http.StatusInternalServerError {
			unjudged = append(unjudged, a.Err)
		}
	}
	if len(unjudged) > 0 && h.Log != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "items of a batch not judged",
			slog.Int("items", len(unjudged)), slog.Any("first_error", unjudged[0]))
	}
}
