package simulation

import (
	"fmt"

	"doorward/internal/gate"
	"doorward/internal/gate/shared"
	"doorward/internal/portal"
)

// A sealing seals and opens as production does, but for what a mutant leaves out.
type sealing struct{ mutant }

func (s sealing) Name(era gate.Era, key portal.FactKey) string { return shared.Name(era, key) }

func (s sealing) Seal(keys []gate.SharingKey, name string, key portal.FactKey, facts portal.Facts, f gate.Found) string {
	value, err := shared.Sealer{Keys: keys}.Seal(name, key, facts, f)
	if err != nil {
		panic(err)
	}
	return string(value)
}

func (s sealing) Open(keys []gate.SharingKey, name, value string, key portal.FactKey, era gate.Era) (gate.Found, string) {
	opener := shared.Sealer{Keys: keys, Rules: s.rules}
	switch f, result := opener.Open(name, value, key, era); {
	case len(f.Facts) > 0:
		return f, result
	case s.anyName:
		return anyName(opener, value, era)
	case s.anyEra:
		return anyEra(opener, value, key, era)
	default:
		return f, result
	}
}

// anyName opens an entry whoever it is about.
func anyName(opener shared.Sealer, value string, era gate.Era) (f gate.Found, result string) {
	for i := range accounts * (users + 1) {
		key := subject{i % accounts, i / accounts}.key()
		if f, result = opener.Open(shared.Name(era, key), value, key, era); len(f.Facts) > 0 {
			break
		}
	}
	return f, result
}

// anyEra opens an entry whatever era it is of, and takes it for one of the era.
func anyEra(opener shared.Sealer, value string, key portal.FactKey, era gate.Era) (f gate.Found, result string) {
	for i := range 10 {
		other := gate.Era(fmt.Sprintf("era %d", i+1))
		if f, result = opener.Open(shared.Name(other, key), value, key, other); len(f.Facts) > 0 {
			f.Era = era
			break
		}
	}
	return f, result
}
