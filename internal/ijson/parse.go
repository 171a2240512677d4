package ijson

import "github.com/go-json-experiment/json/jsontext"

// Parse reads body as exactly one JSON object. Its error is an *Error.
//
// Values share one copy of the whole body: whoever keeps a text for longer than
// the question lives should strings.Clone it.
func Parse(body []byte) (Value, error) {
	v, err := ParseAny(body)
	if err != nil {
		return Value{}, err
	}
	if v.kind != Object {
		return Value{}, &Error{Message: "the text is " + v.kind.String() + "; it must be an object"}
	}
	return v, nil
}

// ParseAny reads body as exactly one JSON value of any kind. Its error is an
// *Error.
func ParseAny(body []byte) (Value, error) {
	size, ok := simple(body)
	if !ok {
		size = measure(body)
		if size.depth > MaxDepth || !jsontext.Value(body).IsValid() {
			return Value{}, explain(body)
		}
	}
	b := builder{text: string(body)}
	b.members.slots = make([]Member, size.members)
	b.items.slots = make([]Value, size.items)
	return b.value(), nil
}

// A size bounds what a text holds.
type size struct {
	depth   int // deepest nesting
	members int // of all objects, exact
	items   int // of all arrays, at least as many as there are
}

// measure sizes a text without judging it: cheaply and without recursion, so
// that depth is known before anything recurses. Of invalid text only the depth
// before its first fault is right; the other numbers mean nothing.
func measure(body []byte) size {
	var depth, deepest, opened, colons, commas int
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '{', '[':
			depth++
			opened++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		case ':':
			colons++
		case ',':
			commas++
		case '"':
			for i++; i < len(body) && body[i] != '"'; i++ {
				if body[i] == '\\' {
					i++
				}
			}
		}
	}
	// A container of n values has n-1 commas. What is no member is an item.
	return size{depth: deepest, members: colons, items: commas + opened - colons}
}

// A builder makes values of a text that is known to be valid JSON.
type builder struct {
	text    string
	at      int
	members arena[Member]
	items   arena[Value]
}

func (b *builder) value() Value {
	b.skipSpace()
	switch b.text[b.at] {
	case '{':
		return b.object()
	case '[':
		return b.array()
	case '"':
		return Value{kind: String, text: b.string()}
	case 'n':
		b.literal()
		return Value{kind: Null}
	case 't', 'f':
		return Value{kind: Bool, text: b.literal()}
	default:
		return Value{kind: Number, text: b.literal()}
	}
}

func (b *builder) object() Value {
	from := b.members.top
	for b.next('}') {
		name := b.string()
		b.skipSpace()
		b.at++ // the colon
		b.members.push(Member{Name: name, Value: b.value()})
	}
	return Value{kind: Object, members: b.members.take(from)}
}

func (b *builder) array() Value {
	from := b.items.top
	for b.next(']') {
		b.items.push(b.value())
	}
	return Value{kind: Array, items: b.items.take(from)}
}

// next steps over the opening bracket or comma it stands at, to the next element
// of a container, or over its end, and tells which.
func (b *builder) next(end byte) bool {
	b.skipSpace()
	if b.text[b.at] != end {
		b.at++
		b.skipSpace()
		if b.text[b.at] != end {
			return true
		}
	}
	b.at++
	return false
}

func (b *builder) skipSpace() {
	for {
		switch b.text[b.at] {
		case ' ', '\t', '\n', '\r':
			b.at++
		default:
			return
		}
	}
}

// string reads a string. Only one with an escape needs memory of its own.
func (b *builder) string() string {
	from, escaped := b.at, false
	for b.at++; b.text[b.at] != '"'; b.at++ {
		if b.text[b.at] == '\\' {
			escaped = true
			b.at++
		}
	}
	b.at++
	if !escaped {
		return b.text[from+1 : b.at-1]
	}
	// The text is valid, so unquoting cannot fail.
	s, _ := jsontext.AppendUnquote(nil, b.text[from:b.at])
	return string(s)
}

// literal reads a number, true, false or null.
func (b *builder) literal() string {
	from := b.at
	for b.at < len(b.text) {
		switch b.text[b.at] {
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return b.text[from:b.at]
		}
		b.at++
	}
	return b.text[from:]
}
