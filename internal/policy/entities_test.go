package policy_test

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"doorward/internal/policy"
	"doorward/internal/policy/entities"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// records is a whole policy folder of another domain: no permissions, no presets and
// no switches.
func records() fstest.MapFS {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"catalogue.yaml": "categories: {}\nmails: {}\nactions:\n  read: {entity: record, effect: read, scope: none}\n  note: {entity: note, unlisted: true, effect: write, scope: none}\n",
		"inputs.yaml":    "has: []\nrequest:\n  - {path: subject.properties.role, type: string, absent: \"\", for: [\"*\"]}\n",
		"entities.yaml":  "subjects:\n  user:\n    bob: {role: admin}\nresources:\n  record:\n    r1: {}\n",
		"rules/a.rego": `package doorward

decision := {"allow": reason == "", "reason": reason, "obligations": []}

default reason := "category_missing"

reason := "" if input.request.subject.properties.role == "admin"
`,
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

func TestAFolderOfEntities(t *testing.T) {
	p, err := policy.Read(records()).LoadChecked()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := p.Entities.Subject(portal.Ref{Type: "user", ID: "bob"}); !ok || len(p.Presets.Names()) > 0 || p.Provider.Profile != "" {
		t.Errorf("%+v", p)
	}
	again, err := p.With(nil)
	if err != nil || again.Entities != p.Entities || again.Digest != p.Digest {
		t.Errorf("the same again: %v", err)
	}
	if _, err := p.With(map[string]string{"billing.pay": "false"}); !errors.Is(err, rules.ErrSwitches) {
		t.Errorf("with a switch of the portal: %v", err)
	}
	shipped, err := policy.Load(folder(t))
	if err != nil || shipped.Entities != (*entities.Table)(nil) {
		t.Errorf("the portal has entities: %v", err)
	}
}

// The digest names what decides, so also what is stored.
func TestTheDigestNamesEntities(t *testing.T) {
	files := records()
	want, print := digest(t, files), policy.Read(files).Print()
	files["entities.yaml"] = &fstest.MapFile{Data: append(files["entities.yaml"].Data, "    r2: {}\n"...)}
	if digest(t, files) == want || policy.Read(files).Print() == print {
		t.Error("another entity, the same digest or print")
	}
}

// What is wrong with entities is told with everything else, and a folder of anything
// more than entities needs its presets and switches as ever.
func TestFaultsOfAFolderOfEntities(t *testing.T) {
	replace := func(name, old, new string) func(fstest.MapFS) {
		return func(f fstest.MapFS) {
			f[name] = &fstest.MapFile{Data: []byte(strings.Replace(string(f[name].Data), old, new, 1))}
		}
	}
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		want   string
	}{
		"no entities":         {func(f fstest.MapFS) { delete(f, "entities.yaml") }, "catalogue.yaml:4: action read is about entities, and there is no entities.yaml. Write one, with subjects and resources.\ncatalogue.yaml:5: action note is about entities, and there is no entities.yaml. Write one, with subjects and resources."},
		"nothing to do it to": {replace("entities.yaml", "  record:\n    r1: {}\n", "  note: {}\n"), "catalogue.yaml:4: action read is done to a record, and entities.yaml has no resource of that type. Add one, or write unlisted: true if any will do."},
		"a misspelt property": {replace("entities.yaml", "role", "rolle"), "entities.yaml:3:11: no rule may read subject.properties.rolle of a user. Declare it in inputs.yaml, or remove it."},
		"an empty file":       {func(f fstest.MapFS) { f["entities.yaml"] = &fstest.MapFile{} }, "entities.yaml: is empty. Restore it, or copy the shipped one."},
		"a faulty catalogue":  {replace("catalogue.yaml", "effect: read", "effect: reed"), `catalogue.yaml:4:34: effect cannot be "reed". Did you mean "read"?`},
		"faulty rules besides": {func(f fstest.MapFS) {
			replace("entities.yaml", "r1", "r/1")(f)
			replace("rules/a.rego", "role", "rolle")(f)
		}, "input.request.subject.properties.rolle does not exist"},
		"faulty names besides": {func(f fstest.MapFS) {
			replace("entities.yaml", "r1", "r/1")(f)
			replace("rules/a.rego", "role", "rolle")(f)
		}, `"r/1" cannot be an id`},
		"an unknown profile": {nil, "profile webops: no profile is called that"},
		"a permission":       {replace("catalogue.yaml", "categories: {}", "categories: {a: {label: A, freshness: strict, delegable: true}}"), "presets/model.conf: is missing. A policy folder needs it; copy the shipped one.\npresets/presets.csv: is missing. A policy folder needs it; copy the shipped one."},
		"a mail and presets": {func(f fstest.MapFS) {
			replace("catalogue.yaml", "mails: {}", "mails: {news: {label: News}}")(f)
			maps.Copy(f, fstest.MapFS{"presets/model.conf": folder(t)["presets/model.conf"], "presets/presets.csv": {Data: []byte("p, owner, mail:news, allow\n")}})
		}, "provider.yaml: is missing. Create it with a line such as: profile: simple."},
		"no inputs":    {func(f fstest.MapFS) { delete(f, "inputs.yaml") }, "inputs.yaml: is missing. A policy folder needs it; copy the shipped one."},
		"a large file": {func(f fstest.MapFS) { f["entities.yaml"] = &fstest.MapFile{Data: make([]byte, 1<<20+1)} }, "entities.yaml: is larger than 1 MiB, and is not read."}, // S22
		"entities of a portal's": {func(f fstest.MapFS) {
			clear(f)
			maps.Copy(f, folder(t))
			f["entities.yaml"] = records()["entities.yaml"]
		}, "entities.yaml:2:3: no action is about entities. Add actions with entity: and a type to catalogue.yaml."},
	} {
		files, profile := records(), ""
		if c.change == nil {
			profile = "webops"
		} else {
			c.change(files)
		}
		p, err := policy.LoadProfile(files, profile, nil)
		if p != nil || err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "is missing") && !strings.Contains(c.want, "is missing") {
			t.Errorf("%s: got %v, %v\nwant %s", name, p != nil, err, c.want)
		}
	}
}

// Beside a portal, the portal's invariants hold for entity actions too: nobody without
// a place in an account is given anything, unless the invariant itself says otherwise.
func TestThePortalsInvariantsHoldForEntities(t *testing.T) {
	files := folder(t)
	add := func(name, text string) { files[name] = &fstest.MapFile{Data: append(files[name].Data, text...)} }
	add("catalogue.yaml", "\n  record.read: {entity: record, effect: read, scope: none}\n")
	files["entities.yaml"] = &fstest.MapFile{Data: []byte("subjects: {user: {bob: {}}}\nresources: {record: {r1: {}}}\n")}
	if _, err := policy.Read(files).WithoutTests().LoadChecked(); err != nil {
		t.Fatalf("nobody may do it: %v", err)
	}
	edit(t, files, "rules/decision.rego", "reason := ", "reason := \"\" if {\n\tinput.action.category == \"entity\"\n} else := ")
	_, err := policy.Read(files).WithoutTests().LoadChecked()
	if err == nil || !strings.Contains(err.Error(), "no_membership_no_grant does not hold: the answer is allow to record.read") {
		t.Errorf("got %v", err)
	}
	edit(t, files, "invariants/base.rego", `{"self", "staff"}`, `{"self", "staff", "entity"}`)
	if _, err := policy.Read(files).WithoutTests().LoadChecked(); err != nil {
		t.Errorf("the invariants say otherwise: %v", err)
	}
}
