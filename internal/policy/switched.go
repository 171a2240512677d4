package policy

import (
	"fmt"
	"maps"

	"doorward/internal/policy/rules"
)

// With is p with some of the provider's switches set otherwise, by dotted name, as
// LoadWith would load it from the same folder, without compiling anything again.
// What presets hold is left as it is, so a switch that would change it
// (presets.all_adds) is an error, as is one that the rules cannot have.
func (p *Policy) With(switches map[string]string) (*Policy, error) {
	if _, adds := switches[presetsAllAdds]; adds {
		return nil, fmt.Errorf("%w: %s changes presets", rules.ErrSwitches, presetsAllAdds)
	}
	settings, err := p.Provider.With(switches)
	if err != nil {
		return nil, err
	}
	if err := settings.CheckNames(categoryNames(p.Catalogue), p.Presets.Names()); err != nil {
		return nil, err
	}
	program, err := p.Rules.With(settings.Data())
	if err != nil {
		return nil, err
	}
	set := maps.Clone(p.switches)
	if set == nil {
		set = make(map[string]string)
	}
	maps.Copy(set, switches)
	return &Policy{
		Digest:    digest(p.files, p.profile, set),
		Catalogue: p.Catalogue, Presets: p.Presets, Provider: settings, Rules: program, Entities: p.Entities,
		files: p.files, profile: p.profile, switches: set,
	}, nil
}

// presetsAllAdds is the switch that presets follow.
const presetsAllAdds = "presets.all_adds"
