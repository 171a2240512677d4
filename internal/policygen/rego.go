package policygen

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"doorward/internal/policy/rules"
)

// An author writes one module. Rules refer to earlier ones only, so that none needs
// its own answer.
type author struct {
	t   *rapid.T
	out strings.Builder

	texts, flags, numbers []term // leaves and switches by type
	// What has been written so far.
	named      []string // rules that are true or undefined
	values     []term   // rules with the values of a leaf
	constants  []term   // rules that name a collection of constants
	sets       []set
	objects    []object
	functions  []function
	guardrails []string
	count      int // of names
}

// A set is a rule that is a set of values of a leaf.
type set struct {
	name  string
	like  term
	added []string // as rules write them; nil when not all are constants
}

// An object is a rule that is an object from keys to values of a leaf.
type object struct {
	name string
	like term
	keys []string // as rules write them
}

// A function takes a value of one leaf; it has values of another, or is true.
type function struct {
	name      string
	takes     term
	like      term
	isBoolean bool
}

// drawRules draws package doorward.
func drawRules(t *rapid.T, leaves []rules.Leaf) string {
	a := &author{t: t}
	for _, term := range termsOf(leaves) {
		switch term.typ {
		case rules.String:
			a.texts = append(a.texts, term)
		case rules.Boolean:
			a.flags = append(a.flags, term)
		default:
			a.numbers = append(a.numbers, term)
		}
	}
	a.write("package doorward\n")
	kinds := []func(*author){
		(*author).namedRule, (*author).constantRule, (*author).valueRule, (*author).partialSet, (*author).partialObject,
		(*author).drawnSet, (*author).function, (*author).namedRule, (*author).predicate,
	}
	for range rapid.IntRange(0, 10).Draw(t, "helpers") {
		draw(a, kinds)(a)
	}
	for range rapid.IntRange(0, 3).Draw(t, "guardrails") {
		a.guardrail()
	}
	a.decision()
	return a.out.String()
}

func (a *author) write(format string, args ...any) { fmt.Fprintf(&a.out, format+"\n", args...) }

// name makes a name that no rule and no variable has.
func (a *author) name(kind string) string {
	a.count++
	return fmt.Sprintf("%s_%d", kind, a.count)
}

// when writes a rule with a body of conditions.
func (a *author) when(head string) { a.write("%s if {\n%s}\n", head, a.body()) }

// body draws the conditions of a rule.
func (a *author) body() string {
	var b strings.Builder
	for range rapid.IntRange(1, 3).Draw(a.t, "conditions") {
		for _, line := range a.condition() {
			b.WriteString("\t" + line + "\n")
		}
	}
	return b.String()
}

// namedRule is true when one of a few bodies holds.
func (a *author) namedRule() {
	name := a.name("holds")
	for range a.upTo(3) {
		a.when(name)
	}
	a.named = append(a.named, name)
}

// constantRule names constants.
func (a *author) constantRule() {
	like := a.textLeaf()
	name := a.name("some")
	a.write("%s := %s\n", name, a.list(like))
	a.constants = append(a.constants, term{name, like.typ, like.domain})
}

// valueRule has a value by a chain of else, with or without a default or an end.
func (a *author) valueRule() {
	like := a.textLeaf()
	name := a.name("value")
	if oneIn(a.t, 3) {
		a.write("default %s := %s\n", name, a.word(like))
	}
	a.chain(name, func() string { return a.valueLike(like) })
	a.values = append(a.values, term{name, like.typ, like.domain})
}

// chain writes a rule and what it is else.
func (a *author) chain(head string, value func() string) {
	text := fmt.Sprintf("%s := %s if {\n%s}", head, value(), a.body())
	for range rapid.IntRange(0, 3).Draw(a.t, "elses") {
		text += fmt.Sprintf(" else := %s if {\n%s}", value(), a.body())
	}
	if !oneIn(a.t, 3) {
		text += " else := " + value()
	}
	a.write("%s\n", text)
}

// valueLike draws what has a value of a leaf: mostly a constant.
func (a *author) valueLike(like term) string {
	alike := func(t term) bool { return slices.Equal(t.domain, like.domain) }
	if i := slices.IndexFunc(a.values, alike); i >= 0 && oneIn(a.t, 3) {
		return a.values[i].ref
	}
	if oneIn(a.t, 4) {
		return like.ref
	}
	return a.word(like)
}

// partialSet adds constants to a set, each under conditions of its own.
func (a *author) partialSet() {
	s := set{name: a.name("set"), like: a.textLeaf()}
	for range a.upTo(3) {
		word := a.word(s.like)
		a.when(s.name + " contains " + word)
		s.added = append(s.added, word)
	}
	a.sets = append(a.sets, s)
}

// drawnSet is a set that is not written out: a comprehension, or a partial set of a
// variable.
func (a *author) drawnSet() {
	s := set{name: a.name("set"), like: a.textLeaf()}
	x := a.name("x")
	if oneIn(a.t, 2) {
		a.write("%s contains %s if {\n\tsome %s in %s\n\t%s\n}\n", s.name, x, x, a.collection(s.like), a.about(x, s.like))
	} else {
		a.write("%s := {%s | some %s in %s; %s}\n", s.name, x, x, a.collection(s.like), a.about(x, s.like))
	}
	a.sets = append(a.sets, s)
}

// partialObject gives values to keys. The same key twice is a contradiction when
// both bodies hold.
func (a *author) partialObject() {
	o := object{name: a.name("object"), like: a.textLeaf()}
	keys := []string{`"a"`, `"b"`, `"c"`}
	for range a.upTo(3) {
		key := draw(a, keys)
		if !oneIn(a.t, 8) {
			keys = slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == key })
		}
		a.when(fmt.Sprintf("%s[%s] := %s", o.name, key, a.word(o.like)))
		o.keys = append(o.keys, key)
	}
	a.objects = append(a.objects, o)
}

// function has values, by clauses that each take one value, by a chain of else, or by
// a lookup.
func (a *author) function() {
	f := function{name: a.name("fn"), takes: a.textLeaf(), like: a.textLeaf()}
	x := a.name("x")
	if oneIn(a.t, 2) {
		a.write("default %s(_) := %s\n", f.name, a.word(f.like))
	}
	if oneIn(a.t, 3) {
		a.write("%s(%s) := %s if {\n\t%s\n%s} else := %s if {\n\t%s\n}\n", f.name, x, a.word(f.like), a.about(x, f.takes), a.body(),
			a.word(f.like), a.about(x, f.takes))
	} else {
		for _, word := range a.words(f.takes) {
			a.when(fmt.Sprintf("%s(%s) := %s", f.name, word, a.word(f.like)))
		}
	}
	a.functions = append(a.functions, f)
}

// predicate is a function that is true or undefined.
func (a *author) predicate() {
	f := function{name: a.name("is"), takes: a.textLeaf(), isBoolean: true}
	for range a.upTo(3) {
		x := a.name("x")
		a.write("%s(%s) if {\n\t%s\n%s}\n", f.name, x, a.about(x, f.takes), a.body())
	}
	a.functions = append(a.functions, f)
}

// guardrail refuses by its name.
func (a *author) guardrail() {
	name := draw(a, []string{"never_first", "never_second"})
	a.when(fmt.Sprintf("guardrail contains %q", name))
	a.guardrails = append(a.guardrails, name)
}

func (a *author) upTo(n int) int { return rapid.IntRange(1, n).Draw(a.t, "up to") }

// textLeaf draws a leaf or a switch that is a string.
func (a *author) textLeaf() term { return draw(a, a.texts) }
