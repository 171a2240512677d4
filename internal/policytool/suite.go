package policytool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/internal/policy/rules"
	"doorward/internal/strictyaml"
)

// A suite is a policy folder and all that is expected of it, each policy loaded
// once.
type suite struct {
	source   policy.Source
	base     *policy.Policy // as provider.yaml says
	tables   []Table
	profiles []string
	policies map[string]*policy.Policy // by setting
}

// A setting is one choice of the provider's switches.
type setting struct {
	profile  string // "": what provider.yaml says
	switches map[string]string
	from     string // the file that chooses so
	line     int
}

// key names the setting: equal settings have equal keys.
func (s setting) key() string {
	key := s.profile
	for _, name := range slices.Sorted(maps.Keys(s.switches)) {
		key += "\n" + name + "=" + s.switches[name]
	}
	return key
}

func (t *Table) setting() setting {
	return setting{profile: t.Profile, switches: t.Provider, from: t.File, line: t.at}
}

// loadSuite is loadSource of a folder, with all there is to work with.
func loadSuite(ctx context.Context, fsys fs.FS) (*suite, error) {
	return loadSource(ctx, policy.Read(fsys), runtime.GOMAXPROCS(0))
}

// loadSource loads a folder with its tables under every setting, by so many workers at
// once. Its error is a fault.List with the faults of all of them. Whether invariants
// hold is not looked at.
func loadSource(ctx context.Context, source policy.Source, workers int) (*suite, error) {
	var faults fault.List
	s := &suite{source: source, profiles: source.Profiles()}
	var err error
	if s.base, err = source.LoadProfile("", nil); collect(&faults, err) != nil {
		return nil, err
	}
	if s.tables, err = readTables(source); collect(&faults, err) != nil {
		return nil, err
	}
	if err := s.loadSettings(ctx, workers, &faults); err != nil {
		return nil, err
	}
	if s.base != nil {
		s.checkWants(&faults)
		s.checkNames(&faults)
	}
	if err := unique(faults).Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// loadSettings loads the policy of every profile and of every table.
func (s *suite) loadSettings(ctx context.Context, workers int, faults *fault.List) error {
	wanted := map[string]setting{}
	for _, name := range s.profiles {
		wanted[name] = setting{profile: name, from: "profiles/" + name + ".yaml"}
	}
	for _, table := range s.tables {
		if set := table.setting(); wanted[set.key()].from == "" {
			wanted[set.key()] = set
		}
	}
	keys := slices.Sorted(maps.Keys(wanted))
	loaded, problems := make([]*policy.Policy, len(keys)), make([]error, len(keys))
	source := s.source.WithoutTests()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i, key := range keys {
		group.Go(func() error {
			if key == "" {
				loaded[i] = s.base
				return nil
			}
			loaded[i], problems[i] = source.LoadProfile(wanted[key].profile, wanted[key].switches)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	s.policies = map[string]*policy.Policy{}
	for i, key := range keys {
		if err := collect(faults, placed(problems[i], wanted[key])); err != nil {
			return fmt.Errorf("policy for %s: %w", wanted[key].from, err)
		}
		s.policies[key] = loaded[i]
	}
	return nil
}

// placed names, for faults that are in no file, the file that chose the setting.
func placed(err error, set setting) error {
	list, ok := errors.AsType[fault.List](err)
	if !ok {
		return err
	}
	list = slices.Clone(list)
	for i, f := range list {
		if what, found := strings.CutPrefix(f.File, "override "); found {
			list[i].File, list[i].Line, list[i].Message = set.from, set.line, what+": "+f.Message
		} else if strings.HasPrefix(f.File, "profile ") {
			list[i].File = set.from
		}
	}
	return list
}

// checkWants refuses rows that want an answer that no rule can give.
func (s *suite) checkWants(faults *fault.List) {
	known := append([]string{allow}, slices.Concat(rules.Reasons(), s.base.Rules.Guardrails())...)
	for _, table := range s.tables {
		for _, row := range table.Rows {
			if row.Want != "" && !slices.Contains(known, row.Want) {
				faults.Add(fault.Fault{File: table.File, Line: row.Line,
					Message: fmt.Sprintf("no answer is called %q", row.Want), Fix: strictyaml.Suggest(row.Want, known)})
			}
		}
	}
}

// collect moves the faults in err to faults and returns what is left of err.
func collect(faults *fault.List, err error) error {
	if list, ok := errors.AsType[fault.List](err); ok {
		*faults = append(*faults, list...)
		return nil
	}
	return err
}

// unique leaves out what was said already: every profile is loaded with the same
// catalogue.
func unique(faults fault.List) fault.List {
	said := map[fault.Fault]bool{}
	return slices.DeleteFunc(faults, func(f fault.Fault) bool {
		again := said[f]
		said[f] = true
		return again
	})
}
