package cli

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"doorward/internal/fault"
	"doorward/internal/policy"
)

// excerptWidth is how many characters of a source line are shown.
const excerptWidth = 100

// sources are the lines of the files of a policy folder, read when they are shown.
type sources struct {
	fsys  fs.FS
	lines map[string][]string
}

// excerpt is the source line that a fault is about, with a caret under its column
// and what to do about it; "" when there is none to show. The fault's file is named
// as inside the folder. Control characters are taken out.
func (s *sources) excerpt(f fault.Fault) string {
	lines := s.of(f.File)
	if f.Line < 1 || f.Line > len(lines) {
		return ""
	}
	number := strconv.Itoa(f.Line)
	margin := strings.Repeat(" ", len(number)) + " | "
	line := strings.TrimSuffix(lines[f.Line-1], "\r")
	if f.Column < 1 {
		shown, _ := cut(shownLine(line), 0)
		return strings.TrimRight(fmt.Sprintf("  %s | %s", number, shown), " ") + "\n"
	}
	shown, at := cut(shownLine(line), utf8.RuneCountInString(shownLine(before(line, f))))
	pointer := strings.TrimRight(strings.Repeat(" ", at)+"^ "+plain(f.Fix), " ")
	return fmt.Sprintf("  %s | %s\n  %s%s\n", number, shown, margin, pointer)
}

// of returns the lines of a file; none when it cannot be read, or is one that no policy is
// made of because of its size.
func (s *sources) of(file string) []string {
	if lines, known := s.lines[file]; known {
		return lines
	}
	if s.lines == nil {
		s.lines = map[string][]string{}
	}
	s.lines[file] = nil
	if info, err := fs.Stat(s.fsys, file); err != nil || !info.Mode().IsRegular() || info.Size() > policy.MaxFileSize {
		return nil
	}
	if data, err := policy.ReadBounded(s.fsys, file); err == nil && len(data) <= policy.MaxFileSize {
		s.lines[file] = strings.Split(string(data), "\n")
	}
	return s.lines[file]
}

// before is the part of a line before a fault's column. The readers of YAML and Rego
// count characters, the others bytes.
func before(line string, f fault.Fault) string {
	n := f.Column - 1
	switch path.Ext(f.File) {
	case ".yaml", ".rego":
		for i := range line {
			if n == 0 {
				return line[:i]
			}
			n--
		}
		return line
	}
	return line[:min(n, len(line))]
}

// shownLine makes of a line what a terminal shows one character a place.
func shownLine(line string) string {
	return plain(strings.ReplaceAll(strings.ToValidUTF8(line, "?"), "\t", " "))
}

// cut shortens a long line to what is around a character, and returns where that is
// then.
func cut(line string, at int) (string, int) {
	all := []rune(line)
	if len(all) <= excerptWidth {
		return line, at
	}
	from := max(0, min(at-excerptWidth/2, len(all)-excerptWidth))
	to := from + excerptWidth
	shown := string(all[from:to])
	if to < len(all) {
		shown += "…"
	}
	if from > 0 {
		return "…" + shown, at - from + 1
	}
	return shown, at
}
