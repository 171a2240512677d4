package generate

import (
	"slices"
	"time"

	"doorward/internal/policy/catalogue"
)

// words are those of the policy in force that members' lines are made of.
type words struct {
	presets    []weighted[string]
	categories []string // that others than the owner may hold
	mails      []string // that are somebody's choice
}

// usual are the presets that portals give most, and how often. What a policy has
// besides is given now and then.
var usual = []weighted[string]{{34, "billing"}, {22, "developer"}, {16, "support"}, {14, "administrator"}, {14, "all"}}

const unusual = 4

func newWords(cat *catalogue.Catalogue, presets []string) words {
	var w words
	for _, preset := range usual {
		if slices.Contains(presets, preset.value) {
			w.presets = append(w.presets, preset)
		}
	}
	for _, preset := range slices.Sorted(slices.Values(presets)) {
		named := func(u weighted[string]) bool { return u.value == preset }
		if preset != "owner" && !slices.ContainsFunc(usual, named) {
			w.presets = append(w.presets, weighted[string]{unusual, preset})
		}
	}
	if cat == nil {
		return w
	}
	for _, c := range cat.Categories {
		if c.Delegable {
			w.categories = append(w.categories, c.Name)
		}
	}
	for _, m := range cat.Mails {
		if m.Name != "security" { // nobody's choice
			w.mails = append(w.mails, m.Name)
		}
	}
	return w
}

// anyPreset draws a preset; "" when the policy has none.
func (w *writer) anyPreset(d dice) string {
	if len(w.words.presets) == 0 {
		return ""
	}
	return draw(d, w.words.presets)
}

// preset is the preset of that name, or another where the policy lacks it.
func (w *writer) preset(d dice, name string) string {
	for _, known := range w.words.presets {
		if known.value == name {
			return name
		}
	}
	return w.anyPreset(d)
}

// grant makes up what a member holds: the preset, or single categories, or both.
func (w *writer) grant(d dice, c customer, preset string) grantMembers {
	var g grantMembers
	granular := d.in1000(180)
	if preset != "" && (!granular || d.in1000(300)) {
		g.Presets = []string{preset}
	}
	if granular || len(g.Presets) == 0 {
		g.Categories = someOf(d, w.words.categories, 6)
	}
	if d.in1000(120) {
		g.Scope = c.resources(d)
		if d.in1000(250) {
			g.AccountWide = someOf(d, w.words.categories, 2)
		}
	}
	if d.in1000(70) {
		from, days := w.ago(d, 460).AddDate(0, 0, 60), d.between(1, 400)
		g.NotBefore, g.NotAfter = w.stamp(from), w.stamp(from.Add(time.Duration(days)*24*time.Hour))
	}
	w.summary.grant(g, w.stamp(w.At))
	return g
}

// someOf draws up to most of the names, in their order.
func someOf(d dice, names []string, most int) []string {
	drawn := make([]bool, len(names))
	for range d.between(1, most) {
		if len(names) > 0 {
			drawn[d.below(len(names))] = true
		}
	}
	var some []string
	for i, name := range names {
		if drawn[i] {
			some = append(some, name)
		}
	}
	return some
}

// resources are some of the account's services and domains.
func (c customer) resources(d dice) []string {
	var refs []string
	for n := range d.between(1, 3) {
		refs = append(refs, "service:"+c.id+"-"+string(rune('1'+n)))
	}
	if d.in1000(500) {
		refs = append(refs, "domain:"+c.domain)
	}
	return refs
}

// mails makes up choices of mail; the rest follows permissions.
func (w *writer) mails(d dice) map[string]bool {
	chosen := map[string]bool{}
	for _, name := range someOf(d, w.words.mails, 3) {
		chosen[name] = d.in1000(500)
	}
	return chosen
}
