package whmcsexport

import (
	"slices"
	"strings"
	"time"

	"doorward/internal/decision"
	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
)

// A key is a permission of WHMCS: its first category decides whether it is written, and
// it gives all that name it in the catalogue.
type key struct {
	name  string
	first int // the bit of a category
	gives catalogue.Set
}

// keysOf returns WHMCS's permissions in the catalogue's order.
func keysOf(c *catalogue.Catalogue) []key {
	var keys []key
	for bit, category := range c.Categories {
		for _, name := range category.WHMCS {
			i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
			if i < 0 {
				i, keys = len(keys), append(keys, key{name: name, first: bit})
			}
			keys[i].gives = keys[i].gives.With(bit)
		}
	}
	return keys
}

// lists makes permission lists by one policy.
type lists struct {
	policy     *policy.Policy
	keys       []key
	categories catalogue.Set // without mail
	// ordering and cancelling are set where whoever may order may cancel (C5).
	ordering, cancelling catalogue.Set
	limited              []limitedAction
}

// A limitedAction needs more than the category that guards it first; WHMCS has it with
// the permission for that category.
type limitedAction struct {
	*catalogue.Action
	first catalogue.Set
	never bool // no category is enough
}

func newLists(p *policy.Policy) *lists {
	l := &lists{policy: p, keys: keysOf(p.Catalogue)}
	for _, c := range p.Catalogue.Categories {
		l.categories = l.categories.Union(p.Catalogue.Set(c.Name))
	}
	if p.Provider.OrdersCancel() {
		l.ordering, l.cancelling = p.Catalogue.Set("orders"), p.Catalogue.Set("cancellations")
	}
	for _, a := range p.Catalogue.Actions() {
		never := !p.Provider.InvoicesPay() && slices.Contains(paying, a.Name)
		if a.Class == catalogue.Guarded && (len(a.Guards) > 1 || never) {
			l.limited = append(l.limited, limitedAction{a, p.Catalogue.Set(a.Guards[0]), never})
		}
	}
	return l
}

// paying are the actions that seeing invoices may come without (A13.4).
var paying = []string{"invoice.pay", "invoice.masspay"}

// effective is what is held with what comes of it by a switch of the provider.
func (l *lists) effective(held catalogue.Set) catalogue.Set {
	held = held.Common(l.categories)
	if !l.ordering.IsEmpty() && held.Contains(l.ordering) {
		held = held.Union(l.cancelling)
	}
	return held
}

// A list is what WHMCS can have of a membership.
type list struct {
	keys         []string
	lost, gained []difference
}

// A difference is one thing lost or gained: what, as it is counted, and which.
type difference struct{ what, which string }

// of makes the list of a membership in force. What is held on some things only cannot
// be said to WHMCS and is lost.
func (l *lists) of(held decision.Held, facts portal.Facts) list {
	anywhere, whole := l.effective(held.Anywhere), l.effective(held.Whole)
	var made list
	var given catalogue.Set
	for _, k := range l.keys {
		if whole.Has(k.first) {
			made.keys = append(made.keys, k.name)
			given = given.Union(k.gives)
		}
	}
	made.lost = append(l.named(anywhere.Minus(given)), l.limits(facts)...)
	made.gained = append(l.named(given.Minus(whole)), l.actions(given, whole)...)
	return made
}

func (l *lists) named(categories catalogue.Set) []difference {
	var named []difference
	for _, name := range l.policy.Catalogue.Names(categories) {
		named = append(named, difference{what: name})
	}
	return named
}

// actions are those that WHMCS allows with a category that was given, and the policy
// only with more.
func (l *lists) actions(given, whole catalogue.Set) []difference {
	var more []difference
	for _, a := range l.limited {
		if given.Contains(a.first) && (a.never || !whole.Contains(a.Guard)) {
			more = append(more, difference{what: a.Name})
		}
	}
	return more
}

// limits are the limits of a membership, of its account, and the names in it that mean
// nothing: WHMCS has none of them.
func (l *lists) limits(facts portal.Facts) []difference {
	var lost []difference
	grant := facts.Membership.Grant
	if len(grant.Scope) > 0 {
		things := make([]string, len(grant.Scope))
		for i, thing := range grant.Scope {
			things[i] = thing.String()
		}
		lost = append(lost, difference{"scope", strings.Join(things, ",")})
	}
	if !grant.NotAfter.IsZero() {
		lost = append(lost, difference{"ends", grant.NotAfter.UTC().Format(time.RFC3339)})
	}
	if facts.Account.MFARequired {
		lost = append(lost, difference{what: "mfa_required"})
	}
	if facts.Account.Status != portal.AccountActive {
		lost = append(lost, difference{"account", string(facts.Account.Status)})
	}
	return append(lost, l.unknown(grant)...)
}

// unknown are the names in a grant that the policy does not know: they give nothing.
func (l *lists) unknown(grant *portal.Grant) []difference {
	var names []difference
	for _, preset := range grant.Presets {
		if !l.policy.Presets.Known(preset) {
			names = append(names, difference{"unknown preset", preset})
		}
	}
	for _, category := range slices.Concat(grant.Categories, grant.AccountWide) {
		if _, known := l.policy.Catalogue.Bit(category); !known {
			names = append(names, difference{"unknown category", category})
		}
	}
	return names
}

// row writes the list out.
func (l list) row(account portal.AccountID, user portal.UserID) Row {
	return Row{
		Client: account, User: user, Permissions: strings.Join(l.keys, ","),
		Lost: texts(l.lost), Gained: texts(l.gained),
	}
}

func texts(differences []difference) []string {
	texts := make([]string, len(differences)) // never nil: JSON would say null
	for i, d := range differences {
		texts[i] = strings.TrimSpace(d.what + " " + d.which)
	}
	return texts
}
