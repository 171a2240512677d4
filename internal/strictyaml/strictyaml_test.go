package strictyaml_test

import (
	"strings"
	"testing"

	"doorward/internal/strictyaml"
)

// What a person would misread is refused at its place.
func TestWhatIsRefusedAtSight(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a byte order mark": {"\xef\xbb\xbfa: 1\n", "x.yaml:1:1: begins with a byte order mark. Save the file as UTF-8 without BOM."},
		"another encoding":  {"a: 1\nb: \xe9\n", "x.yaml:2:4: is not UTF-8. Save the file as UTF-8."},
		"nothing":           {"# only a comment\n", "x.yaml: is empty. Restore it, or copy the shipped one."},
		"two documents":     {"a: 1\n---\na: 2\n", "x.yaml:2:1: a second YAML document begins. Keep one document, without a second ---."},
		"an anchor":         {"a: &x 1\n", "x.yaml:1:4: an anchor (&x) is not allowed. Remove it, and write values out where they are used."},
		"a tag":             {"a: !!str 1\n", "x.yaml:1:4: a tag (!!str) is not allowed. Remove it."},
		"no YAML":           {"a: 1\nb: [\n", "x.yaml:2: is not YAML: did not find expected node content. Look at the indentation and quotes here and just above."},
		"a tab":             {"\ta: 1\n", "x.yaml:1: is not YAML: found character that cannot start any token. Look at the indentation and quotes here and just above."},
		"too much":          {strings.Repeat("#", 1<<20+1), "x.yaml: is larger than 1 MiB. Split off what is not configuration."},
	} {
		file, _ := strictyaml.Read("x.yaml", []byte(c.text))
		if err := file.Faults.Err(); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v\nwant %s", name, err, c.want)
		}
		if file.Empty != (name == "nothing") {
			t.Errorf("%s: empty is %v", name, file.Empty)
		}
	}
}

// Aliases and merge keys are refused beside the anchor they need.
func TestIndirectionIsRefused(t *testing.T) {
	file, _ := strictyaml.Read("x.yaml", []byte("a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n"))
	for _, want := range []string{"x.yaml:1:4: an anchor (&x)", "x.yaml:2:4: an alias (*x)", "x.yaml:4:3: a merge key (<<)", "x.yaml:4:7: an alias (*x)"} {
		if !strings.Contains(file.Faults.Err().Error(), want) {
			t.Errorf("want %s in\n%v", want, file.Faults.Err())
		}
	}
}

// Readers of values take what was written, and nothing that merely looks like it.
func TestValuesAreTakenAsWritten(t *testing.T) {
	for text, want := range map[string]string{
		"on: true":         "",
		"on: yes":          `x.yaml:1:5: on must be true or false, not "yes"`,
		"on: 'true'":       `x.yaml:1:5: on must be true or false, not "true"`,
		"on:":              "x.yaml:1:4: on must be true or false, not empty",
		"on: [true]":       "x.yaml:1:5: on must be true or false, not a list",
		"on: true\non: on": `x.yaml:2:1: "on" is there twice; the first is in line 1. Keep one of them.`,
		"On: true":         `x.yaml:1:1: the file has no key "On". Did you mean "on"?`,
		"on: true\r\n":     "",
		"? [a]\n: true":    "x.yaml:1:3: a key of the file must be a name, not a list",
		"- on":             "x.yaml:1:1: the file must be a mapping, as in key: value, not a list",
	} {
		file, root := strictyaml.Read("x.yaml", []byte(text))
		if root != nil {
			if n := file.Known(root, "the file", "on")["on"]; n != nil {
				file.Bool(n, "on")
			}
		}
		got := ""
		if err := file.Faults.Err(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %s\nwant %s", text, got, want)
		}
	}
}
