package explain

import (
	"fmt"
	"slices"
	"strings"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/presets"
	"doorward/internal/portal"
)

// needs says what the catalogue says of the action.
func (s subject) needs() *Action {
	a := s.action
	if a == nil {
		return nil
	}
	file := s.Policy.Catalogue.File
	return &Action{
		Name: a.Name, Class: a.Class, Effect: a.Effect, Sensitive: a.Sensitive,
		Text: fmt.Sprintf("%s %s (%s:%d)", a.Name, demand(a), file, a.Line), File: file, Line: a.Line,
	}
}

func demand(a *catalogue.Action) string {
	switch {
	case a.Class == catalogue.Self:
		return "needs no permission: it is for what is one's own"
	case a.Class == catalogue.Staff:
		return "is for the provider's own staff, with the right of that name"
	case a.Class == catalogue.Entity:
		return "is decided by rules alone: it is done to a " + a.Entity + " of the policy's own"
	case a.Mail != "" && len(a.Guards) == 0:
		return "needs only " + catalogue.MailObject(a.Mail)
	case a.Mail != "" && a.ByRole:
		return "needs " + a.Guards[0] + ", or a preset with a line for " + catalogue.MailObject(a.Mail)
	case a.Mail != "":
		return "needs " + a.Guards[0] + " and " + catalogue.MailObject(a.Mail)
	}
	return "needs " + strings.Join(a.Guards, " and ")
}

// permissions tells of each that the answer can depend on whether it is held.
func (s subject) permissions() []Guard {
	if s.action == nil || s.judged.Input == nil {
		return nil
	}
	var list []Guard
	for _, name := range s.action.Guards {
		list = append(list, s.guard(name, "guard"))
	}
	if s.action.Mail != "" {
		list = append(list, s.mail(catalogue.MailObject(s.action.Mail)))
	}
	for _, leaf := range s.Policy.Rules.Schema().Has {
		if leaf.For(s.action.Name) {
			list = append(list, s.guard(leaf.Category, "declared"))
		}
	}
	return list
}

func (s subject) guard(object, need string) Guard {
	bit, _ := s.Policy.Catalogue.Bit(object)
	g := Guard{Object: object, Need: need, Held: s.judged.Held.Has(bit), Lines: s.lines(object)}
	g.File, g.Line = s.Policy.Catalogue.File, s.Policy.Catalogue.Line(object)
	g.Text = s.whether(g, bit)
	return g
}

// mail tells of a mail whether it is sent: by choice, or by what is held. A preset that
// denies it denies it to whoever chose it.
func (s subject) mail(object string) Guard {
	g, in := s.guard(object, "mail"), s.judged.Input
	if in.Subject.Type != portal.TypeContact && in.Grant.State == "active" && denial(g.Lines) >= 0 {
		return g
	}
	switch subscribed := in.Grant.Subscribed; {
	case subscribed == "chosen":
		g.Held, g.Text = true, "held: it was chosen"
	case subscribed == "declined":
		g.Held, g.Text = false, "not held: it was declined"
	case subscribed == "by_default" && len(g.Lines) == 0:
		g.Held, g.Text = true, "held: it comes with "+strings.Join(s.action.Guards, ", ")+", which was given by itself"
	case in.Subject.Type == portal.TypeContact:
		g.Text = "not held: the contact is not subscribed to it"
	}
	return g
}

func denial(lines []Line) int {
	return slices.IndexFunc(lines, func(l Line) bool { return l.Effect == "deny" })
}

// lines are those of the presets held that give or deny the object.
func (s subject) lines(object string) []Line {
	g := s.People.Subject.Membership.Grant
	if g == nil {
		return nil
	}
	var list []Line
	for _, preset := range g.Presets {
		for _, l := range s.Policy.Presets.Lines(preset, object) {
			list = append(list, Line{Effect: effect(l), Preset: preset, Path: l.Path, File: l.File, Line: l.Number})
		}
	}
	return list
}

func effect(l presets.Line) string {
	if l.Deny {
		return "deny"
	}
	return "allow"
}

// whether says whether a permission is held, and why.
func (s subject) whether(g Guard, bit int) string {
	in, grant := s.judged.Input, s.People.Subject.Membership.Grant
	switch {
	case in.Subject.Type == portal.TypeContact:
		return "not held: contacts hold no permissions"
	case in.Grant.State != "active":
		return "not held: " + inForce[in.Grant.State]
	case !s.People.Subject.Membership.Owner && s.Policy.Catalogue.OwnersOnly().Has(bit):
		return "not held: only the owner holds it, whatever others were given"
	}
	denied := denial(g.Lines)
	given := slices.IndexFunc(g.Lines, func(l Line) bool { return l.Effect == "allow" })
	switch {
	case denied >= 0:
		return "not held: denied by " + g.Lines[denied].where()
	case slices.Contains(grant.AccountWide, g.Object):
		return "held: given by itself, on the whole account"
	case slices.Contains(grant.Categories, g.Object):
		return "held: given by itself" + s.only(bit)
	case given >= 0:
		return "held: " + g.Lines[given].where() + s.only(bit)
	case len(grant.Presets) == 0:
		return "not held: no preset is held, and it was not given by itself"
	}
	return "not held: given neither by itself nor by " + s.presetsHeld(grant.Presets)
}

// inForce says why a grant gives nothing, by its state.
var inForce = map[string]string{
	"none": "there is no membership", "pending": "the membership has not begun",
	"expired": "the membership has ended", "removed": "the membership was ended",
}

// only adds that a permission is limited to what is in the grant's scope.
func (s subject) only(bit int) string {
	if s.judged.Wide.Has(bit) {
		return ""
	}
	return ", for " + some(texts(s.People.Subject.Membership.Grant.Scope)) + " only"
}

func (s subject) presetsHeld(names []string) string {
	var list []string
	for _, name := range names {
		if !s.Policy.Presets.Known(name) {
			name += " (which is no preset of this policy)"
		}
		list = append(list, name)
	}
	if len(list) == 1 {
		return "the preset " + list[0]
	}
	return "the presets " + some(list)
}

// shown is how many words of a list a sentence names.
const shown = 8

// some are the first words of a list, and how many more there are.
func some(words []string) string {
	if more := len(words) - shown; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:shown], ", "), more)
	}
	return strings.Join(words, ", ")
}

// where says whose line it is, and where it stands.
func (l Line) where() string {
	owner := l.Path[len(l.Path)-1]
	if owner == l.Preset {
		return fmt.Sprintf("%s:%d (%s)", l.File, l.Line, l.Preset)
	}
	return fmt.Sprintf("%s:%d (%s, inherited by %s)", l.File, l.Line, owner, strings.Join(inheritors(l.Path), ", "))
}

// inheritors are who a line comes down to, the nearest to it first.
func inheritors(path []string) []string {
	down := slices.Clone(path[:len(path)-1])
	slices.Reverse(down)
	return down
}
