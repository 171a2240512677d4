package rules

import (
	"errors"
	"fmt"
	"slices"
)

// ErrSwitches tells that switches are not of the form the rules were checked with.
var ErrSwitches = errors.New("the provider's switches are others than the rules were checked with")

// With is p with other values of the provider's switches. The rules are not
// compiled again, so the switches must be the same ones, each of its kind and one of
// its words; else the error is ErrSwitches.
func (p *Program) With(provider map[string]any) (*Program, error) {
	if at := p.provider.differs(provider); at != "" {
		return nil, fmt.Errorf("%w: %s", ErrSwitches, at)
	}
	other := *p
	if err := other.prepare(provider); err != nil {
		return nil, err
	}
	return &other, nil
}

// differs names where data is not of the shape n; "" when it is.
func (n *node) differs(data any) string {
	shape := dataTree(data)
	if shape.kind != n.kind || len(shape.members) != len(n.members) {
		return "a " + string(shape.kind) + " in place of a " + string(n.kind)
	}
	if word, ok := data.(string); ok && n.domain != nil && !slices.Contains(n.domain, word) {
		return word
	}
	members, _ := data.(map[string]any)
	for _, name := range n.names() {
		member, ok := members[name]
		if !ok {
			return "no " + name
		}
		if at := n.members[name].differs(member); at != "" {
			return name + ": " + at
		}
	}
	return ""
}

// Document is what rules see of an input, as JSON with sorted names. Its error tells
// that no such facts can be.
func (p *Program) Document(in *Input) ([]byte, error) {
	document, err := p.encoder.encode(in)
	if err != nil {
		return nil, err
	}
	return canonical(document)
}
