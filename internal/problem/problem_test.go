package problem

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/ijson"
)

// errDriver stands for text of a driver, which callers must never see.
var errDriver = errors.New(`sqlite: /var/lib/doorward: SELECT * FROM users WHERE email='anna@example.com'`)

func answer(t *testing.T, err error) (*httptest.ResponseRecorder, string) {
	t.Helper()
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := Handle(logger, func(http.ResponseWriter, *http.Request) error { return err })
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/x", nil))
	return w, log.String()
}

func TestErrorsAndAnswers(t *testing.T) {
	tooLarge := func() error {
		body := http.MaxBytesReader(nil, io.NopCloser(strings.NewReader("12345")), 4)
		_, err := io.ReadAll(body)
		return err
	}()
	_, malformed := ijson.Parse([]byte(`{"a":{"b":1,"b":2}}`))
	unavailable := func(u decision.Unavailability) error {
		return fmt.Errorf("decide: %w", &decision.UnavailableError{Code: u, Err: errDriver})
	}
	for _, c := range []struct {
		err     error
		status  int
		code    Code
		pointer string
	}{
		{&Error{Code: InvalidRequest, Detail: "d", Pointer: "/subject"}, 400, InvalidRequest, "/subject"},
		{fmt.Errorf("wrapped: %w", &Error{Code: Forbidden, Err: errDriver}), 403, Forbidden, ""},
		{malformed, 400, MalformedJSON, "/a/b"},
		{tooLarge, 413, BodyTooLarge, ""},
		{unavailable(decision.NotReady), 503, NotReady, ""},
		{unavailable(decision.FactsUnavailable), 503, FactsUnavailable, ""},
		{unavailable(decision.PolicyError), 503, PolicyError, ""},
		{unavailable(decision.Deadline), 503, Deadline, ""},
		{unavailable("stale"), 503, Stale, ""},
		{unavailable("revision_not_reached"), 503, RevisionNotReached, ""},
		{unavailable("not_recorded"), 503, NotRecorded, ""},
		{unavailable("of_tomorrow"), 503, Unavailable, ""},
		{&decision.UnavailableError{Code: decision.FactsUnavailable, Err: directory.ErrNotFound}, 503, FactsUnavailable, ""},
		{fmt.Errorf("read: %w: %w", directory.ErrUnavailable, errDriver), 503, DirectoryUnavailable, ""},
		{fmt.Errorf("%w: %w: %w", directory.ErrOutcomeUnknown, context.DeadlineExceeded, errDriver), 500, OutcomeUnknown, ""},
		{fmt.Errorf("account 7: %w", directory.ErrNotFound), 404, NotFound, ""},
		{fmt.Errorf("%w: %w", directory.ErrInvalid, errDriver), 422, ChangeRefused, ""},
		{fmt.Errorf("%w: %w", context.DeadlineExceeded, errDriver), 503, Deadline, ""},
		{context.Canceled, 503, Interrupted, ""},
		{errDriver, 500, Internal, ""},
		{&Error{Code: "no such code", Err: errDriver}, 500, Internal, ""},
	} {
		w, log := answer(t, c.err)
		var got map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%v: %v in %s", c.err, err, w.Body)
		}
		if w.Code != c.status || got["status"] != float64(c.status) || got["type"] != TypePrefix+string(c.code) {
			t.Errorf("%v: got %d %s, want %d %s", c.err, w.Code, w.Body, c.status, c.code)
		}
		if pointer, _ := got["pointer"].(string); pointer != c.pointer {
			t.Errorf("%v: pointer %q, want %q", c.err, pointer, c.pointer)
		}
		if got["title"] == "" || got["detail"] == "" {
			t.Errorf("%v: an empty text in %s", c.err, w.Body)
		}
		if _, decided := got["decision"]; decided || strings.Contains(w.Body.String(), "sqlite") {
			t.Errorf("%v: the answer says too much: %s", c.err, w.Body)
		}
		if ct, cc := w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"); ct != "application/problem+json" || cc != "no-store" {
			t.Errorf("%v: Content-Type %q, Cache-Control %q", c.err, ct, cc)
		}
		if lines := strings.Count(log, "\n"); lines != 1 {
			t.Errorf("%v: logged %d times:\n%s", c.err, lines, log)
		}
		level := `"level":"DEBUG"`
		if c.status >= 500 {
			level = `"level":"ERROR"`
		}
		if !strings.Contains(log, level) || errors.Is(c.err, errDriver) && !strings.Contains(log, "sqlite") {
			t.Errorf("%v: want %s and the cause in %s", c.err, level, log)
		}
	}
}

