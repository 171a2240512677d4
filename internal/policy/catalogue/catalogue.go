// Package catalogue holds what a portal can do and which permission guards it:
// categories, actions and mail categories, read from catalogue.yaml.
//
// It knows nothing of people, presets or rules. Its invariants: every name an
// action refers to exists; implications have no cycle; an action is guarded by
// categories, or is one of self, staff, mail and entity, never two of these; and what the
// file does not say out loud is not assumed.
package catalogue

import (
	"cmp"
	"slices"
)

// A Catalogue is one reading of catalogue.yaml. It is immutable; callers must
// not change what its methods and fields refer to.
type Catalogue struct {
	File       string     // as faults name it
	Categories []Category // in the file's order
	Mails      []Mail     // in the file's order

	actions map[string]*Action
	sorted  []*Action
	objects []string
	bits    map[string]int
	implied []Set // by bit: the object and all it implies
	owners  Set   // the categories that are not delegable
}

// A Category is a permission a person can be given.
type Category struct {
	Name      string
	Line      int // where the file has it
	Label     string
	Freshness Freshness
	// Implies lists the categories that come with this one when a grant is made
	// (A13.17). Decisions do not expand it.
	Implies []string
	// Delegable tells whether anybody but the owner may be given it (A13.2).
	Delegable bool
	WHMCS     []string // the WHMCS permissions that give it; may be empty
}

// Freshness tells how old the facts behind an answer may be (design R9).
type Freshness string

// The freshnesses of a category.
const (
	Strict  Freshness = "strict"
	Bounded Freshness = "bounded"
)

// A Class tells what decides about an action.
type Class string

// The classes of actions.
const (
	Guarded Class = "guarded" // the categories a member holds
	Self    Class = "self"    // whether the object is the subject's own (A13.18)
	Staff   Class = "staff"   // the provider's staff only (A13.19)
	Receive Class = "mail"    // whether the subject receives a mail category (A13.14)
	Entity  Class = "entity"  // rules alone, about subjects and resources of the policy's own
)

// The effects of an action. What hands out a secret or opens a session
// elsewhere is a write: it gives the power to change things.
const (
	Read  = "read"
	Write = "write"
)

// The scopes of an action: the type of resource that a scoped grant must list
// for it (A13.16). ScopeNone actions act on the account as a whole.
const (
	ScopeService = "service"
	ScopeDomain  = "domain"
	ScopeNone    = "none"
)

// An Action is one thing a portal can do.
type Action struct {
	Name  string
	Line  int // where the file has it; of a mail action, the mail category
	Class Class
	// Guards are the categories that are all required (A13.17). Of a mail action
	// it is the one category a user must hold, or none.
	Guards []string
	Guard  Set // Guards as a set
	// Category is the first guard, or the class when there is none.
	Category string
	Effect   string // read or write
	Scope    string // service, domain or none
	// Self is what the resource of a self action must be: user, account,
	// invitation or transfer; "" for other classes.
	Self string
	// Mail is the mail category of a mail action, "" for other classes, and
	// MailBit is its bit, -1 for other classes.
	Mail    string
	MailBit int
	// Entity is the type of the resources of an entity action, "" for other classes.
	// They are those that the policy lists, or any with Unlisted.
	Entity   string
	Unlisted bool
	// Sensitive actions may need a recent login and are always audited
	// (invariant 13).
	Sensitive bool
	List      bool // the action lists things
	// AboutMember tells that the resource is a member of the account (A13.7).
	AboutMember bool
	// ByRole tells of a mail action that a preset with a line for the mail needs no
	// guard (req 69).
	ByRole bool
}

// A Mail is a mail category (D2).
type Mail struct {
	Name  string
	Line  int // where the file has it
	Label string
	Guard string // the category a user must hold to receive it; may be empty
	// ByRole tells that a preset with a line for it needs no guard (req 69).
	ByRole bool
	WHMCS  string // the WHMCS flag; may be empty
}

// MailObject returns the name of the mail category as an object of presets.
func MailObject(mail string) string { return "mail:" + mail }

