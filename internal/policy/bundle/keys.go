package bundle

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// DefaultKeyID is the id of a key that was given none, as in OPA.
const DefaultKeyID = "default"

// keyIDs are what keys can be called: they are shown, and written into settings.
var keyIDs = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Keys are those that are trusted, by id. Several are for the time in which one takes
// the place of another.
type Keys map[string]Key

// A Key verifies signatures.
type Key struct {
	algorithm string // of JWA (RFC 7518): RS256, ES256, ES384 or ES512
	pem       string
}

// A SigningKey signs bundles. Its zero value signs none.
type SigningKey struct {
	id, algorithm, pem string
	public             Key
}

// ReadKeys reads public keys from PEM files, each named as FILE or ID=FILE. One without an
// id is called "default".
func ReadKeys(named ...string) (Keys, error) {
	keys := Keys{}
	for _, name := range named {
		id, file, ok := strings.Cut(name, "=")
		if !ok {
			id, file = DefaultKeyID, name
		}
		if _, twice := keys[id]; twice {
			return nil, fmt.Errorf("verification key %s: there are two of that id. Write ID=FILE", id)
		}
		key, err := readFile(id, file, ParseKey)
		if err != nil {
			return nil, fmt.Errorf("verification key %w", err)
		}
		keys[id] = key
	}
	return keys, nil
}

// ReadSigningKey reads a private key from a PEM file.
func ReadSigningKey(id, file string) (SigningKey, error) {
	key, err := readFile(id, file, ParseSigningKey)
	if err != nil {
		return SigningKey{}, fmt.Errorf("signing key %w", err)
	}
	key.id = id
	return key, nil
}

func readFile[K any](id, file string, parse func([]byte) (K, error)) (key K, err error) {
	if !keyIDs.MatchString(id) {
		return key, fmt.Errorf("%s: a key cannot be called %q. Use letters, digits, dots, dashes and underscores", file, id)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return key, err
	}
	if key, err = parse(data); err != nil {
		return key, fmt.Errorf("%s: %w", file, err)
	}
	return key, nil
}

// ParseKey reads a public key, RSA or ECDSA, in PEM.
func ParseKey(data []byte) (Key, error) {
	block, err := onlyBlock(data)
	if err != nil {
		return Key{}, err
	}
	var public any
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
		err = errors.New("it is a private key. Keep it where bundles are signed, and give its public key here")
	default:
		err = fmt.Errorf("it is no public key but a %s", block.Type)
	}
	if err != nil {
		return Key{}, err
	}
	return newKey(public)
}

// ParseSigningKey reads a private key, RSA or ECDSA, in PEM. It is called "default".
func ParseSigningKey(data []byte) (SigningKey, error) {
	block, err := onlyBlock(data)
	if err != nil {
		return SigningKey{}, err
	}
	var private any
	switch block.Type {
	case "PRIVATE KEY":
		private, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		private, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		private, err = x509.ParseECPrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		err = errors.New("it is encrypted. Decrypt it first, with openssl pkey")
	default:
		err = fmt.Errorf("it is no private key but a %s", block.Type)
	}
	if err != nil {
		return SigningKey{}, err
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return SigningKey{}, errors.New("it does not sign")
	}
	public, err := newKey(signer.Public())
	if err != nil {
		return SigningKey{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return SigningKey{}, err
	}
	return SigningKey{id: DefaultKeyID, algorithm: public.algorithm, pem: inPEM("PRIVATE KEY", der), public: public}, nil
}

// onlyBlock is the one key of a PEM file. The parameters that openssl writes before a key
// of a curve say nothing that the key does not.
func onlyBlock(data []byte) (*pem.Block, error) {
	block, rest := pem.Decode(data)
	if block != nil && block.Type == "EC PARAMETERS" {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, errors.New("it is no key in PEM form (-----BEGIN …)")
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, errors.New("it holds more than one key")
	}
	return block, nil
}

func newKey(public any) (Key, error) {
	algorithm, err := algorithmOf(public)
	if err != nil {
		return Key{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Key{}, err
	}
	return Key{algorithm: algorithm, pem: inPEM("PUBLIC KEY", der)}, nil
}

// algorithmOf is the one algorithm that a key is for.
func algorithmOf(public any) (string, error) {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 {
			return "", fmt.Errorf("it is a key of %d bits, and must have 2048 or more", key.N.BitLen())
		}
		return "RS256", nil
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return "ES256", nil
		case elliptic.P384():
			return "ES384", nil
		case elliptic.P521():
			return "ES512", nil
		}
	}
	return "", errors.New("it is neither an RSA key nor one of the curves P-256, P-384 and P-521")
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
