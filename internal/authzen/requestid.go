package authzen

import "net/http"

// headerRequestID is X-Request-ID as net/http spells it.
const headerRequestID = "X-Request-Id"

// EchoRequestID makes every answer of next carry the request's X-Request-ID, as
// it is, whatever the answer (section 10.1.3). It belongs around everything else,
// so that refusals that come before the endpoints have it too.
func EchoRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, sent := r.Header[headerRequestID]; sent {
			w.Header()[headerRequestID] = id
		}
		next.ServeHTTP(w, r)
	})
}
