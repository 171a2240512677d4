package ijson

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plain turns a value into what cmp can compare and a test can write down.
func plain(v Value) any {
	switch v.Kind() {
	case Object:
		pairs := []any{}
		for _, m := range v.Members() {
			pairs = append(pairs, m.Name, plain(m.Value))
		}
		return map[string]any{"object": pairs}
	case Array:
		items := []any{}
		for _, item := range v.Items() {
			items = append(items, plain(item))
		}
		return items
	case String:
		return v.Text()
	default:
		return v.Kind().String() + " " + v.Text()
	}
}

func TestParse(t *testing.T) {
	object := func(pairs ...any) any {
		if pairs == nil {
			pairs = []any{}
		}
		return map[string]any{"object": pairs}
	}
	for _, c := range []struct {
		text string
		want any
	}{
		{`{}`, object()},
		{" \t\r\n{ \n} ", object()},
		{`{"a":1}`, object("a", "a number 1")},
		{`{"a":true,"b":false,"c":null}`, object("a", "a boolean true", "b", "a boolean false", "c", "null ")},
		{`{ "a" : [ ] , "b" : [ 1 , [ 2 ] , { } ] }`, object("a", []any{}, "b", []any{"a number 1", []any{"a number 2"}, object()})},
		{`{"a":{"b":{"c":"d"},"e":"f"},"g":[{"h":1},{"i":[[]]}],"j":2}`, object(
			"a", object("b", object("c", "d"), "e", "f"),
			"g", []any{object("h", "a number 1"), object("i", []any{[]any{}})},
			"j", "a number 2")},
		// A number stays its literal: 2^53+1 is not rounded (S40).
		{`{"id":9007199254740993,"x":-0.10e+5}`, object("id", "a number 9007199254740993", "x", "a number -0.10e+5")},
		{`{"esc\"aped":"a\\b\u00e9\n\ud83d\ude00\/"}`, object(`esc"aped`, "a\\bé\n😀/")},
		{`{"brackets":"}]{[,:\"","x":"\\"}`, object("brackets", `}]{[,:"`, "x", `\`)},
		{`{"ключ":"日本\u0000"}`, object("ключ", "日本\x00")},
		{`{"role":"viewer","ROLE":"owner"}`, object("role", "viewer", "ROLE", "owner")},
	} {
		v, err := Parse([]byte(c.text))
		if err != nil {
			t.Errorf("Parse(%s): %v", c.text, err)
			continue
		}
		if diff := cmp.Diff(c.want, plain(v)); diff != "" {
			t.Errorf("Parse(%s) (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + "}" }
	for _, c := range []struct{ text, pointer, message string }{
		{``, "", "the text is empty"},
		{" \n", "", "the text is empty"},
		{`[]`, "", "an array; it must be an object"},
		{`"x"`, "", "a string; it must be an object"},
		{`null`, "", "null; it must be an object"},
		{`7`, "", "a number; it must be an object"},
		{`{"role":"viewer","role":"owner"}`, "/role", "occurs twice"},                        // S40
		{`{"a":{"role":1,"r\u006fle":2}}`, "/a/role", "occurs twice"},                        // S40: the same name, spelt otherwise
		{`{"a":1}{"a":2}`, "", "something follows"},                                          // S40
		{`{"a":1} x`, "", "something follows"},                                               // S40
		{"{\"a\":\"\xff\"}", "/a", "invalid UTF-8"},                                          // S40
		{"{\"\xc3\x28\":1}", "", "invalid UTF-8"},                                            // S40
		{`{"a":"\ud800"}`, "/a", `\ud800`},                                                   // unpaired surrogate
		{`{"a":"\udc00\ud800"}`, "/a", `\udc00`},                                             // pair in the wrong order
		{"{\"a\":\"\x01\"}", "/a", "not valid JSON"},                                         // raw control character
		{`{"a":[1,{"b~/":tru}]}`, "/a/1/b~0~1", "not valid JSON"},                            // pointer escapes
		{`{"a":01}`, "", "not valid JSON"},                                                   // leading zero
		{`{"a":NaN}`, "/a", "not valid JSON"},                                                //
		{`{a:1}`, "", "not valid JSON"},                                                      //
		{`{1:1}`, "", "the name of a member must be a string"},                               //
		{`{"a":1,}`, "", "not valid JSON"},                                                   //
		{`{"a":1`, "", "ends before"},                                                        //
		{`{"a`, "", "ends before"},                                                           //
		{"\ufeff{}", "", "not valid JSON"},                                                   // byte order mark
		{deep(MaxDepth + 1), "/a" + strings.Repeat("/0", MaxDepth-1), "nest deeper than 16"}, // S41
		{deep(10_001), "/a" + strings.Repeat("/0", MaxDepth-1), "nest deeper than 16"},       // S41
		{strings.Repeat("[", 64<<10), strings.Repeat("/0", MaxDepth), "nest deeper than 16"}, // S41
	} {
		_, err := Parse([]byte(c.text))
		var fault *Error
		if !errors.As(err, &fault) {
			t.Errorf("Parse(%.60q): got error %v, want an *Error", c.text, err)
			continue
		}
		if fault.Pointer != c.pointer || !strings.Contains(fault.Message, c.message) {
			t.Errorf("Parse(%.60q): got %q at %q, want %q at %q", c.text, fault.Message, fault.Pointer, c.message, c.pointer)
		}
	}
	if _, err := Parse([]byte(deep(MaxDepth))); err != nil {
		t.Errorf("depth %d: %v", MaxDepth, err)
	}
}

// S42: what a sender chose comes out of an error escaped, on one line.
func TestErrorIsOneLine(t *testing.T) {
	_, err := Parse([]byte("{\"x\\n{\\\"level\\\":\\\"info\\\"}\\u001b[31m\\u202e\":tru}"))
	if err == nil || strings.ContainsAny(err.Error(), "\n\x1b\u202e") {
		t.Errorf("got %v", err)
	}
}

func TestValueOwnsItsText(t *testing.T) {
	body := []byte(`{"id":"anna","list":["x\u0041"]}`)
	v, err := Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	for i := range body {
		body[i] = 'Z'
	}
	if got := v.Get("id").Text() + v.Get("list").Items()[0].Text(); got != "annaxA" {
		t.Errorf("after the body was overwritten the value reads %q", got)
	}
}

// Containers share an arena: appending to one must not reach into another.
func TestContainersAreApart(t *testing.T) {
	v, err := Parse([]byte(`{"a":{"x":1},"b":{"y":2},"c":[1],"d":[2]}`))
	if err != nil {
		t.Fatal(err)
	}
	before := plain(v)
	for _, m := range v.Members() {
		_ = append(m.Value.Members(), Member{Name: "intruder"})
		_ = append(m.Value.Items(), StringValue("intruder"))
	}
	_ = append(v.Members(), Member{Name: "intruder"})
	if diff := cmp.Diff(before, plain(v)); diff != "" {
		t.Errorf("appending changed a neighbour:\n%s", diff)
	}
}

func TestParseAny(t *testing.T) {
	for text, want := range map[string]any{
		`7`: "a number 7", ` true `: "a boolean true", `null`: "null ", `"x"`: "x", `[1,"a"]`: []any{"a number 1", "a"},
	} {
		v, err := ParseAny([]byte(text))
		if diff := cmp.Diff(want, plain(v)); err != nil || diff != "" {
			t.Errorf("ParseAny(%s): %v\n%s", text, err, diff)
		}
	}
}

func TestGetAndMakers(t *testing.T) {
	v := ObjectValue(Member{"a", ArrayValue(StringValue("x"), BoolValue(true), BoolValue(false))}, Member{"n", NumberValue("1")})
	parsed, err := Parse([]byte(`{"a":["x",true,false],"n":1}`))
	if diff := cmp.Diff(plain(parsed), plain(v)); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if got := v.Get("b").Kind(); got != Absent {
		t.Errorf("a member that is not there is %s", got)
	}
	if got := v.Get("a").Get("x").Kind(); got != Absent {
		t.Errorf("a member of an array is %s", got)
	}
	if items := v.Get("a").Items(); !items[1].True() || items[2].True() || items[0].True() {
		t.Error("True is wrong")
	}
}
