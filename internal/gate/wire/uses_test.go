package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"doorward/internal/portal"
)

var used = []portal.Use{{Account: "acme", User: "anna", Day: 20_666}, {Account: "é \"", User: "bob", Day: 1<<31 - 1}}

// req 95, req 116, R16: uses come to the directory as they are, all or none.
func TestUsesAreSent(t *testing.T) {
	w := newWorld(t)
	var got []portal.Use
	var failed error
	mux := http.NewServeMux()
	NewServer(ServerConfig{
		Keeper: w.keeper, Verifier: w.verifier, Tokens: w.tokensOf, Policy: w.policyOf,
		Uses: func(_ context.Context, uses []portal.Use) error { got = uses; return failed },
	}).Register(mux)
	c := w.client(nil, w.start(mux, false))
	if err := c.Uses(t.Context(), used); err != nil || !slices.Equal(got, used) {
		t.Errorf("got %+v, %v", got, err)
	}
	many := make([]portal.Use, maxUses)
	for i := range many {
		many[i] = portal.Use{Account: portal.AccountID(strings.Repeat(`"`, 256)), User: portal.UserID(fmt.Sprintf("%0256d", i)), Day: 1}
	}
	if err := c.Uses(t.Context(), many); err != nil || !slices.Equal(got, many) {
		t.Errorf("as many as may go: %d, %v", len(got), err)
	}
	got = nil
	if err := c.Uses(t.Context(), append(many, used...)); !errors.Is(err, ErrRefused) || got != nil {
		t.Errorf("more: %d, %v", len(got), err)
	}
	failed = errDirectory
	if err := c.Uses(t.Context(), used); !errors.Is(err, ErrRefused) {
		t.Errorf("not kept: %v", err)
	}
	if err := w.client(nil, w.serve(w.keeper, nil, false)).Uses(t.Context(), used); !errors.Is(err, ErrRefused) {
		t.Errorf("a directory that keeps none: %v", err)
	}
	w.write("another")
	got = nil
	if err := c.Uses(t.Context(), used); err == nil || got != nil {
		t.Error("without a token:", got)
	}
}

func TestUsesThatAreNotBelieved(t *testing.T) {
	body, err := encodeUses("call", used)
	text := string(must(t, body, err))
	for was, is := range map[string]string{
		`"call"`: `"x"`, `"uses":[`: `"uses":["x",`, `"uses":`: `"x":`, `"acme"`: `""`, `"anna"`: `7`, `20666`: `"20666"`, `666`: `666.5`,
		`,20666`: ``, `20666]`: `0]`, `2147483647`: `2147483648`, `{`: `{"requires":["x"],`,
	} {
		changed := strings.Replace(text, was, is, 1)
		if _, _, err := decodeUses([]byte(changed)); changed == text || err == nil {
			t.Errorf("%s is read: %v", changed, err)
		}
	}
	if _, _, err := decodeUses([]byte(strings.Replace(text, "20666]", "20666,1]", 1))); err != nil {
		t.Errorf("what a later version adds: %v", err)
	}
	body, err = encodeUsed("call")
	text = string(must(t, body, err))
	for was, is := range map[string]string{`"version":1`: `"version":2`, `"call":"call"`: `"call":"other"`} {
		if err := decodeUsed([]byte(strings.Replace(text, was, is, 1)), "call"); err == nil {
			t.Errorf("%s is an answer", is)
		}
	}
}

func FuzzUses(f *testing.F) {
	body, err := encodeUses("call", used)
	f.Add(must(f, body, err))
	f.Fuzz(func(t *testing.T, body []byte) {
		call, got, err := decodeUses(body)
		if err != nil {
			return
		}
		again, err := encodeUses(call, got)
		same, uses, err := decodeUses(must(t, again, err))
		if must(t, same, err) != call || !slices.Equal(got, uses) {
			t.Errorf("%+v became %+v", got, uses)
		}
	})
}
