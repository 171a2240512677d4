// Package policytool holds the tools of people who edit policies. They return
// results; printing them is the command line's business.
//
// It judges with the same code as a running gate, never with a second opinion,
// and knows no directory: the facts of a table's row are the row's own.
package policytool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"doorward/internal/decision"
	"doorward/internal/fault"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// allow is the answer that a row wants when it wants no refusal.
const allow = "allow"

// A Result is the answer to one action of one row.
type Result struct {
	File   string
	Line   int
	Title  string
	Req    []string
	Action string
	Want   string
	Got    string // "allow", a reason, or "error: ..." when the question could not be judged
	row    *Row
}

// OK tells whether the answer was the expected one.
func (r Result) OK() bool { return r.Got == r.Want }

// String says what was asked and what came of it.
func (r Result) String() string {
	return fmt.Sprintf("%s:%d: %s: got %s, want %s", r.File, r.Line, r.Action, r.Got, r.Want)
}

// RunTables answers every row of every table of a policy folder by that folder's
// policy. Its error is a fault.List when policy or tables are malformed.
func RunTables(ctx context.Context, fsys fs.FS) ([]Result, error) {
	return RunSource(ctx, policy.Read(fsys), runtime.GOMAXPROCS(0))
}

// RunSource is RunTables of a folder that was read, by so many workers at once. It stops
// when ctx ends.
func RunSource(ctx context.Context, source policy.Source, workers int) ([]Result, error) {
	s, err := loadSource(ctx, source, workers)
	if err != nil {
		return nil, err
	}
	results := make([][]Result, len(s.tables))
	group, running := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range s.tables {
		group.Go(func() (err error) {
			results[i], err = s.runTable(running, &s.tables[i], nil, nil)
			return err
		})
	}
	if err := errors.Join(group.Wait(), ctx.Err()); err != nil {
		return nil, err
	}
	return slices.Concat(results...), nil
}

// The names of a row's account and people. Rows may refer to them.
const (
	tableAccount = "42"
	tableSubject = "7"
	tableMember  = "8"
	tableActor   = "9"
)

// patience is how long one answer may take: a table is no place for deadlines.
const patience = 5 * time.Second

// runTable answers the rows of a table, those for which keep is nil or true, and
// notes in noted, unless it is nil, what of the rules they reach.
func (s *suite) runTable(ctx context.Context, t *Table, noted *rules.Coverage, keep func(Result) bool) ([]Result, error) {
	return runRows(ctx, covering(s.policies[t.setting().key()], noted), t, keep)
}

// runRows answers the rows of a table by a policy.
func runRows(ctx context.Context, p *policy.Policy, t *Table, keep func(Result) bool) ([]Result, error) {
	facts := &tableFacts{}
	decider := decision.New(p, facts, decision.Options{Timeout: patience})
	var results []Result
	for i := range t.Rows {
		row := &t.Rows[i]
		var err error
		if facts.rowFacts, err = row.facts(); err != nil {
			return nil, fault.List{{File: t.File, Line: row.Line, Message: err.Error()}}
		}
		for _, action := range row.Do {
			result := Result{File: t.File, Line: row.Line, Title: t.Title, Req: row.Req, Action: action, Want: row.Want, row: row}
			if keep != nil && !keep(result) {
				continue
			}
			question, err := row.question(action)
			if err != nil {
				return nil, fault.List{{File: t.File, Line: row.Line, Message: err.Error()}}
			}
			result.Got = verdict(decider.Decide(ctx, question))
			results = append(results, result)
		}
	}
	return results, ctx.Err()
}

// covering is p with what it evaluates noted in noted, unless that is nil.
func covering(p *policy.Policy, noted *rules.Coverage) *policy.Policy {
	if noted == nil {
		return p
	}
	with := *p
	with.Rules = p.Rules.Covering(noted)
	return &with
}

func verdict(d decision.Decision, err error) string {
	switch {
	case err != nil:
		return "error: " + err.Error()
	case d.Allow:
		return allow
	}
	return string(d.Reason)
}

