package token_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory/sqlite"
	"doorward/internal/portal"
	"doorward/internal/token"
)

// passed returns what limits a request with the token has behind a guard.
func passed(t *testing.T, store *sqlite.Store, text string) (limits *portal.Limits) {
	t.Helper()
	guard := &token.Guard{Verifier: token.NewVerifier(store)}
	reached := false
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { limits, reached = token.Limits(r.Context()), true })
	r := httptest.NewRequest("POST", "/", nil)
	if text != "" {
		r.Header.Set("Authorization", "Bearer "+text)
	}
	if guard.Protect(token.Decide, next).ServeHTTP(httptest.NewRecorder(), r); !reached {
		t.Fatal("the guard let nothing pass")
	}
	return limits
}

// A token's limits reach whatever the guard stands before, and the trail tells them
// (req 111).
func TestLimits(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "d.db"))
	made, err := admin(store).CreateLimited(t.Context(), "reseller", []string{"decide"},
		portal.Limits{Accounts: []portal.AccountID{"b", "a", "b"}, Types: []string{"service", "account"}})
	if err != nil {
		t.Fatal(err)
	}
	want := &portal.Limits{Accounts: []portal.AccountID{"a", "b"}, Types: []string{"account", "service"}}
	if diff := cmp.Diff(want, passed(t, store, made.Text)); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"", create(t, store).Text} {
		if got := passed(t, store, text); got != nil {
			t.Errorf("limits of nobody: %+v", got)
		}
	}
	for line, err := range store.AuditLines(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if line.Object == "token:"+made.ID {
			detail := map[string]string{"scopes": "decide", "accounts": "[a b]", "types": `["account" "service"]`}
			if diff := cmp.Diff(detail, line.Detail); diff != "" {
				t.Error(diff)
			}
		}
	}
	if _, err := admin(store).Revoke(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	tokens, err := store.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range tokens {
		if kept.ID == made.ID && (kept.RevokedAt.IsZero() || cmp.Diff(want, kept.Limits) != "") {
			t.Errorf("revoked: %+v", kept)
		}
	}
}

func TestLimitsThatNoQuestionIsWithin(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "d.db"))
	for _, l := range []portal.Limits{
		{Accounts: []portal.AccountID{""}}, {Accounts: []portal.AccountID{"a", "a b"}}, {Types: []string{""}}, {Types: []string{"a\n"}},
	} {
		if _, err := admin(store).CreateLimited(t.Context(), "x", []string{"decide"}, l); err == nil {
			t.Errorf("%+v: a token was made", l)
		}
	}
}

// A token without limits costs a guard nothing for them.
func TestNoLimitsCostNothing(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "d.db"))
	made := create(t, store)
	verifier := token.NewVerifier(store)
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { token.Limits(r.Context()) })
	handler, w := (&token.Guard{Verifier: verifier}).Protect(token.Decide, next), httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Authorization", "Bearer "+made.Text)
	verifying := testing.AllocsPerRun(100, func() { _, _ = verifier.Verify(t.Context(), made.Text, token.Decide) })
	guarding := testing.AllocsPerRun(100, func() { handler.ServeHTTP(w, r) })
	if guarding > verifying {
		t.Errorf("%v allocations, of which verifying needs %v", guarding, verifying)
	}
}
