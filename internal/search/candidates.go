package search

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
)

// A source yields the first of its candidates that come after one, in byte order, at
// most limit of them: fewer mean that there are no more.
type source func(ctx context.Context, after string, limit int) ([]string, error)

// listed is a source of few candidates, in any order.
func listed(ids ...string) source {
	return inOrder(slices.Compact(slices.Sorted(slices.Values(ids))))
}

// inOrder is a source of candidates in byte order, each once.
func inOrder(ids []string) source {
	return func(_ context.Context, after string, limit int) ([]string, error) {
		from, found := slices.BinarySearch(ids, after)
		if found {
			from++
		}
		return ids[from:min(from+limit, len(ids))], nil
	}
}

// none is a source without candidates.
var none = inOrder(nil)

// list is the source of what a list of the directory has.
func (s *Searcher) list(of directory.List) source {
	return func(ctx context.Context, after string, limit int) ([]string, error) {
		ids, err := s.Directory.IDs(ctx, of, after, limit)
		if err != nil {
			return nil, fmt.Errorf("read candidates: %w", err)
		}
		return ids, nil
	}
}

// union is the source of what any of the sources has.
func union(sources ...source) source {
	return func(ctx context.Context, after string, limit int) ([]string, error) {
		var all []string
		for _, s := range sources {
			some, err := s(ctx, after, limit)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		slices.Sort(all)
		all = slices.Compact(all)
		return all[:min(limit, len(all))], nil
	}
}

// about is the question whether a candidate is found. What is found has no properties
// from the request (c-4-2-4): the account of a thing is all that is known of it here.
func (q Query) about(id string) decision.Question {
	asked := q.Question
	switch q.Kind {
	case Subjects:
		asked.Subject = decision.Entity{Ref: portal.Ref{Type: asked.Subject.Type, ID: id}}
	case Resources:
		asked.Resource = decision.Entity{Ref: portal.Ref{Type: asked.Resource.Type, ID: id}}
		if account, ok := decision.AccountOf(asked); ok && account != "" && asked.Resource.Type != portal.TypeAccount {
			asked.Resource.Properties = ijson.ObjectValue(ijson.Member{Name: "account", Value: ijson.StringValue(string(account))})
		}
	case Actions:
		asked.Action = decision.Action{Name: id}
	}
	return asked
}

// candidates returns the source of all who could be found, and the position at which
// the directory said so. Who is not among them has no place where the question is
// asked: no membership, no right of staff, and it is not their own. What is done to the
// policy's own entities is done by its own subjects, and by nobody else.
func (s *Searcher) candidates(ctx context.Context, q Query, p *policy.Policy) (source, portal.Position, error) {
	// The resource searched for has no account of its own: it is the acting one.
	account, ok := decision.AccountOf(q.Question)
	key := portal.FactKey{Account: account, Subject: q.Question.Subject.Ref}
	known, position, err := s.Directory.Facts(ctx, []portal.FactKey{key})
	if err != nil {
		return nil, position, fmt.Errorf("read candidates: %w", err)
	}
	action, asked := p.Catalogue.Action(q.Question.Action.Name)
	switch {
	case q.Kind == Actions:
		return actions(p.Catalogue), position, nil
	case !ok || !asked:
		return none, position, nil
	case action.Class == catalogue.Entity:
		return entities(q, p), position, nil
	case q.Kind == Subjects:
		return s.subjects(q.Question, account), position, nil
	case !q.Limits.Admit(account, q.Question.Resource.Type) && q.Question.Resource.Type != portal.TypeAccount:
		return none, position, nil
	}
	from, err := s.resources(ctx, q, action, account, known[0])
	return from, position, err
}

// entities are the policy's own of the type. Whether a limited client may ask about them
// is decided by type alone: they are in no account.
func entities(q Query, p *policy.Policy) source {
	switch {
	case q.Kind == Subjects:
		return inOrder(p.Entities.Subjects(q.Question.Subject.Type))
	case q.Limits.Admit("", q.Question.Resource.Type):
		return inOrder(p.Entities.Resources(q.Question.Resource.Type))
	}
	return none
}

func actions(c *catalogue.Catalogue) source {
	var names []string
	for _, a := range c.Actions() {
		names = append(names, a.Name)
	}
	return listed(names...)
}

// subjects are the members or the contacts of the account; besides members those who
// have a right of staff, and who is the resource.
func (s *Searcher) subjects(q decision.Question, account portal.AccountID) source {
	switch q.Subject.Type {
	case portal.TypeContact:
		return s.list(directory.List{Kind: directory.ListContacts, Account: account})
	case portal.TypeUser:
		self := none
		if q.Resource.Type == portal.TypeUser {
			self = listed(q.Resource.ID)
		}
		return union(self, s.list(directory.List{Kind: directory.ListMembers, Account: account}),
			s.list(directory.List{Kind: directory.ListStaff}))
	}
	return none
}

// resources are what the directory knows of the type: accounts, people of the account,
// and the things that the subject's access there is limited to (A13.16).
func (s *Searcher) resources(ctx context.Context, q Query, a *catalogue.Action, account portal.AccountID, known portal.Facts) (source, error) {
	subject := q.Question.Subject.Ref
	switch typ := q.Question.Resource.Type; typ {
	case portal.TypeAccount:
		return s.accounts(ctx, q, a, known.User.Staff)
	case portal.TypeUser:
		if a.Class == catalogue.Self { // only oneself is one's own (A13.18)
			return listed(subject.ID), nil
		}
		return s.list(directory.List{Kind: directory.ListMembers, Account: account}), nil
	case portal.TypeContact:
		return s.list(directory.List{Kind: directory.ListContacts, Account: account}), nil
	case catalogue.ScopeService, catalogue.ScopeDomain:
		return scope(typ, known), nil
	}
	return none, nil
}

// accounts are those that the subject has a place in: all of them, for staff whose
// right covers the action (A13.19).
func (s *Searcher) accounts(ctx context.Context, q Query, a *catalogue.Action, staff portal.StaffRights) (source, error) {
	subject := q.Question.Subject.Ref
	switch {
	case !q.Limits.AdmitType(portal.TypeAccount):
		return none, nil
	case q.Limits != nil && len(q.Limits.Accounts) > 0:
		return admitted(q.Limits), nil
	case subject.Type == portal.TypeContact:
		return s.home(ctx, portal.ContactID(subject.ID))
	case subject.Type != portal.TypeUser:
		return none, nil
	case decision.StaffMay(a, staff):
		return s.list(directory.List{Kind: directory.ListAccounts}), nil
	}
	return s.list(directory.List{Kind: directory.ListAccountsOf, User: portal.UserID(subject.ID)}), nil
}

// admitted are the accounts that a limited client may ask about: few, so all are judged.
func admitted(l *portal.Limits) source {
	ids := make([]string, len(l.Accounts))
	for i, id := range l.Accounts {
		ids[i] = string(id)
	}
	return listed(ids...)
}

// home is the one account of a contact (req 17).
func (s *Searcher) home(ctx context.Context, id portal.ContactID) (source, error) {
	contact, err := s.Directory.Contact(ctx, id)
	if errors.Is(err, directory.ErrNotFound) {
		return none, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read candidates: %w", err)
	}
	return listed(string(contact.Account)), nil
}

// scope lists the things of a type that a grant or a contact is limited to.
func scope(typ string, known portal.Facts) source {
	var refs []portal.Ref
	if g := known.Membership.Grant; g != nil {
		refs = g.Scope
	}
	if known.Contact != nil {
		refs = known.Contact.Scope
	}
	var ids []string
	for _, r := range refs {
		if r.Type == typ {
			ids = append(ids, r.ID)
		}
	}
	return listed(ids...)
}
