package wire

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/gate"
)

var sharing = []gate.SharingKey{{Number: 9, Secret: gate.Secret{1, 2}}, {Number: 3, Secret: gate.Secret{0xff}}}

// A gate gets the keys as they are, and only with its token.
func TestKeysForASharedCache(t *testing.T) {
	w := newWorld(t)
	var failed error
	mux := http.NewServeMux()
	NewServer(ServerConfig{
		Keeper: w.keeper, Verifier: w.verifier, Tokens: w.tokensOf, Policy: w.policyOf,
		SharingKeys: func(context.Context) ([]gate.SharingKey, error) { return sharing, failed },
	}).Register(mux)
	c := w.client(nil, w.start(mux, false))
	got, err := c.SharingKeys(t.Context())
	if diff := cmp.Diff(sharing, must(t, got, err)); diff != "" {
		t.Error(diff)
	}
	failed = errors.New("broken")
	if got, err := c.SharingKeys(t.Context()); !errors.Is(err, ErrRefused) || got != nil {
		t.Error(got, err)
	}
	if got, err := w.client(nil, w.serve(w.keeper, nil, false)).SharingKeys(t.Context()); len(got) != 0 || err != nil {
		t.Error("of a directory that has none:", got, err)
	}
	w.write("another")
	if got, err := c.SharingKeys(t.Context()); err == nil || got != nil {
		t.Error("without a token:", got)
	}
}

func TestKeysThatAreNotBelieved(t *testing.T) {
	body, err := encodeSharing("call", sharing)
	text := string(must(t, body, err))
	for was, is := range map[string]string{
		`"version":1`: `"version":2`, `"call":"call"`: `"call":"other"`, `"number":3`: `"number":9`, `"secret":"01`: `"secret":"`, `"secret":"0102`: `"secret":"zz02`,
		`"keys":[`: `"keys":[[],`, `"keys":`: `"x":`, `{"number":9`: `{"requires":["x"],"number":9`,
	} {
		changed := strings.Replace(text, was, is, 1)
		if got, err := decodeSharing([]byte(changed), "call"); changed == text || err == nil || got != nil || strings.Contains(err.Error(), "02000") {
			t.Errorf("%s is read: %v, %v", is, got, err)
		}
	}
}

func FuzzSharing(f *testing.F) {
	body, err := encodeSharing("call", sharing)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeSharing(body, "call")
		if err != nil {
			return
		}
		again, err := encodeSharing("call", got)
		second, err := decodeSharing(must(t, again, err), "call")
		if diff := cmp.Diff(got, must(t, second, err)); diff != "" {
			t.Error(diff)
		}
	})
}
