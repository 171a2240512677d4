package repo

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// arrows are the imports allowed inside the module (docs/architecture.md):
// package → what it may import. A package that is not listed may not exist.
// Adapters are never in each other's lists; only server and cli know everyone.
var arrows = map[string][]string{
	"internal/portal":     {},
	"internal/ijson":      {},
	"internal/fault":      {},
	"internal/strictyaml": {"internal/fault"},

	"internal/audit":     {"internal/portal"},
	"internal/directory": {"internal/portal", "internal/audit"},
	"internal/directory/sqlite": {
		"internal/directory", "internal/portal", "internal/audit", "internal/gate", "internal/gate/barrier",
	},
	"internal/directory/postgres": {
		"internal/directory", "internal/portal", "internal/audit", "internal/gate", "internal/gate/barrier",
	},
	"internal/directory/pgtest":    {},
	"internal/directory/storetest": {"internal/directory", "internal/portal", "internal/audit"},
	"internal/facts":               {"internal/portal", "internal/directory"},

	"internal/gate/internal/rule": {},
	"internal/gate": {
		"internal/portal", "internal/directory", "internal/facts", "internal/gate/internal/rule",
	},
	"internal/gate/barrier": {
		"internal/portal", "internal/directory", "internal/gate", "internal/gate/internal/rule",
	},
	"internal/gate/barrier/storetest": {
		"internal/portal", "internal/audit", "internal/directory", "internal/gate", "internal/gate/barrier",
	},
	"internal/gate/spool":  {"internal/gate"},
	"internal/lastuse":     {"internal/gate", "internal/portal"},
	"internal/decisionlog": {"internal/decision", "internal/ijson", "internal/portal"},
	"internal/gate/simulation": {
		"internal/portal", "internal/directory", "internal/facts", "internal/gate", "internal/gate/barrier",
		"internal/gate/internal/rule",
	},

	"internal/token": {
		"internal/portal", "internal/audit", "internal/directory", "internal/problem",
	},

	"internal/gate/wire": {
		"internal/directory", "internal/gate", "internal/gate/barrier", "internal/ijson", "internal/portal", "internal/problem", "internal/token",
	},

	"internal/gate/shared":           {"internal/gate", "internal/gate/internal/rule", "internal/gate/wire", "internal/portal"},
	"internal/gate/shared/redistest": {},
	"internal/cachetool": {
		"internal/portal", "internal/directory", "internal/gate", "internal/gate/shared", "internal/gate/wire",
	},

	"internal/staff": {
		"internal/portal", "internal/audit", "internal/directory", "internal/fault", "internal/policy/catalogue",
	},

	"internal/policy/catalogue": {"internal/strictyaml"},
	"internal/policy/presets":   {"internal/fault", "internal/policy/catalogue"},
	"internal/policy/provider": {
		"internal/fault", "internal/strictyaml",
	},
	"internal/policy/rules": {
		"internal/fault", "internal/policy/catalogue", "internal/strictyaml",
	},
	"internal/policy/entities": {
		"internal/policy/catalogue", "internal/policy/rules", "internal/portal", "internal/strictyaml",
	},
	"internal/policy": {
		"internal/fault", "internal/policy/catalogue", "internal/policy/entities", "internal/policy/presets",
		"internal/policy/provider", "internal/policy/rules",
	},
	"internal/policy/watch":             {"internal/fault", "internal/policy"},
	"internal/policy/bundle/bundletest": {"internal/policy", "internal/policy/bundle", "policies"},
	"internal/policy/bundle":            {"internal/fault", "internal/ijson", "internal/policy"},
	"policies":                          {},

	"internal/decision": {"internal/portal", "internal/ijson", "internal/policy..."},
	"internal/decision/casetest": {
		"internal/portal", "internal/ijson", "internal/policy...", "internal/decision",
	},
	"internal/explain": {
		"internal/portal", "internal/ijson", "internal/fault", "internal/policy...", "internal/decision", "internal/policytool",
	},
	"internal/search": {
		"internal/portal", "internal/ijson", "internal/directory", "internal/policy", "internal/policy/catalogue", "internal/decision",
	},
	"internal/policytool": {
		"internal/portal", "internal/ijson", "internal/fault", "internal/strictyaml", "internal/policy...", "internal/decision",
	},

	"internal/policygen": {
		"internal/portal", "internal/ijson", "internal/policy", "internal/policy/catalogue", "internal/policy/rules", "internal/decision",
	},
	"internal/reference": {"internal/portal"},

	"internal/importer": {
		"internal/portal", "internal/audit", "internal/directory", "internal/ijson",
		"internal/fault", "internal/policy/catalogue", "internal/importer/shelf",
	},
	"internal/importer/shelf": {},
	"internal/whmcs":          {"internal/fault", "internal/ijson"},
	"internal/generate":       {"internal/policy/catalogue"},
	"internal/whmcsexport": {
		"internal/portal", "internal/directory", "internal/policy", "internal/policy/catalogue", "internal/decision",
	},
	"internal/demo": {
		"internal/portal", "internal/directory", "internal/importer", "internal/policy/catalogue", "internal/staff",
	},

	"internal/problem": {"internal/ijson", "internal/directory", "internal/decision"},
	"internal/authzen": {
		"internal/portal", "internal/ijson", "internal/decision", "internal/explain", "internal/problem", "internal/policy/rules",
		"internal/search",
	},

	"internal/promotion": {
		"internal/portal", "internal/audit", "internal/directory", "internal/decision", "internal/fault", "internal/policy", "internal/policy/bundle",
	},
	"internal/canary": {
		"internal/portal", "internal/directory", "internal/decision", "internal/gate/barrier", "internal/ijson", "internal/importer",
		"internal/policy/catalogue",
	},

	"internal/manage": {
		"internal/portal", "internal/ijson", "internal/directory", "internal/importer", "internal/problem", "internal/gate/barrier",
		"internal/policy/bundle", "internal/fault",
	},

	"internal/config": {"internal/fault", "internal/strictyaml"},
	"internal/server": {"..."},
	"internal/cli":    {"..."},
	"internal/bench":  {"..."},
	"internal/chaos":  {},
	"internal/repo":   {},
	"cmd/doorward":    {"internal/cli"},
}

