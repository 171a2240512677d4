package provider

import (
	"slices"
	"strconv"
)

// A Choice is one switch that has only a few answers: yes or no, or one of some
// words.
type Choice struct {
	Name   string   // dotted
	Value  string   // as in YAML
	Others []string // what it could be instead
	File   string   // where it was set
	Line   int
}

// Choices are the switches that are one of a few, in the order of the requirements.
func (p *Provider) Choices() []Choice {
	var list []Choice
	for _, s := range switches() {
		set := p.settings[s.name]
		c := Choice{Name: s.name, File: set.at.File, Line: set.at.Line}
		switch v := set.value.(type) {
		case bool:
			c.Value, c.Others = strconv.FormatBool(v), []string{strconv.FormatBool(!v)}
		case string:
			c.Value = v
			c.Others = slices.DeleteFunc(slices.Clone(s.domain), func(word string) bool { return word == v })
		}
		if len(c.Others) > 0 {
			list = append(list, c)
		}
	}
	return list
}
