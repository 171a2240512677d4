package authzen

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// A Pager writes and reads the tokens by which clients ask for the next page.
//
// A token is bound to its search and cannot be made or read without the secret: it can
// hold the id of somebody the client was not told of. The same page has the same token
// (c-2-6), so the tag is also what the rest is encrypted with, as in SIV (RFC 5297).
type Pager struct {
	tagKey []byte
	block  cipher.Block
}

// NewPager makes a Pager. All that have the same secret read each other's tokens.
func NewPager(secret []byte) (*Pager, error) {
	const half = 32
	keys, err := hkdf.Key(sha256.New, secret, nil, "doorward page tokens 1", 2*half)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(keys[half:])
	if err != nil {
		return nil, err
	}
	return &Pager{keys[:half], block}, nil
}

// A bookmark is where a page begins.
type bookmark struct {
	after string // "": at the beginning
	limit int    // of all pages of the search
}

// errToken tells that a text is not a token of this search.
var errToken = errors.New("no token of this search")

const (
	tokenTag = aes.BlockSize
	maxToken = 1024 // of a token's text, in bytes; ids have at most 256
)

// write makes the token of a page of the search that has the digest.
func (p *Pager) write(search [sha256.Size]byte, b bookmark) string {
	plain := append(binary.AppendUvarint(nil, uint64(b.limit)), b.after...)
	token := append(p.tag(search, plain), plain...)
	cipher.NewCTR(p.block, token[:tokenTag]).XORKeyStream(token[tokenTag:], plain)
	return base64.RawURLEncoding.EncodeToString(token)
}

// read reads a token of the search that has the digest. Its error is errToken.
func (p *Pager) read(search [sha256.Size]byte, text string) (bookmark, error) {
	if len(text) > maxToken {
		return bookmark{}, errToken
	}
	token, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(token) <= tokenTag || base64.RawURLEncoding.EncodeToString(token) != text { // it skips line ends

		return bookmark{}, errToken
	}
	plain := make([]byte, len(token)-tokenTag)
	cipher.NewCTR(p.block, token[:tokenTag]).XORKeyStream(plain, token[tokenTag:])
	if !hmac.Equal(token[:tokenTag], p.tag(search, plain)) {
		return bookmark{}, errToken
	}
	limit, n := binary.Uvarint(plain)
	if n <= 0 || limit > maxResults {
		return bookmark{}, errToken
	}
	return bookmark{after: string(plain[n:]), limit: int(limit)}, nil
}

// tag authenticates a page of a search.
func (p *Pager) tag(search [sha256.Size]byte, plain []byte) []byte {
	mac := hmac.New(sha256.New, p.tagKey)
	mac.Write(search[:])
	mac.Write(plain)
	return mac.Sum(nil)[:tokenTag:tokenTag]
}
