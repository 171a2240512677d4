package provider

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"doorward/internal/fault"
	"doorward/internal/strictyaml"
)

// A switched is one switch: its dotted name and how its value is read.
type switched struct {
	name string
	reading
}

// A reading is how a value is read, and the words that it can be when it is one
// of a few.
type reading struct {
	read   func(f *strictyaml.File, name string, n *yaml.Node) (value any, ok bool)
	domain []string
}

// Domains are the words that each switch can be, by its dotted name, for the
// switches that are one of a few words: a rule that compares one with any other
// word would never fire.
func Domains() map[string][]string {
	domains := make(map[string][]string)
	for _, s := range switches() {
		if s.domain != nil {
			domains[s.name] = s.domain
		}
	}
	return domains
}

// The names of switches that Go reads; the rest is for rules alone.
const (
	stepUpMaxAge    = "step_up.max_age"
	inviteTTL       = "invite.ttl"
	mfaMethods      = "session.mfa_methods"
	presetsOffered  = "presets.offered"
	presetsAllAdds  = "presets.all_adds"
	suspendedWrites = "suspended.writes"
	cancellations   = "cancellations"
	billingPay      = "billing.pay"
)

// withOrders is what cancellations is where whoever orders may cancel.
const withOrders = "with_orders"

// switches returns every switch, in the order of requirements A11 and A13.
func switches() []switched {
	return []switched{
		{inviteTTL, duration},                                                         // C1
		{"contacts.mode", oneOf("notify_only", "limited")},                            // C2
		{"delegation.inviters", oneOf("owner", "administrators", "holders_of_users")}, // C6
		{presetsOffered, namesOf(word)},                                               // C4
		{presetsAllAdds, namesOf(word)},                                               // A13.2, C5, C6
		{cancellations, oneOf("owner_only", withOrders)},                              // C5
		{"ownership.mode", oneOf("staff_review", "self_service")},                     // C7
		{"direct_add", boolean},                                                       // C11
		{"notify.users", oneOf("by_permission", "explicit", "none")},                  // C12
		{"notify.credentials_require_permission", boolean},                            // C10
		{"all_semantics", oneOf("dynamic", "snapshot")},                               // C8
		{billingPay, boolean},                                                         // A13.4
		{"closed.access", oneOf("none", "read")},                                      // A13.15
		{suspendedWrites, namesOf(word)},                                              // A13.15
		{"session.require_acting", boolean},                                           // req 104
		{mfaMethods, someOf(authenticationMethods...)},                                // req 111
		{"step_up.mode", oneOf("advise", "enforce")},                                  // invariant 13
		{stepUpMaxAge, duration},
	}
}

// authenticationMethods are the values of amr that RFC 8176 section 2 registers.
var authenticationMethods = []string{
	"face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pwd",
	"rba", "retina", "sc", "sms", "swk", "tel", "user", "vbm", "wia",
}

// word is the form of names of categories and presets.
var word = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

func find(name string) (switched, bool) {
	all := switches()
	i := slices.IndexFunc(all, func(s switched) bool { return s.name == name })
	if i < 0 {
		return switched{}, false
	}
	return all[i], true
}

func names() []string {
	var list []string
	for _, s := range switches() {
		list = append(list, s.name)
	}
	return list
}

// set reads the value of one switch.
func (p *Provider) set(f *strictyaml.File, s switched, n *yaml.Node) {
	if value, ok := s.read(f, s.name, n); ok {
		p.settings[s.name] = setting{value, fault.Fault{File: f.Path, Line: n.Line, Column: n.Column}}
	}
}

func oneOf(known ...string) reading {
	read := func(f *strictyaml.File, name string, n *yaml.Node) (any, bool) {
		return f.OneOf(n, name, known...)
	}
	return reading{read: read, domain: known}
}

var (
	boolean  = reading{read: readBoolean}
	duration = reading{read: readDuration}
)

func readBoolean(f *strictyaml.File, name string, n *yaml.Node) (any, bool) { return f.Bool(n, name) }

// readDuration reads a positive time in Go's form. Whole seconds only, because rules
// count in seconds.
func readDuration(f *strictyaml.File, name string, n *yaml.Node) (any, bool) {
	const fix = "Write a positive time in whole seconds, as 72h, 15m or 1h30m."
	text, ok := f.Text(n, name+", a time such as 72h or 15m,")
	if !ok {
		return nil, false
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d%time.Second != 0 {
		f.Fault(n, fix, "%s cannot be %q", name, text)
		return nil, false
	}
	return d, true
}

// namesOf reads a list, which may be empty, of names of that form.
func namesOf(form *regexp.Regexp) reading {
	return reading{read: func(f *strictyaml.File, name string, n *yaml.Node) (any, bool) {
		items, ok := f.Texts(n, name)
		list := []string{}
		for _, item := range items {
			if !form.MatchString(item.Value) {
				f.Fault(item, "Use small letters, digits, _ and -.", "%s cannot hold %q", name, item.Value)
				ok = false
			}
			list = append(list, item.Value)
		}
		return list, ok
	}}
}

// someOf reads a list of at least one of the known values.
func someOf(known ...string) reading {
	return reading{read: func(f *strictyaml.File, name string, n *yaml.Node) (any, bool) {
		items, ok := f.Texts(n, name)
		if ok && len(items) == 0 {
			f.Fault(n, "Known are: "+strings.Join(known, ", ")+".", "%s is empty, so nobody could meet it", name)
			return nil, false
		}
		var list []string
		for _, item := range items {
			if _, known := f.OneOf(item, "an item of "+name, known...); !known {
				ok = false
			}
			list = append(list, item.Value)
		}
		return list, ok
	}}
}
