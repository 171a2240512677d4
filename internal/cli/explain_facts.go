package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"doorward/internal/explain"
	"doorward/internal/policy/catalogue"
)

// factLines say what the directory knows of everybody in the question.
func factLines(x *explain.Explanation) []string {
	f := x.Facts
	lines := []string{"facts at " + x.Position + ", policy " + x.Policy}
	if x.Profile != "" {
		lines[0] += " (" + x.Profile + ")"
	}
	if f.User != nil {
		lines = append(lines, "  "+userLine(f.User))
	}
	if f.Contact != nil {
		lines = append(lines, "  "+contactLine(f.Contact))
	}
	if f.Account != nil {
		lines = append(lines, "  "+accountLine(f.Account))
	}
	lines = append(lines, memberLines(f.Membership)...)
	if f.Actor != nil {
		lines = append(lines, "  "+userLine(f.Actor)+", and acts in their name")
	}
	lines = append(lines, memberLines(f.Member)...)
	for _, ref := range f.Unknown {
		lines = append(lines, "  "+ref+" is not in the directory")
	}
	switch {
	case x.Action != nil && x.Action.Class == catalogue.Entity:
		lines = append(lines, "  the directory has no part in it"+seen(x))
	case len(lines) == 1:
		lines = append(lines, "  nothing was read: the question was refused before")
	}
	return lines
}

// seen says what rules saw of a question about entities, sent or stored; nothing when
// they were not asked.
func seen(x *explain.Explanation) string {
	var input struct{ Request json.RawMessage }
	if json.Unmarshal(x.Input, &input) != nil || len(input.Request) == 0 {
		return ""
	}
	return "; rules saw " + string(input.Request)
}

func accountLine(a *explain.Account) string {
	line := fmt.Sprintf("account:%s is %s", a.ID, a.Status)
	if a.MFARequired {
		line += ", requires a second factor"
	}
	return line
}

func userLine(u *explain.User) string {
	return u.Ref + " is " + string(u.Status) + listed(", staff", u.Staff)
}

func contactLine(c *explain.Contact) string {
	return c.Ref + " is " + string(c.Status) + listed(", receives", c.Mails) + listed(", for", c.Scope)
}

func memberLines(m *explain.Membership) []string {
	if m == nil {
		return nil
	}
	kind := "member"
	if m.Owner {
		kind = "owner"
	}
	line := fmt.Sprintf("  %s is %s, %s", m.Ref, kind, m.State)
	line += listed(", presets", m.Presets) + listed(", categories", m.Categories) + listed(", on the whole account", m.AccountWide)
	line += listed(", limited to", m.Scope) + listed(", chose mail", m.MailOn) + listed(", declined mail", m.MailOff)
	if m.NotBefore != "" {
		line += ", from " + m.NotBefore
	}
	if m.NotAfter != "" {
		line += ", until " + m.NotAfter
	}
	return []string{line}
}

// most is how many words of a list are shown; --json has all.
const most = 30

// listed is what and the words, or nothing when there are none.
func listed(what string, words []string) string {
	if len(words) == 0 {
		return ""
	}
	if more := len(words) - most; more > 0 {
		return fmt.Sprintf("%s %s and %d more", what, strings.Join(words[:most], " "), more)
	}
	return what + " " + strings.Join(words, " ")
}
