package token_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/token"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func admin(store directory.Store) *token.Admin {
	return &token.Admin{Store: store, Now: func() time.Time { return noon }, Actor: "cli:test"}
}

func create(t *testing.T, store directory.Store) token.Created {
	t.Helper()
	made, err := admin(store).Create(t.Context(), "billing", []string{"decide"})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// S26: what is stored does not give the secret away.
func TestOnlyTheDigestIsStored(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "d.db"))
	made := create(t, store)
	stored, err := store.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(stored) != 1 || stored[0].ID != made.ID || stored[0].Digest != made.Digest || !stored[0].CreatedAt.Equal(noon) {
		t.Errorf("stored %+v, made %+v", stored, made)
	}
	secret := strings.Split(made.Text, "_")[2]
	if len(secret) != 52 { // 256 bits, five a character
		t.Errorf("the secret %q has %d characters, want 52", secret, len(secret))
	}
	if strings.Contains(string(stored[0].Digest[:]), secret) || strings.Contains(stored[0].ID, secret) {
		t.Error("the secret is stored")
	}
}

func TestEveryTokenIsAnother(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "d.db"))
	if a, b := create(t, store), create(t, store); a.Text == b.Text || a.ID == b.ID || a.Digest == b.Digest {
		t.Errorf("%q and %q", a.Text, b.Text)
	}
}

// S26
func TestVerify(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "d.db"))
	made, other := create(t, store), create(t, store)
	parts := strings.Split(made.Text, "_")
	otherSecret := strings.Split(other.Text, "_")[2]
	stranger := strings.Repeat("a", len(made.ID))
	for _, c := range []struct {
		name, text string
		scope      token.Scope
		want       error
	}{
		{"the token", made.Text, token.Decide, nil},
		{"another scope", made.Text, "manage", token.ErrScope},
		{"no scope", made.Text, "", token.ErrScope},
		{"another's secret", "dw_" + made.ID + "_" + otherSecret, token.Decide, token.ErrRefused},
		{"unknown id", "dw_" + stranger + "_" + parts[2], token.Decide, token.ErrRefused},
		{"one letter changed", made.Text[:len(made.Text)-1] + flip(made.Text[len(made.Text)-1]), token.Decide, token.ErrRefused},
		{"capitals", "dw_" + made.ID + "_" + strings.ToUpper(parts[2]), token.Decide, token.ErrRefused},
		{"other mark", "DW_" + made.ID + "_" + parts[2], token.Decide, token.ErrMalformed},
		{"cut", made.Text[:len(made.Text)-1], token.Decide, token.ErrMalformed},
		{"longer", made.Text + "a", token.Decide, token.ErrMalformed},
		{"a part more", made.Text + "_", token.Decide, token.ErrMalformed},
		{"space in front", " " + made.Text, token.Decide, token.ErrMalformed},
		{"only the id", made.ID, token.Decide, token.ErrMalformed},
		{"nothing", "", token.Decide, token.ErrMalformed},
	} {
		got, err := token.NewVerifier(store).Verify(t.Context(), c.text, c.scope)
		if !errors.Is(err, c.want) || (c.want == nil) != (got.ID == made.ID) {
			t.Errorf("%s: token %q, error %v; want %v", c.name, got.ID, err, c.want)
		}
	}
}

func flip(letter byte) string {
	if letter == 'a' {
		return "b"
	}
	return "a"
}

// A revocation by another process, here by another handle of the same file, is
// seen by the very next request.
func TestRevocationElsewhereIsSeenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.db")
	serving, tool := open(t, path), open(t, path)
	verifier := token.NewVerifier(serving)
	for range 20 {
		made := create(t, tool)
		if _, err := verifier.Verify(t.Context(), made.Text, token.Decide); err != nil {
			t.Fatalf("a token just made is refused: %v", err)
		}
		if _, err := admin(tool).Revoke(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := verifier.Verify(t.Context(), made.Text, token.Decide); !errors.Is(err, token.ErrRefused) {
			t.Fatalf("a revoked token: error %v, want ErrRefused", err)
		}
	}
}

