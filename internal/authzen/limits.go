package authzen

import (
	"net/http"

	"doorward/internal/decision"
	"doorward/internal/portal"
	"doorward/internal/problem"
)

// limits are what the client of a request may ask about; nil: everything.
func (h *Handler) limits(r *http.Request) *portal.Limits {
	if h.Limits == nil {
		return nil
	}
	return h.Limits(r.Context())
}

// admit refuses a question that the client's limits keep from it, before anything is
// judged: a denial would already tell something. Whose account cannot be told is
// refused, too.
func admit(l *portal.Limits, q decision.Question) error {
	if l == nil {
		return nil
	}
	if account, ok := decision.AccountOf(q); ok && l.Admit(account, q.Resource.Type) {
		return nil
	}
	return &problem.Error{Code: problem.Forbidden, Detail: "This token is limited to some accounts or types of resources, and the question is about another, or about none."}
}
