package rules

import (
	"encoding/binary"
	"slices"
)

// A try is one input to try.
type try struct {
	in       Input
	ordinary *Input // the same action's question that has nothing against it
	distance int    // how many facts differ from that
}

// tries are the inputs to try, those with the fewest peculiar facts first. Of inputs
// that no rule can tell apart there is one.
func (p *Program) tries(depth Depth) []try {
	t := &trier{schema: p.schema, classes: newClasses(p.invariants.readings, p.schema), seen: map[string]bool{}}
	facts, kinds := changes(p.schema), map[string]bool{}
	for _, a := range p.invariants.actions {
		r := reachOf(a, p.schema)
		if kind := r.kind(p.invariants.readings); !kinds[kind] {
			kinds[kind] = true
			t.try(r, facts, depth)
		}
	}
	slices.SortStableFunc(t.all, func(a, b try) int { return a.distance - b.distance })
	return t.all
}

// A trier collects inputs to try.
type trier struct {
	schema  *Schema
	classes classes
	seen    map[string]bool
	all     []try
}

// try collects the inputs of one action.
func (t *trier) try(r *reach, facts [][]change, depth Depth) {
	ordinary := r.ordinary()
	var add func(in Input, facts [][]change, left Depth)
	add = func(in Input, facts [][]change, left Depth) {
		if r.possible(&in) {
			if key := t.classes.key(&in); !t.seen[string(key)] {
				t.seen[string(key)] = true
				t.all = append(t.all, try{in, &ordinary, distance(&in, &ordinary)})
			}
		}
		if left == 0 {
			return
		}
		for i, values := range facts {
			for _, value := range values {
				add(r.changed(in, value), facts[i+1:], left-1)
			}
		}
	}
	inPairs, singly := r.bases()
	for _, base := range inPairs {
		add(base, facts, depth)
	}
	for _, base := range singly {
		add(base, facts, min(depth, Singly))
	}
}

// classes number what rules learn about each fact, so that inputs that are the same to
// every rule have one key.
type classes struct {
	readings []*reading
	numbers  []map[string]uint16 // by value
	facts    []string            // room for those of an input
	room     []byte
}

func newClasses(found readings, schema *Schema) classes {
	var c classes
	for _, name := range factNames(schema) {
		c.readings = append(c.readings, found["input."+name])
		c.numbers = append(c.numbers, map[string]uint16{})
	}
	return c
}

// key is what rules learn about an input. It is overwritten by the next.
func (c *classes) key(in *Input) []byte {
	c.facts, c.room = appendFacts(c.facts[:0], in), c.room[:0]
	for i, fact := range c.facts {
		number, known := c.numbers[i][fact]
		if !known {
			number = c.number(i, fact)
		}
		c.room = binary.BigEndian.AppendUint16(c.room, number)
	}
	return c.room
}

// number is the class of a value of the i-th fact that was not met yet: that of a value
// which is the same to every rule, or a new one.
func (c *classes) number(i int, fact string) uint16 {
	number := uint16(len(c.numbers[i]))
	for value, other := range c.numbers[i] {
		if c.readings[i].of(value) == c.readings[i].of(fact) {
			number = other
		}
	}
	c.numbers[i][fact] = number
	return number
}