func TestVerifyFailsClosed(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "d.db"))
	made := create(t, store)
	verifier := token.NewVerifier(store)
	if _, err := verifier.Verify(t.Context(), made.Text, token.Decide); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(t.Context(), made.Text, token.Decide); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}

func TestRefusedArguments(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "d.db"))
	before, err := store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		scopes []string
		want   string
	}{
		{"", []string{"decide"}, "a token's name has 1 to 64 bytes"},
		{"a\x1b[31m", []string{"decide"}, "no control characters"},
		{strings.Repeat("n", 65), []string{"decide"}, "1 to 64 bytes"},
		{"billing", nil, "a token needs a scope: decide"},
		{"billing", []string{"decide", "Manage"}, `"Manage" is no scope; there is: decide`},
	} {
		_, err := admin(store).Create(t.Context(), c.name, c.scopes)
		if _, ok := errors.AsType[*token.ArgumentError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %v: error %v, want %q", c.name, c.scopes, err, c.want)
		}
	}
	if head, err := store.Head(t.Context()); err != nil || head != before {
		t.Errorf("head %v, error %v: a refused token changed something", head, err)
	}
}

// req 111: who did it is in the trail, the secret is not.
func TestTheTrailTellsOfTokens(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "d.db"))
	made := create(t, store)
	for range 2 { // the second changes nothing and so leaves no line
		revoked, err := admin(store).Revoke(t.Context(), made.ID)
		if err != nil || !revoked.RevokedAt.Equal(noon) {
			t.Fatalf("%+v, %v", revoked, err)
		}
	}
	var got []string
	for line, err := range store.AuditLines(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line.Object, "token:") {
			got = append(got, line.Actor+" "+line.Action+" "+line.Object)
		}
	}
	want := []string{"cli:test token.create token:" + made.ID, "cli:test token.revoke token:" + made.ID}
	if !slices.Equal(got, want) {
		t.Errorf("trail %q, want %q", got, want)
	}
	if _, err := admin(store).Revoke(t.Context(), "nobody"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("unknown id: %v, want ErrNotFound", err)
	}
}

func TestGuard(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "d.db"))
	made, gone := create(t, store), create(t, store)
	if _, err := admin(store).Revoke(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	passes := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, c := range []struct {
		name          string
		authorization []string
		scope         token.Scope
		open, guarded int // status without and with Required
	}{
		{"none", nil, token.Decide, 204, 401},
		{"good", []string{"Bearer " + made.Text}, token.Decide, 204, 204},
		{"the scheme's case does not matter", []string{"bEARER " + made.Text}, token.Decide, 204, 204},
		{"several spaces", []string{"Bearer   " + made.Text}, token.Decide, 204, 204},
		{"wrong scope", []string{"Bearer " + made.Text}, "manage", 403, 403},
		{"revoked", []string{"Bearer " + gone.Text}, token.Decide, 401, 401},
		{"malformed", []string{"Bearer secret"}, token.Decide, 401, 401},
		{"empty", []string{""}, token.Decide, 401, 401},
		{"no scheme", []string{made.Text}, token.Decide, 401, 401},
		{"other scheme", []string{"Basic " + made.Text}, token.Decide, 401, 401},
		{"two headers, both good (S9)", []string{"Bearer " + made.Text, "Bearer " + made.Text}, token.Decide, 401, 401},
		{"two in one header", []string{"Bearer " + made.Text + ", Bearer " + made.Text}, token.Decide, 401, 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			for required, want := range map[bool]int{false: c.open, true: c.guarded} {
				guard := &token.Guard{Verifier: token.NewVerifier(store), Required: required}
				r := httptest.NewRequest(http.MethodPost, "/", nil)
				r.Header["Authorization"] = c.authorization
				w := httptest.NewRecorder()
				guard.Protect(c.scope, passes).ServeHTTP(w, r)
				if w.Code != want {
					t.Errorf("required %v: status %d, want %d: %s", required, w.Code, want, w.Body)
				}
				if challenged := w.Header().Get("WWW-Authenticate") != ""; challenged != (want == 401) {
					t.Errorf("required %v: WWW-Authenticate %q", required, w.Header().Get("WWW-Authenticate"))
				}
				if strings.Contains(w.Body.String(), strings.Split(made.Text, "_")[2]) {
					t.Errorf("the answer repeats the secret: %s", w.Body)
				}
			}
		})
	}
}

