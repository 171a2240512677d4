package policygen

import (
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"doorward/internal/policy/rules"
)

// A term is something that rules can read: a leaf of the input, a switch, or a rule
// whose values are those of a leaf.
type term struct {
	ref    string
	typ    rules.Type
	domain []string // of a string: what it can be
}

const providerPath = "data.doorward.provider."

// switches are some of the provider's switches.
var switches = []term{
	{providerPath + "billing.pay", rules.Boolean, nil},
	{providerPath + "direct_add", rules.Boolean, nil},
	{providerPath + "closed.access", rules.String, []string{"none", "read"}},
	{providerPath + "notify.users", rules.String, []string{"by_permission", "explicit", "none"}},
	{providerPath + "step_up.mode", rules.String, []string{"advise", "enforce"}},
	{providerPath + "step_up.max_age", rules.Number, nil},
}

// lists are switches that are lists of categories.
var lists = []string{providerPath + "suspended.writes"}

// freeTexts are what a text without a domain is compared with, and often is.
var freeTexts = []string{"", "billing", "sales", "none", "x"}

// termsOf are the leaves and some switches.
func termsOf(leaves []rules.Leaf) []term {
	all := slices.Clone(switches)
	for _, l := range leaves {
		t := term{l.Path, l.Type, l.Domain}
		if l.Type == rules.String && l.Domain == nil {
			t.domain = freeTexts
		}
		all = append(all, t)
	}
	return all
}

// word draws one of the values of a term, as rules write it.
func (a *author) word(like term) string { return strconv.Quote(draw(a, like.domain)) }

// words draws different values of a term, as rules write a list of them.
func (a *author) words(like term) []string {
	n := min(len(like.domain), 3)
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(like.domain), 1, n, rapid.ID).Draw(a.t, "words")
	for i, word := range some {
		some[i] = strconv.Quote(word)
	}
	return some
}

// list draws a set or an array of values.
func (a *author) list(like term) string {
	some := strings.Join(a.words(like), ", ")
	return draw(a, []string{"{" + some + "}", "[" + some + "]"})
}

func draw[T any](a *author, from []T) T { return rapid.SampledFrom(from).Draw(a.t, "draw") }
