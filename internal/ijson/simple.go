package ijson

// simpleNames is how many members a simple object may have: their names are
// compared with one another, pair by pair.
const simpleNames = 16

// simple sizes a text and tells whether it is valid JSON of the simple kind that
// portals send: ASCII without escapes, few members to an object, nested no
// deeper than MaxDepth. It reads the text once, and only ever says yes: a text that is not simple may still be valid. FuzzSimple
// holds it to the general judgement.
func simple(body []byte) (size, bool) {
	p := simpleScanner{body: body}
	ok := p.value(0)
	p.space()
	return p.size, ok && p.at == len(body)
}

type simpleScanner struct {
	body []byte
	at   int
	size size
}

// peek returns the byte to read next, 0 at the end. Simple text has no byte 0.
func (p *simpleScanner) peek() byte {
	if p.at < len(p.body) {
		return p.body[p.at]
	}
	return 0
}

// eat steps over c if it is next.
func (p *simpleScanner) eat(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

func (p *simpleScanner) space() {
	for {
		switch p.peek() {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

func (p *simpleScanner) value(depth int) bool {
	p.space()
	switch p.peek() {
	case '{':
		return p.object(depth + 1)
	case '[':
		return p.array(depth + 1)
	case '"':
		_, ok := p.text()
		return ok
	case 't':
		return p.word("true")
	case 'f':
		return p.word("false")
	case 'n':
		return p.word("null")
	}
	return p.number()
}

func (p *simpleScanner) object(depth int) bool {
	p.at++
	p.size.depth = max(p.size.depth, depth)
	var names [simpleNames][]byte
	p.space()
	if p.eat('}') {
		return depth <= MaxDepth
	}
	for n := 0; n < simpleNames && depth <= MaxDepth; n++ {
		p.space()
		name, ok := p.text()
		p.space()
		if !ok || occurs(name, names[:n]) || !p.eat(':') || !p.value(depth) {
			return false
		}
		names[n] = name
		p.size.members++
		p.space()
		if p.eat('}') {
			return true
		}
		if !p.eat(',') {
			return false
		}
	}
	return false
}

func occurs(name []byte, names [][]byte) bool {
	for _, other := range names {
		if string(other) == string(name) {
			return true
		}
	}
	return false
}

func (p *simpleScanner) array(depth int) bool {
	p.at++
	p.size.depth = max(p.size.depth, depth)
	p.space()
	if p.eat(']') {
		return depth <= MaxDepth
	}
	for depth <= MaxDepth {
		if !p.value(depth) {
			return false
		}
		p.size.items++
		p.space()
		if p.eat(']') {
			return true
		}
		if !p.eat(',') {
			return false
		}
	}
	return false
}

// text reads a string of printable ASCII without escapes, and returns what is
// between its quotes.
func (p *simpleScanner) text() ([]byte, bool) {
	if !p.eat('"') {
		return nil, false
	}
	from := p.at
	for ; p.at < len(p.body); p.at++ {
		switch c := p.body[p.at]; {
		case c == '"':
			p.at++
			return p.body[from : p.at-1], true
		case c < ' ' || c > '~' || c == '\\':
			return nil, false
		}
	}
	return nil, false
}

func (p *simpleScanner) word(word string) bool {
	if len(p.body)-p.at < len(word) || string(p.body[p.at:p.at+len(word)]) != word {
		return false
	}
	p.at += len(word)
	return true
}

// number reads a number of RFC 8259, section 6.
func (p *simpleScanner) number() bool {
	p.eat('-')
	if !p.eat('0') && !p.digits() {
		return false
	}
	if p.eat('.') && !p.digits() {
		return false
	}
	if p.eat('e') || p.eat('E') {
		if !p.eat('+') {
			p.eat('-')
		}
		return p.digits()
	}
	return true
}

func (p *simpleScanner) digits() bool {
	from := p.at
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.at++
	}
	return p.at > from
}
