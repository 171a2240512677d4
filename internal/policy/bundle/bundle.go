// Package bundle carries a policy folder as one signed file: a bundle in OPA's format,
// with OPA's signatures (design section 4).
//
// It does not know what a policy is: what it opened is read by policy.Read, like a folder.
// It remembers no bundle, so it cannot know an older one; the directory keeps promotions in
// order (R13). Its invariant: what Open returns was signed, every byte of it, with the one
// key that the signature names and that the caller trusts; anything else is refused whole
// (S22).
package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	opa "github.com/open-policy-agent/opa/v1/bundle"

	"doorward/internal/ijson"
)

// ErrRefused: the bundle is not what somebody who is trusted has signed, or is past a
// bound. The text says what is wrong with it.
var ErrRefused = errors.New("the bundle is refused")

func refusef(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrRefused, fmt.Errorf(format, args...))
}

// Files of a bundle that are no part of the policy folder.
const (
	manifestFile   = ".manifest"
	signaturesFile = ".signatures.json"
)

// A Bundle is what Open has found to be signed.
type Bundle struct {
	// Files is the policy folder, with whatever else was signed. It no longer changes.
	Files fs.FS
	KeyID string // of the key that it is signed with
}

// Open verifies a bundle. Its error wraps ErrRefused.
func Open(data []byte, keys Keys) (Bundle, error) {
	files, err := unpack(data)
	if err != nil {
		return Bundle{}, err
	}
	signed, id, err := keys.verify(files[signaturesFile])
	if err != nil {
		return Bundle{}, err
	}
	delete(files, signaturesFile)
	if err := compare(files, signed); err != nil {
		return Bundle{}, err
	}
	delete(files, manifestFile)
	folder, err := newFolder(files)
	if err != nil {
		return Bundle{}, err
	}
	return Bundle{Files: folder, KeyID: id}, nil
}

// compare holds the files there are against those that were signed, which it empties.
func compare(files map[string][]byte, signed map[string]opa.FileInfo) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := compareFile(name, files[name], signed); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(signed)) {
		return refusef("%q was signed and is missing", name)
	}
	return nil
}

func compareFile(name string, data []byte, signed map[string]opa.FileInfo) error {
	info, ok := signed[name]
	switch {
	case !ok:
		return refusef("%q was not signed", name)
	case info.Algorithm != string(opa.SHA256):
		return refusef("%q is signed by its hash of %q, and must be by that of %s", name, info.Algorithm, opa.SHA256)
	case name == manifestFile:
		// OPA reads it as YAML before it compares; what is plain JSON cannot be made to grow.
		if _, err := ijson.Parse(data); err != nil {
			return refusef("%s: %w", name, err)
		}
	case opa.IsStructuredDoc(name):
		return refusef("%q cannot be in a bundle: OPA signs what it means, not its bytes", name)
	}
	if err := opa.VerifyBundleFile(name, *bytes.NewBuffer(data), signed); err != nil {
		return refusef("%q is not what was signed: %w", name, err)
	}
	return nil
}
