package config

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"doorward/internal/fault"
)

var update = flag.Bool("update", false, "rewrite docs/config.md")

func TestDocumentationIsUpToDate(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "config.md")
	if *update {
		if err := os.WriteFile(path, []byte(Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(data), Markdown()); diff != "" {
		t.Errorf("docs/config.md differs from the table; run go test ./internal/config -update\n%s", diff)
	}
}

// lookup stands in for the resolver.
func lookup(_ context.Context, host string) ([]netip.Addr, error) {
	known := map[string][]netip.Addr{
		"localhost": {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")},
		"portal":    {netip.MustParseAddr("192.0.2.7")},
		"both":      {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.7")},
	}
	if addrs, ok := known[host]; ok {
		return addrs, nil
	}
	return nil, errors.New("no such host")
}

// load loads settings whose file, if any, is called doorward.yaml.
func load(t *testing.T, file string, environ []string, flags map[string]string, role ...Role) (Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if file != "" {
		if err := os.WriteFile(DefaultFile, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(t.Context(), Sources{Environ: environ, Flags: flags, Lookup: lookup, Role: append(role, Serve)[0]})
}

func TestNothingToldGivesTheDefaults(t *testing.T) {
	for name, file := range map[string]string{"no file": "", "only a comment": "# nothing yet\n", "an empty document": "---\n{}\n"} {
		t.Run(name, func(t *testing.T) {
			got, err := load(t, file, []string{"HOME=/root", "PATH=/bin"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(Default(), got, cmpopts.IgnoreUnexported(Config{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPrecedence(t *testing.T) {
	const file = "listen: {address: \"127.0.0.1:1\"}\n"
	environ := []string{"DOORWARD_LISTEN_ADDRESS=127.0.0.1:2"}
	flags := map[string]string{"listen-address": "127.0.0.1:3"}
	for _, c := range []struct {
		name    string
		file    string
		environ []string
		flags   map[string]string
		want    string
	}{
		{"the default", "", nil, nil, "127.0.0.1:8080"},
		{"the file over the default", file, nil, nil, "127.0.0.1:1"},
		{"a variable over the file", file, environ, nil, "127.0.0.1:2"},
		{"a flag over all", file, environ, flags, "127.0.0.1:3"},
		{"a flag over the file", file, nil, flags, "127.0.0.1:3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := load(t, c.file, c.environ, c.flags)
			if err != nil {
				t.Fatal(err)
			}
			if got.Listen.Address != c.want {
				t.Errorf("listen.address = %q, want %q", got.Listen.Address, c.want)
			}
		})
	}
}

func TestEverySettingIsReadFromTheFile(t *testing.T) {
	got, err := load(t, `
listen:
  address: 0.0.0.0:9000
  socket: /run/doorward.sock
  socket_mode: 0666
tls: {cert_file: c.pem, key_file: k.pem}
auth: {mode: token}
data: /srv/data
policies: /srv/policies
policy: {failing_tables: refuse, verification_keys: "a.pem, new=b.pem"}
log: {level: debug, format: json}
decision: {timeout: 20ms}
facts: {max_entries: 7, max_bytes: 2097152}
database: {url_file: db}
directory: {urls: "https://a:8082, https://b:8082", token_file: t, ca_file: ca.pem}
gate: {label: edge, lease: 2s, max_staleness: 5s, spool: /srv/spool, spool_bytes: 1048576}
gates: {address: "[::1]:9", longest_term: 7s, margin: 1s, canary: true}
drain: {timeout: 1m}
`, nil, nil, DirectoryProcess)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Listen: Listen{"0.0.0.0:9000", "/run/doorward.sock", 0o666},
		TLS:    TLS{"c.pem", "k.pem"}, Auth: Auth{AuthToken},
		Data: "/srv/data", Policies: "/srv/policies", Policy: Policy{RefuseFailing, List{"a.pem", "new=b.pem"}},
		Log: Log{slog.LevelDebug, LogJSON}, Decision: Decision{20 * time.Millisecond},
		Facts: Facts{7, 2 << 20}, Drain: Drain{time.Minute}, Database: Database{"db"},
		Directory: Directory{List{"https://a:8082", "https://b:8082"}, "t", "ca.pem"},
		Gate:      Gate{"edge", 2 * time.Second, 5 * time.Second, "/srv/spool", 1 << 20}, Gates: Gates{"[::1]:9", 7 * time.Second, time.Second, true},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Error(diff)
	}
}

func TestEverySettingReadsItsOwnDefault(t *testing.T) {
	for _, s := range Table() {
		c := Config{}
		if err := s.set(&c, s.Default()); err != nil {
			t.Errorf("%s refuses its default: %v", s.Key, err)
		}
		if got := s.get(&c); got != s.Default() {
			t.Errorf("%s: %q reads back as %q", s.Key, s.Default(), got)
		}
	}
}

func TestKubernetesServiceVariablesAreLeftAlone(t *testing.T) {
	_, err := load(t, "", []string{
		"DOORWARD_SERVICE_HOST=10.0.0.1", "DOORWARD_SERVICE_PORT=8080", "DOORWARD_SERVICE_PORT_HTTP=8080",
		"DOORWARD_PORT=tcp://10.0.0.1:8080", "DOORWARD_PORT_8080_TCP=tcp://10.0.0.1:8080",
		"DOORWARD_PORT_8080_TCP_ADDR=10.0.0.1", "DOORWARD_DIRECTORY_PORT=tcp://10.0.0.2:8081",
		"DOORWARD_DIRECTORY_SERVICE_HOST=10.0.0.2",
	}, nil)
	if err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		file    string
		environ []string
		flags   map[string]string
		want    string
	}{
		{name: "misspelt key", file: "log:\n  levle: info\n",
			want: `doorward.yaml:2:3: no setting is called "log.levle". Did you mean "log.level"?`},
		{name: "strange key", file: "colours: yes\n",
			want: `doorward.yaml:1:1: no setting is called "colours". See docs/config.md for all settings.`},
		{name: "several faults at once", file: "dta: x\ndemo: perhaps\n",
			want: "doorward.yaml:1:1: no setting is called \"dta\". Did you mean \"data\"?\n" +
				"doorward.yaml:2:7: demo must be true or false, not \"perhaps\""},
		{name: "key set twice", file: "data: a\ndata: b\n",
			want: "doorward.yaml:2:1: \"data\" is there twice; the first is in line 1. Keep one of them."},
		{name: "dotted key", file: "log.level: info\n",
			want: `doorward.yaml:1:1: "log.level" is not one key. Write each level on a line of its own, the inner one indented.`},
		{name: "value of another type", file: "data: 5\n", want: "doorward.yaml:1:7: data must be a folder, not \"5\""},
		{name: "list for a value", file: "data: [a]\n", want: "doorward.yaml:1:7: data must be a folder, not a list"},
		{name: "value for a section", file: "log: debug\n",
			want: "doorward.yaml:1:6: log must be a mapping, as in key: value, not \"debug\""},
		{name: "empty value", file: "data:\n", want: "doorward.yaml:1:6: data must be a folder, not empty"},
		{name: "alias", file: "data: &a x\npolicies: *a\n", want: "doorward.yaml:1:7: an anchor (&a) is not allowed. Remove it, and write values out where they are used.\n" +
			"doorward.yaml:2:11: an alias (*a) is not allowed. Write the value out."},
		{name: "number as text", file: "facts: {max_entries: \"7\"}\n",
			want: "doorward.yaml:1:22: facts.max_entries must be a whole number, not \"7\""},
		{name: "list as the file", file: "- a\n",
			want: "doorward.yaml:1:1: the file must be a mapping, as in key: value, not a list"},
		{name: "not YAML", file: "data: 'x\n", want: "doorward.yaml:2: is not YAML: found unexpected end of stream. Look at the indentation and quotes here and just above."},
		{name: "not YAML from the first line on", file: "\tdata: x\n", want: "doorward.yaml:1: is not YAML: found character that cannot start any token. Look at the indentation and quotes here and just above."},
		{name: "two documents", file: "data: a\n---\ndata: b\n",
			want: "doorward.yaml:2:1: a second YAML document begins. Keep one document, without a second ---."},
		{name: "unknown word", file: "auth: {mode: tokens}\n", want: `doorward.yaml:1:14: auth.mode: "tokens" is not none or token`},
		{name: "level in capitals", environ: []string{"DOORWARD_LOG_LEVEL=INFO"},
			want: `DOORWARD_LOG_LEVEL: log.level: "INFO" is not debug, info, warn or error`},
		{name: "duration without unit", flags: map[string]string{"decision-timeout": "5"},
			want: `--decision-timeout: decision.timeout: "5" is not a duration: write it with its unit, as in 100ms, 30s or 2m`},
		{name: "wrong value under a good one", file: "log: {level: loud}\n", flags: map[string]string{"log-level": "info"},
			want: `doorward.yaml:1:14: log.level: "loud" is not debug, info, warn or error`},
		{name: "misspelt variable", environ: []string{"DOORWARD_LISTEN_ADRESS=127.0.0.1:1"},
			want: `DOORWARD_LISTEN_ADRESS: no setting has this variable. Did you mean "DOORWARD_LISTEN_ADDRESS"?`},
		{name: "a port guessed", environ: []string{"DOORWARD_PORT=9000"},
			want: `DOORWARD_PORT: no setting has this variable. See docs/config.md for all settings.`},
		{name: "file that is not there", environ: []string{"DOORWARD_CONFIG=absent.yaml"},
			want: "absent.yaml: there is no such configuration file"},
		{name: "mode that is not octal", flags: map[string]string{"listen-socket-mode": "rw-rw----"},
			want: `--listen-socket-mode: listen.socket_mode: "rw-rw----" is not octal permissions: write them as in 0660`},
		{name: "timeout of nothing", flags: map[string]string{"decision-timeout": "0s"},
			want: "--decision-timeout: decision.timeout 0s is not between 1ns and 30s"},
		{name: "negative drain", flags: map[string]string{"drain-timeout": "-1s"},
			want: "--drain-timeout: drain.timeout -1s is not between 0s and 10m0s"},
		{name: "no entries", flags: map[string]string{"facts-max-entries": "0"},
			want: "--facts-max-entries: facts.max_entries 0 is not between 1 and 50000000"},
		{name: "no data folder", environ: []string{"DOORWARD_DATA="},
			want: "DOORWARD_DATA: data is empty. Name a folder for the directory's database."},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, c.file, c.environ, c.flags)
			wantFaults(t, err, c.want)
		})
	}
}

func wantFaults(t *testing.T, err error, want string) {
	t.Helper()
	var list fault.List
	if !errors.As(err, &list) {
		t.Fatalf("error %v is no fault.List; want %q", err, want)
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

// TestExposure is the matrix of listeners and what protects them.
func TestExposure(t *testing.T) {
	all := map[string]string{"tls-cert-file": "c", "tls-key-file": "k", "auth-mode": "token"}
	without := func(absent string) map[string]string {
		flags := map[string]string{}
		for k, v := range all {
			if k != absent {
				flags[k] = v
			}
		}
		return flags
	}
	for _, c := range []struct {
		address string
		flags   map[string]string
		refused string // "" or a part of the fault
	}{
		{"127.0.0.1:8080", nil, ""},
		{"127.9.9.9:0", nil, ""},
		{"[::1]:8080", nil, ""},
		{"[::ffff:127.0.0.1]:8080", nil, ""},
		{"localhost:8080", nil, ""},
		{"0.0.0.0:8080", nil, "tls.cert_file is not set and tls.key_file is not set and auth.mode is not token"},
		{":8080", nil, "reachable from other machines"},
		{"[::]:8080", nil, "reachable from other machines"},
		{"[::ffff:192.0.2.7]:8080", nil, "reachable from other machines"},
		{"192.0.2.7:8080", nil, "reachable from other machines"},
		{"portal:8080", nil, "reachable from other machines"},
		{"both:8080", nil, "reachable from other machines"},
		{"nowhere:8080", all, "cannot be resolved"},
		{"0.0.0.0:8080", all, ""},
		{"portal:8080", all, ""},
		{"0.0.0.0:8080", without("auth-mode"), "but auth.mode is not token. Set"},
		{"0.0.0.0:8080", without("tls-cert-file"), "but tls.cert_file is not set. Set"},
		{"0.0.0.0:8080", without("tls-key-file"), "but tls.key_file is not set. Set"},
		{"127.0.0.1:8080", map[string]string{"tls-cert-file": "c"}, "tls.cert_file is set and tls.key_file is not"},
		{"127.0.0.1:8080", map[string]string{"tls-key-file": "k"}, "tls.key_file is set and tls.cert_file is not"},
		{"127.0.0.1", nil, "is not host:port"},
		{"127.0.0.1:", nil, "is not host:port"},
		{"127.0.0.1:99999", nil, "is not host:port"},
		{"", nil, "is not host:port"},
		{"none", nil, "Set one of them"},
		{"none", map[string]string{"listen-socket": "s"}, ""},
		{"none", map[string]string{"listen-socket": "s", "listen-socket-mode": "0666"}, "lets every user of this machine ask"},
		{"none", map[string]string{"listen-socket": "s", "listen-socket-mode": "0602"}, "lets every user of this machine ask"},
		{"none", map[string]string{"listen-socket": "s", "listen-socket-mode": "0666", "auth-mode": "token"}, ""},
		{"none", map[string]string{"listen-socket": "s", "listen-socket-mode": "0400"}, "lets nobody connect"},
		{"none", map[string]string{"listen-socket": strings.Repeat("s", 104)}, "longer than the 103 bytes"},
	} {
		flags := map[string]string{"listen-address": c.address}
		for k, v := range c.flags {
			flags[k] = v
		}
		_, err := load(t, "", nil, flags)
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%v refused: %v", flags, err)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%v: error %v, want %q", flags, err, c.refused)
		}
	}
}

// AuthZEN 9.1: the identifier of a decision point is a plain https URL.
func TestPublicURL(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://doorward.example": true, "https://doorward.example/": true, "https://doorward.example:8443/tenant/1": true,
		"http://doorward.example": false, "doorward.example": false, "https://": false, "https:///x": false, "HTTPS": false,
		"https://doorward.example/?": false, "https://doorward.example/?a=b": false, "https://doorward.example/#": false,
		"https://me:secret@doorward.example": false, "https://doorward.example//a": false, "https://doorward.example/../a": false,
		"https://doorward.example/{x}": false, "https://doorward.example/a%2fb": false, "https://doorward.example/a b": false,
	} {
		_, err := load(t, "", nil, map[string]string{"public-url": url})
		if ok != (err == nil) || !ok && !strings.Contains(err.Error(), "public_url") {
			t.Errorf("%s: got %v", url, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	for _, seed := range []string{"", "data: x", "a: &a [*a]", "? [x]\n: y", "listen: {address: null}", "\xff", "<<: {data: x}", "---\n---\n"} {
		f.Add([]byte(seed))
	}
	table := Table()
	f.Fuzz(func(t *testing.T, data []byte) {
		values, faults := readFile("doorward.yaml", data, table)
		c := Config{origins: map[string]fault.Fault{}}
		for _, v := range values {
			c.apply(v, &faults)
			if v.at.Line == 0 {
				t.Errorf("%s has no line", v.setting.Key)
			}
		}
		for _, f := range faults {
			if f.Message == "" || f.File == "" {
				t.Errorf("empty fault %+v", f)
			}
		}
	})
}
