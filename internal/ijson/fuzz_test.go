package ijson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse: what is accepted is what encoding/json reads, except for what
// encoding/json repairs or overlooks, which is refused (S40, S41).
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1}`, `{"subject":{"type":"user","id":"anna"},"action":{"name":"invoice.view"},"resource":{"type":"account","id":"1001"}}`,
		`{"a":[1,2.5e-3,{"b":null}],"c":"\ud83d\ude00\n"}`, `{"a":1,"a":2}`, `{"a":1}{}`, "{\"a\":\"\xff\"}", `{"a":"\ud800"}`,
		`[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]`, `{"a":[],"b":{},"c":[[],{}]}`, ` { "a" : [ 1 , 2 ] } `, `{"a":1e999}`, `tru`, `{"\u0061":1,"a":2}`,
		`{"a":"\u0000","b":"\\\""}`, `{"a":{"a":{"a":[{"a":[]}]}},"b":[{},{"c":[1,2,[3]]},4]}`, `[1,]`, `{"a":}`, `"`, `\`, `{"":""}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		v, err := ParseAny(body)
		if !bytes.Equal(before, body) {
			t.Fatal("Parse changed the body")
		}
		want, lenient := decode(body)
		if err != nil {
			refusal(t, body, v, err, lenient)
			return
		}
		if !utf8.Valid(body) {
			t.Fatalf("accepted invalid UTF-8: %q", body)
		}
		if lenient != nil {
			t.Fatalf("accepted %q, which encoding/json refuses: %v", body, lenient)
		}
		if diff := cmp.Diff(want, lax(v)); diff != "" {
			t.Fatalf("%q (-encoding/json +ijson):\n%s", body, diff)
		}
		if members(v) != names(t, body) {
			t.Fatalf("%q: a member was lost or accepted twice", body)
		}
	})
}

// refusal checks an error: typed, inside the text, with a zero value; and that
// text which is fine by encoding/json was refused for one of the known causes.
func refusal(t *testing.T, body []byte, v Value, err, lenient error) {
	var fault *Error
	if !errors.As(err, &fault) || fault.Message == "" || fault.Offset < 0 || fault.Offset > int64(len(body)) {
		t.Fatalf("%q: bad error %#v", body, err)
	}
	if v.Kind() != Absent {
		t.Fatalf("%q: refused with a value", body)
	}
	if lenient == nil && utf8.Valid(body) && measure(body).depth <= MaxDepth && !bytes.Contains(body, []byte(`\u`)) {
		if v, _ := decode(body); countLax(v) == names(t, body) {
			t.Fatalf("%q: refused without cause: %v", body, err)
		}
	}
}

func decode(body []byte) (any, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("trailing data")
	}
	return v, nil
}

// lax is a value as encoding/json has it.
func lax(v Value) any {
	switch v.Kind() {
	case Object:
		m := map[string]any{}
		for _, member := range v.Members() {
			m[member.Name] = lax(member.Value)
		}
		return m
	case Array:
		items := []any{}
		for _, item := range v.Items() {
			items = append(items, lax(item))
		}
		return items
	case String:
		return v.Text()
	case Number:
		return json.Number(v.Text())
	case Bool:
		return v.True()
	default:
		return nil
	}
}

// members counts the members of all objects of v.
func members(v Value) int {
	n := len(v.Members())
	for _, m := range v.Members() {
		n += members(m.Value)
	}
	for _, item := range v.Items() {
		n += members(item)
	}
	return n
}

func countLax(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		n += len(v)
		for _, item := range v {
			n += countLax(item)
		}
	case []any:
		for _, item := range v {
			n += countLax(item)
		}
	}
	return n
}

// names counts the members that stand in the text, duplicates too.
func names(t *testing.T, body []byte) int {
	n := 0
	var inObject []bool
	name := false
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err == io.EOF {
			return n
		}
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if name && token != json.Delim('}') {
			n, name = n+1, false
			continue
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			inObject = append(inObject, token == json.Delim('{'))
		case json.Delim('}'), json.Delim(']'):
			inObject = inObject[:len(inObject)-1]
		}
		name = len(inObject) > 0 && inObject[len(inObject)-1]
	}
}