// foreign are modules that only some packages may import, so that each choice of
// a library stays one package's business.
var foreign = map[string][]string{
	"github.com/open-policy-agent/opa/": {"internal/policy/rules", "internal/policy/bundle", "internal/bench"},
	"github.com/casbin/casbin/":         {"internal/policy/presets", "internal/bench"},
	"modernc.org/sqlite":                {"internal/directory/sqlite", "internal/importer/shelf"},
	"database/sql":                      {"internal/directory/sqlite", "internal/importer/shelf"},
	"github.com/jackc/pgx/":             {"internal/directory/postgres", "internal/directory/pgtest"},
	"github.com/pressly/goose/":         {"internal/directory/sqlite", "internal/directory/postgres"},
	"github.com/spf13/cobra":            {"internal/cli"},
	"github.com/fsnotify/":              {"internal/policy/watch"},
	"pgregory.net/rapid":                {"internal/policygen", "internal/decision/casetest", "internal/directory/storetest"},
	"github.com/go-json-experiment/": {
		"internal/ijson", "internal/authzen", "internal/directory/sqlite", "internal/directory/postgres",
		"internal/gate/wire",
	},
	"github.com/anishathalye/porcupine": {"internal/gate/simulation"},
	"github.com/redis/go-redis/":        {"internal/gate/shared"},
	"github.com/Shopify/toxiproxy/":     {}, // tests only
	"encoding/xml":                      {"internal/whmcs", "internal/cli"},
	"net/http": {
		"internal/authzen", "internal/manage", "internal/problem", "internal/token", "internal/server", "internal/cli", "internal/bench",
		"internal/gate/wire",
	},
}

// forTests are the packages that only tests may import.
var forTests = []string{
	"internal/directory/storetest", "internal/directory/pgtest", "internal/policygen", "internal/decision/casetest",
	"internal/gate/barrier/storetest", "internal/gate/simulation", "internal/gate/shared/redistest",
	"internal/reference", // what a server answers must not come from the model it is compared with
}

// What makes things up for tests is no part of the product, whatever the arrows of a
// package that may import everything. What measures the product is none either.
func TestPackagesForTestsAreImportedByTestsOnly(t *testing.T) {
	for _, p := range packages(t) {
		if p.path() == "internal/bench" {
			continue
		}
		for _, name := range forTests {
			if slices.Contains(p.Imports, modulePath+"/"+name) {
				t.Errorf("%s imports %s, which is for tests only", p.path(), name)
			}
		}
	}
}

func TestImportsFollowTheArrows(t *testing.T) {
	for _, p := range packages(t) {
		allowed, listed := arrows[p.path()]
		if !listed {
			t.Errorf("%s: a package without arrows; add it to arrows and to docs/architecture.md", p.path())
		}
		for _, imported := range p.Imports {
			if inside, ok := strings.CutPrefix(imported, modulePath+"/"); ok && !permitted(inside, allowed) {
				t.Errorf("%s imports %s: no arrow leads there", p.path(), inside)
			}
			for module, users := range foreign {
				if strings.HasPrefix(imported, module) && !slices.Contains(users, p.path()) {
					t.Errorf("%s imports %s: that is the business of %s", p.path(), imported, strings.Join(users, ", "))
				}
			}
		}
	}
}

// An arrow that no package needs is permission that nobody asked for.
func TestEveryArrowIsNeeded(t *testing.T) {
	for _, p := range packages(t) {
		for _, arrow := range arrows[p.path()] {
			if !strings.HasSuffix(arrow, "...") && !slices.Contains(p.Imports, modulePath+"/"+arrow) {
				t.Errorf("%s no longer imports %s: remove the arrow, here and in docs/architecture.md", p.path(), arrow)
			}
		}
	}
}

// written puts an arrow as the page does.
var written = strings.NewReplacer("policy...", "policy/*", "...", "everything")

// The table of packages in docs/architecture.md is arrows for people.
func TestArchitecturePageHasTheArrows(t *testing.T) {
	rows := map[string]string{}
	row := regexp.MustCompile("(?m)^\\| `((?:internal/|cmd/)?[a-z/]+)` \\| [^|]+ \\| ([^|]*)\\|$")
	for _, m := range row.FindAllStringSubmatch(string(read(t, "docs/architecture.md")), -1) {
		rows[m[1]] = strings.TrimSpace(m[2])
	}
	for name, to := range arrows {
		want := make([]string, len(to))
		for i, arrow := range to {
			want[i] = written.Replace(strings.TrimPrefix(arrow, "internal/"))
		}
		slices.Sort(want)
		if got, listed := rows[name]; !listed || got != strings.Join(want, ", ") {
			t.Errorf("docs/architecture.md: the row of %s names %q, want %q", name, got, strings.Join(want, ", "))
		}
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("docs/architecture.md: there is no package %s", name)
	}
}

// permitted tells whether the package is in the list; x... is x and all below it.
func permitted(path string, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		tree, wild := strings.CutSuffix(a, "...")
		return path == a || wild && (tree == "" || path == tree || strings.HasPrefix(path, tree+"/"))
	})
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command "
		}
		if len(p.GoFiles) > 0 && !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: no package comment that begins with %q", p.path(), want)
		}
	}
}
