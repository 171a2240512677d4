package provider

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"doorward/internal/fault"
	"doorward/internal/strictyaml"
)

const (
	providerFile  = "provider.yaml"
	profileFolder = "profiles"
)

// Load reads provider.yaml, and the profile it names, out of the files of a policy
// folder by path. Its error is a fault.List.
func Load(files map[string][]byte) (*Provider, error) {
	data, ok := files[providerFile]
	if !ok {
		return nil, fault.List{{File: providerFile, Message: "is missing", Fix: "Create it with a line such as: profile: simple."}}.Err()
	}
	f, root := strictyaml.Read(providerFile, data)
	if root == nil {
		return nil, f.Faults.Err()
	}
	p := &Provider{settings: make(map[string]setting)}
	keys := f.Known(root, providerFile, "profile", "overrides")
	faults := p.loadProfile(files, f, root, keys["profile"])
	if n := keys["overrides"]; n != nil {
		p.override(f, n)
	}
	if err := append(faults, f.Faults...).Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// None has no switch set: for a policy that none of them is about.
func None() *Provider { return &Provider{settings: make(map[string]setting)} }

// LoadProfile reads a profile as it stands, in place of provider.yaml. Its error is
// a fault.List.
func LoadProfile(files map[string][]byte, name string) (*Provider, error) {
	data, ok := profile(files, name)
	if !ok {
		return nil, fault.List{{File: "profile " + name, Message: "no profile is called that", Fix: strictyaml.Suggest(name, profiles(files))}}.Err()
	}
	p := &Provider{Profile: name, settings: make(map[string]setting)}
	if err := p.readProfile(profileFile(name), data).Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// CheckSpare tells what is wrong with the profiles that p is not of, so that naming one
// of them later is no surprise. Its error is a fault.List.
func (p *Provider) CheckSpare(files map[string][]byte) error {
	var faults fault.List
	for _, name := range profiles(files) {
		if name != p.Profile {
			spare := &Provider{settings: make(map[string]setting)}
			faults = append(faults, spare.readProfile(profileFile(name), files[profileFile(name)])...)
		}
	}
	return faults.Err()
}

func profileFile(name string) string { return path.Join(profileFolder, name+".yaml") }

// profile returns the content of a profile's file. Only plain names have one.
func profile(files map[string][]byte, name string) ([]byte, bool) {
	data, ok := files[profileFile(name)]
	return data, ok && word.MatchString(name)
}

// loadProfile reads the profile named at n and returns the faults of its file.
func (p *Provider) loadProfile(files map[string][]byte, f *strictyaml.File, root, n *yaml.Node) fault.List {
	if n == nil {
		if root.Kind == yaml.MappingNode {
			f.Fault(root, strictyaml.Suggest("", profiles(files)), "no profile is named")
		}
		return nil
	}
	name, ok := f.Text(n, "profile")
	if !ok {
		return nil
	}
	data, ok := profile(files, name)
	if !ok {
		f.Fault(n, strictyaml.Suggest(name, profiles(files)), "no profile is called %q", name)
		return nil
	}
	p.Profile = name
	return p.readProfile(profileFile(name), data)
}

// profiles returns the names of the profiles there are.
func profiles(files map[string][]byte) []string {
	var names []string
	for file := range files {
		if path.Dir(file) == profileFolder {
			names = append(names, strings.TrimSuffix(path.Base(file), ".yaml"))
		}
	}
	slices.Sort(names)
	return names
}

// readProfile reads a profile, which sets every switch.
func (p *Provider) readProfile(file string, data []byte) fault.List {
	f, root := strictyaml.Read(file, data)
	if root == nil {
		return f.Faults
	}
	given := make(map[string]bool)
	p.group(f, root, "", given)
	for _, s := range switches() {
		if !given[s.name] && root.Kind == yaml.MappingNode {
			f.Fault(root, "A profile sets every switch: nothing is assumed.", "%s is not set", s.name)
		}
	}
	return f.Faults
}

// group reads the switches below prefix, which is "" or ends with a dot.
func (p *Provider) group(f *strictyaml.File, n *yaml.Node, prefix string, given map[string]bool) {
	what := strings.TrimSuffix(prefix, ".")
	if what == "" {
		what = "the profile"
	}
	for _, field := range f.Fields(n, what) {
		name := prefix + field.Key.Value
		s, ok := find(name)
		switch {
		case strings.Contains(field.Key.Value, "."):
			f.Fault(field.Key, "Write each level on a line of its own, the inner one indented.", "%q is not one key", field.Key.Value)
		case ok:
			given[name] = true
			p.set(f, s, field.Value)
		case isGroup(name):
			p.group(f, field.Value, name+".", given)
		default:
			f.Fault(field.Key, strictyaml.Suggest(name, names()), "no switch is called %q", name)
		}
	}
}

func isGroup(name string) bool {
	for _, s := range switches() {
		if strings.HasPrefix(s.name, name+".") {
			return true
		}
	}
	return false
}

// override reads the switches that differ from the profile, by dotted name.
func (p *Provider) override(f *strictyaml.File, n *yaml.Node) {
	for _, field := range f.Fields(n, "overrides") {
		if s, ok := find(field.Key.Value); ok {
			p.set(f, s, field.Value)
		} else {
			f.Fault(field.Key, strictyaml.Suggest(field.Key.Value, names()), "no switch is called %q", field.Key.Value)
		}
	}
}