// Where a token is required in any case, none is 401 from anywhere, also of a Doorward
// that wants none for questions; and whoever comes is known by it.
func TestAlways(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "d.db"))
	made, err := admin(store).Create(t.Context(), "portal", []string{"manage"})
	if err != nil {
		t.Fatal(err)
	}
	var client string
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { client = token.Client(r.Context()) })
	guard := (&token.Guard{Verifier: token.NewVerifier(store)}).Always()
	for _, c := range []struct {
		authorization, client string
		status                int
	}{{"", "", 401}, {"Bearer " + create(t, store).Text, "", 403}, {"Bearer " + made.Text, made.ID, 200}} {
		r := httptest.NewRequest(http.MethodPut, "/", nil)
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		w := httptest.NewRecorder()
		guard.Protect(token.Manage, next).ServeHTTP(w, r)
		if w.Code != c.status || client != c.client {
			t.Errorf("%q: status %d, client %q", c.authorization, w.Code, client)
		}
	}
	if id := token.Client(t.Context()); id != "" {
		t.Errorf("a request that no guard has seen is of %q", id)
	}
}

// A page in a browser on the same machine can reach loopback, and by rebinding its
// name even as its own origin.
func TestGuardRefusesWebPagesWithoutToken(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "d.db"))
	made := create(t, store)
	for authorization, want := range map[string]int{"": http.StatusForbidden, "Bearer " + made.Text: http.StatusNotFound} {
		for _, origin := range []string{"http://evil.example:8080", "http://127.0.0.1:8080", "null", ""} {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header["Origin"] = []string{origin}
			if authorization != "" {
				r.Header.Set("Authorization", authorization)
			}
			w := httptest.NewRecorder()
			(&token.Guard{Verifier: token.NewVerifier(store)}).Protect(token.Decide, http.NotFoundHandler()).ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%q from %q: status %d, want %d", authorization, origin, w.Code, want)
			}
		}
	}
}

func TestGuardAnswers503WhenTokensCannotBeRead(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "d.db"))
	made := create(t, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	guard := &token.Guard{Verifier: token.NewVerifier(store)}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Authorization", "Bearer "+made.Text)
	w := httptest.NewRecorder()
	guard.Protect(token.Decide, http.NotFoundHandler()).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", w.Code)
	}
}

// nobody is a directory without tokens.
type nobody struct{}

func (nobody) Tokens(context.Context) ([]directory.Token, error) { return nil, nil }
func (nobody) Stamp() directory.Stamp                            { return directory.Stamp{1} }

func FuzzVerify(f *testing.F) {
	for _, seed := range []string{"", "dw__", "dw_a_b", "dw_" + strings.Repeat("a", 16) + "_" + strings.Repeat("a", 52), "\xff_\x00_"} {
		f.Add(seed)
	}
	verifier := token.NewVerifier(nobody{})
	f.Fuzz(func(t *testing.T, text string) {
		_, err := verifier.Verify(t.Context(), text, token.Decide)
		if !errors.Is(err, token.ErrMalformed) && !errors.Is(err, token.ErrRefused) {
			t.Errorf("Verify(%q): %v", text, err)
		}
	})
}
