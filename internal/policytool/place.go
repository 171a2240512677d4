package policytool

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"doorward/internal/fault"
	"doorward/internal/strictyaml"
)

// keyPlace is where the key at the end of a path of keys stands in a YAML file; the
// file as a whole when it cannot be found.
func (s *suite) keyPlace(file string, path ...string) fault.Fault {
	f, n := strictyaml.Read(file, s.source.File(file))
	at := fault.Fault{File: file}
	for _, name := range path {
		key, value := keyOf(n, name)
		if key == nil {
			return at
		}
		at, n = fault.Fault{File: f.Path, Line: key.Line, Column: key.Column}, value
	}
	return at
}

// itemPlace is where, in the list below a key, the item is that has the value under
// another key.
func (s *suite) itemPlace(file, list, key, value string) fault.Fault {
	_, root := strictyaml.Read(file, s.source.File(file))
	if _, items := keyOf(root, list); items != nil {
		for _, item := range items.Content {
			if _, n := keyOf(item, key); n != nil && n.Value == value {
				return fault.Fault{File: file, Line: n.Line, Column: n.Column}
			}
		}
	}
	return fault.Fault{File: file}
}

func keyOf(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// presetPlace is the first line of presets.csv that says something about a preset.
func (s *suite) presetPlace(preset string) fault.Fault {
	const file = "presets/presets.csv"
	for i, line := range strings.Split(string(s.source.File(file)), "\n") {
		if fields := strings.Split(line, ","); len(fields) > 2 && strings.TrimSpace(fields[1]) == preset {
			return fault.Fault{File: file, Line: i + 1, Column: strings.Index(line, preset) + 1}
		}
	}
	return fault.Fault{File: file}
}
