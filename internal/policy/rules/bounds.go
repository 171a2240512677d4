package rules

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"doorward/internal/fault"
)

// The bounds of one module. OPA's compiler takes twice as long for each comprehension
// inside another, so that two hundred bytes could keep it busy for ever. The shipped
// rules nest four deep, with some thirty else branches at most.
const (
	maxModule  = 256 << 10 // bytes
	maxNesting = 10        // brackets, and strings that hold expressions
	maxElse    = 100       // branches of one rule
)

// bounded tells whether a file may be parsed, and adds why not. It reads Rego only as
// far as brackets, strings and comments go; whether they are sound is the parser's.
func bounded(file File, faults *fault.List) bool {
	if len(file.Data) > maxModule {
		faults.Add(fault.Fault{File: file.Path, Message: "is larger than 256 KiB", Fix: "Split the file."})
		return false
	}
	text := string(file.Data)
	at := deep(text)
	if at < 0 {
		return true
	}
	line := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
	faults.Add(fault.Fault{
		File: file.Path, Line: strings.Count(text[:at], "\n") + 1, Column: len([]rune(line)) + 1,
		Message: "brackets are nested more than 10 deep", Fix: "Name the inner part in a rule of its own.",
	})
	return false
}

// deep is where brackets are nested too deep; -1 when they are nowhere.
func deep(text string) int {
	var open []byte // the brackets around, and quotes of the strings with expressions
	for i := 0; i < len(text); i++ {
		c, within := text[i], byte(0)
		if len(open) > 0 {
			within = open[len(open)-1]
		}
		switch {
		case within == '"' || within == '`':
			open, i = inTemplate(open, text, i)
		case c == '#':
			i = closing(text, i, '\n')
		case c == '$' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '`'):
			i++
			open = append(open, text[i])
		case c == '"' || c == '`':
			i = closing(text, i+1, c)
		case strings.IndexByte("([{", c) >= 0:
			open = append(open, c)
		case strings.IndexByte(")]}", c) >= 0:
			open = open[:max(0, len(open)-1)]
		}
		if len(open) > maxNesting {
			return i
		}
	}
	return -1
}

// inTemplate reads a byte of a string with expressions: its end, the beginning of an
// expression, or what is escaped.
func inTemplate(open []byte, text string, i int) ([]byte, int) {
	quote := open[len(open)-1]
	switch c := text[i]; {
	case c == quote:
		return open[:len(open)-1], i
	case c == '{':
		return append(open, c), i
	case c == '\\' && (quote == '"' || strings.HasPrefix(text[i:], `\{`)):
		return open, i + 1
	}
	return open, i
}

// closing is where a comment, or a string without expressions, ends that begins before from.
func closing(text string, from int, quote byte) int {
	for i := from; i < len(text); i++ {
		switch {
		case text[i] == quote:
			return i
		case text[i] == '\\' && quote == '"':
			i++
		}
	}
	return len(text)
}

// branching adds the rules that have too many else branches.
func branching(module *ast.Module, faults *fault.List) {
	for _, rule := range module.Rules {
		n := 0
		for other := rule.Else; other != nil; other = other.Else {
			n++
		}
		if n > maxElse {
			faults.Add(*placed(rule.Loc(), "a rule has more than 100 else branches", "Name groups of them in rules of their own"))
		}
	}
}
