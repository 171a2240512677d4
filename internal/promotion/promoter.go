package promotion

import (
	"context"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/internal/policy/bundle"
	"doorward/internal/portal"
)

// A Promoter promotes policies. It is a manage.Policies.
type Promoter struct {
	Store directory.Store
	Keys  bundle.Keys
	// Tables returns the rows of a policy's tables that fail, where they keep it from being
	// promoted. nil: they do not.
	Tables func(context.Context, policy.Source) (fault.List, error)
}

// Promoted is what was promoted last; before the first promotion directory.ErrNotFound.
func (p Promoter) Promoted(ctx context.Context) (directory.Promotion, error) {
	return p.Store.Promoted(ctx)
}

// Promote commits that the policy of a bundle is in force from now on, by a client. It is
// held to its invariants here, once for all gates. Its errors are bundle.ErrRefused, a
// fault.List for a policy that is not sound, or the store's. Promoting what is in force
// changes nothing.
func (p Promoter) Promote(ctx context.Context, client string, data []byte) (promoted directory.Promotion, at portal.Position, err error) {
	source, err := open(data, p.Keys)
	if err != nil {
		return promoted, at, err
	}
	loaded, err := source.LoadChecked()
	if err != nil {
		return promoted, at, err
	}
	if p.Tables != nil {
		failing, err := p.Tables(ctx, source)
		if err != nil {
			return promoted, at, err
		}
		if err := failing.Err(); err != nil {
			return promoted, at, err
		}
	}
	at, err = p.Store.Update(ctx, func(tx directory.Tx) (err error) {
		if err := tx.PutPolicy(ctx, directory.Promotion{Digest: loaded.Digest, Bundle: data}); err != nil {
			return err
		}
		if tx.Changed() {
			tx.Log(audit.Entry{Actor: "client:" + client, Client: client, Action: "policy.promote", Object: "policy:" + loaded.Digest})
		}
		promoted, err = tx.Promoted(ctx)
		return err
	})
	if err != nil {
		return directory.Promotion{}, portal.Position{}, err
	}
	return promoted, at, nil
}
