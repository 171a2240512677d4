package barrier_test

import (
	"testing"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
)

// R10: replicas agree without a word, every hour has its key, and who learned one knows no other.
func TestSharingKeys(t *testing.T) {
	at := time.Date(2026, 7, 1, 12, 59, 59, 0, time.UTC)
	keys := func(secret string, now time.Time) []gate.SharingKey {
		t.Helper()
		all, err := barrier.SharingKeys([]byte(secret), now)
		if err != nil || len(all) != 2 || all[0].Number != all[1].Number+1 || all[0].Secret == all[1].Secret {
			t.Fatalf("%v, %v", all, err)
		}
		return all
	}
	now := keys("secret", at)
	if again := keys("secret", at.Add(-time.Minute).In(time.FixedZone("", 3600))); again[0] != now[0] {
		t.Error("another replica has another key")
	}
	if next := keys("secret", at.Add(time.Second)); next[1] != now[0] || next[0] == now[0] {
		t.Error("the next hour does not follow on this one")
	}
	if other := keys("another", at); other[0].Secret == now[0].Secret || now[0].Secret == (gate.Secret{}) {
		t.Error("the secret is not in the key")
	}
}
