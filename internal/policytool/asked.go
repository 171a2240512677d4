package policytool

import (
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// asked writes out what a row says besides req, do and want, in one line.
func asked(keys map[string]*yaml.Node) string {
	var parts []string
	for _, key := range []string{"who", "member", "actor", "with", "on", "properties", "context", "account"} {
		if n := keys[key]; n != nil {
			parts = append(parts, key+": "+inOneLine(n))
		}
	}
	return strings.Join(parts, ", ")
}

// inOneLine writes a value as YAML in one line.
func inOneLine(n *yaml.Node) string {
	var parts []string
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, inOneLine(n.Content[i])+": "+inOneLine(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		for _, item := range n.Content {
			parts = append(parts, inOneLine(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	quoted := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	if quoted || n.Value == "" || strings.ContainsFunc(n.Value, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(n.Value)
	}
	return n.Value
}
