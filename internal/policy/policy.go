// Package policy turns a policy folder into one immutable Policy: catalogue,
// presets, provider's switches and rules, checked together, with a digest.
//
// It decides nothing and watches nothing. Its invariant: a Policy exists only if
// the whole folder is sound; otherwise every fault found is reported, each with
// its file and line, and there is no Policy.
package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/fault"
	"doorward/internal/policy/presets"
	"doorward/internal/policy/provider"
	"doorward/internal/policy/rules"
)

// The files of a policy folder (design section 4).
const (
	catalogueFile = "catalogue.yaml"
	modelFile     = "presets/model.conf"
	presetsFile   = "presets/presets.csv"
	inputsFile    = "inputs.yaml"
	rulesFolder   = "rules"
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
}

// Load reads the policy folder fsys. Its error is a fault.List when the folder
// can be read but is not a sound policy.
func Load(fsys fs.FS) (*Policy, error) { return LoadWith(fsys, nil) }

// LoadWith reads the policy folder fsys with some of the provider's switches set
// otherwise, by dotted name, as tables of expected answers do.
func LoadWith(fsys fs.FS, switches map[string]string) (*Policy, error) {
	var faults fault.List
	files, err := read(fsys, &faults)
	if err != nil {
		return nil, err
	}
	if missing(files, &faults) {
		return nil, faults.Err()
	}
	settings, err := loadProvider(fsys, switches)
	if err := collect(&faults, err); err != nil {
		return nil, err
	}
	cat, err := catalogue.Load(catalogueFile, files[catalogueFile])
	if err := collect(&faults, err); err != nil {
		return nil, err
	}
	if cat == nil || settings == nil {
		return nil, faults.Err()
	}
	table, err := presets.Load(cat, modelFile, files[modelFile], presetsFile, files[presetsFile])
	if err := collect(&faults, err); err != nil {
		return nil, err
	}
	if table != nil {
		if err := collect(&faults, settings.CheckNames(categoryNames(cat), table.Names())); err != nil {
			return nil, err
		}
	}
	program, err := rules.Load(cat, rules.File{Path: inputsFile, Data: files[inputsFile]}, modules(files), settings.Data())
	if err := collect(&faults, err); err != nil {
		return nil, err
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return &Policy{
		Digest:    digest(files, switches),
		Catalogue: cat, Presets: table, Provider: settings, Rules: program,
	}, nil
}

func categoryNames(cat *catalogue.Catalogue) []string {
	names := make([]string, len(cat.Categories))
	for i, category := range cat.Categories {
		names[i] = category.Name
	}
	return names
}

func loadProvider(fsys fs.FS, switches map[string]string) (*provider.Provider, error) {
	settings, err := provider.Load(fsys)
	if err != nil || len(switches) == 0 {
		return settings, err
	}
	return settings.With(switches)
}

// collect moves the faults in err to faults and returns what is left of err.
func collect(faults *fault.List, err error) error {
	var list fault.List
	if errors.As(err, &list) {
		*faults = append(*faults, list...)
		return nil
	}
	return err
}

// read returns the content of every file that decides, by path. A rule or preset
// file where none is read would be believed to be in force, so it is a fault.
func read(fsys fs.FS, faults *fault.List) (map[string][]byte, error) {
	files := make(map[string][]byte)
	var visit fs.WalkDirFunc
	visit = func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read policy folder: %w", err)
		}
		if entry.IsDir() {
			return skipHidden(entry)
		}
		if linked(fsys, name, entry) {
			return followed(fsys, name, visit, faults)
		}
		if misplaced(name) {
			faults.Add(fault.Fault{
				File: name, Message: "would not be read here",
				Fix: "Rules belong in " + rulesFolder + "/, presets in " + presetsFile + ".",
			})
		}
		if !decides(name) {
			return nil
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fmt.Errorf("read policy folder: %w", err)
		}
		files[name] = data
		return nil
	}
	return files, fs.WalkDir(fsys, ".", visit)
}

// linked tells whether an entry is a link to a folder, which walking passes by.
func linked(fsys fs.FS, name string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return false
	}
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

// followed walks a linked folder: one of the policy folder itself, because that
// is how a ConfigMap is mounted. Deeper ones could lead round in circles, and are
// faults: rules in them would be believed to be in force.
func followed(fsys fs.FS, name string, visit fs.WalkDirFunc, faults *fault.List) error {
	switch {
	case strings.HasPrefix(name, "."): // a ConfigMap's ..data
		return nil
	case strings.Contains(name, "/"):
		faults.Add(fault.Fault{File: name, Message: "is a link to a folder, and would not be read", Fix: "Put the folder itself here."})
		return nil
	}
	return fs.WalkDir(fsys, name, visit)
}

// missing tells whether a file that every policy folder needs is not there.
func missing(files map[string][]byte, faults *fault.List) bool {
	before := len(*faults)
	for _, name := range []string{catalogueFile, inputsFile, modelFile, presetsFile} {
		if _, ok := files[name]; !ok {
			faults.Add(fault.Fault{File: name, Message: "is missing", Fix: "A policy folder needs it; copy the shipped one."})
		}
	}
	return len(*faults) > before
}

// skipHidden leaves out folders such as .git and a ConfigMap's ..data.
func skipHidden(entry fs.DirEntry) error {
	if name := entry.Name(); name != "." && strings.HasPrefix(name, ".") {
		return fs.SkipDir
	}
	return nil
}

func isRule(name string) bool {
	return path.Ext(name) == ".rego" && strings.HasPrefix(name, rulesFolder+"/")
}

func misplaced(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".rego":
		return !isRule(name) && !strings.HasPrefix(name, "invariants/")
	case ".csv":
		return name != presetsFile
	}
	return false
}

// decides tells whether a file is part of the policy, tests of rules included:
// they are compiled with the rules, so that a test cannot rot unseen.
func decides(name string) bool {
	switch name {
	case catalogueFile, inputsFile, modelFile, presetsFile, "provider.yaml":
		return true
	}
	return isRule(name) || path.Dir(name) == "profiles" && path.Ext(name) == ".yaml"
}

func modules(files map[string][]byte) []rules.File {
	var list []rules.File
	for name, data := range files {
		if isRule(name) {
			list = append(list, rules.File{Path: name, Data: data})
		}
	}
	slices.SortFunc(list, func(a, b rules.File) int { return cmp.Compare(a.Path, b.Path) })
	return list
}

// digest hashes the files that decide and the switches set otherwise, each name
// and content preceded by its length.
func digest(files map[string][]byte, switches map[string]string) string {
	all := make(map[string]string)
	for name, data := range files {
		if !strings.HasSuffix(name, "_test.rego") {
			all[name] = string(data)
		}
	}
	for name, value := range switches {
		all["switch "+name] = value
	}
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, s := range []string{name, all[name]} {
			hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
			hash.Write([]byte(s))
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}
