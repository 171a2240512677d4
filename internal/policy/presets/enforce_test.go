package presets_test

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"pgregory.net/rapid"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/presets"
	"doorward/internal/policygen"
)

// plainCasbin is an enforcer with the shipped model and all lines of a file as an
// ordinary CSV reader sees them: nothing of this package has touched them. Alice is
// given presets and categories as Casbin has it.
func plainCasbin(t *rapid.T, modelConf, file string, given, direct []string) *casbin.Enforcer {
	m, err := model.NewModelFromString(modelConf)
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(file))
	r.Comment, r.TrimLeadingSpace, r.FieldsPerRecord = '#', true, -1
	records, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records {
		switch record[0] {
		case "p":
			_, err = e.AddPolicy(record[1:])
		case "g":
			_, err = e.AddGroupingPolicy(record[1:])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, preset := range given {
		if _, err := e.AddGroupingPolicy("alice", preset); err != nil {
			t.Fatal(err)
		}
	}
	for _, object := range direct {
		if _, err := e.AddPolicy("alice", object, "allow"); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// drawLoadable draws a presets.csv that loads, which nearly all do.
func drawLoadable(t *rapid.T, cat *catalogue.Catalogue, modelConf []byte, most int) (string, *presets.Table) {
	file := policygen.Presets(t, cat, most)
	table, err := presets.Load(cat, "model.conf", modelConf, "presets.csv", []byte(file))
	if err != nil {
		t.Skip(err)
	}
	return file, table
}

// Whole files over the shipped catalogue, read and judged from beginning to end, hold
// what Casbin says of them: unions of presets with denies and inheritance, and
// categories given besides (A13.6, C13).
func TestRandomFilesHoldWhatCasbinSays(t *testing.T) {
	cat, modelConf := shippedCatalogue(t), shippedFile(t, "presets/model.conf")
	yes, no, takenAway := 0, 0, 0
	policygen.Check(t, 25, func(t *rapid.T) {
		file, table := drawLoadable(t, cat, modelConf, 7)
		for range 5 {
			given := rapid.SliceOfNDistinct(rapid.SampledFrom(table.Names()), 0, len(table.Names()), rapid.ID).Draw(t, "given")
			direct := rapid.SliceOfNDistinct(rapid.SampledFrom(cat.Objects()), 0, 5, rapid.ID).Draw(t, "direct")
			held, anyAllow := table.Holds(given, direct), cat.Set(direct...)
			for _, name := range given {
				anyAllow = anyAllow.Union(table.Holds([]string{name}, nil))
			}
			e := plainCasbin(t, string(modelConf), file, given, direct)
			for bit, object := range cat.Objects() {
				want, err := e.Enforce("alice", object)
				if err != nil {
					t.Fatal(err)
				}
				if held.Has(bit) != want {
					t.Fatalf("%v and %v hold %s: %v, Casbin says %v, of\n%s", given, direct, object, held.Has(bit), want, file)
				}
				switch {
				case want:
					yes++
				case anyAllow.Has(bit):
					takenAway++
				default:
					no++
				}
			}
		}
	})
	t.Logf("held %d, not held %d, taken away by a deny of another preset %d", yes, no, takenAway)
	if all := yes + no + takenAway; all == 0 || yes*20 < all || no*20 < all || takenAway*100 < all {
		t.Errorf("too little was asked: held %d, not held %d, taken away %d", yes, no, takenAway)
	}
}
