package directory

import (
	"context"

	"doorward/internal/portal"
)

// Uses are when members were last allowed something (requirements 95, 116; design R16).
// They are no facts: no answer depends on them, and to note one is no revision, has no line
// in the trail, and may be lost in a failover.
type Uses interface {
	// Used notes uses, all or none. Of each account and user the latest day counts, in
	// whichever order days come and however often; one after the directory's own today is
	// taken for today. Whether there is such a member is not asked.
	Used(ctx context.Context, uses []portal.Use) error
	// LastUse returns the latest day that was noted; 0: none was.
	LastUse(ctx context.Context, account portal.AccountID, user portal.UserID) (portal.Day, error)
}
