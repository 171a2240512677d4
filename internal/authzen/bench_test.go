package authzen

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"doorward/internal/decision"
)

// always allows at once, so that the benchmark measures reading and writing.
type always struct{}

func (always) Decide(context.Context, decision.Question) (decision.Decision, error) {
	return decision.Decision{Allow: true, Basis: basis}, nil
}

func (always) DecideAll(context.Context, []decision.Question, func(decision.Answer) bool) ([]decision.Answer, error) {
	return nil, nil
}

// discard is a ResponseWriter that costs nothing itself.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkHandler compares an answer against a handler that only decodes the
// same body with encoding/json (design 9), both without a network.
func BenchmarkHandler(b *testing.B) {
	mux := http.NewServeMux()
	(&Handler{Decider: always{}}).Register(mux)
	decode := http.NewServeMux()
	decode.HandleFunc("POST "+EvaluationPath, func(w http.ResponseWriter, r *http.Request) {
		var v map[string]any
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			b.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"decision":true}`)
	})
	body := ask(alice, read, `{"type":"invoice","id":"2024-17","properties":{"account":"1001"}}`, `"context":{"amr":["pwd","otp"],"auth_time":1760000000}`)
	for name, handler := range map[string]http.Handler{"evaluation": EchoRequestID(mux), "decode only": decode} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("POST", EvaluationPath, nil)
			r.Header.Set("Content-Type", "application/json")
			reader := strings.NewReader(body)
			r.Body = io.NopCloser(reader)
			w := discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				reader.Reset(body)
				clear(w.header)
				handler.ServeHTTP(w, r)
			}
		})
	}
}
