package repo

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A link of a page to another file of the repository.
var link = regexp.MustCompile(`\]\(([^)#: ]+)(?:#[^)]*)?\)`)

// Links lead somewhere, and every page is found by following them from README.md.
func TestPagesLinkOn(t *testing.T) {
	found := map[string]bool{"README.md": true}
	for waiting := []string{"README.md"}; len(waiting) > 0; waiting = waiting[1:] {
		page := waiting[0]
		for _, m := range link.FindAllStringSubmatch(string(read(t, page)), -1) {
			to := path.Join(path.Dir(page), m[1])
			info, err := os.Stat(filepath.Join(root, filepath.FromSlash(to)))
			if err != nil {
				t.Errorf("%s links to %s, which is not there", page, to)
				continue
			}
			if index := path.Join(to, "README.md"); info.IsDir() && exists(index) {
				to = index
			}
			if strings.HasSuffix(to, ".md") && !found[to] {
				found[to] = true
				waiting = append(waiting, to)
			}
		}
	}
	files(t, func(name string) {
		if strings.HasSuffix(name, ".md") && !found[name] {
			t.Errorf("no page that README.md leads to links to %s", name)
		}
	})
}

func exists(name string) bool {
	_, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
	return err == nil
}

// A page of docs/adr has its number, title and file name in the index.
func TestDecisionsAreListed(t *testing.T) {
	index := string(read(t, "docs/adr/README.md"))
	files(t, func(name string) {
		file, inside := strings.CutPrefix(name, "docs/adr/")
		if !inside || file == "README.md" {
			return
		}
		title, _, _ := strings.Cut(strings.TrimPrefix(string(read(t, name)), "# "), "\n")
		if entry := "- [" + title + "](" + file + ")"; !strings.Contains(index, entry) {
			t.Errorf("docs/adr/README.md lacks the line\n%s", entry)
		}
	})
}
