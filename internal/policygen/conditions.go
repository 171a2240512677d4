package policygen

import (
	"fmt"
	"slices"
	"strings"
)

// condition draws one condition of a body, as lines.
func (a *author) condition() []string {
	kinds := []func(*author) []string{
		(*author).compared, (*author).flagged, (*author).flagged, (*author).within, (*author).begun, (*author).assigned, (*author).takenApart,
		(*author).ofNumber, (*author).byRule, (*author).byRule, (*author).byValue, (*author).byFunction, (*author).byFunction, (*author).someOf,
		(*author).everyOf, (*author).counted, (*author).ofObject, (*author).bySet, (*author).lookedUp, (*author).byList, (*author).failing,
	}
	if lines := draw(a, kinds)(a); lines != nil {
		return lines
	}
	return a.compared() // what the other kind needs has not been written
}

// about draws a condition on a variable with values of a leaf.
func (a *author) about(x string, like term) string {
	switch draw(a, []int{0, 1, 2, 3}) {
	case 0:
		return fmt.Sprintf("%s != %s", x, a.word(like))
	case 1:
		return fmt.Sprintf("%s == %s", x, like.ref)
	case 2:
		return fmt.Sprintf("%s in %s", x, a.list(like))
	default:
		return fmt.Sprintf("%s != %s", x, like.ref)
	}
}

func (a *author) compared() []string {
	like := a.textLeaf()
	form := draw(a, []string{"%[1]s == %[2]s", "%[1]s != %[2]s", "%[2]s == %[1]s", "not %[1]s == %[2]s"})
	return []string{fmt.Sprintf(form, like.ref, a.word(like))}
}

func (a *author) flagged() []string {
	return []string{fmt.Sprintf(draw(a, []string{"%s", "not %s", "%s == true", "%s == false"}), draw(a, a.flags).ref)}
}

func (a *author) within() []string {
	like := a.textLeaf()
	return []string{fmt.Sprintf(draw(a, []string{"%s in %s", "not %s in %s"}), like.ref, a.collection(like))}
}

// collection draws a collection of values of a leaf: written out, or a rule.
func (a *author) collection(like term) string {
	for _, c := range a.constants {
		if slices.Equal(c.domain, like.domain) && oneIn(a.t, 2) {
			return c.ref
		}
	}
	return a.list(like)
}

func (a *author) begun() []string {
	like := a.textLeaf()
	word := draw(a, like.domain)
	part := word[:len(word)-len(word)/2]
	form := draw(a, []string{"startswith(%s, %q)", "not startswith(%s, %q)", "contains(%s, %q)"})
	return []string{fmt.Sprintf(form, like.ref, part)}
}

func (a *author) assigned() []string {
	like, x := a.textLeaf(), a.name("x")
	return []string{fmt.Sprintf("%s := %s", x, like.ref), a.about(x, like)}
}

func (a *author) takenApart() []string {
	first, second, x, y := a.textLeaf(), a.textLeaf(), a.name("x"), a.name("y")
	return []string{fmt.Sprintf("[%s, %s] := [%s, %s]", x, y, first.ref, second.ref), a.about(x, first), a.about(y, second)}
}

func (a *author) ofNumber() []string {
	form := draw(a, []string{"%s > %s", "%s == %s", "%s <= %s", "%s != %s"})
	return []string{fmt.Sprintf(form, draw(a, a.numbers).ref, draw(a, []string{"0", "1", "1.5", "900"}))}
}

func (a *author) byRule() []string {
	if len(a.named) == 0 {
		return nil
	}
	return []string{draw(a, []string{"", "not "}) + draw(a, a.named)}
}

func (a *author) byValue() []string {
	if len(a.values) == 0 {
		return nil
	}
	v := draw(a, a.values)
	return []string{fmt.Sprintf(draw(a, []string{"%s == %s", "%s != %s", "not %s == %s"}), v.ref, a.word(v))}
}

func (a *author) byFunction() []string {
	if len(a.functions) == 0 {
		return nil
	}
	f := draw(a, a.functions)
	call := fmt.Sprintf("%s(%s)", f.name, a.valueLike(f.takes))
	if f.isBoolean {
		return []string{draw(a, []string{"", "not "}) + call}
	}
	return []string{fmt.Sprintf(draw(a, []string{"%s == %s", "%s != %s"}), call, a.word(f.like))}
}

