package authzen

import (
	"net/http"

	"doorward/internal/decision"
	"doorward/internal/portal"
	"doorward/internal/problem"
)

// headerMinimum demands that a question is answered from facts of a position or later
// ones: whoever has just added something sees it (R15). Its value is that of a
// Doorward-Revision that was answered with.
const headerMinimum = "Doorward-Min-Revision"

// withMinimum returns the request with what it demands. A demand that cannot be read
// must not be taken for none.
func withMinimum(r *http.Request) (*http.Request, error) {
	values := r.Header[headerMinimum]
	if len(values) == 0 {
		return r, nil
	}
	min, err := portal.ParseMark(values[0])
	if err != nil || len(values) > 1 {
		return nil, &problem.Error{
			Code: problem.InvalidRequest, Detail: "The header " + headerMinimum + " must be there once, with the value of a " + headerRevision + ".", Err: err,
		}
	}
	return r.WithContext(decision.WithMinimum(r.Context(), min)), nil
}