func TestHeadersOfProblems(t *testing.T) {
	for _, c := range []struct {
		err          *Error
		header, want string
	}{
		{&Error{Code: NotReady}, "Retry-After", "1"},
		{&Error{Code: Unauthenticated}, "Www-Authenticate", `Bearer realm="doorward"`},
		{&Error{Code: MethodNotAllowed, Allow: "POST"}, "Allow", "POST"},
		{&Error{Code: InvalidRequest}, "Retry-After", ""},
	} {
		if w, _ := answer(t, c.err); w.Header().Get(c.header) != c.want {
			t.Errorf("%s: %s is %q, want %q", c.err.Code, c.header, w.Header().Get(c.header), c.want)
		}
	}
}

func TestBegunAnswerStands(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"written": func(w http.ResponseWriter) { _, _ = io.WriteString(w, "begun") },
		"status":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted) },
		"flushed": func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
	} {
		var log bytes.Buffer
		h := Handle(slog.New(slog.NewTextHandler(&log, nil)), func(w http.ResponseWriter, _ *http.Request) error {
			begin(w)
			return errDriver
		})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.Code >= 400 || strings.Contains(w.Body.String(), "problem") {
			t.Errorf("%s: a begun answer was overwritten: %d %s", name, w.Code, w.Body)
		}
		if !strings.Contains(log.String(), "begun=true") {
			t.Errorf("%s: the error was not logged: %s", name, log.String())
		}
	}
}

func TestFailedAnswerLeavesNothingBehind(t *testing.T) {
	h := Handle(nil, func(w http.ResponseWriter, _ *http.Request) error {
		for _, k := range []string{"Content-Length", "ETag", "Content-Encoding"} {
			w.Header().Set(k, "7")
		}
		w.Header().Set("Content-Type", "text/csv")
		return &Error{Code: NotFound}
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	for _, k := range []string{"Content-Length", "ETag", "Content-Encoding"} {
		if got := w.Header().Get(k); got != "" {
			t.Errorf("%s: %q is left", k, got)
		}
	}
}

// A client that went away is no failure of Doorward's.
func TestClientGoneIsNotAnError(t *testing.T) {
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	h := Handle(slog.New(slog.NewTextHandler(&log, nil)), func(_ http.ResponseWriter, r *http.Request) error { return r.Context().Err() })
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
	if log.Len() > 0 {
		t.Errorf("logged above debug level: %s", log.String())
	}
}

// What is the matter in several places is told of each, and the first stands for all.
func TestSeveralThings(t *testing.T) {
	each := []Each{{"email is missing", "/records/0/email"}, {"is no object", "/records/7"}}
	w, log := answer(t, fmt.Errorf("read: %w", Several(InvalidRequest, each)))
	var got body
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := body{"urn:doorward:problem:invalid_request", "The request is not valid", 400, "email is missing (and 1 more, see errors)", "/records/0/email", each}
	if diff := cmp.Diff(want, got); diff != "" || strings.Count(log, "\n") != 1 {
		t.Errorf("%s(-want +got):\n%s", log, diff)
	}
	if w, _ := answer(t, Several(Conflict, each[1:])); w.Code != 409 || !strings.Contains(w.Body.String(), `"detail":"is no object","pointer":"/records/7","errors":[{`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// S42: what the caller chose is one escaped record.
func TestCallersTextIsEscaped(t *testing.T) {
	_, err := ijson.Parse([]byte("{\"x\\n{\\\"level\\\":\\\"info\\\"}\\u001b[31m\\u202e\":tru}"))
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"json": func(w io.Writer) slog.Handler {
			return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
		},
		"text": func(w io.Writer) slog.Handler {
			return slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
		},
	} {
		var log bytes.Buffer
		h := Handle(slog.New(handler(&log)), func(http.ResponseWriter, *http.Request) error { return err })
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/%1b%0a", nil))
		if strings.Count(log.String(), "\n") != 1 || strings.ContainsAny(log.String(), "\x1b\u202e") {
			t.Errorf("%s: %q", name, log.String())
		}
	}
	p := &Error{Code: InvalidRequest, Detail: "d", Pointer: "/a\n\u202e"}
	if got, want := p.Text(), `"/a\n\u202e": d`; got != want {
		t.Errorf("Text: got %s, want %s", got, want)
	}
}

// docs/problems.md lists exactly the codes of the table, with their statuses.
func TestProblemsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); len(cells) > 3 && strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			got[strings.Trim(cells[1], " `")+" "+strings.TrimSpace(cells[2])] = true
		}
	}
	want := map[string]bool{}
	for code, k := range kinds {
		want[fmt.Sprintf("%s %d", code, k.status)] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/problems.md (-code +page):\n%s", diff)
	}
}
