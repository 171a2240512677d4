package config

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"time"

	"doorward/internal/fault"
)

// Bounds of the numbers: outside them a setting is a slip, not a wish.
const (
	maxDecisionTimeout = 30 * time.Second
	maxDrainTimeout    = 10 * time.Minute
	maxEntries         = 50_000_000
	minBytes           = 1 << 20
)

// check refuses combinations that are unsafe or cannot work.
func (c *Config) check(ctx context.Context, lookup resolver, faults *fault.List) {
	c.checkListen(ctx, lookup, faults)
	c.checkPublicURL(faults)
	c.checkTLS(faults)
	c.checkSocket(faults)
	if c.Data == "" {
		c.refuse(faults, "data", "data is empty", "Name a folder for the directory's database.")
	}
	if d := c.Decision.Timeout; d <= 0 || d > maxDecisionTimeout {
		c.refuse(faults, "decision.timeout", fmt.Sprintf("decision.timeout %s is not between 1ns and %s", d, maxDecisionTimeout), "")
	}
	if d := c.Drain.Timeout; d < 0 || d > maxDrainTimeout {
		c.refuse(faults, "drain.timeout", fmt.Sprintf("drain.timeout %s is not between 0s and %s", d, maxDrainTimeout), "")
	}
	if n := c.Facts.MaxEntries; n < 1 || n > maxEntries {
		c.refuse(faults, "facts.max_entries", fmt.Sprintf("facts.max_entries %d is not between 1 and %d", n, maxEntries), "")
	}
	if n := c.Facts.MaxBytes; n < minBytes {
		c.refuse(faults, "facts.max_bytes", fmt.Sprintf("facts.max_bytes %d is less than %d", n, minBytes), "")
	}
}

// A resolver finds the addresses of a host.
type resolver = func(context.Context, string) ([]netip.Addr, error)

func (c *Config) refuse(faults *fault.List, key, message, fix string) {
	at, ok := c.origins[key]
	if !ok {
		at.File = key
	}
	at.Message, at.Fix = message, fix
	faults.Add(at)
}

// Refused is what refuses a setting that turns out to be wrong when it is used: where it was
// set, and why.
func (c *Config) Refused(key, message, fix string) error {
	var faults fault.List
	c.refuse(&faults, key, message, fix)
	return faults.Err()
}

func (c *Config) checkListen(ctx context.Context, lookup resolver, faults *fault.List) {
	if c.Listen.Address == NoAddress {
		if c.Listen.Socket == "" {
			c.refuse(faults, "listen.address", "listen.address is none and listen.socket is empty", "Set one of them: nobody could ask anything.")
		}
		return
	}
	host, port, err := net.SplitHostPort(c.Listen.Address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || port == "" {
		c.refuse(faults, "listen.address", fmt.Sprintf("listen.address %q is not host:port", c.Listen.Address), "Write it as in 127.0.0.1:8080.")
		return
	}
	local, err := isLoopback(ctx, lookup, host)
	if err != nil {
		c.refuse(faults, "listen.address", fmt.Sprintf("listen.address: %q cannot be resolved", host), "Use an address such as 127.0.0.1.")
		return
	}
	if missing := c.missingBeyondLoopback(); !local && len(missing) > 0 {
		c.refuse(faults, "listen.address",
			fmt.Sprintf("listen.address %q is reachable from other machines, but %s", c.Listen.Address, strings.Join(missing, " and ")),
			"Set what is missing, or listen on 127.0.0.1.")
	}
}

// isLoopback tells whether every address that host stands for is this machine's
// own. No host at all means every interface.
func isLoopback(ctx context.Context, lookup resolver, host string) (bool, error) {
	if host == "" {
		return false, nil
	}
	addrs := []netip.Addr{}
	if addr, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, addr)
	} else if addrs, err = lookup(ctx, host); err != nil {
		return false, fmt.Errorf("resolve %s: %w", host, err)
	}
	for _, a := range addrs {
		if !a.Unmap().IsLoopback() {
			return false, nil
		}
	}
	return len(addrs) > 0, nil
}

// missingBeyondLoopback says what a listener that others can reach lacks.
func (c *Config) missingBeyondLoopback() []string {
	var missing []string
	if c.TLS.CertFile == "" {
		missing = append(missing, "tls.cert_file is not set")
	}
	if c.TLS.KeyFile == "" {
		missing = append(missing, "tls.key_file is not set")
	}
	if c.Auth.Mode != AuthToken {
		missing = append(missing, "auth.mode is not token")
	}
	return missing
}

// MayBeReached tells whether the settings are safe for a listener that other
// machines can reach.
func (c *Config) MayBeReached() bool { return len(c.missingBeyondLoopback()) == 0 }

// checkPublicURL refuses what AuthZEN's section 9.1 does not allow as the identifier
// of a decision point.
func (c *Config) checkPublicURL(faults *fault.List) {
	if c.PublicURL == "" {
		return
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(c.PublicURL, "?#") || !plainPath(u.EscapedPath()) {
		c.refuse(faults, "public_url", fmt.Sprintf("public_url %q is not a plain https URL without query and fragment", c.PublicURL), "Write it as in https://doorward.example.")
	}
}

// plainPath tells whether a path is one that a client's request can have as it is.
func plainPath(p string) bool {
	return p == "" || p == "/" || path.Clean(p) == strings.TrimSuffix(p, "/") && !strings.ContainsAny(p, "%{}")
}

func (c *Config) checkTLS(faults *fault.List) {
	switch {
	case c.TLS.CertFile != "" && c.TLS.KeyFile == "":
		c.refuse(faults, "tls.cert_file", "tls.cert_file is set and tls.key_file is not", "Set both or neither.")
	case c.TLS.KeyFile != "" && c.TLS.CertFile == "":
		c.refuse(faults, "tls.key_file", "tls.key_file is set and tls.cert_file is not", "Set both or neither.")
	}
}

// maxSocketPath is how long a socket's path may be: sun_path has 108 bytes on
// Linux and 104 elsewhere, and ends with a zero byte.
const maxSocketPath = 103

func (c *Config) checkSocket(faults *fault.List) {
	if c.Listen.Socket == "" {
		return
	}
	if len(c.Listen.Socket) > maxSocketPath {
		c.refuse(faults, "listen.socket", fmt.Sprintf("listen.socket is longer than the %d bytes a socket's path may have", maxSocketPath), "Choose a shorter path.")
	}
	m := c.Listen.SocketMode
	if m&0o200 == 0 {
		c.refuse(faults, "listen.socket_mode", fmt.Sprintf("listen.socket_mode %04o lets nobody connect", uint32(m)), "Connecting needs write permission, as in 0660.")
	}
	if m&0o002 != 0 && c.Auth.Mode != AuthToken {
		c.refuse(faults, "listen.socket_mode", fmt.Sprintf("listen.socket_mode %04o lets every user of this machine ask, but auth.mode is not token", uint32(m)), "Set auth.mode to token, or a mode such as 0660.")
	}
}
