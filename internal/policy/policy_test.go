package policy_test

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/policies"
)

// folder is a copy of the shipped policy folder, to be changed.
func folder(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(policies.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(policies.FS, name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// edit replaces a text in a file of the folder.
func edit(t *testing.T, files fstest.MapFS, name, old, new string) {
	t.Helper()
	text := string(files[name].Data)
	if !strings.Contains(text, old) {
		t.Fatalf("%s does not hold %q any more", name, old)
	}
	files[name] = &fstest.MapFile{Data: []byte(strings.Replace(text, old, new, 1))}
}

func digest(t *testing.T, files fs.FS) string {
	t.Helper()
	p, err := policy.LoadProfile(files, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return p.Digest
}

// Every decision carries the digest, so it must change with whatever decides, and
// with nothing else.
func TestTheDigestNamesWhatDecides(t *testing.T) {
	want := digest(t, folder(t))
	if again := digest(t, folder(t)); again != want {
		t.Errorf("%s, then %s", want, again)
	}
	same := folder(t)
	same["tests/mine.yaml"] = &fstest.MapFile{Data: []byte("rows: []")}
	same["README.md"] = &fstest.MapFile{Data: []byte("hello")}
	same["examples/x/rules/a.rego"] = &fstest.MapFile{Data: []byte("package doorward\n")} // a policy of its own
	same["rules/decision_test.rego"] = &fstest.MapFile{Data: append(same["rules/decision_test.rego"].Data, "\n# more\n"...)}
	if got := digest(t, same); got != want {
		t.Error("a test changed the digest")
	}
	for _, name := range []string{
		"catalogue.yaml", "provider.yaml", "profiles/simple.yaml", "inputs.yaml",
		"presets/model.conf", "presets/presets.csv", "rules/decision.rego", "rules/guardrails.rego", "invariants/base.rego",
	} {
		files := folder(t)
		files[name] = &fstest.MapFile{Data: append(files[name].Data, "\n# a comment\n"...)}
		if got := digest(t, files); got == want {
			t.Errorf("another %s, the same digest", name)
		}
	}
	switched, err := policy.LoadWith(policies.FS, map[string]string{"billing.pay": "false"})
	if err != nil || switched.Digest == want {
		t.Errorf("another switch, the same digest, %v", err)
	}
}

// Each profile goes with the shipped folder, and naming it is all there is to do.
func TestEveryProfileLoads(t *testing.T) {
	profiles, err := fs.Glob(policies.FS, "profiles/*.yaml")
	if err != nil || len(profiles) != 5 {
		t.Fatalf("got %v, %v", profiles, err)
	}
	digests := make(map[string]string)
	for _, file := range profiles {
		name := strings.TrimSuffix(path.Base(file), ".yaml")
		files := folder(t)
		edit(t, files, "provider.yaml", "profile: simple", "profile: "+name)
		p, err := policy.Load(files)
		if err != nil || p.Provider.Profile != name {
			t.Fatalf("profile %s: %v", name, err)
		}
		alone, err := policy.LoadProfile(policies.FS, name, nil)
		if err != nil || alone.Provider.Profile != name {
			t.Fatalf("profile %s in place of provider.yaml: %v", name, err)
		}
		for _, digest := range []string{p.Digest, alone.Digest} {
			if other, taken := digests[digest]; taken {
				t.Errorf("profiles %s and %s have one digest", name, other)
			}
			digests[digest] = name
		}
		// A13.2: all permissions, and whether managing people is one of them
		users, _ := p.Catalogue.Bit("users")
		if got, want := p.Presets.Holds([]string{"all"}, nil).Has(users), name == "indichosts"; got != want {
			t.Errorf("profile %s: all holds users: %v", name, got)
		}
	}
}

// A folder that is not sound is no policy, and its faults are told together.
func TestEveryFaultOfAFolderIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*testing.T, fstest.MapFS)
		want   []string // each the beginning of a line, in order
	}{
		"a misspelt deny": {
			func(t *testing.T, f fstest.MapFS) {
				edit(t, f, "presets/presets.csv", "p, billing, mail:invoice, allow", "p, billing, mail:invoice, denny")
			},
			[]string{"presets/presets.csv:50:27: "},
		},
		"faults in three files": {
			func(t *testing.T, f fstest.MapFS) {
				edit(t, f, "presets/presets.csv", "p, owner, emails, allow", "p, owner, e-mails, allow")
				edit(t, f, "rules/guardrails.rego", "package doorward", "package doorward\n\nx if input.subject.knd == \"owner\"")
				edit(t, f, "provider.yaml", "profile:", "profle:")
			},
			[]string{"provider.yaml:"},
		},
		"a missing file": {
			func(_ *testing.T, f fstest.MapFS) { delete(f, "catalogue.yaml"); delete(f, "presets/model.conf") },
			[]string{"catalogue.yaml: is missing", "presets/model.conf: is missing"},
		},
		"a rule where no rule is read": {
			func(_ *testing.T, f fstest.MapFS) {
				f["presets/examples/a.rego"] = &fstest.MapFile{Data: []byte("package doorward\n")}
				f["guardrails.rego"] = &fstest.MapFile{Data: []byte("package doorward\n")}
				f["rules/more.REGO"] = &fstest.MapFile{Data: []byte("package doorward\n")}
			},
			[]string{"guardrails.rego: would not be read here", "presets/examples/a.rego: would not be read here", "rules/more.REGO: would not be read here"},
		},
		"presets where none are read": {
			func(_ *testing.T, f fstest.MapFS) {
				f["presets/more.csv"] = &fstest.MapFile{Data: []byte("p, billing, tickets, deny\n")}
			},
			[]string{"presets/more.csv: would not be read here"},
		},
		"a switch that names nothing": {
			func(t *testing.T, f fstest.MapFS) {
				edit(t, f, "profiles/simple.yaml", "writes: [invoices", "writes: [invoises")
			},
			[]string{"profiles/simple.yaml:"},
		},
		"a profile that is not in use, and a rule": { // all is looked at, whatever decides today
			func(t *testing.T, f fstest.MapFS) {
				edit(t, f, "profiles/webops.yaml", "mode: notify_only", "mode: notify")
				f["profiles/draft.yaml"] = &fstest.MapFile{Data: []byte("a: [")}
				edit(t, f, "rules/guardrails.rego", "input.subject.kind", "input.subject.knd")
			},
			[]string{"profiles/draft.yaml:1: is not YAML", "profiles/webops.yaml:11:9: contacts.mode cannot be", "rules/guardrails.rego:"},
		},
		"additions to a preset that is not there": {
			func(t *testing.T, f fstest.MapFS) {
				text := strings.ReplaceAll(string(f["presets/presets.csv"].Data), "p, all, ", "p, everything, ")
				f["presets/presets.csv"] = &fstest.MapFile{Data: []byte(text)}
				edit(t, f, "profiles/simple.yaml", "all_adds: []", "all_adds: [users]")
			},
			[]string{"profiles/simple.yaml:17:13: adds to the preset all, and presets/presets.csv has none of that name"},
		},
		"an addition that is the owner's": {
			func(t *testing.T, f fstest.MapFS) {
				edit(t, f, "profiles/simple.yaml", "all_adds: []", "all_adds: [security]")
			},
			[]string{"profiles/simple.yaml:17:13: all would be given security"},
		},
		"an addition that names nothing": {
			func(t *testing.T, f fstest.MapFS) {
				edit(t, f, "profiles/simple.yaml", "all_adds: []", "all_adds: [user]")
			},
			[]string{"profiles/simple.yaml:17:13: presets.all_adds names user"},
		},
		"a rule that asks for what is not declared": {
			func(t *testing.T, f fstest.MapFS) {
				edit(t, f, "rules/guardrails.rego", "input.subject.kind", "input.subject.knd")
			},
			[]string{"rules/guardrails.rego:"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := folder(t)
			c.change(t, files)
			p, err := policy.Load(files)
			var list fault.List
			if !errors.As(err, &list) || p != nil {
				t.Fatalf("got %v, %v", p, err)
			}
			lines := strings.Split(err.Error(), "\n")
			for _, want := range c.want {
				if len(lines) == 0 || !strings.HasPrefix(lines[0], want) {
					t.Fatalf("want %q, then more, in\n%v", want, err)
				}
				lines = lines[1:]
			}
		})
	}
}

// A file that cannot be read is an error, not a smaller policy.
// A ConfigMap's folders are links. A link further down is not followed, so it must
// not look as if it were: its rules would never apply.
func TestLinkedFolders(t *testing.T) {
	root := t.TempDir()
	at := func(name ...string) string { return filepath.Join(append([]string{root}, name...)...) }
	if err := errors.Join(
		os.CopyFS(root, policies.FS), os.Mkdir(at("..v1"), 0o700), os.Rename(at("rules"), at("..v1", "rules")),
		os.Symlink("..v1", at("..data")), os.Symlink("..data/rules", at("rules")),
	); err != nil {
		t.Fatal(err)
	}
	if got, want := digest(t, os.DirFS(root)), digest(t, folder(t)); got != want {
		t.Errorf("mounted as links: %s, want %s", got, want)
	}
	if err := os.Symlink("../../profiles", at("..v1", "rules", "more")); err != nil {
		t.Fatal(err)
	}
	_, err := policy.Load(os.DirFS(root))
	if want := "rules/more: is a link to a folder, and would not be read. Put the folder itself here."; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAnUnreadableFolderIsAnError(t *testing.T) {
	for name, fsys := range map[string]fs.FS{
		"no folder":    brokenFS{folder(t), "."},
		"no rule file": brokenFS{folder(t), "rules/guardrails.rego"},
	} {
		p, err := policy.Load(fsys)
		if !errors.Is(err, errBroken) || p != nil {
			t.Errorf("%s: got %v, %v", name, p, err)
		}
	}
}

var errBroken = errors.New("input/output error")

// brokenFS cannot read one of its files.
type brokenFS struct {
	fs.FS
	broken string
}

func (f brokenFS) Open(name string) (fs.File, error) {
	if name == f.broken {
		return nil, errBroken
	}
	return f.FS.Open(name)
}

// Whoever watches a folder compares prints, so a print changes with all that is read,
// and with nothing else.
func TestThePrintNamesAllThatIsRead(t *testing.T) {
	want := policy.Read(folder(t)).Print()
	for name, c := range map[string]struct {
		change func(files fstest.MapFS)
		same   bool
	}{
		"nothing": {func(fstest.MapFS) {}, true},
		"a table": {func(f fstest.MapFS) { delete(f, "tests/mail.yaml") }, false},
		"a note":  {func(f fstest.MapFS) { f["README.md"] = &fstest.MapFile{} }, true},
		"an editor's file": {func(f fstest.MapFS) {
			f["tests/.mail.yaml.swp"], f["tests/mail.yaml~"] = &fstest.MapFile{}, &fstest.MapFile{}
		}, true},
		"a preset":            {func(f fstest.MapFS) { edit(t, f, "presets/presets.csv", "p, all, tickets", "p, all,  tickets") }, false},
		"a test of rules":     {func(f fstest.MapFS) { edit(t, f, "rules/mail_test.rego", "package", "# x\npackage") }, false},
		"a missing file":      {func(f fstest.MapFS) { delete(f, "inputs.yaml") }, false},
		"a misplaced rule":    {func(f fstest.MapFS) { f["more.rego"] = &fstest.MapFile{} }, false},
		"what cannot be read": {func(f fstest.MapFS) { f["provider.yaml"].Mode = fs.ModeDir; f["catalogue.yaml"].Mode = fs.ModeDir }, false},
		"two files exchanged": {func(f fstest.MapFS) { f["inputs.yaml"], f["provider.yaml"] = f["provider.yaml"], f["inputs.yaml"] }, false},
	} {
		files := folder(t)
		c.change(files)
		if same := policy.Read(files).Print() == want; same != c.same {
			t.Errorf("%s: the print stays the same: %t", name, same)
		}
	}
}

// A named pipe would be waited for without end, by a server that watches too.
func TestAPipeIsRefusedAndNotRead(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, policies.FS); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "rules", "more.rego"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := policy.Load(os.DirFS(dir))
	if err == nil || !strings.Contains(err.Error(), "rules/more.rego: is no ordinary file") {
		t.Errorf("error %v", err)
	}
}
