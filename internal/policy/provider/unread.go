package provider

import (
	"slices"
	"strings"

	"doorward/internal/fault"
)

// elsewhere are the switches that do something although no rule reads them, and why.
// A switch for something that does not exist yet leaves the list when that comes.
var elsewhere = map[string]string{
	inviteTTL:        "imported invitations",
	"direct_add":     "staff adding people, which is still to come",
	"ownership.mode": "transfers of ownership, which are still to come",
	"all_semantics":  "what a grant of all permissions stores, which is still to come",
	presetsOffered:   "the pages that offer presets",
	presetsAllAdds:   "the preset of all permissions",
	mfaMethods:       "input.session.mfa",
	stepUpMaxAge:     "input.session.mfa_fresh",
}

// Unread lists the switches that nothing reads, and where each was set, when the
// rules read the given leaves (rules.Program.Reads).
func (p *Provider) Unread(read []string) []fault.Fault {
	var unread []fault.Fault
	for _, name := range names() {
		leaf := "data.doorward.provider." + name
		s, set := p.settings[name]
		if !set || elsewhere[name] != "" || slices.ContainsFunc(read, func(r string) bool { return within(leaf, r) }) {
			continue
		}
		f := s.at
		f.Message = name + " is set, and no rule reads it"
		f.Fix = "A rule may have gone or been misspelt: look for data.doorward.provider." + name + "."
		unread = append(unread, f)
	}
	return unread
}

// within tells whether a dotted name is another or below it.
func within(name, other string) bool { return name == other || strings.HasPrefix(name, other+".") }
