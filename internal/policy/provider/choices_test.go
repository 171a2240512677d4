package provider_test

import (
	"os"
	"strings"
	"testing"

	"doorward/internal/policy/provider"
)

// Each choice is what its place says, and each other answer can be set.
func TestChoices(t *testing.T) {
	p, err := provider.Load(folder(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	choices := p.Choices()
	if len(choices) < 10 {
		t.Fatalf("only %d choices", len(choices))
	}
	for _, c := range choices {
		data, err := os.ReadFile(shippedFolder + "/" + c.File)
		if err != nil {
			t.Fatal(err)
		}
		line := strings.Split(string(data), "\n")[c.Line-1]
		if last := c.Name[strings.LastIndex(c.Name, ".")+1:]; !strings.Contains(line, last+": "+c.Value) {
			t.Errorf("%s is %s, and %s:%d says %q", c.Name, c.Value, c.File, c.Line, line)
		}
		for _, other := range c.Others {
			changed, err := p.With(map[string]string{c.Name: other})
			if err != nil || other == c.Value {
				t.Errorf("%s: %s: %v", c.Name, other, err)
				continue
			}
			for _, now := range changed.Choices() {
				if now.Name == c.Name && now.Value != other {
					t.Errorf("%s: set to %s, is %s", c.Name, other, now.Value)
				}
			}
		}
	}
}