func (a *author) someOf() []string {
	x := a.name("x")
	if len(a.sets) > 0 && oneIn(a.t, 2) {
		s := draw(a, a.sets)
		return []string{fmt.Sprintf("some %s in %s", x, s.name), a.about(x, s.like)}
	}
	like := a.textLeaf()
	return []string{fmt.Sprintf("some %s in %s", x, a.collection(like)), a.about(x, like)}
}

func (a *author) everyOf() []string {
	x := a.name("x")
	if len(a.sets) > 0 && oneIn(a.t, 2) {
		s := draw(a, a.sets)
		return []string{fmt.Sprintf("every %s in %s { %s }", x, s.name, a.about(x, s.like))}
	}
	like := a.textLeaf()
	return []string{fmt.Sprintf("every %s in %s { %s }", x, a.collection(like), a.about(x, like))}
}

// counted counts what a comprehension makes.
func (a *author) counted() []string {
	like, x, k := a.textLeaf(), a.name("x"), a.name("k")
	from := a.collection(like)
	form := draw(a, []string{
		"count([%[1]s | some %[1]s in %[2]s; %[3]s]) %[4]s", "count({%[1]s | some %[1]s in %[2]s; %[3]s}) %[4]s",
		"count({%[5]s: %[1]s | some %[5]s, %[1]s in %[2]s; %[3]s}) %[4]s",
	})
	if strings.Contains(form, "%[5]s") {
		return []string{fmt.Sprintf(form, x, from, a.about(x, like), draw(a, []string{"> 0", "== 0", "> 1"}), k)}
	}
	return []string{fmt.Sprintf(form, x, from, a.about(x, like), draw(a, []string{"> 0", "== 0", "> 1"}))}
}

// ofObject reads an object: a value, some value, or a comprehension of it.
func (a *author) ofObject() []string {
	if len(a.objects) == 0 {
		return nil
	}
	o, k, v := draw(a, a.objects), a.name("k"), a.name("v")
	switch draw(a, []int{0, 1, 2, 3}) {
	case 0:
		return []string{fmt.Sprintf("%s[%s] == %s", o.name, draw(a, o.keys), a.word(o.like))}
	case 1:
		return []string{fmt.Sprintf("some %s, %s in %s", k, v, o.name), fmt.Sprintf("%s != %s", k, draw(a, o.keys)), a.about(v, o.like)}
	case 2:
		return []string{fmt.Sprintf("every %s, %s in %s { [%s, %s] != [%s, %s] }", k, v, o.name, k, v, draw(a, o.keys), a.word(o.like))}
	default:
		return []string{fmt.Sprintf("{%[1]s: %[2]s | some %[1]s, %[2]s in %[3]s; %[4]s} != {%[5]s: %[6]s}",
			k, v, o.name, a.about(v, o.like), draw(a, o.keys), a.word(o.like))}
	}
}

func (a *author) bySet() []string {
	if len(a.sets) == 0 {
		return nil
	}
	s := draw(a, a.sets)
	word := a.word(s.like)
	if s.added != nil {
		word = draw(a, s.added)
	}
	switch draw(a, []int{0, 1, 2}) {
	case 0:
		return []string{fmt.Sprintf("%s in %s", word, s.name)}
	case 1:
		return []string{fmt.Sprintf("not %s[%s]", s.name, word)}
	default:
		return []string{fmt.Sprintf("%s in %s", s.like.ref, s.name)}
	}
}

// lookedUp looks a leaf up in an object of constants.
func (a *author) lookedUp() []string {
	like := a.textLeaf()
	var members []string
	for i, word := range a.words(like) {
		members = append(members, fmt.Sprintf("%s: %d", word, i))
	}
	return []string{fmt.Sprintf("{%s}[%s] %s", strings.Join(members, ", "), like.ref, draw(a, []string{"== 0", "> 0", "< 2"}))}
}

// byList looks the action's category up in a list of the provider's.
func (a *author) byList() []string {
	return []string{fmt.Sprintf(draw(a, []string{"input.action.category in %s", "not input.action.category in %s"}), draw(a, lists))}
}

// failing is a condition that cannot always be evaluated, and seldom drawn.
func (a *author) failing() []string {
	if !oneIn(a.t, 3) {
		return nil
	}
	form := draw(a, []string{"10 / %s > 1", "10 % %s == 0"})
	n := draw(a, a.numbers)
	if oneIn(a.t, 4) {
		return []string{fmt.Sprintf("to_number(%s) == 1", a.textLeaf().ref)}
	}
	return []string{strings.Replace(form, "%s", n.ref, 1)}
}
