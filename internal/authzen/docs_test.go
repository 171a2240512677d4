package authzen

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/decision"
	"doorward/internal/policy/rules"
)

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every example of docs/authzen.md is a request that is understood.
func TestDocumentedRequests(t *testing.T) {
	url := explainingToAll(t)
	examples := regexp.MustCompile(`curl -s '?http://127\.0\.0\.1:8080([^\s']+)'? .* -d '(.*)'`).FindAllStringSubmatch(page(t, "authzen.md"), -1)
	if len(examples) < 5 {
		t.Fatalf("found %d examples", len(examples))
	}
	for _, e := range examples {
		if status, got, _ := post(t, url+e[1], e[2]); status != 200 || strings.Contains(got, `"error"`) {
			t.Errorf("%s %s: got %d %s", e[1], e[2], status, got)
		}
	}
}

// docs/reasons.md has a row for every reason of the closed list, in its order.
func TestReasonsAreDocumented(t *testing.T) {
	text, _, _ := strings.Cut(page(t, "reasons.md"), "## Guardrails")
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(text, -1) {
		got = append(got, row[1])
	}
	if diff := cmp.Diff(rules.Reasons(), got); diff != "" {
		t.Errorf("docs/reasons.md (-code +page):\n%s", diff)
	}
}

// What cannot be judged has a row there too.
func TestUnavailabilitiesAreDocumented(t *testing.T) {
	_, text, _ := strings.Cut(page(t, "reasons.md"), "## Could not judge")
	for _, u := range []decision.Unavailability{decision.NotReady, decision.FactsUnavailable, decision.PolicyError, decision.Deadline} {
		if !slices.Contains(strings.Fields(text), "`"+string(u)+"`") {
			t.Errorf("%s is missing", u)
		}
	}
}
