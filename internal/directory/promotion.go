package directory

import (
	"encoding/hex"

	"doorward/internal/portal"
)

// A Promotion puts a policy in force at every gate (design R13). Whether its bundle is signed,
// and by whom, is for those who open it.
type Promotion struct {
	Revision portal.Revision // of the commit, which says so; a put says nothing of it
	Digest   string          // of the policy: hex of SHA-256
	Bundle   []byte          // shared and never modified
}

const (
	// MaxBundle is how large a promotion's bundle may be, in bytes.
	MaxBundle = 2 << 20
	// KeptPromotions is how many promotions a Store keeps, the last ones.
	KeptPromotions = 10
)

// CheckPromotion checks the digest and the size of a promotion.
func CheckPromotion(p Promotion) error {
	c := checker{what: "promotion of a policy"}
	if sum, err := hex.DecodeString(p.Digest); err != nil || len(sum) != 32 || hex.EncodeToString(sum) != p.Digest {
		c.wrong("digest", "%.80q is not the hex of a SHA-256", p.Digest)
	}
	switch {
	case len(p.Bundle) == 0:
		c.wrong("bundle", "is missing")
	case len(p.Bundle) > MaxBundle:
		c.wrong("bundle", "has %d bytes, more than %d", len(p.Bundle), MaxBundle)
	}
	return c.err
}
