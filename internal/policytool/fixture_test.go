package policytool_test

import (
	"context"

	"doorward/internal/portal"
)

// contextOf is a test's context, if it has one: a rapid.T has one too.
func contextOf(t any) context.Context {
	if with, ok := t.(interface{ Context() context.Context }); ok {
		return with.Context()
	}
	return context.Background()
}

// only is a directory that says the same of everybody.
type only portal.Facts

func (o only) Read(context.Context, portal.FactKey) (portal.Facts, portal.Position, error) {
	return portal.Facts(o), portal.Position{}, nil
}

func (o only) ReadAll(_ context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all := make([]portal.Facts, len(keys))
	for i := range all {
		all[i] = portal.Facts(o)
	}
	return all, portal.Position{}, nil
}
