// Package search finds who may do something, what somebody may do it to, and what
// somebody may do (section 8 of the AuthZEN specification).
//
// It takes candidates from the directory, or of entities those that the policy lists,
// and has each judged as a question of its own; it knows no rule and no HTTP. Its invariants: what is found is allowed, and of
// the candidates all that is allowed is found (S18), by one policy and at one
// position a page; nothing is found that a client's limits keep from it; the work and
// the memory of a page are bounded whatever the directory holds.
package search

import (
	"context"

	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/policy"
	"doorward/internal/portal"
)

// A Directory is where candidates come from: a directory.Reader.
type Directory interface {
	Facts(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error)
	Contact(context.Context, portal.ContactID) (portal.Contact, error)
	IDs(ctx context.Context, of directory.List, after string, limit int) ([]string, error)
}

// A Decider judges candidates: a *decision.Decider.
type Decider interface {
	DecideAll(ctx context.Context, questions []decision.Question, stop func(decision.Answer) bool) ([]decision.Answer, error)
	Policy() *policy.Policy
}

// A Searcher searches. It is used by many goroutines.
type Searcher struct {
	Directory Directory
	Decider   Decider
}

// A Kind tells what is searched for.
type Kind string

// The kinds of search.
const (
	Subjects  Kind = "subject"
	Resources Kind = "resource"
	Actions   Kind = "action"
)

// A Query asks for a page of what makes a question an allow.
type Query struct {
	Kind Kind
	// Question is everything but what is searched for: of the subject or the resource
	// searched for it has the type alone, of the action nothing.
	Question decision.Question
	// Limits are the client's; resources beyond them are left out. Whether the client
	// may ask who may do something to a resource, or what, is for the caller to see to.
	Limits *portal.Limits
	After  string // where the last page ended; "": begin
	Limit  int    // how many to find at most, 0 or more
}

// A Page is what was found.
type Page struct {
	Found []string // ids, or names of actions, in byte order
	// More tells that there may be more to find after Next. That may be the id of
	// something that was not found, so it is not for the client to read.
	More bool
	Next string
	// Basis is what the page rests on; zero when there was nothing to judge.
	Basis decision.Basis
}

// Bounds of a page. One that was given up has fewer results than it could have.
const (
	maxJudged = 4096 // candidates judged
	maxPart   = 512  // candidates judged at once
	maxTries  = 4    // to judge a part before the directory changes again
)

// Find finds a page. A page ends before its limit when it has become much work, or when
// the directory or the policy changed: then More is true. Errors are those of the
// Decider and the Directory.
func (s *Searcher) Find(ctx context.Context, q Query) (Page, error) {
	p := Page{Next: q.After}
	size := min(q.Limit+1, maxPart)
	for judged := 0; judged < maxJudged; {
		part, err := s.part(ctx, q, p.Next, size, q.Limit+1-len(p.Found))
		if err != nil {
			return Page{}, err
		}
		if judged > 0 && part.judged && !same(part.basis, p.Basis) {
			break
		}
		if part.judged {
			p.Basis = part.basis
		}
		p.Found = append(p.Found, part.found...)
		if len(p.Found) > q.Limit {
			return p.cut(q), nil
		}
		if p.Next = part.end; part.last {
			return p, nil
		}
		judged += size
		size = min(2*size, maxPart)
	}
	p.More = true
	return p, nil
}

// same tells whether decisions rest on the same policy and facts.
func same(a, b decision.Basis) bool { return a.Policy == b.Policy && a.Position == b.Position }

// cut ends a page that found one more than was asked for: there is more.
func (p Page) cut(q Query) Page {
	p.Found, p.More, p.Next = p.Found[:q.Limit], true, q.After
	if q.Limit > 0 {
		p.Next = p.Found[q.Limit-1]
	}
	return p
}

// A part is some candidates in a row, judged.
type part struct {
	found  []string
	end    string // the last candidate read
	last   bool   // there are no more candidates
	judged bool   // there were candidates, so there is a basis
	basis  decision.Basis
}

// part judges up to size candidates after one, until want are found. Nobody joins or
// leaves between reading the candidates and judging them: it tries again, unless the
// directory changes faster than that.
func (s *Searcher) part(ctx context.Context, q Query, after string, size, want int) (part, error) {
	for try := 1; ; try++ {
		policy := s.Decider.Policy()
		candidates, read, err := s.candidates(ctx, q, policy)
		if err != nil {
			return part{}, err
		}
		ids, err := candidates(ctx, after, size)
		if err != nil || len(ids) == 0 {
			return part{last: true}, err
		}
		p, err := s.judge(ctx, q, ids, want)
		p.last = len(ids) < size
		if err != nil || try == maxTries || p.basis.Position == read && p.basis.Policy == policy.Digest {
			return p, err
		}
	}
}

// judge judges candidates until want are found. One that cannot be judged is an error:
// a result without it would say that it is denied.
func (s *Searcher) judge(ctx context.Context, q Query, ids []string, want int) (part, error) {
	questions := make([]decision.Question, len(ids))
	for i, id := range ids {
		questions[i] = q.about(id)
	}
	found := 0
	answers, err := s.Decider.DecideAll(ctx, questions, func(a decision.Answer) bool {
		if a.Decision.Allow {
			found++
		}
		return found == want || a.Err != nil
	})
	if err != nil {
		return part{}, err
	}
	p := part{end: ids[len(ids)-1], judged: true}
	for i, a := range answers {
		if a.Err != nil {
			return part{}, a.Err
		}
		p.basis = a.Decision.Basis
		if a.Decision.Allow {
			p.found = append(p.found, ids[i])
		}
	}
	return p, nil
}
