package shared

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"doorward/internal/gate"
	"doorward/internal/gate/internal/rule"
	"doorward/internal/gate/wire"
	"doorward/internal/portal"
)

// An entry is a version, the number of the key that it is sealed with, its HMAC-SHA-256,
// and what it says.
const (
	format    = 1
	headBytes = 1 + 8 + sha256.Size
)

// prefix begins every name in Redis.
const prefix = "doorward:facts:"

// purpose keeps an HMAC of something else that is made with the same key from being one of
// an entry.
const purpose = "doorward shared facts 1"

// Keys are those that the directory has made, the newest first.
type Keys []gate.SharingKey

// A Sealer seals entries with the first of its keys, and opens those that are sealed with
// any. The zero Sealer opens nothing.
type Sealer struct {
	Keys Keys
	// Rules is for the simulation; nobody else can set it.
	Rules rule.Set
}

var errNoKey = errors.New("there is no key to seal with")

// Name is where the facts of a key are, in one life of the database (R11). It has a fixed
// length, and says nothing of who it is about to somebody who sees names alone.
func Name(era gate.Era, key portal.FactKey) string {
	h := sha256.New()
	for _, part := range [...]string{string(era), string(key.Account), key.Subject.Type, key.Subject.ID} {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		_, _ = h.Write([]byte(part))
	}
	return prefix + hex.EncodeToString(h.Sum(nil))
}

// Seal writes the entry of a name: the facts of key, as they were when f was found.
func (s Sealer) Seal(name string, key portal.FactKey, facts portal.Facts, f gate.Found) ([]byte, error) {
	if len(s.Keys) == 0 {
		return nil, errNoKey
	}
	body, err := wire.EncodeEntry(key, facts, f.Position, f.Era)
	if err != nil {
		return nil, err
	}
	head := binary.BigEndian.AppendUint64([]byte{format}, s.Keys[0].Number)
	return append(append(head, mac(s.Keys[0], head, name, body)...), body...), nil
}

// mac covers everything: how the entry is to be read, where it is, and what it says, which
// begins with the life of the database and the position.
func mac(key gate.SharingKey, head []byte, name string, body []byte) []byte {
	m := hmac.New(sha256.New, key.Secret[:])
	for _, part := range [...][]byte{[]byte(purpose), head, []byte(name), body} {
		_, _ = m.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		_, _ = m.Write(part)
	}
	return m.Sum(nil)
}

// Open reads the entry of a name, which has to be of key and era, and says what became of it,
// for metrics. Nothing in it is read before it is known who wrote it.
func (s Sealer) Open(name, value string, key portal.FactKey, era gate.Era) (gate.Found, string) {
	switch {
	case value == "":
		return gate.Found{}, missing
	case len(value) < headBytes, len(value) > maxValue, value[0] != format:
		return gate.Found{}, malformed
	}
	head, sum, body := []byte(value[:9]), []byte(value[9:headBytes]), []byte(value[headBytes:])
	for _, known := range s.Keys {
		if known.Number != binary.BigEndian.Uint64(head[1:]) {
			continue
		}
		if !hmac.Equal(sum, mac(known, head, name, body)) && s.Rules.Keeps(rule.Sealed) {
			return gate.Found{}, forged
		}
		f, err := wire.DecodeEntry(body, key, era)
		if err != nil {
			return gate.Found{}, malformed // of a newer version of this program
		}
		return f, found
	}
	return gate.Found{}, unknownKey
}
