package manage

import (
	"context"
	"errors"
	"io"
	"net/http"

	"doorward/internal/directory"
	"doorward/internal/fault"
	"doorward/internal/gate/barrier"
	"doorward/internal/ijson"
	"doorward/internal/policy/bundle"
	"doorward/internal/portal"
	"doorward/internal/problem"
)

// Policies promotes policies (R13).
type Policies interface {
	// Promote puts the policy of a signed bundle in force, by a client. Its errors are
	// bundle.ErrRefused, a fault.List for a policy that is not sound, or the store's.
	Promote(ctx context.Context, client string, bundle []byte) (directory.Promotion, portal.Position, error)
	// Promoted is what was promoted last.
	Promoted(context.Context) (directory.Promotion, error)
}

// RegisterPolicy adds the routes of the policy to mux, for those who may promote one.
func (h *Handler) RegisterPolicy(mux Mux) {
	mux.Handle("GET /v1/policy", problem.Handle(h.Log, h.promoted))
	mux.Handle("PUT /v1/policy", problem.Handle(h.Log, h.promote))
}

// bundleType is the media type of a bundle.
const bundleType = "application/gzip"

// promote puts the policy that the body is a bundle of in force at every gate.
func (h *Handler) promote(w http.ResponseWriter, r *http.Request) error {
	if err := h.beginAbout(r); err != nil {
		return err
	}
	if t := r.Header.Values("Content-Type"); len(t) != 1 || t[0] != bundleType {
		return &problem.Error{Code: problem.WrongContentType, Detail: "A policy is sent as a bundle, with Content-Type: " + bundleType + "."}
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, directory.MaxBundle))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return err
	}
	if err != nil {
		return &problem.Error{Code: problem.UnreadableBody, Err: err}
	}
	p, at, err := h.Policies.Promote(r.Context(), h.Client(r.Context()), data)
	if err != nil {
		return unsound(err)
	}
	return h.conclude(w, r, http.StatusOK, barrier.Done{At: at, Committed: true}, promotion(p))
}

// unsound says what is wrong with a policy.
func unsound(err error) error {
	if errors.Is(err, bundle.ErrRefused) {
		return &problem.Error{Code: problem.InvalidRequest, Detail: err.Error()}
	}
	if faults, ok := errors.AsType[fault.List](err); ok {
		list := make([]problem.Each, len(faults))
		for i, f := range faults {
			list[i] = problem.Each{Detail: f.Error()}
		}
		return problem.Several(problem.InvalidRequest, list)
	}
	return err
}

// promoted shows which policy was promoted last.
func (h *Handler) promoted(w http.ResponseWriter, r *http.Request) error {
	if err := h.beginAbout(r); err != nil {
		return err
	}
	p, err := h.Policies.Promoted(r.Context())
	if err != nil {
		return err
	}
	at, err := h.Store.Head(r.Context())
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, at, promotion(p))
	return nil
}

func promotion(p directory.Promotion) ijson.Value {
	return ijson.ObjectValue(
		ijson.Member{Name: "digest", Value: ijson.StringValue(p.Digest)},
		ijson.Member{Name: "promoted", Value: number(int64(p.Revision))},
	)
}
