package authzen

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"doorward/internal/ijson"
	"doorward/internal/problem"
)

// parameter is the part of a request's query that asks why.
const parameter = "explain"

// orExplained returns a handler that calls explained for requests that ask why, and
// plain for all others. What else a query holds is ignored.
func (h *Handler) orExplained(plain, explained http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			plain.ServeHTTP(w, r)
			return
		}
		why, err := asksWhy(r.URL.RawQuery)
		switch {
		case err != nil:
			problem.Handle(h.Log, func(http.ResponseWriter, *http.Request) error { return err }).ServeHTTP(w, r)
		case why:
			explained.ServeHTTP(w, r)
		default:
			plain.ServeHTTP(w, r)
		}
	})
}

// asksWhy reads the parameter: there once, with no value, true or 1. Another value is
// refused, false as well: whoever wants no explanation does not ask for one.
func asksWhy(query string) (bool, error) {
	values, err := url.ParseQuery(query)
	asked := values[parameter]
	switch {
	case err != nil && (len(asked) > 0 || strings.Contains(query, parameter)), len(asked) > 1:
	case len(asked) == 0:
		return false, nil
	case slices.Contains([]string{"", "true", "1"}, asked[0]):
		return true, nil
	}
	return false, &problem.Error{
		Code: problem.InvalidRequest, Detail: "The query must have explain once, without a value or as explain=true or explain=1, or not at all.",
	}
}

// oneAtATime refuses to explain a batch.
func oneAtATime(http.ResponseWriter, *http.Request) error {
	return &problem.Error{
		Code: problem.InvalidRequest, Detail: "One question at a time is explained: ask " + EvaluationPath + "?" + parameter + ".",
	}
}

// explaining answers one question with why, for those who are admitted.
func (h *Handler) explaining() http.Handler {
	if h.Explainer == nil || h.Admit == nil {
		return problem.Handle(h.Log, func(http.ResponseWriter, *http.Request) error {
			return &problem.Error{Code: problem.Forbidden, Detail: "Nothing is explained here."}
		})
	}
	return h.Admit(problem.Handle(h.Log, h.endpoint(h.explanation)))
}

// explanation answers one question, and adds why to the answer.
func (h *Handler) explanation(w http.ResponseWriter, r *http.Request, body ijson.Value) error {
	q, err := frame{own: body, index: topLevel}.question()
	if err != nil {
		return err
	}
	if err := admit(h.limits(r), q); err != nil {
		return err
	}
	x, err := h.Explainer.Explain(r.Context(), q)
	if err != nil {
		return err
	}
	why, err := x.AppendJSON(nil)
	if err != nil {
		return fmt.Errorf("write explanation: %w", err)
	}
	h.reply(w, x.Decision.Basis, appendExplained(nil, x.Decision, why))
	return nil
}
