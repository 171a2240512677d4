package token

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"doorward/internal/directory"
	"doorward/internal/problem"
)

// Why a request's credentials are refused before any token is looked at.
var (
	// ErrMissing: a token is needed and none was sent.
	ErrMissing = errors.New("token missing")
	// ErrHeader: the Authorization header is not one Bearer credential.
	ErrHeader = errors.New("not a Bearer credential")
	// ErrPage: a web page asks without a token.
	ErrPage = errors.New("asked by a web page")
)

// A Guard lets requests with a good token pass and answers all others itself.
type Guard struct {
	Verifier *Verifier
	// Required refuses requests without a token. A token that is sent is judged in
	// any case: a client that believes it is known must learn that it is not.
	Required bool
	Log      *slog.Logger
}

// Always is the guard that requires a token whatever else holds, for what must not be
// open to every process on the machine.
func (g *Guard) Always() *Guard { return &Guard{Verifier: g.Verifier, Required: true, Log: g.Log} }

// Protect returns a handler that calls next for requests that may do what the
// scope says, or one of others.
func (g *Guard) Protect(scope Scope, next http.Handler, others ...Scope) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t, err := g.check(r, scope)
		for _, other := range others {
			if errors.Is(err, ErrScope) {
				t, err = g.check(r, other)
			}
		}
		if err != nil {
			problem.Handle(g.Log, func(http.ResponseWriter, *http.Request) error { return refusal(err) }).ServeHTTP(w, r)
			return
		}
		if t.Limits != nil || scope == Manage || scope == Policy { // decisions have no use for more
			r = r.WithContext(context.WithValue(r.Context(), clientKey{}, t))
		}
		next.ServeHTTP(w, r)
	})
}

// check returns the token of a request; the zero Token, without limits, when none was
// sent and none is needed.
func (g *Guard) check(r *http.Request, scope Scope) (directory.Token, error) {
	text, err := bearer(r.Header)
	if errors.Is(err, ErrMissing) && !g.Required {
		return directory.Token{}, refusePages(r.Header)
	}
	if err != nil {
		return directory.Token{}, err
	}
	return g.Verifier.Verify(r.Context(), text, scope)
}

// refusePages keeps web pages from asking a Doorward that wants no tokens, by way
// of somebody's browser on the same machine. That it listens on loopback alone is
// no help then, nor is the content type, when the page's own name is made to
// resolve to this machine. Browsers send Origin with every POST (Fetch standard,
// section 3.2); services never do.
func refusePages(h http.Header) error {
	if _, page := h["Origin"]; page {
		return ErrPage
	}
	return nil
}

// refusal gives an error its answer. Malformed, unknown and revoked look the same
// to the client.
func refusal(err error) error {
	switch {
	case errors.Is(err, ErrPage):
		return &problem.Error{Code: problem.Forbidden, Detail: "Web pages may not ask without a client token.", Err: err}
	case errors.Is(err, ErrScope):
		return &problem.Error{Code: problem.Forbidden, Err: err}
	case errors.Is(err, ErrMalformed), errors.Is(err, ErrRefused):
		return &problem.Error{Code: problem.Unauthenticated, Detail: "This token is not known, or it was revoked.", Err: err}
	case errors.Is(err, ErrMissing), errors.Is(err, ErrHeader):
		return &problem.Error{Code: problem.Unauthenticated, Err: err}
	}
	return err
}

// bearer returns the token of an Authorization header (RFC 6750 section 2.1). Two
// headers are refused: which of them counts would be anybody's guess (S9).
func bearer(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) == 0 {
		return "", ErrMissing
	}
	scheme, text, ok := strings.Cut(values[0], " ")
	// RFC 9110 section 11.1: the scheme's case does not matter.
	if len(values) > 1 || !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", ErrHeader
	}
	return strings.TrimLeft(text, " "), nil
}
