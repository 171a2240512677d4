package facts

import (
	"encoding/binary"

	"doorward/internal/portal"
)

// keyRoom is room for the key of a pair with ids of usual length.
const keyRoom = 128

// pairKey appends the name of an account with one of its members or contacts: the
// account's id preceded by its length, then the other, so that no two pairs have
// the same.
func pairKey(dst []byte, account portal.AccountID, id string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(account)))
	dst = append(dst, account...)
	return append(dst, id...)
}
