package catalogue_test

import (
	"os"
	"strings"
	"testing"
)

// Whoever is told what an action needs is told where that stands.
func TestLinesOfTheFile(t *testing.T) {
	data, err := os.ReadFile(shippedFile)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	cat := shipped(t)
	check := func(name, key string, line int) {
		t.Helper()
		if line < 1 || line > len(lines) || !strings.HasPrefix(strings.TrimSpace(lines[line-1]), key+":") {
			t.Errorf("%s is not in line %d", name, line)
		}
	}
	for _, a := range cat.Actions() {
		key := a.Name
		if a.Mail != "" {
			key = a.Mail
		}
		check(a.Name, key, a.Line)
	}
	for _, object := range cat.Objects() {
		check(object, strings.TrimPrefix(object, "mail:"), cat.Line(object))
	}
	for i, c := range cat.Categories {
		check(c.Name, c.Name, cat.Categories[i].Line)
	}
	if cat.File != "catalogue.yaml" || cat.Line("nothing") != 0 {
		t.Errorf("file %q, line of nothing %d", cat.File, cat.Line("nothing"))
	}
}
