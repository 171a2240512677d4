// Package ijson reads JSON from strangers, strictly: I-JSON (RFC 7493) with
// bounds.
//
// Duplicate names, invalid UTF-8, unpaired surrogates, trailing data and nesting
// beyond MaxDepth are errors with a JSON pointer (RFC 6901), because a reader
// that repairs its input decides a question nobody asked (S40, S41). Names match
// exactly. Numbers stay the literals they were sent as. The package knows no
// member by name; what a document means is its callers' business.
package ijson

import "github.com/go-json-experiment/json/jsontext"

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 16

// A Kind is a kind of JSON value. The zero Kind is of a value that is not there.
type Kind uint8

// The kinds of value.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String names the kind as messages to people do.
func (k Kind) String() string {
	return [...]string{"nothing", "null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// A Value is one JSON value. The zero Value is absent. Values are immutable and
// hold no reference to the bytes they were read from.
type Value struct {
	kind    Kind
	text    string // of a String its content, of a Number its literal, of a Bool true or false
	items   []Value
	members []Member
}

// A Member is one name and value of an Object.
type Member struct {
	Name  string
	Value Value
}

// Kind tells what kind of value v is.
func (v Value) Kind() Kind { return v.kind }

// Text is the content of a String, the literal of a Number as it was sent, or
// "true" or "false"; "" for other kinds.
func (v Value) Text() string { return v.text }

// True tells whether v is the boolean true.
func (v Value) True() bool { return v.kind == Bool && v.text == "true" }

// Items are the elements of an Array, else nil. Do not modify them.
func (v Value) Items() []Value { return v.items }

// Members are the members of an Object in the order sent, else nil. Do not
// modify them.
func (v Value) Members() []Member { return v.members }

// Get returns the member of that name, absent when v is no Object or has none.
func (v Value) Get(name string) Value {
	for i := range v.members {
		if v.members[i].Name == name {
			return v.members[i].Value
		}
	}
	return Value{}
}

// StringValue makes a String, for questions that do not come as JSON.
func StringValue(s string) Value { return Value{kind: String, text: s} }

// NullValue makes a Null.
func NullValue() Value { return Value{kind: Null} }

// BoolValue makes a Bool.
func BoolValue(b bool) Value {
	if b {
		return Value{kind: Bool, text: "true"}
	}
	return Value{kind: Bool, text: "false"}
}

// NumberValue makes a Number from a literal, which must be valid JSON.
func NumberValue(literal string) Value { return Value{kind: Number, text: literal} }

// ArrayValue makes an Array.
func ArrayValue(items ...Value) Value { return Value{kind: Array, items: items} }

// ObjectValue makes an Object. Names must differ.
func ObjectValue(members ...Member) Value { return Value{kind: Object, members: members} }

// Append appends v as JSON text, as Parse reads it back; nothing of an absent value.
func (v Value) Append(dst []byte) []byte {
	switch v.kind {
	case Absent:
	case Null:
		return append(dst, "null"...)
	case Bool, Number:
		return append(dst, v.text...)
	case String:
		return appendText(dst, v.text)
	case Array:
		dst = append(dst, '[')
		for i, item := range v.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.Append(dst)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i, m := range v.members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = m.Value.Append(append(appendText(dst, m.Name), ':'))
		}
		return append(dst, '}')
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // fails only for what is not UTF-8, which it mends
	return dst
}
