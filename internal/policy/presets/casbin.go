package presets

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"strconv"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"golang.org/x/sync/errgroup"

	"doorward/internal/policy/catalogue"
)

// maxUnions is how many unions of presets are compared with Casbin. Up to twelve
// presets these are all there are.
const maxUnions = 1 << 12

// Names that Casbin is given besides presets begin like this, as no preset can.
const (
	probed   = "__probe"
	prober   = "__probe_"
	unionist = "__union_"
)

// judge obtains the mask of every preset from Casbin and compares the masks with
// Casbin's answers for unions of presets.
//
// Under the pinned model a line about one object says nothing about another. So
// each object has an enforcer of its own, because Casbin's time grows with its
// lines; and objects about which the lines say the same are judged once, because
// they differ by name only.
func judge(cat *catalogue.Catalogue, lines []line) (map[string]mask, error) {
	names := namesIn(lines)
	unions := unionsOf(len(names))
	alike := objectsAlike(cat, lines)
	columns := make([]column, len(alike))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, objects := range alike {
		group.Go(func() error {
			e, err := newEnforcer(lines, objects[0])
			if err != nil {
				return err
			}
			if columns[i], err = probe(e, objects[0], names); err != nil {
				return err
			}
			return verify(e, objects[0], names, unions, columns[i])
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	masks := make(map[string]mask, len(names))
	for n, name := range names {
		masks[name] = maskOf(cat, alike, columns, n)
	}
	return masks, nil
}

// objectsAlike groups the objects by what the lines say about them.
func objectsAlike(cat *catalogue.Catalogue, lines []line) [][]string {
	said := make(map[string]string)
	for _, l := range lines {
		if l.kind == "p" {
			said[l.object.text] += l.preset.text + " " + l.effect.text + ","
		}
	}
	groups := make(map[string]int)
	var alike [][]string
	for _, object := range cat.Objects() {
		i, known := groups[said[object]]
		if !known {
			i = len(alike)
			groups[said[object]] = i
			alike = append(alike, nil)
		}
		alike[i] = append(alike[i], object)
	}
	return alike
}

// maskOf is what the columns say of the preset with that index.
func maskOf(cat *catalogue.Catalogue, alike [][]string, columns []column, preset int) mask {
	var m mask
	for i, objects := range alike {
		if columns[i].allow[preset] {
			m.allow = m.allow.Union(cat.Set(objects...))
		}
		if columns[i].deny[preset] {
			m.deny = m.deny.Union(cat.Set(objects...))
		}
	}
	return m
}

// A column says of one object, for each preset, whether it is allowed and whether
// it is denied. A preset that denies does not allow.
type column struct{ allow, deny []bool }

// newEnforcer is Casbin under the pinned model with the lines about one object.
func newEnforcer(lines []line, object string) (*casbin.Enforcer, error) {
	var grants, inheritances [][]string
	for _, l := range lines {
		switch {
		case l.kind == "g":
			inheritances = append(inheritances, []string{l.preset.text, l.parent.text})
		case l.object.text == object:
			grants = append(grants, []string{l.preset.text, l.object.text, l.effect.text})
		}
	}
	grants = append(grants, []string{probed, object, "allow"})
	m, err := model.NewModelFromString(pinnedModel)
	if err != nil {
		return nil, fmt.Errorf("read pinned model: %w", err)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, fmt.Errorf("make enforcer: %w", err)
	}
	if ok, err := e.AddPolicies(grants); err != nil || !ok {
		return nil, fmt.Errorf("hand grants of %s to Casbin: added %v: %w", object, ok, err)
	}
	return e, link(e, inheritances)
}

func link(e *casbin.Enforcer, pairs [][]string) error {
	if len(pairs) == 0 {
		return nil
	}
	if ok, err := e.AddGroupingPolicies(pairs); err != nil || !ok {
		return fmt.Errorf("hand inheritances to Casbin: added %v: %w", ok, err)
	}
	return nil
}

// probe asks what each preset allows, and what it denies: that is what it still
// refuses somebody who is allowed everything besides (engine notes 3.2).
func probe(e *casbin.Enforcer, object string, names []string) (column, error) {
	c := column{make([]bool, len(names)), make([]bool, len(names))}
	var pairs [][]string
	for _, name := range names {
		pairs = append(pairs, []string{prober + name, name}, []string{prober + name, probed})
	}
	if err := link(e, pairs); err != nil {
		return c, err
	}
	for i, name := range names {
		allowed, err := e.Enforce(name, object)
		if err != nil {
			return c, fmt.Errorf("ask Casbin whether %s has %s: %w", name, object, err)
		}
		spared, err := e.Enforce(prober+name, object)
		if err != nil {
			return c, fmt.Errorf("ask Casbin whether %s is denied %s: %w", name, object, err)
		}
		c.allow[i], c.deny[i] = allowed, !spared
	}
	return c, nil
}

// verify compares (any allow) and not (any deny) with Casbin for every union.
func verify(e *casbin.Enforcer, object string, names []string, unions [][]int, c column) error {
	var pairs [][]string
	for u, union := range unions {
		for _, i := range union {
			pairs = append(pairs, []string{unionist + strconv.Itoa(u), names[i]})
		}
	}
	if err := link(e, pairs); err != nil {
		return err
	}
	for u, union := range unions {
		got, err := e.Enforce(unionist+strconv.Itoa(u), object)
		if err != nil {
			return fmt.Errorf("ask Casbin about %s: %w", object, err)
		}
		if want := c.holds(union); got != want {
			return fmt.Errorf("for %s, presets %v: Casbin %v, masks %v", object, pick(names, union), got, want)
		}
	}
	return nil
}

func (c column) holds(union []int) bool {
	allow, deny := false, false
	for _, i := range union {
		allow, deny = allow || c.allow[i], deny || c.deny[i]
	}
	return allow && !deny
}

func pick(names []string, union []int) []string {
	var list []string
	for _, i := range union {
		list = append(list, names[i])
	}
	return list
}

// unionsOf returns the unions of n presets to compare: all, if they are at most
// maxUnions; else every single, every pair and a sample that is always the same.
func unionsOf(n int) [][]int {
	var unions [][]int
	if n <= bits.Len(maxUnions)-1 {
		for set := 1; set < 1<<n; set++ {
			unions = append(unions, members(func(i int) bool { return set&(1<<i) != 0 }, n))
		}
		return unions
	}
	for i := range n {
		unions = append(unions, []int{i})
		for j := range i {
			unions = append(unions, []int{j, i})
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for len(unions) < maxUnions {
		share := 1 + random.IntN(n)
		if union := members(func(int) bool { return random.IntN(n) < share }, n); len(union) > 0 {
			unions = append(unions, union)
		}
	}
	return unions
}

func members(in func(i int) bool, n int) []int {
	var list []int
	for i := range n {
		if in(i) {
			list = append(list, i)
		}
	}
	return list
}
