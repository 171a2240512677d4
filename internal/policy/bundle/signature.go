package bundle

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	opa "github.com/open-policy-agent/opa/v1/bundle"

	"doorward/internal/ijson"
)

// verify tells what was signed, by name, and with which key.
func (k Keys) verify(signatures []byte) (map[string]opa.FileInfo, string, error) {
	if signatures == nil {
		return nil, "", refusef("it is not signed: it has no %s", signaturesFile)
	}
	s, err := readSignature(signatures)
	if err != nil {
		return nil, "", err
	}
	id, err := k.named(s)
	if err != nil {
		return nil, "", err
	}
	// The key says by which algorithm, never the signature: one that calls a public key
	// a secret would be made by anybody.
	key := k[id]
	if s.algorithm != key.algorithm {
		return nil, "", refusef("it is signed by %.64q, and the key %q is for %s", s.algorithm, id, key.algorithm)
	}
	trusted := opa.NewVerificationConfig(map[string]*opa.KeyConfig{id: {Key: key.pem, Algorithm: key.algorithm}}, id, "", nil)
	files, err := opa.VerifyBundleSignature(opa.SignaturesConfig{Signatures: []string{s.token}}, trusted)
	if err != nil {
		return nil, "", refusef("its signature is not that of the key %q: %w", id, err)
	}
	if len(files) != s.files {
		return nil, "", refusef("a file is signed twice")
	}
	return files, id, nil
}

// named is the id of the key that the signature names, which must be one of k. Where only
// one is trusted the signature need not name it: what `opa sign` makes does not.
func (k Keys) named(s signature) (string, error) {
	ids := slices.Sorted(maps.Keys(k))
	_, trusted := k[s.keyID]
	switch {
	case len(k) == 0:
		return "", refusef("no key is trusted")
	case s.keyID == "" && len(k) == 1:
		return ids[0], nil
	case s.keyID == "":
		return "", refusef("it does not say with which key it is signed: %s", strings.Join(ids, ", "))
	case !trusted:
		return "", refusef("it is signed with the key %.64q, which is not trusted; trusted is %s", s.keyID, strings.Join(ids, ", "))
	}
	return s.keyID, nil
}

// A signature is what .signatures.json says, before any of it is believed.
type signature struct {
	token     string // JWS, compact (RFC 7515)
	algorithm string
	keyID     string
	files     int // that it lists
}

func readSignature(data []byte) (s signature, err error) {
	whole, err := ijson.Parse(data)
	if err != nil {
		return s, refusef("%s: %w", signaturesFile, err)
	}
	tokens := whole.Get("signatures").Items()
	switch {
	case len(tokens) != 1 || tokens[0].Kind() != ijson.String:
		return s, refusef("%s must have one signature", signaturesFile)
	case whole.Get("plugin").Text() != "":
		return s, refusef("it is signed by a plugin of OPA, not by OPA")
	}
	s.token = tokens[0].Text()
	parts := strings.Split(s.token, ".")
	if len(parts) != 3 {
		return s, refusef("its signature is no token of three parts")
	}
	header, err := part(parts[0])
	if err != nil {
		return s, refusef("the header of its signature: %w", err)
	}
	claims, err := part(parts[1])
	if err != nil {
		return s, refusef("the text of its signature: %w", err)
	}
	s.algorithm, s.files = header.Get("alg").Text(), len(claims.Get("files").Items())
	s.keyID, err = keyID(header, claims)
	return s, err
}

// part reads a part of a token.
func part(text string) (ijson.Value, error) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return ijson.Value{}, err
	}
	return ijson.Parse(data)
}

// keyID is the id of the key that a signature names, in its header or as older ones do.
func keyID(header, claims ijson.Value) (string, error) {
	kid, old := header.Get("kid").Text(), claims.Get("keyid").Text()
	switch {
	case header.Get("crit").Kind() != ijson.Absent:
		return "", refusef("its signature asks to be understood in another way (crit)") // RFC 7515, 4.1.11
	case kid == "":
		return old, nil
	case old != "" && old != kid:
		return "", refusef("its signature names two keys, %.64q and %.64q", kid, old)
	}
	return kid, nil
}
