package policy

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"doorward/internal/fault"
	"doorward/internal/policy/rules"
)

// The files of a policy folder (design section 4).
const (
	catalogueFile = "catalogue.yaml"
	modelFile     = "presets/model.conf"
	presetsFile   = "presets/presets.csv"
	inputsFile    = "inputs.yaml"
	providerFile  = "provider.yaml"
	entitiesFile  = "entities.yaml"
	rulesFolder   = "rules"
	testSuffix    = "_test.rego" // of tests of rules

	invariantsFolder = "invariants"
	tablesFolder     = "tests"

	// examplesFolder holds policies of their own, which are no part of this one.
	examplesFolder = "examples"
)

// A Source is one reading of a policy folder: the bytes of every file that
// decides and of its tables, or what kept them from being read. It no longer changes
// when the folder does. Its zero value is an empty folder.
type Source struct {
	files  map[string][]byte
	tables map[string][]byte
	faults fault.List
	err    error
	size   int64 // of all that was read, in bytes
}

// Read reads the policy folder fsys. That it cannot be read is told by Load.
func Read(fsys fs.FS) Source {
	s := Source{files: make(map[string][]byte), tables: make(map[string][]byte)}
	s.err = s.read(fsys)
	return s
}

// Load makes a policy of what was read. Its error is a fault.List when the folder
// could be read but is not a sound policy. It takes the invariants as held: who puts a
// policy in force calls LoadChecked.
func (s Source) Load() (*Policy, error) { return s.LoadProfile("", nil) }

// LoadChecked is Load that also holds the policy's invariants against what can be asked
// (rules.Singly), which takes ten times as long.
func (s Source) LoadChecked() (*Policy, error) {
	p, err := s.Load()
	if err != nil {
		return nil, err
	}
	checked, err := p.Rules.CheckInvariants(context.Background(), rules.Singly)
	if err != nil {
		return nil, err
	}
	if err := checked.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// WithoutTests is the source without the tests of rules. They decide nothing, so a
// source that loads also loads, and sooner, without them.
func (s Source) WithoutTests() Source {
	files := maps.Clone(s.files)
	maps.DeleteFunc(files, func(name string, _ []byte) bool { return strings.HasSuffix(name, testSuffix) })
	return Source{files: files, tables: s.tables, faults: s.faults, err: s.err}
}

// File is the content of a file that was read; nil when there is none of that name.
// Do not modify it.
func (s Source) File(name string) []byte { return s.files[name] }

// Tables are the files of expected answers, by path, with whatever else lies in their
// folder. They decide nothing. Do not modify them.
func (s Source) Tables() map[string][]byte { return s.tables }

// Files are all files that were read, tables included, by path: a map of the caller's own.
// Do not modify what is in them.
func (s Source) Files() map[string][]byte {
	all := maps.Clone(s.tables)
	if all == nil {
		all = make(map[string][]byte)
	}
	maps.Copy(all, s.files)
	return all
}

// Profiles are the names of the provider's profiles, sorted.
func (s Source) Profiles() []string {
	var names []string
	for file := range s.files {
		if name, ok := strings.CutPrefix(file, "profiles/"); ok {
			names = append(names, strings.TrimSuffix(name, ".yaml"))
		}
	}
	slices.Sort(names)
	return names
}

// Print names all that was read, tests of rules, tables and failures to read
// included: Sources with equal prints load equally, and their tables fail equally.
func (s Source) Print() string {
	all := make(map[string]string)
	for name, data := range s.files {
		all["file "+name] = string(data)
	}
	for name, data := range s.tables {
		all["file "+name] = string(data)
	}
	all["faults"] = s.faults.Error()
	if s.err != nil {
		all["error"] = s.err.Error()
	}
	return hashed(all)
}

// read reads every file that decides, and the tables. A rule or preset file where
// none is read would be believed to be in force, so it is a fault.
func (s *Source) read(fsys fs.FS) error {
	var visit fs.WalkDirFunc
	visit = func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("read policy folder: %w", err)
		case entry.IsDir():
			return skipOthers(name)
		case linked(fsys, name, entry):
			return followed(fsys, name, visit, &s.faults)
		case misplaced(name):
			s.faults.Add(fault.Fault{
				File: name, Message: "would not be read here",
				Fix: "Rules belong in " + rulesFolder + "/, invariants in " + invariantsFolder + "/, presets in " + presetsFile + ".",
			})
		}
		switch {
		case decides(name):
			return s.readFile(fsys, name, s.files)
		case strings.HasPrefix(name, tablesFolder+"/") && !leftover(path.Base(name)):
			return s.readFile(fsys, name, s.tables)
		}
		return nil
	}
	return fs.WalkDir(fsys, ".", visit)
}

// leftover tells whether a file is what an editor keeps beside the one it edits.
func leftover(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") || strings.HasSuffix(name, "~")
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
	case skipOthers(name) != nil: // a ConfigMap's ..data
		return nil
	case strings.Contains(name, "/"):
		faults.Add(fault.Fault{File: name, Message: "is a link to a folder, and would not be read", Fix: "Put the folder itself here."})
		return nil
	}
	return fs.WalkDir(fsys, name, visit)
}

// missing tells whether a file that a policy folder needs is not there. One that is no
// portal's, because all in it is about entities, needs no presets.
func missing(files map[string][]byte, portal bool, faults *fault.List) bool {
	before, needed := len(*faults), []string{catalogueFile, inputsFile}
	if portal {
		needed = append(needed, modelFile, presetsFile)
	}
	for _, name := range needed {
		if _, ok := files[name]; !ok {
			faults.Add(fault.Fault{File: name, Message: "is missing", Fix: "A policy folder needs it; copy the shipped one."})
		}
	}
	return len(*faults) > before
}

// skipOthers leaves out folders that are no part of the policy: such as .git and a
// ConfigMap's ..data, and the examples.
func skipOthers(name string) error {
	if name == examplesFolder || name != "." && strings.HasPrefix(path.Base(name), ".") {
		return fs.SkipDir
	}
	return nil
}

// isRego tells whether a file is one of rules or invariants, or of their tests.
func isRego(name string) bool {
	return path.Ext(name) == ".rego" && (strings.HasPrefix(name, rulesFolder+"/") || strings.HasPrefix(name, invariantsFolder+"/"))
}

func misplaced(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".rego":
		return !isRego(name)
	case ".csv":
		return name != presetsFile
	}
	return false
}

// decides tells whether a file is part of the policy, tests of rules included:
// they are compiled with the rules, so that a test cannot rot unseen.
func decides(name string) bool {
	switch name {
	case catalogueFile, inputsFile, modelFile, presetsFile, providerFile, entitiesFile:
		return true
	}
	return isRego(name) || path.Dir(name) == "profiles" && path.Ext(name) == ".yaml"
}

func modules(files map[string][]byte) []rules.File {
	var list []rules.File
	for name, data := range files {
		if isRego(name) {
			list = append(list, rules.File{Path: name, Data: data})
		}
	}
	slices.SortFunc(list, func(a, b rules.File) int { return cmp.Compare(a.Path, b.Path) })
	return list
}
