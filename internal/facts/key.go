package facts

import (
	"encoding/binary"

	"doorward/internal/portal"
)

// keyRoom is room for the key of a membership with ids of usual length.
const keyRoom = 128

// membershipKey appends the name of a membership: the account's id preceded by
// its length, then the user's, so that no two pairs have the same.
func membershipKey(dst []byte, account portal.AccountID, user portal.UserID) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(account)))
	dst = append(dst, account...)
	return append(dst, user...)
}
