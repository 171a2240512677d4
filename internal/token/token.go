// Package token makes client tokens, keeps them and tells whether one presented
// with a request is good.
//
// It knows the directory's store and HTTP's Authorization header, and nothing of
// decisions. Its invariants: a secret exists only in the answer to Create and in
// its owner's hands, the store has its digest (S26); comparing takes the same
// time whether the token is known or not; and a token revoked by any process is
// refused from the next request on.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"

	"doorward/internal/directory"
)

// A Scope is what a token may be used for.
type Scope string

// The scopes.
const (
	// Decide lets a client ask for decisions.
	Decide Scope = "decide"
	// Explain lets a client that may decide ask why, too: it is told the facts of
	// whomever it asks about.
	Explain Scope = "explain"
	// Manage lets a client look at users, accounts and who belongs to them, and change
	// them.
	Manage Scope = "manage"
	// Policy lets a client put a policy in force at every gate.
	Policy Scope = "policy"
	// Gate lets a sidecar follow the directory: it is told every change, and the facts
	// of whomever it asks about.
	Gate Scope = "gate"
)

// Scopes lists the scopes that a token can be given.
func Scopes() []Scope { return []Scope{Decide, Explain, Manage, Policy, Gate} }

// ErrMalformed tells that a text is not of a token's form.
var ErrMalformed = errors.New("not a Doorward token")

// A token is written dw_<id>_<secret>. The id finds the token and is no secret;
// the mark lets scanners find tokens that leaked.
const (
	mark        = "dw"
	idBytes     = 10
	secretBytes = 32
)

// encoding has neither the separator nor letters that differ only by case, so
// that a token is one word to a double click and survives being read out.
var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// generate makes a token's id and the text to hand out.
func generate() (id, text string) {
	var random [idBytes + secretBytes]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
	id = encoding.EncodeToString(random[:idBytes])
	return id, mark + "_" + id + "_" + encoding.EncodeToString(random[idBytes:])
}

// parse takes a token apart. Its error is ErrMalformed.
func parse(text string) (id string, digest [sha256.Size]byte, err error) {
	parts := strings.Split(text, "_")
	if len(parts) != 3 || parts[0] != mark ||
		len(parts[1]) != encoding.EncodedLen(idBytes) || len(parts[2]) != encoding.EncodedLen(secretBytes) {
		return "", digest, ErrMalformed
	}
	return parts[1], sha256.Sum256([]byte(parts[2])), nil
}

// inForce tells whether t has not been revoked.
func inForce(t directory.Token) bool { return t.RevokedAt.IsZero() }
