// Package policy turns a policy folder into one immutable Policy: catalogue,
// presets, provider's switches, rules, invariants and entities, checked together, with a
// digest.
//
// It decides nothing and watches nothing. Its invariant: a Policy exists only if
// the whole folder is sound; otherwise every fault found is reported, each with
// its file and line, and there is no Policy. LoadChecked also holds the invariants
// against what can be asked.
package policy

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/entities"
	"doorward/internal/policy/presets"
	"doorward/internal/policy/provider"
	"doorward/internal/policy/rules"
)

// A Policy is one immutable snapshot of a policy folder.
type Policy struct {
	// Digest names everything that decides: hex of SHA-256, the same for the same
	// files in every process. Tests and tables do not count.
	Digest    string
	Catalogue *catalogue.Catalogue
	Presets   *presets.Table
	Provider  *provider.Provider
	Rules     *rules.Program
	Entities  *entities.Table // of the policy's own; nil when it has none

	// What the digest is made of.
	files    map[string][]byte
	profile  string
	switches map[string]string
}

// Load reads the policy folder fsys. Its error is a fault.List when the folder
// can be read but is not a sound policy.
func Load(fsys fs.FS) (*Policy, error) { return Read(fsys).Load() }

// LoadWith reads the policy folder fsys with some of the provider's switches set
// otherwise, by dotted name.
func LoadWith(fsys fs.FS, switches map[string]string) (*Policy, error) {
	return Read(fsys).LoadProfile("", switches)
}

// LoadProfile reads the policy folder fsys with one of its profiles in place of
// provider.yaml, overrides included, and with some switches set otherwise. The
// profile "" leaves provider.yaml.
func LoadProfile(fsys fs.FS, profile string, switches map[string]string) (*Policy, error) {
	return Read(fsys).LoadProfile(profile, switches)
}

// LoadTests makes the Rego tests of a folder ready to run under the switches of p,
// which was loaded from it. Its error is a fault.List.
func (s Source) LoadTests(p *Policy) (*rules.Tests, error) {
	return rules.LoadTests(p.Catalogue, rules.File{Path: inputsFile, Data: s.files[inputsFile]}, modules(s.files), seen(p.Provider))
}

// digest hashes the files that decide, the profile put in place and the switches
// set otherwise, each name and content preceded by its length.
func digest(files map[string][]byte, profile string, switches map[string]string) string {
	all := make(map[string]string)
	if profile != "" {
		all["profile"] = profile
	}
	for name, data := range files {
		if !strings.HasSuffix(name, testSuffix) {
			all[name] = string(data)
		}
	}
	for name, value := range switches {
		all["switch "+name] = value
	}
	return hashed(all)
}

// hashed is the hex of SHA-256 over names and texts, in order of the names.
func hashed(all map[string]string) string {
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, s := range []string{name, all[name]} {
			hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
			hash.Write([]byte(s))
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}
