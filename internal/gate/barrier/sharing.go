package barrier

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"time"

	"doorward/internal/gate"
)

// SharingPeriod is how long gates seal entries of a shared cache with one key. They open
// those of the period before as well: a key that leaked is worth nothing after two.
const SharingPeriod = time.Hour

// SharingKeys are the keys of a directory for a shared cache at a time, the newest first
// (R10). They follow from its secret and the hour, so that all replicas hand out the same
// and none is kept anywhere; from a key neither another nor the secret follows.
func SharingKeys(secret []byte, now time.Time) ([]gate.SharingKey, error) {
	last := uint64(now.Unix() / int64(SharingPeriod/time.Second))
	all := []gate.SharingKey{{Number: last}, {Number: last - 1}}
	for i := range all {
		key, err := hkdf.Key(sha256.New, secret, nil, fmt.Sprintf("doorward shared cache %d", all[i].Number), len(all[i].Secret))
		if err != nil {
			return nil, fmt.Errorf("derive a key for the shared cache: %w", err)
		}
		copy(all[i].Secret[:], key)
	}
	return all, nil
}
