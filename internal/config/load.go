package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"

	"doorward/internal/fault"
)

// DefaultFile is read when no other file is named and it exists.
const DefaultFile = "doorward.yaml"

// Sources are the places settings come from.
type Sources struct {
	// File is the configuration file; "" means DOORWARD_CONFIG's, else
	// DefaultFile. A file that is named must exist.
	File    string
	Environ []string          // NAME=value, as os.Environ returns
	Flags   map[string]string // by Setting.Flag; only those that were given
	Role    Role              // of the process that is set up; "": none, a command
	// Elsewhere says that another process serves with these settings and has
	// judged them: they need not be safe to serve with as they are known here.
	Elsewhere bool
	// Lookup resolves a host name to listen on. Nil: the system's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Load reads, merges and checks all settings. What people wrote wrongly comes
// back as a fault.List with every fault that was found.
func Load(ctx context.Context, from Sources) (Config, error) {
	table := Table()
	file, err := readNamedFile(from)
	if err != nil {
		return Config{}, err
	}
	fromFile, faults := readFile(file.name, file.data, table)
	fromEnvironment, more := readEnvironment(from.Environ, table)
	faults = append(faults, more...)
	fromFlags, err := readFlags(from.Flags, table)
	if err != nil {
		return Config{}, err
	}

	c := DefaultOf(from.Role)
	c.origins = map[string]fault.Fault{}
	for _, values := range [][]value{fromFile, fromEnvironment, fromFlags} {
		for _, v := range values {
			c.apply(v, &faults)
		}
	}
	if err := faults.Err(); err != nil {
		return Config{}, err
	}
	if from.Elsewhere {
		return c, nil
	}
	lookup := from.Lookup
	if lookup == nil {
		lookup = systemLookup
	}
	var list fault.List
	c.check(ctx, lookup, &list)
	c.checkRole(ctx, from.Role, lookup, &list)
	if err := list.Err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// apply sets one value. A wrong one is a fault even when a stronger source sets
// the same key well: it would bite on the day that source goes away.
func (c *Config) apply(v value, faults *fault.List) {
	if err := v.setting.set(c, v.text); err != nil {
		v.at.Message = fmt.Sprintf("%s: %v", v.setting.Key, err)
		faults.Add(v.at)
		return
	}
	c.origins[v.setting.Key] = v.at
}

type namedFile struct {
	name string
	data []byte
}

func readNamedFile(from Sources) (namedFile, error) {
	name, named := from.File, true
	if name == "" {
		name = fileFromEnvironment(from.Environ)
	}
	if name == "" {
		name, named = DefaultFile, false
	}
	data, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return namedFile{name: name}, nil
	case errors.Is(err, fs.ErrNotExist):
		return namedFile{}, fault.List{{File: name, Message: "there is no such configuration file"}}
	case err != nil:
		return namedFile{}, fmt.Errorf("read configuration: %w", err)
	}
	return namedFile{name, data}, nil
}

func systemLookup(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}
