package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	opa "github.com/open-policy-agent/opa/v1/bundle"

	"doorward/internal/fault"
	"doorward/internal/policy"
)

// Write makes a bundle of all that was read of a policy folder, its tests and tables
// included: whoever has the bundle can try them. Its revision is the policy's digest. Its
// error is a fault.List when a file of that name cannot be in a bundle. The same source,
// digest and RSA key make the same bytes.
func Write(source policy.Source, digest string, key SigningKey) ([]byte, error) {
	if key.pem == "" {
		return nil, errors.New("write bundle: there is no key to sign with")
	}
	files := source.Files()
	if err := refuseNames(files); err != nil {
		return nil, err
	}
	version := 1
	manifest, err := json.Marshal(opa.Manifest{Revision: digest, Roots: &[]string{""}, RegoVersion: &version})
	if err != nil {
		return nil, fmt.Errorf("write bundle: %w", err)
	}
	files[manifestFile] = manifest
	if files[signaturesFile], err = sign(files, key); err != nil {
		return nil, fmt.Errorf("sign bundle: %w", err)
	}
	data, err := pack(files)
	if err != nil {
		return nil, fmt.Errorf("write bundle: %w", err)
	}
	if _, err := Open(data, Keys{key.id: key.public}); err != nil { // past a bound
		return nil, fmt.Errorf("write bundle: nobody would open it: %w", err)
	}
	return data, nil
}

// refuseNames refuses files that a signature would not cover byte by byte.
func refuseNames(files map[string][]byte) error {
	var faults fault.List
	for name := range files {
		if opa.IsStructuredDoc(name) || opa.IsSignaturesFile(name) {
			faults.Add(fault.Fault{File: name, Message: "cannot be in a bundle: OPA signs files of this name in another way", Fix: "Rename it."})
		}
	}
	return faults.Err()
}

// sign makes .signatures.json of files.
func sign(files map[string][]byte, key SigningKey) ([]byte, error) {
	hasher, err := opa.NewSignatureHasher(opa.SHA256)
	if err != nil {
		return nil, err
	}
	list := make([]opa.FileInfo, 0, len(files))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		var content any = files[name]
		if name == manifestFile {
			if err := json.Unmarshal(files[name], &content); err != nil {
				return nil, err
			}
		}
		sum, err := hasher.HashFile(content)
		if err != nil {
			return nil, err
		}
		list = append(list, opa.NewFile(name, hex.EncodeToString(sum), string(opa.SHA256)))
	}
	token, err := opa.GenerateSignedToken(list, opa.NewSigningConfig(key.pem, key.algorithm, ""), key.id)
	if err != nil {
		return nil, err
	}
	return json.Marshal(opa.SignaturesConfig{Signatures: []string{token}})
}

// pack makes the archive, in order of the names and without times.
func pack(files map[string][]byte) ([]byte, error) {
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(files[name]))})
		if err != nil {
			return nil, err
		}
		if _, err := archive.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}
