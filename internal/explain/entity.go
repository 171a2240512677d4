package explain

import (
	"context"
	"fmt"

	"doorward/internal/decision"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
)

// aboutEntities tells whether the action is done to the policy's own entities, of whom
// the directory says nothing.
func (s subject) aboutEntities() bool {
	return s.action != nil && s.action.Class == catalogue.Entity
}

// beforeRulesOfEntities says why a question about entities was not put to the rules.
func (s subject) beforeRulesOfEntities(ctx context.Context) string {
	q := &s.Question
	switch reason := s.judged.Decision.Reason; {
	case reason == decision.SubjectUnknown:
		return fmt.Sprintf("entities.yaml has no subject %s", q.Subject.Ref)
	case reason == decision.OutOfScope:
		return fmt.Sprintf("entities.yaml has no resource %s, and %s is done to listed ones only", q.Resource.Ref, s.action.Name)
	case q.Resource.Type != s.action.Entity:
		return fmt.Sprintf("%s is done to a %s, and the resource is a %s", s.action.Name, s.action.Entity, q.Resource.Type)
	case s.Account != "":
		return fmt.Sprintf("%s is about no account, and the question names %s", s.action.Name, s.Account)
	case s.Actor != portal.Ref{}:
		return fmt.Sprintf("nobody acts in somebody else's name here, and the question says that %s does (context.actor)", s.Actor)
	}
	return s.mistyped(ctx)
}

// ofEntities are the changes that are tried for a question about entities: of the login
// and of what the question says. To name no account is none of them: a client that is
// limited to accounts would learn what it may not ask.
func (s subject) ofEntities() []candidate { return append(s.ofLogin(), s.ofRequest()...) }
