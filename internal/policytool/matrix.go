package policytool

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/presets"
	"doorward/internal/portal"
	"doorward/internal/strictyaml"
)

// A Matrix tells what each preset may do under one profile: an active member with
// exactly that preset, on an active account, right after a login with a second
// factor, the action being about the account as a whole or, of one's own affairs,
// about oneself.
type Matrix struct {
	Profile string   // "" when it is what provider.yaml says
	Presets []string // the columns; billing+support is somebody with both
	Groups  []Group
}

// A Group is the actions of one category, or those that no category guards.
type Group struct {
	Name  string // of the category; self, staff or mail
	Label string // for people
	Rows  []MatrixRow
}

// A MatrixRow is one action and its answers, parallel to Matrix.Presets.
type MatrixRow struct {
	Action  string
	Answers []Verdict
}

// A Verdict is one answer. The zero Verdict is a refusal.
type Verdict struct {
	Allow  bool
	Reason string // why not; "" with an allow
}

// MatrixOptions choose what Matrices shows.
type MatrixOptions struct {
	Profiles    []string // by name; none: what provider.yaml says
	AllProfiles bool
	// Presets are the columns, a union joined by +. None: the owner and what the
	// profile offers.
	Presets    []string
	AllPresets bool
	// Actions is a pattern of names as in inputs.yaml; "": all.
	Actions string
}

// An ArgumentError tells that a tool was asked for what the policy does not have.
type ArgumentError struct{ message string }

// Error returns the message.
func (e *ArgumentError) Error() string { return e.message }

func unknown(what, name string, known []string) error {
	return &ArgumentError{fmt.Sprintf("no %s is called %q. %s", what, name, strictyaml.Suggest(name, known))}
}

// Matrices makes the matrix of each profile. Its error is a fault.List when the
// folder is not sound, and an *ArgumentError for names that it does not have.
func Matrices(ctx context.Context, fsys fs.FS, o MatrixOptions) ([]Matrix, error) {
	source := policy.Read(fsys)
	if _, err := source.Load(); err != nil {
		return nil, err
	}
	known, profiles := source.Profiles(), o.Profiles
	switch {
	case o.AllProfiles:
		profiles = known
	case len(profiles) == 0:
		profiles = []string{""}
	}
	var all []Matrix
	for _, name := range profiles {
		if name != "" && !slices.Contains(known, name) {
			return nil, unknown("profile", name, known)
		}
		p, err := source.WithoutTests().LoadProfile(name, nil)
		if err != nil {
			return nil, err
		}
		m, err := matrix(ctx, p, name, o)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

func matrix(ctx context.Context, p *policy.Policy, profile string, o MatrixOptions) (Matrix, error) {
	m := Matrix{Profile: profile}
	var err error
	if m.Presets, err = columns(p, o); err != nil {
		return m, err
	}
	if m.Groups, err = groups(p.Catalogue, o.Actions); err != nil {
		return m, err
	}
	for _, column := range m.Presets {
		if err := m.fill(ctx, p, strings.Split(column, "+")); err != nil {
			return m, err
		}
	}
	return m, nil
}

// columns are the presets to show.
func columns(p *policy.Policy, o MatrixOptions) ([]string, error) {
	var all []string
	switch {
	case len(p.Presets.Names()) == 0:
		return nil, &ArgumentError{"this policy has no presets: rules alone decide about its entities"}
	case len(o.Presets) > 0:
		all = o.Presets
	case o.AllPresets:
		all = append([]string{presets.Owner}, p.Presets.Names()...)
	default:
		all = append([]string{presets.Owner}, p.Provider.PresetsOffered()...)
	}
	var once []string
	for _, column := range all {
		for _, name := range strings.Split(column, "+") {
			if !p.Presets.Known(name) {
				return nil, unknown("preset", name, p.Presets.Names())
			}
		}
		if !slices.Contains(once, column) {
			once = append(once, column)
		}
	}
	return once, nil
}

// groups are the rows: by category in the catalogue's order, then what no category
// guards, then mail.
func groups(cat *catalogue.Catalogue, pattern string) ([]Group, error) {
	var all []Group
	for _, c := range cat.Categories {
		all = append(all, Group{Name: c.Name, Label: c.Label})
	}
	all = append(all, Group{Name: string(catalogue.Self), Label: "One's own affairs"},
		Group{Name: string(catalogue.Staff), Label: "The provider's staff only"},
		Group{Name: string(catalogue.Receive), Label: "Mail that is received"})
	for _, action := range cat.Actions() {
		if matched, err := path.Match(pattern, action.Name); err != nil {
			return nil, &ArgumentError{fmt.Sprintf("%q is no pattern of actions: write a name, with * for any part of it", pattern)}
		} else if pattern != "" && !matched || action.Class == catalogue.Entity { // which no preset gives
			continue
		}
		name := action.Category
		if action.Class == catalogue.Receive {
			name = string(catalogue.Receive)
		}
		i := slices.IndexFunc(all, func(g Group) bool { return g.Name == name })
		all[i].Rows = append(all[i].Rows, MatrixRow{Action: action.Name})
	}
	all = slices.DeleteFunc(all, func(g Group) bool { return len(g.Rows) == 0 })
	if len(all) == 0 {
		return nil, &ArgumentError{fmt.Sprintf("no action matches %q", pattern)}
	}
	return all, nil
}

// fill adds a column.
func (m *Matrix) fill(ctx context.Context, p *policy.Policy, held []string) error {
	decider := decision.New(p, holderOf(held), decision.Options{Timeout: patience})
	login := ijson.ObjectValue(
		ijson.Member{Name: "account", Value: ijson.StringValue(tableAccount)},
		ijson.Member{Name: "auth_time", Value: ijson.NumberValue(strconv.FormatInt(time.Now().Unix(), 10))},
		ijson.Member{Name: "amr", Value: ijson.ArrayValue(ijson.StringValue(p.Provider.MFAMethods()[0]))},
	)
	for i := range m.Groups {
		rows := m.Groups[i].Rows
		for j := range rows {
			action, _ := p.Catalogue.Action(rows[j].Action)
			d, err := decider.Decide(ctx, askedOf(action, login))
			if err != nil {
				return fmt.Errorf("judge %s for %s: %w", action.Name, strings.Join(held, "+"), err)
			}
			rows[j].Answers = append(rows[j].Answers, Verdict{Allow: d.Allow, Reason: string(d.Reason)})
		}
	}
	return nil
}

// holderOf are the facts of an active member with those presets.
func holderOf(held []string) rowFacts {
	grant := &portal.Grant{Presets: held}
	return rowFacts{
		account: portal.AccountFacts{Status: portal.AccountActive},
		people: map[portal.Ref]portal.Facts{{Type: portal.TypeUser, ID: tableSubject}: {
			User: portal.UserFacts{Status: portal.UserActive},
			Membership: portal.MembershipFacts{
				State: portal.MembershipActive, Owner: slices.Contains(held, presets.Owner), Grant: grant,
			},
		}},
	}
}

// askedOf is the question about an action: on the account, or on oneself.
func askedOf(action *catalogue.Action, login ijson.Value) decision.Question {
	subject := portal.Ref{Type: portal.TypeUser, ID: tableSubject}
	resource := portal.Ref{Type: portal.TypeAccount, ID: tableAccount}
	if action.Self == portal.TypeUser {
		resource = subject
	}
	return decision.Question{
		Subject: decision.Entity{Ref: subject}, Action: decision.Action{Name: action.Name},
		Resource: decision.Entity{Ref: resource}, Context: login,
	}
}