// question asks the row's question about one of its actions.
func (r *Row) question(action string) (decision.Question, error) {
	if r.Who.Entity != "" {
		return r.entityQuestion(action)
	}
	subject := portal.Ref{Type: portal.TypeUser, ID: tableSubject}
	if r.Who.Subject != "" {
		subject.Type = r.Who.Subject
	}
	resource := portal.Ref{Type: portal.TypeAccount, ID: tableAccount}
	switch r.On {
	case "":
	case "self":
		resource = subject
	default:
		var err error
		if resource, err = portal.ParseRef(r.On); err != nil {
			return decision.Question{}, err
		}
	}
	return decision.Question{
		Subject:  decision.Entity{Ref: subject},
		Action:   decision.Action{Name: action, Properties: object(r.With)},
		Resource: decision.Entity{Ref: resource, Properties: inAccount(resource, object(r.Properties))},
		Context:  withFreshLogin(object(r.Context), time.Now()),
	}, nil
}

// entityQuestion asks about one of the policy's own entities, in no account.
func (r *Row) entityQuestion(action string) (decision.Question, error) {
	subject, err := portal.ParseRef(r.Who.Entity)
	if err != nil {
		return decision.Question{}, err
	}
	resource := subject
	if r.On != "self" {
		if resource, err = portal.ParseRef(r.On); err != nil {
			return decision.Question{}, fmt.Errorf("on: %w", err)
		}
	}
	return decision.Question{
		Subject:  decision.Entity{Ref: subject, Properties: object(r.Who.Properties)},
		Action:   decision.Action{Name: action, Properties: object(r.With)},
		Resource: decision.Entity{Ref: resource, Properties: object(r.Properties)},
		Context:  withFreshLogin(object(r.Context), time.Now()),
	}, nil
}

// freshLogin is what a row writes as context.auth_time for a login of this moment:
// no number says that on every day.
const freshLogin = "now"

func withFreshLogin(context ijson.Value, now time.Time) ijson.Value {
	if context.Get("auth_time").Text() != freshLogin {
		return context
	}
	var members []ijson.Member
	for _, m := range context.Members() {
		if m.Name == "auth_time" {
			m.Value = ijson.NumberValue(strconv.FormatInt(now.Unix(), 10))
		}
		members = append(members, m)
	}
	return ijson.ObjectValue(members...)
}

// inAccount adds the row's account to a resource that names none, so that rows
// need not repeat it. A person's own affairs are in no account.
func inAccount(resource portal.Ref, properties ijson.Value) ijson.Value {
	if resource.Type == portal.TypeAccount || resource.Type == portal.TypeUser || properties.Get("account").Kind() != ijson.Absent {
		return properties
	}
	members := append([]ijson.Member{{Name: "account", Value: ijson.StringValue(tableAccount)}}, properties.Members()...)
	return ijson.ObjectValue(members...)
}

// object reads a row's YAML mapping as the JSON object a portal would send.
func object(n *yaml.Node) ijson.Value {
	if n == nil {
		return ijson.Value{}
	}
	return value(n)
}

func value(n *yaml.Node) ijson.Value {
	switch n.Kind {
	case yaml.MappingNode:
		var members []ijson.Member
		for i := 0; i+1 < len(n.Content); i += 2 {
			members = append(members, ijson.Member{Name: n.Content[i].Value, Value: value(n.Content[i+1])})
		}
		return ijson.ObjectValue(members...)
	case yaml.SequenceNode:
		var items []ijson.Value
		for _, item := range n.Content {
			items = append(items, value(item))
		}
		return ijson.ArrayValue(items...)
	}
	return scalar(n)
}

func scalar(n *yaml.Node) ijson.Value {
	switch n.Tag {
	case "!!bool":
		return ijson.BoolValue(n.Value == "true")
	case "!!int", "!!float":
		return ijson.NumberValue(n.Value)
	case "!!null":
		return ijson.NullValue()
	}
	return ijson.StringValue(n.Value)
}