// Action returns the action of that name.
func (c *Catalogue) Action(name string) (*Action, bool) {
	a, ok := c.actions[name]
	return a, ok
}

// Actions returns all actions by name.
func (c *Catalogue) Actions() []*Action { return c.sorted }

// Objects returns what a preset can hold: categories, then mails as mail:<name>,
// in bit order.
func (c *Catalogue) Objects() []string { return c.objects }

// Bit returns the position of a category or mail:<name> in a Set.
func (c *Catalogue) Bit(object string) (int, bool) {
	bit, ok := c.bits[object]
	return bit, ok
}

// Line tells where the file has a category or mail:<name>; 0 when it has not.
func (c *Catalogue) Line(object string) int {
	bit, known := c.bits[object]
	switch {
	case !known:
		return 0
	case bit < len(c.Categories):
		return c.Categories[bit].Line
	}
	return c.Mails[bit-len(c.Categories)].Line
}

// Set returns the set of the named objects. Unknown names give nothing.
func (c *Catalogue) Set(objects ...string) Set {
	var s Set
	for _, name := range objects {
		if bit, ok := c.bits[name]; ok {
			s = s.With(bit)
		}
	}
	return s
}

// OwnersOnly are the categories that nobody but the owner may be given (A13.2).
func (c *Catalogue) OwnersOnly() Set { return c.owners }

// Names returns the names in s, in bit order.
func (c *Catalogue) Names(s Set) []string {
	var names []string
	for bit := range s.all {
		if bit < len(c.objects) {
			names = append(names, c.objects[bit])
		}
	}
	return names
}

// Implied returns s with all that its categories imply.
func (c *Catalogue) Implied(s Set) Set {
	closure := s
	for bit := range s.all {
		if bit < len(c.implied) {
			closure = closure.Union(c.implied[bit])
		}
	}
	return closure
}

// index fills everything that is derived from the categories and mails.
func (c *Catalogue) index() {
	for _, category := range c.Categories {
		c.objects = append(c.objects, category.Name)
	}
	for _, mail := range c.Mails {
		c.objects = append(c.objects, MailObject(mail.Name))
	}
	c.bits = make(map[string]int, len(c.objects))
	for bit, name := range c.objects {
		c.bits[name] = bit
	}
	for bit, category := range c.Categories {
		if !category.Delegable {
			c.owners = c.owners.With(bit)
		}
	}
	c.implied = make([]Set, len(c.Categories))
	for bit := range c.Categories {
		c.implied[bit] = c.closure(bit, Set{})
	}
}

// closure adds the category with that bit, and what it implies, to seen.
func (c *Catalogue) closure(bit int, seen Set) Set {
	if seen.Has(bit) {
		return seen
	}
	seen = seen.With(bit)
	for _, name := range c.Categories[bit].Implies {
		seen = c.closure(c.bits[name], seen)
	}
	return seen
}

// mailActions are the actions that ask who receives a mail category: reading,
// so that it does not stop for a suspended account.
func (c *Catalogue) mailActions() []*Action {
	actions := make([]*Action, 0, len(c.Mails))
	for _, mail := range c.Mails {
		a := &Action{
			Name: "mail." + mail.Name + ".receive", Line: mail.Line, Class: Receive, Category: string(Receive),
			Effect: Read, Scope: ScopeNone, Mail: mail.Name, MailBit: c.bits[MailObject(mail.Name)],
			ByRole: mail.ByRole,
		}
		if mail.Guard != "" {
			a.Guards, a.Guard, a.Category = []string{mail.Guard}, c.Set(mail.Guard), mail.Guard
		}
		if mail.Name == ScopeDomain { // domain mail is about one domain (A13.14)
			a.Scope = ScopeDomain
		}
		actions = append(actions, a)
	}
	return actions
}

// addActions indexes actions whose names differ.
func (c *Catalogue) addActions(actions []*Action) {
	c.actions = make(map[string]*Action, len(actions))
	for _, a := range actions {
		c.actions[a.Name] = a
		c.sorted = append(c.sorted, a)
	}
	slices.SortFunc(c.sorted, func(a, b *Action) int { return cmp.Compare(a.Name, b.Name) })
}
