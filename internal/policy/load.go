package policy

import (
	"errors"
	"slices"

	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/entities"
	"doorward/internal/policy/presets"
	"doorward/internal/policy/provider"
	"doorward/internal/policy/rules"
)

// LoadProfile is Load as the function of that name does it.
func (s Source) LoadProfile(profile string, switches map[string]string) (*Policy, error) {
	if s.err != nil {
		return nil, s.err
	}
	l := loader{Policy: &Policy{files: s.files, profile: profile, switches: switches}, faults: slices.Clone(s.faults)}
	for _, load := range []func() error{l.loadCatalogue, l.loadProvider, l.loadPresets, l.loadRules, l.loadEntities} {
		if err := collect(&l.faults, load()); err != nil {
			return nil, err
		}
		if l.ended {
			break
		}
	}
	if err := l.faults.Err(); err != nil {
		return nil, err
	}
	l.Digest = digest(s.files, profile, switches)
	return l.Policy, nil
}

// A loader loads the parts of a policy, each of which may need those before it.
type loader struct {
	*Policy
	faults fault.List
	// portal tells that there is something presets can give and switches decide about,
	// as far as that is known.
	portal bool
	ended  bool // what is missing or unsound leaves nothing to load the rest by
}

func (l *loader) loadCatalogue() (err error) {
	data, there := l.files[catalogueFile]
	if there {
		l.Catalogue, err = catalogue.Load(catalogueFile, data)
	}
	l.portal = !there || l.Catalogue != nil && len(l.Catalogue.Objects()) > 0
	l.ended = missing(l.files, l.portal, &l.faults)
	return err
}

func (l *loader) loadProvider() (err error) {
	_, there := l.files[providerFile]
	switch {
	case l.profile != "":
		l.Provider, err = provider.LoadProfile(l.files, l.profile)
	case !there && !l.portal:
		l.Provider = provider.None()
	default:
		l.Provider, err = provider.Load(l.files)
	}
	if err == nil && len(l.switches) > 0 {
		l.Provider, err = l.Provider.With(l.switches)
	}
	l.ended = l.Catalogue == nil || err != nil
	return err
}

func (l *loader) loadPresets() (err error) {
	if err := collect(&l.faults, l.Provider.CheckSpare(l.files)); err != nil {
		return err
	}
	if _, there := l.files[presetsFile]; !there && !l.portal {
		l.Presets = presets.None(l.Catalogue)
		return nil
	}
	l.Presets, err = presets.Load(l.Catalogue, modelFile, l.files[modelFile], presetsFile, l.files[presetsFile], addedBy(l.Provider))
	if err != nil {
		return err
	}
	return l.Provider.CheckNames(categoryNames(l.Catalogue), l.Presets.Names())
}

func (l *loader) loadRules() (err error) {
	l.Rules, err = rules.Load(l.Catalogue, rules.File{Path: inputsFile, Data: l.files[inputsFile]}, modules(l.files), seen(l.Provider))
	return err
}

// loadEntities loads what the policy has of its own. Its names are looked at also when
// the rules could not be loaded.
func (l *loader) loadEntities() (err error) {
	data, there := l.files[entitiesFile]
	if there {
		var schema *rules.Schema
		if l.Rules != nil {
			schema = l.Rules.Schema()
		}
		l.Entities, err = entities.Load(l.Catalogue, schema, entitiesFile, data)
		if l.Entities == nil {
			return err
		}
	}
	return l.checkEntities()
}

// checkEntities refuses actions that nobody could ever do, because there is nothing to
// do them to or nobody to do them.
func (l *loader) checkEntities() error {
	var faults fault.List
	for _, a := range l.Catalogue.Actions() {
		switch {
		case a.Class != catalogue.Entity:
		case l.Entities == nil:
			faults.Add(fault.Fault{File: catalogueFile, Line: a.Line,
				Message: "action " + a.Name + " is about entities, and there is no " + entitiesFile, Fix: "Write one, with subjects and resources."})
		case !a.Unlisted && len(l.Entities.Resources(a.Entity)) == 0:
			faults.Add(fault.Fault{File: catalogueFile, Line: a.Line,
				Message: "action " + a.Name + " is done to a " + a.Entity + ", and " + entitiesFile + " has no resource of that type",
				Fix:     "Add one, or write unlisted: true if any will do."})
		}
	}
	return faults.Err()
}

// addedBy is what the provider's switches add to presets.
func addedBy(settings *provider.Provider) presets.Added {
	categories, at := settings.AllAdds()
	return presets.Added{Preset: presets.All, Categories: categories, At: at}
}

// seen are the provider's switches as rules see them.
func seen(settings *provider.Provider) rules.Switches {
	return rules.Switches{Values: settings.Data(), Domains: provider.Domains()}
}

func categoryNames(cat *catalogue.Catalogue) []string {
	names := make([]string, len(cat.Categories))
	for i, category := range cat.Categories {
		names[i] = category.Name
	}
	return names
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
