package rules_test

import (
	"strings"
	"testing"
)

// nested are so many comprehensions, one inside the other.
func nested(n int) string {
	return strings.Repeat("[1 | _ = ", n) + "1" + strings.Repeat("]", n)
}

// A module that OPA would compile for ever is refused before it begins (S22).
func TestModulesAreBounded(t *testing.T) {
	for name, c := range map[string]struct{ rule, want string }{
		"30 comprehensions":      {sound + "x := " + nested(30), "rules/a.rego:5:96: brackets are nested more than 10 deep. Name"},
		"after characters":       {sound + "x := \"größe\" # [\ny := [\"größe\", " + strings.Repeat("(", 10), "rules/a.rego:6:25: brackets are nested"},
		"in a text":              {sound + "x := $\"a {" + nested(8) + "}\"\ny := $\"{" + nested(9) + "}\"", "rules/a.rego:6:81: brackets are nested"},
		"in a raw text":          {sound + "x := $`\\`\ny := " + nested(11), "rules/a.rego:6:96: brackets are nested"},
		"after an escape":        {sound + "x := \"\\\\\"\ny := " + nested(11), "rules/a.rego:6:96: brackets are nested"},
		"a large module":         {sound + strings.Repeat("# x\n", 64<<10), "rules/a.rego: is larger than 256 KiB. Split"},
		"a rule of 101 elses":    {sound + "x := 1 if input.session.mfa" + strings.Repeat(" else := 2 if input.session.mfa", 101), "rules/a.rego:5:1: a rule has more than 100 else branches"},
		"tests are no different": {"", "rules/a_test.rego:3:96: brackets are nested"},
	} {
		test := ""
		if c.rule == "" {
			c.rule, test = sound, "package doorward_test\n\nx := "+nested(11)
		}
		if err := loadRules(t, c.rule, test); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %.300v, want %s", name, err, c.want)
		}
	}
}

// Brackets that are not open at once are not nested, nor are those of texts and comments.
func TestBoundsHaveRoom(t *testing.T) {
	brackets := strings.Repeat("([{", 20)
	for _, rule := range []string{
		"x := " + nested(10),
		"# " + brackets,
		"x := \"" + brackets + "\"",
		"x := \"\\\"" + brackets + "\"",
		"x := `\\" + brackets + "\"`",
		"x := $\"([(((((((((((({" + nested(8) + "}{1} \\{\\{\\{\\{\\{\\{\\{\\{\\{\\{\\{\"",
		"x := [" + strings.Repeat("[1], ", 100) + "1]",
		"x := 1 if input.session.mfa" + strings.Repeat(" else := 2 if input.session.mfa", 100),
	} {
		if err := loadRules(t, sound+rule+"\n", ""); err != nil {
			t.Errorf("%.60s: %v", rule, err)
		}
	}
}
