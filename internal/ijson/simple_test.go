package ijson

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// What simple accepts, the general judgement accepts and sizes alike (S40, S41).
func FuzzSimple(f *testing.F) {
	for _, seed := range []string{
		`{"subject":{"type":"user","id":"anna"},"action":{"name":"x"},"resource":{"type":"account","id":"1"},"context":{"amr":["pwd","otp"],"auth_time":1}}`,
		`{}`, `[]`, ` [ ] `, `[1,-0.5e+7,0,10,true,false,null]`, `{"a":{},"b":[[],{}]}`,
		`{"a":1,"a":2}`, `{"a":"é"}`, `{"a":"\n"}`, `{"a":01}`, `{"a":1.}`, `{"a":.1}`, `{"a":-}`, `{"a":1e}`, `{"a":+1}`, `{"a":tru}`,
		`{"a":1,}`, `[1,]`, `[,1]`, `{,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1}x`, `{"a":1`, `"`, ``, ` `, "{\"a\":\"\x00\"}", "\x00",
		strings.Repeat("[", 16) + strings.Repeat("]", 16), strings.Repeat("[", 17) + strings.Repeat("]", 17),
		`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"o":1,"p":1,"a":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := simple(body)
		if !ok {
			return
		}
		if !jsontext.Value(body).IsValid() {
			t.Fatalf("simple accepts %q", body)
		}
		want := measure(body)
		if got.depth != want.depth || got.depth > MaxDepth || got.members != want.members || got.items > want.items {
			t.Fatalf("%q is %+v, simple says %+v", body, want, got)
		}
		for _, c := range body {
			if c > '~' || c == '\\' {
				t.Fatalf("simple accepts %q, which is not simple", body)
			}
		}
	})
}

// The questions portals send are simple, or nothing would be gained.
func TestUsualQuestionsAreSimple(t *testing.T) {
	for body, want := range map[string]bool{
		`{"subject":{"type":"user","id":"a@b.example"},"action":{"name":"invoice.view"},"resource":{"type":"account","id":"1001"}}`: true,
		`{"evaluations": [ {}, {"context": {"auth_time": 1764000000, "amr": ["pwd"]}} ]}`:                                           true,
		strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth):                                                               true,
		strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1):                                                           false,
		strings.Repeat(`{"a":`, MaxDepth+1) + `1` + strings.Repeat("}", MaxDepth+1):                                                 false,
		`{"a":1,"a":1}`:   false,
		`{"a":"\u0061"}`:  false,
		`{"name":"Zoë"}`:  false,
		`{"a":1} {"a":1}`: false,
	} {
		if _, got := simple([]byte(body)); got != want {
			t.Errorf("%s: %v", body, got)
		}
	}
}
