// Package provider reads the provider's switches: the points at which hosting
// companies contradict each other (requirements A11), each with one answer.
//
// A profile sets every switch; provider.yaml picks one and may override some. The
// package does not know what a switch does: rules see them as
// data.doorward.provider. Its invariant: every switch has a value, and of its
// type; there are no defaults in the program.
package provider

import (
	"maps"
	"slices"
	"strings"
	"time"

	"doorward/internal/fault"
	"doorward/internal/strictyaml"
)

// A Provider is one setting of all switches. It is immutable.
type Provider struct {
	Profile  string // the profile it started from; for people, never for rules
	settings map[string]setting
}

// A setting is the value of a switch and where it was written.
type setting struct {
	value any // string, bool, time.Duration or []string
	at    fault.Fault
}

// InviteTTL is how long an invitation can be accepted (C1).
func (p *Provider) InviteTTL() time.Duration {
	ttl, _ := p.settings[inviteTTL].value.(time.Duration)
	return ttl
}

// StepUpMaxAge is how old a login may be for sensitive actions.
func (p *Provider) StepUpMaxAge() time.Duration {
	age, _ := p.settings[stepUpMaxAge].value.(time.Duration)
	return age
}

// MFAMethods are the authentication methods (RFC 8176) of which one must be in a
// login for it to count as one of several factors. Do not modify.
func (p *Provider) MFAMethods() []string { return p.list(mfaMethods) }

// PresetsOffered are the presets the provider's pages offer. Do not modify.
func (p *Provider) PresetsOffered() []string { return p.list(presetsOffered) }

// AllAdds are the categories that the preset of all permissions has besides its
// lines (A13.2), and where that was written. Do not modify.
func (p *Provider) AllAdds() ([]string, fault.Fault) {
	return p.list(presetsAllAdds), p.settings[presetsAllAdds].at
}

// OrdersCancel tells whether whoever may order may also cancel (C5).
func (p *Provider) OrdersCancel() bool { return p.settings[cancellations].value == withOrders }

// InvoicesPay tells whether whoever sees invoices may also pay them (A13.4).
func (p *Provider) InvoicesPay() bool { return p.settings[billingPay].value == true }

func (p *Provider) list(name string) []string {
	items, _ := p.settings[name].value.([]string)
	return items
}

// Data returns the switches as rules see them: nested by the dots of their names,
// durations in whole seconds, lists as []any of strings. The caller owns it.
func (p *Provider) Data() map[string]any {
	root := make(map[string]any)
	for name, s := range p.settings {
		parent, leaf := root, name
		for {
			group, rest, nested := strings.Cut(leaf, ".")
			if !nested {
				break
			}
			child, ok := parent[group].(map[string]any)
			if !ok {
				child = make(map[string]any)
				parent[group] = child
			}
			parent, leaf = child, rest
		}
		parent[leaf] = plain(s.value)
	}
	return root
}

// plain turns a value into what JSON has a form for.
func plain(value any) any {
	switch v := value.(type) {
	case time.Duration:
		return int64(v / time.Second)
	case []string:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = item
		}
		return items
	}
	return value
}

// With returns p with some switches set otherwise: by dotted name, each value
// written as in YAML, as {"delegation.inviters": "owner"}. Its error is a
// fault.List without lines.
func (p *Provider) With(overrides map[string]string) (*Provider, error) {
	changed := &Provider{Profile: p.Profile, settings: maps.Clone(p.settings)}
	var faults fault.List
	for _, name := range slices.Sorted(maps.Keys(overrides)) {
		sw, ok := find(name)
		if !ok {
			faults.Add(fault.Fault{File: "override " + name, Message: "no switch is called that", Fix: strictyaml.Suggest(name, names())})
			continue
		}
		file, node := strictyaml.Read("override "+name, []byte(overrides[name]))
		if node != nil {
			changed.set(file, sw, node)
		}
		for _, f := range file.Faults {
			f.Line, f.Column = 0, 0
			faults.Add(f)
		}
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return changed, nil
}

// CheckNames tells whether the switches that name categories and presets name
// known ones. Its error is a fault.List.
func (p *Provider) CheckNames(categories, presets []string) error {
	var faults fault.List
	for _, check := range []struct {
		name, what string
		known      []string
	}{
		{suspendedWrites, "category", categories},
		{presetsAllAdds, "category", categories},
		{presetsOffered, "preset", presets},
	} {
		for _, got := range p.list(check.name) {
			if !slices.Contains(check.known, got) {
				f := p.settings[check.name].at
				f.Message = check.name + " names " + got + ", and no " + check.what + " is called that"
				f.Fix = strictyaml.Suggest(got, check.known)
				faults.Add(f)
			}
		}
	}
	return faults.Err()
}
