package explain

import (
	"context"
	"fmt"
	"strings"

	"doorward/internal/decision"
	"doorward/internal/fault"
	"doorward/internal/ijson"
)

// beforeRules says why a question was refused before the rules were asked.
func (s subject) beforeRules(ctx context.Context) string {
	if s.aboutEntities() {
		return s.beforeRulesOfEntities(ctx)
	}
	switch s.judged.Decision.Reason {
	case decision.ActionUnknown:
		return strings.TrimSpace(fmt.Sprintf("%s has no action %q. %s", s.Policy.Catalogue.File, s.Question.Action.Name, s.meant()))
	case decision.AccountRequired:
		return "the question names no account: not as the resource, not as resource.properties.account, not as context.account"
	case decision.BadInput:
		return s.mistyped(ctx)
	}
	return "the question was refused before the rules"
}

func (s subject) meant() string {
	var names []string
	for _, a := range s.Policy.Catalogue.Actions() {
		names = append(names, a.Name)
	}
	return fault.Closest(s.Question.Action.Name, names)
}

// mistyped names the one part of the question without which it could be read. When
// several are at fault, none is.
func (s subject) mistyped(ctx context.Context) string {
	parts := [][]string{
		{"context", "account"}, {"resource", "properties", "account"}, {"context", "amr"}, {"context", "auth_time"}, {"context", "actor"},
	}
	for _, leaf := range s.Policy.Rules.Schema().Request {
		parts = append(parts, leaf.Path)
	}
	for _, path := range parts {
		changed := *s.Case
		inQuestion("", path, ijson.Value{}).apply(&changed)
		if d, err := changed.Judge(ctx); err == nil && d.Reason != decision.BadInput {
			return strings.Join(path, ".") + " has another type or form than it must have"
		}
	}
	return "parts of the question have another type or form than they must have (resource.type, resource.properties, context)"
}
