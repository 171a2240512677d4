package config

import "testing"

// What does not go with a process keeps it from starting, and says what to do.
func TestWhatARoleRefuses(t *testing.T) {
	gate := map[string]string{"directory-urls": "http://127.0.0.1:8082", "directory-token-file": "t"}
	for _, c := range []struct {
		role  Role
		flags map[string]string
		want  string // "": nothing is refused
	}{
		{Sidecar, gate, ""},
		{Sidecar, nil, "directory.token_file: directory.token_file is not set. Make a token with doorward token create NAME --scope gate, and write it to a file.\n" +
			"directory.urls: directory.urls is empty. Name the directory's gate listeners, as in https://directory.example:8082."},
		{Sidecar, more(gate, "gate-lease", "5ms"), "--gate-lease: gate.lease 5ms is not between 100ms and 10m0s"},
		{Sidecar, more(gate, "gate-spool-bytes", "1000"), "--gate-spool-bytes: gate.spool_bytes 1000 is not between 1048576 and 268435456"},
		{Sidecar, more(gate, "gate-max-staleness", "-1s"), "--gate-max-staleness: gate.max_staleness -1s is not between 0s and 10m0s"},
		{Sidecar, more(gate, "facts-max-bytes", "7"), "--facts-max-bytes: facts.max_bytes 7 is less than 1048576"},
		{Sidecar, more(gate, "demo", "true"), "--demo: the demo portal is for doorward serve. Leave it out."},
		{DirectoryProcess, nil, ""},
		{DirectoryProcess, map[string]string{"database-url-file": "db"}, ""},
		{DirectoryProcess, map[string]string{"gates-address": "8082"}, `--gates-address: gates.address "8082" is not host:port. Write it as in 127.0.0.1:8082.`},
		{DirectoryProcess, map[string]string{"gates-address": "nowhere:8082"}, `--gates-address: gates.address: "nowhere" cannot be resolved. Use an address such as 127.0.0.1.`},
		{DirectoryProcess, map[string]string{"gates-address": "portal:8082"}, `--gates-address: gates.address "portal:8082" is reachable from other machines, but tls.cert_file is not set. Set tls.cert_file and tls.key_file, or listen on 127.0.0.1.`},
		{DirectoryProcess, map[string]string{"gates-longest-term": "2m"}, "gates.margin: gates.margin 300ms is too short for gates.longest_term 2m0s. Set at least 600ms."},
		{DirectoryProcess, map[string]string{"gates-longest-term": "1h", "gates-margin": "1m"}, "--gates-longest-term: gates.longest_term 1h0m0s is not between 100ms and 20m0s"},
		{Serve, map[string]string{"database-url-file": "db"}, "--database-url-file: database.url_file is set, and doorward serve keeps its directory in SQLite. Run doorward directory and doorward sidecar with PostgreSQL."},
	} {
		_, err := load(t, "", nil, c.flags, c.role)
		if got := said(err); got != c.want {
			t.Errorf("%s %v:\n got %s\nwant %s", c.role, c.flags, got, c.want)
		}
	}
	if c, err := load(t, "", nil, nil, DirectoryProcess); err != nil || c.Listen.Address != "127.0.0.1:8081" {
		t.Errorf("a directory listens on %q, %v", c.Listen.Address, err)
	}
}

// said is what an error says; "" when there is none.
func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// more is flags with one more.
func more(flags map[string]string, name, value string) map[string]string {
	all := map[string]string{name: value}
	for k, v := range flags {
		all[k] = v
	}
	return all
}
