package presets

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"doorward/internal/fault"
)

// pinnedModel is the one model that is accepted, and the text that Casbin is
// given. A model with one word changed can allow everything.
const pinnedModel = `[request_definition]
r = sub, obj
[policy_definition]
p = sub, obj, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj
`

const restoreModel = "Restore the shipped model.conf: presets are changed in presets.csv only."

// A modelFile is a model as written: values by section and key, and their lines.
type modelFile struct {
	path   string
	values map[string]string // by "[section] key"
	lines  map[string]int
	faults fault.List
}

// checkModel returns what differs between the file and the pinned model.
func checkModel(path string, data []byte) fault.List {
	pinned, file := parseModel("", pinnedModel), parseModel(path, string(data))
	for _, key := range slices.Sorted(maps.Keys(pinned.values)) {
		got, there := file.values[key]
		switch want := pinned.values[key]; {
		case !there:
			file.fault(0, "%s is missing", key)
		case got != want:
			file.fault(file.lines[key], "%s must be %q, not %q", key, want, got)
		}
	}
	for key, number := range file.lines {
		if _, known := pinned.lines[key]; !known {
			file.fault(number, "%s does not belong in the model", key)
		}
	}
	return file.faults
}

var (
	sectionLine = regexp.MustCompile(`^\[([a-z_]+)\]$`)
	valueLine   = regexp.MustCompile(`^([a-z0-9]+) *= *([^ ].*)$`)
)

// parseModel reads sections and values. Casbin takes the last of repeated ones;
// here they are faults, and so is every line that is neither, nor a comment.
func parseModel(path, text string) *modelFile {
	m := &modelFile{path: path, values: make(map[string]string), lines: make(map[string]int)}
	section := ""
	for i, raw := range strings.Split(text, "\n") {
		number, content := i+1, strings.TrimRight(strings.TrimSuffix(raw, "\r"), " ")
		switch {
		case content == "" || strings.HasPrefix(content, "#") && !strings.Contains(content, "\r"):
		case sectionLine.MatchString(content):
			section = content
			m.add(number, section)
		case section != "" && valueLine.MatchString(content):
			parts := valueLine.FindStringSubmatch(content)
			if m.add(number, section+" "+parts[1]) {
				m.values[section+" "+parts[1]] = parts[2]
			}
		default:
			m.fault(number, "%q is no line of the model", content)
		}
	}
	return m
}

// add notes where a section or value stands and tells whether it is the first.
func (m *modelFile) add(number int, key string) bool {
	if first, repeated := m.lines[key]; repeated {
		m.fault(number, "%s is there twice; the first is in line %d", key, first)
		return false
	}
	m.lines[key] = number
	return true
}

func (m *modelFile) fault(number int, format string, args ...any) {
	column := 0
	if number > 0 {
		column = 1
	}
	m.faults.Add(fault.Fault{File: m.path, Line: number, Column: column, Message: fmt.Sprintf(format, args...), Fix: restoreModel})
}
