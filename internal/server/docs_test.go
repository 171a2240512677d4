package server_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/config"
)

// Every metric of Doorward that a running server, directory or sidecar has is in
// docs/operating.md, and every one that stands there exists.
func TestMetricsAreDocumented(t *testing.T) {
	c := local(t)
	c.Policies = "../../policies"
	url := start(t, c).urls[0]
	call(t, http.DefaultClient, "POST", url+"/access/v1/evaluation", question, asJSON)
	_, text := call(t, http.DefaultClient, "GET", url+"/metrics", "", nil)
	text += metricsOfAFleet(t)
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := names(`(?m)^\| `+"`"+`(doorward_[a-z_]+)`+"`", string(page))
	served := names(`(?m)^# TYPE (doorward_[a-z_]+) `, text)
	if diff := cmp.Diff(documented, served); diff != "" || len(served) == 0 {
		t.Errorf("docs/operating.md (-) and /metrics (+):\n%s", diff)
	}
}

// metricsOfAFleet are those of a directory that has counted its gates, and of a sidecar.
func metricsOfAFleet(t *testing.T) (all string) {
	t.Helper()
	f := newFleet(t, "")
	d := f.directory(t)
	s := f.sidecar(t, func(c *config.Config) { c.Redis.URL = "redis://127.0.0.1:1" })
	f.ready(t, s)
	eventually(t, "the gates are counted", func() bool {
		_, all = call(t, http.DefaultClient, "GET", d.url+"/metrics", "", nil)
		return strings.Contains(all, "doorward_gates{") && strings.Contains(all, "doorward_directory_asks_total{")
	})
	_, text := call(t, http.DefaultClient, "GET", s.url+"/metrics", "", nil)
	return all + text
}

// names returns what the first group of the pattern matches, sorted.
func names(pattern, text string) []string {
	var all []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, match[1])
	}
	slices.Sort(all)
	return slices.Compact(all)
}
