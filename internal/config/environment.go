package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"doorward/internal/fault"
)

// fileVariable names the configuration file; it is no setting of its own.
const fileVariable = prefix + "CONFIG"

// readEnvironment picks the settings out of NAME=value pairs, in the order of
// their names. A DOORWARD_ variable that is no setting is a fault, because a
// misspelt one would silently leave its default in force.
func readEnvironment(environ []string, table []Setting) ([]value, fault.List) {
	var values []value
	var faults fault.List
	for _, pair := range slices.Sorted(slices.Values(environ)) {
		name, text, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, prefix) || name == fileVariable || isServiceLink(name, text) {
			continue
		}
		i := slices.IndexFunc(table, func(s Setting) bool { return s.Variable() == name })
		if i < 0 {
			faults.Add(fault.Fault{File: name, Message: "no setting has this variable", Fix: suggestVariable(name, table)})
			continue
		}
		values = append(values, value{table[i], text, fault.Fault{File: name}})
	}
	return values, faults
}

// suggestVariable names the nearest variable. What all of them begin with says
// nothing about how near two are.
func suggestVariable(name string, table []Setting) string {
	names, tails := []string{fileVariable}, []string{strings.TrimPrefix(fileVariable, prefix)}
	for _, s := range table {
		names = append(names, s.Variable())
		tails = append(tails, strings.TrimPrefix(s.Variable(), prefix))
	}
	if fault.Closest(strings.TrimPrefix(name, prefix), tails) == "" {
		return suggest("", nil)
	}
	return suggest(name, names)
}

// Kubernetes gives every container variables for the Services of its namespace:
// a Service called doorward must not keep Doorward from starting.
var (
	serviceEndpoint = regexp.MustCompile(`^DOORWARD_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	servicePort     = regexp.MustCompile(`^DOORWARD_(\w+_)?PORT$`)
)

func isServiceLink(name, text string) bool {
	return serviceEndpoint.MatchString(name) ||
		// DOORWARD_PORT=9000 is a person's guess; Kubernetes writes a URL.
		servicePort.MatchString(name) && strings.Contains(text, "://")
}

// fileFromEnvironment returns the configuration file named in the environment,
// or "".
func fileFromEnvironment(environ []string) string {
	for _, pair := range environ {
		if file, ok := strings.CutPrefix(pair, fileVariable+"="); ok {
			return file
		}
	}
	return ""
}

// readFlags takes the settings given on the command line, by flag name.
func readFlags(flags map[string]string, table []Setting) ([]value, error) {
	var values []value
	for _, s := range table {
		if text, ok := flags[s.Flag()]; ok {
			values = append(values, value{s, text, fault.Fault{File: "--" + s.Flag()}})
		}
	}
	if len(values) != len(flags) {
		return nil, fmt.Errorf("flags %v name more than settings", flags)
	}
	return values, nil
}
