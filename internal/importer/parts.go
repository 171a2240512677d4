package importer

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"doorward/internal/directory"
	"doorward/internal/importer/shelf"
	"doorward/internal/portal"
)

// inOneCommit is about how many records one commit takes in: some users, or some
// accounts with everybody in them, but never half of one.
const inOneCommit = 500

// A part is what one commit takes in, all of one kind.
type part struct {
	users    []userPlan
	accounts []accountPlan
	history  []portal.HistoryLine
}

// records is how many records the part has.
func (s part) records() int {
	n := len(s.users) + len(s.history)
	for _, a := range s.accounts {
		n += 1 + len(a.members) + len(a.contacts) + len(a.invites)
	}
	return n
}

// name says what the part is, for messages.
func (s part) name() string {
	switch {
	case len(s.users) > 0:
		return fmt.Sprintf("users %s to %s", s.users[0].ID, s.users[len(s.users)-1].ID)
	case len(s.history) > 0:
		return fmt.Sprintf("history %s to %s", s.history[0].ID, s.history[len(s.history)-1].ID)
	case len(s.accounts) == 1:
		return "account " + string(s.accounts[0].account.ID)
	}
	return fmt.Sprintf("accounts %s to %s", s.accounts[0].account.ID, s.accounts[len(s.accounts)-1].account.ID)
}

// users calls fn with the users, some at a time.
func (p *Plan) users(ctx context.Context, fn func(part) error) error {
	return p.shelf.Of(ctx, shelf.User, inOneCommit, func(rows []shelf.Row) error {
		s := part{}
		for _, row := range rows {
			o, err := p.reader.again(row)
			if err != nil {
				return err
			}
			u := o.user()
			u.n = row.N
			s.users = append(s.users, u)
		}
		return fn(s)
	})
}

// accounts calls fn with the accounts and everybody in them, some at a time.
func (p *Plan) accounts(ctx context.Context, fn func(part) error) error {
	s := part{}
	err := p.shelf.Accounts(ctx, func(rows []shelf.Row) error {
		a, err := p.account(rows)
		if err != nil {
			return err
		}
		s.accounts = append(s.accounts, a)
		if s.records() < inOneCommit {
			return nil
		}
		full := s
		s = part{}
		return fn(full)
	})
	if err != nil || len(s.accounts) == 0 {
		return err
	}
	return fn(s)
}

// history calls fn with the lines of history, some at a time.
func (p *Plan) history(ctx context.Context, fn func(part) error) error {
	return p.shelf.Of(ctx, shelf.History, inOneCommit, func(rows []shelf.Row) error {
		s := part{}
		for _, row := range rows {
			o, err := p.reader.again(row)
			if err != nil {
				return err
			}
			s.history = append(s.history, o.history())
		}
		return fn(s)
	})
}

// account is an account with everybody in it, the owner last: an ownership that moves is
// then given up before it is taken.
func (p *Plan) account(rows []shelf.Row) (accountPlan, error) {
	var a accountPlan
	for _, row := range rows {
		o, err := p.reader.again(row)
		if err != nil {
			return a, err
		}
		switch row.Kind {
		case shelf.Account:
			a = o.account()
			a.row = row
		case shelf.Membership:
			a.members = append(a.members, a.member(o.membership()))
		case shelf.Contact:
			a.contacts = append(a.contacts, o.contact())
		case shelf.Invite:
			a.invites = append(a.invites, o.invite())
		case shelf.User, shelf.History:
			return a, fmt.Errorf("%w: %s is of no account", directory.ErrInvalid, row)
		}
	}
	slices.SortStableFunc(a.members, func(x, y memberPlan) int { return cmp.Compare(rank(x), rank(y)) })
	return a, nil
}

// member is what the file says of a membership. The account's choices of mail are its
// owner's, unless the owner's own line has some.
func (p accountPlan) member(m memberPlan) memberPlan {
	if p.preferred && m.Owner && !m.mailed {
		m.Mail, m.mailed = p.preferences, true
	}
	return m
}

func rank(m memberPlan) int {
	if m.Owner {
		return 1
	}
	return 0
}
