package config

import (
	"context"
	"fmt"
	"net"
	"time"

	"doorward/internal/fault"
)

// Bounds of the terms that freshness rests on (docs/freshness.md).
const (
	minLease   = 100 * time.Millisecond
	maxTerm    = 10 * time.Minute
	maxSpool   = 256 << 20
	driftShare = 200 // clocks may come to differ by 1/200 of a time over it
)

// checkRole refuses what does not go with the process that is set up.
func (c *Config) checkRole(ctx context.Context, r Role, lookup resolver, faults *fault.List) {
	switch r {
	case DirectoryProcess:
		c.checkGates(ctx, lookup, faults)
	case Sidecar:
		c.checkGate(faults)
	case Serve:
		if c.Database.URLFile != "" {
			c.refuse(faults, "database.url_file", "database.url_file is set, and doorward serve keeps its directory in SQLite",
				"Run doorward directory and doorward sidecar with PostgreSQL.")
		}
	}
	if c.Demo && (r == DirectoryProcess || r == Sidecar) {
		c.refuse(faults, "demo", "the demo portal is for doorward serve", "Leave it out.")
	}
}

func (c *Config) checkGate(faults *fault.List) {
	if len(c.Directory.URLs) == 0 {
		c.refuse(faults, "directory.urls", "directory.urls is empty", "Name the directory's gate listeners, as in https://directory.example:8082.")
	}
	if c.Directory.TokenFile == "" {
		c.refuse(faults, "directory.token_file", "directory.token_file is not set", "Make a token with doorward token create NAME --scope gate, and write it to a file.")
	}
	if l := c.Gate.Lease; l < minLease || l > maxTerm {
		c.refuse(faults, "gate.lease", fmt.Sprintf("gate.lease %s is not between %s and %s", l, minLease, maxTerm), "")
	}
	if s := c.Gate.MaxStaleness; s < 0 || s > maxTerm {
		c.refuse(faults, "gate.max_staleness", fmt.Sprintf("gate.max_staleness %s is not between 0s and %s", s, maxTerm), "")
	}
	if n := c.Gate.SpoolBytes; n < minBytes || n > maxSpool {
		c.refuse(faults, "gate.spool_bytes", fmt.Sprintf("gate.spool_bytes %d is not between %d and %d", n, minBytes, maxSpool), "")
	}
}

func (c *Config) checkGates(ctx context.Context, lookup resolver, faults *fault.List) {
	host, port, err := net.SplitHostPort(c.Gates.Address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || port == "" {
		c.refuse(faults, "gates.address", fmt.Sprintf("gates.address %q is not host:port", c.Gates.Address), "Write it as in 127.0.0.1:8082.")
	} else if local, err := isLoopback(ctx, lookup, host); err != nil {
		c.refuse(faults, "gates.address", fmt.Sprintf("gates.address: %q cannot be resolved", host), "Use an address such as 127.0.0.1.")
	} else if !local && c.TLS.CertFile == "" {
		c.refuse(faults, "gates.address", fmt.Sprintf("gates.address %q is reachable from other machines, but tls.cert_file is not set", c.Gates.Address),
			"Set tls.cert_file and tls.key_file, or listen on 127.0.0.1.")
	}
	if t := c.Gates.LongestTerm; t < minLease || t > 2*maxTerm {
		c.refuse(faults, "gates.longest_term", fmt.Sprintf("gates.longest_term %s is not between %s and %s", t, minLease, 2*maxTerm), "")
	}
	if m := c.Gates.Margin; m <= 0 || m < c.Gates.LongestTerm/driftShare {
		c.refuse(faults, "gates.margin", fmt.Sprintf("gates.margin %s is too short for gates.longest_term %s", m, c.Gates.LongestTerm),
			fmt.Sprintf("Set at least %s.", c.Gates.LongestTerm/driftShare))
	}
}
