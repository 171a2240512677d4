package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// promotion reads a row of the policies.
func promotion(columns scan) (p directory.Promotion, err error) {
	err = columns(&p.Revision, &p.Digest, &p.Bundle)
	return p, err
}

const selectPolicy = `SELECT revision, digest, bundle FROM doorward.policies`

// promoted is the last promotion.
func (c *session) promoted(ctx context.Context) (directory.Promotion, error) {
	p, err := promotion(c.row(ctx, selectPolicy+` ORDER BY revision DESC LIMIT 1`))
	if err != nil {
		return directory.Promotion{}, fmt.Errorf("read promoted policy: %w", err)
	}
	return p, nil
}

func (c *session) promotedAt(ctx context.Context, r portal.Revision) (directory.Promotion, error) {
	p, err := promotion(c.row(ctx, selectPolicy+` WHERE revision = $1`, min(r, math.MaxInt64)))
	if err != nil {
		return directory.Promotion{}, fmt.Errorf("read policy promoted at %d: %w", r, err)
	}
	return p, nil
}

// policyInForce is the last promotion, without its bundle; zero before the first.
func (c *session) policyInForce(ctx context.Context) (p portal.Promoted, err error) {
	err = c.get(ctx, `SELECT revision, digest FROM doorward.policies ORDER BY revision DESC LIMIT 1`, nil, &p.At, &p.Digest)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return portal.Promoted{}, fmt.Errorf("read promoted policy: %w", err)
	}
	return p, nil
}

// PutPolicy implements directory.Tx.
func (t *tx) PutPolicy(ctx context.Context, p directory.Promotion) error {
	if err := directory.CheckPromotion(p); err != nil {
		return err
	}
	old, err := t.session.promoted(ctx)
	p.Revision = old.Revision
	if done, err := same(old, p, err); done || err != nil {
		return t.keep(err)
	}
	t.changed(directory.Change{Kind: directory.ChangedPolicy})
	return t.write(ctx, "promotion of policy "+p.Digest, statement{`INSERT INTO doorward.policies (revision, digest, bundle)
		VALUES (coalesce((SELECT revision FROM doorward.head), 0) + 1, $1, $2)
		ON CONFLICT (revision) DO UPDATE SET digest = excluded.digest, bundle = excluded.bundle`, []any{p.Digest, p.Bundle},
	}, statement{`DELETE FROM doorward.policies
		WHERE revision NOT IN (SELECT revision FROM doorward.policies ORDER BY revision DESC LIMIT $1)`, []any{directory.KeptPromotions}})
}
