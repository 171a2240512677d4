// Package policygen makes random policies, and random questions and facts to ask
// them about. It is for tests only; a test of internal/repo keeps it so.
//
// It knows how a policy is written, and nothing of how one is judged: what a policy
// of its making answers is for a test to find out in two ways. Its invariants: it
// draws all it makes from a rapid.T, so that a failure is shrunk and can be seen
// again by its seed; it takes names and values from the catalogue and the tree of
// the input, so that nearly all it makes loads.
package policygen

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
)

// The files of a policy folder that are drawn. All others are taken as they are.
const (
	inputsFile   = "inputs.yaml"
	presetsFile  = "presets/presets.csv"
	providerFile = "provider.yaml"
	rulesFile    = "rules/drawn.rego"
)

// A Source is the policy folder whose catalogue, profiles and model the random
// policies share.
type Source struct {
	Catalogue *catalogue.Catalogue
	files     fstest.MapFS
}

// Open reads a sound policy folder.
func Open(fsys fs.FS) (*Source, error) {
	s := &Source{files: fstest.MapFS{}}
	profiles, err := fs.Glob(fsys, "profiles/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, name := range append(profiles, "catalogue.yaml", "presets/model.conf") {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read policy folder: %w", err)
		}
		s.files[name] = &fstest.MapFile{Data: data, Mode: 0o600}
	}
	s.Catalogue, err = catalogue.Load("catalogue.yaml", s.files["catalogue.yaml"].Data)
	return s, err
}

// A Policy is a random policy folder, as files. It may be unsound.
type Policy struct {
	Files fstest.MapFS
}

// Policy draws a policy folder.
func (s *Source) Policy(t *rapid.T) *Policy {
	p := &Policy{Files: maps.Clone(s.files)}
	schema := drawSchema(t, s.Catalogue)
	p.put(inputsFile, schema.yaml())
	p.put(presetsFile, Presets(t, s.Catalogue, 5))
	p.put(providerFile, drawProvider(t, s.profiles()))
	p.put(rulesFile, drawRules(t, rules.Leaves(s.Catalogue, &schema.Schema)))
	return p
}

func (p *Policy) put(name, text string) {
	p.Files[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o600}
}

// Rules is the text of the rules.
func (p *Policy) Rules() string { return string(p.Files[rulesFile].Data) }

// String is what was drawn, for people: a failure that shows it can be tried again.
func (p *Policy) String() string {
	var b strings.Builder
	for _, name := range []string{inputsFile, providerFile, presetsFile, rulesFile} {
		fmt.Fprintf(&b, "-- %s --\n%s", name, p.Files[name].Data)
	}
	return b.String()
}

func (s *Source) profiles() []string {
	var names []string
	for name := range s.files {
		if profile, ok := strings.CutPrefix(name, "profiles/"); ok {
			names = append(names, strings.TrimSuffix(profile, ".yaml"))
		}
	}
	slices.Sort(names)
	return names
}

// drawProvider draws the provider's switches: a profile, without what would name
// presets that are not there, and some switches set otherwise.
func drawProvider(t *rapid.T, profiles []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "profile: %s\noverrides:\n  presets.offered: []\n  presets.all_adds: []\n", rapid.SampledFrom(profiles).Draw(t, "profile"))
	for _, s := range switches {
		if s.domain != nil && oneIn(t, 3) {
			fmt.Fprintf(&b, "  %s: %s\n", strings.TrimPrefix(s.ref, providerPath), rapid.SampledFrom(s.domain).Draw(t, "switch"))
		}
	}
	return b.String()
}

// oneIn is true about once in n times, and false in the simplest case. The last of a
// range is drawn more often than others.
func oneIn(t *rapid.T, n int) bool {
	return rapid.IntRange(0, n-1).Draw(t, "one in "+strconv.Itoa(n)) == n/2
}

// Check is rapid.Check for properties that take long: it checks n times, unless
// -rapid.checks asks for more than rapid's own 100.
func Check(t *testing.T, n int, property func(*rapid.T)) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if asked := checks.Value.String(); asked == checks.DefValue {
		defer checks.Value.Set(asked)
		if err := checks.Value.Set(strconv.Itoa(n)); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, property)
}
