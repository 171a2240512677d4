package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// promoted is the last promotion.
func (c *session) promoted(ctx context.Context) (p directory.Promotion, err error) {
	err = c.get(ctx, `SELECT revision, digest, bundle FROM policy ORDER BY revision DESC LIMIT 1`, nil, &p.Revision, &p.Digest, &p.Bundle)
	if err != nil {
		return directory.Promotion{}, fmt.Errorf("read promoted policy: %w", err)
	}
	return p, nil
}

func (c *session) promotedAt(ctx context.Context, r portal.Revision) (directory.Promotion, error) {
	p := directory.Promotion{Revision: r}
	err := c.get(ctx, `SELECT digest, bundle FROM policy WHERE revision = ?`, []any{min(r, math.MaxInt64)}, &p.Digest, &p.Bundle)
	if err != nil {
		return directory.Promotion{}, fmt.Errorf("read policy promoted at %d: %w", r, err)
	}
	return p, nil
}

// policyInForce is the last promotion, without its bundle; zero before the first.
func (c *session) policyInForce(ctx context.Context) (p portal.Promoted, err error) {
	err = c.get(ctx, `SELECT revision, digest FROM policy ORDER BY revision DESC LIMIT 1`, nil, &p.At, &p.Digest)
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
	err = t.session.exec(ctx, `INSERT INTO policy (revision, digest, bundle)
		VALUES (coalesce((SELECT revision FROM head), 0) + 1, ?, ?)
		ON CONFLICT (revision) DO UPDATE SET digest = excluded.digest, bundle = excluded.bundle`, p.Digest, p.Bundle)
	if err == nil {
		err = t.session.exec(ctx, `DELETE FROM policy WHERE revision NOT IN (SELECT revision FROM policy ORDER BY revision DESC LIMIT ?)`,
			directory.KeptPromotions)
	}
	return t.wrote("promotion of policy "+p.Digest, err)
}
