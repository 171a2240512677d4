package config

import (
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// A Setting is one row of the table of settings.
type Setting struct {
	Key  string // as in doorward.yaml, levels joined by dots
	Doc  string // one sentence
	Kind string // what a value looks like, for help and docs

	yaml []string // YAML tags a value in the file may have
	set  func(c *Config, text string) error
	get  func(c *Config) string
}

// Flag is the setting's command line flag, without dashes in front.
func (s Setting) Flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(s.Key) }

// Variable is the setting's environment variable.
func (s Setting) Variable() string {
	return prefix + strings.ToUpper(strings.ReplaceAll(s.Key, ".", "_"))
}

// Default is the setting's value when nobody sets it, as one would write it.
func (s Setting) Default() string { return s.DefaultOf(Serve) }

// DefaultOf is Default for a process of a role.
func (s Setting) DefaultOf(r Role) string {
	c := DefaultOf(r)
	return s.get(&c)
}

// Switch tells whether the setting is true or false, so that its flag needs no
// value.
func (s Setting) Switch() bool { return s.Kind == kindSwitch }

// prefix begins the name of every variable Doorward reads.
const prefix = "DOORWARD_"

const kindSwitch = "true or false"

// Table lists every setting, in the order of the documentation.
func Table() []Setting {
	return []Setting{
		text("listen.address", "host:port", "Where to accept HTTP over TCP, or `none` for no TCP. Beyond loopback only together with `tls.cert_file`, `tls.key_file` and `auth.mode: token`.", func(c *Config) *string { return &c.Listen.Address }),
		text("listen.socket", "a path", "A unix socket to accept HTTP on as well.", func(c *Config) *string { return &c.Listen.Socket }),
		mode("listen.socket_mode", "Permissions of the socket, in octal. Beyond the group (as in `0666`) only with `auth.mode: token`.", func(c *Config) *fs.FileMode { return &c.Listen.SocketMode }),
		text("public_url", "an https URL", "The address under which clients know this decision point, for its AuthZEN metadata. Empty: there is no metadata.", func(c *Config) *string { return &c.PublicURL }),
		text("tls.cert_file", "a path", "The server's certificate chain, PEM.", func(c *Config) *string { return &c.TLS.CertFile }),
		text("tls.key_file", "a path", "The certificate's private key, PEM.", func(c *Config) *string { return &c.TLS.KeyFile }),
		word("auth.mode", "Whether clients need a token (`doorward token create`). With `none`, a wrong token is still refused, and managing (`/v1/`) needs one all the same.", func(c *Config) *AuthMode { return &c.Auth.Mode }, AuthNone, AuthToken),
		text("data", "a folder", "Where the directory's database lives. `serve`, `import` and `token create` make it when missing.", func(c *Config) *string { return &c.Data }),
		text("database.url_file", "a path", "A file with the URL of a PostgreSQL database to keep the directory in, as in `postgres://doorward:secret@db.example/doorward`. Empty: SQLite in `data`. `serve` works with SQLite only.", func(c *Config) *string { return &c.Database.URLFile }),
		text("policies", "a folder", "The policy folder. Empty: the policy built into the program.", func(c *Config) *string { return &c.Policies }),
		word("policy.failing_tables", "What to do when the tables of expected answers (`tests/*.yaml` in the policy folder) fail: put the policy in force and `report` them, or `refuse` to start and to reload.", func(c *Config) *FailingTables { return &c.Policy.FailingTables }, ReportFailing, RefuseFailing),
		list("policy.verification_keys", "files", "Public keys (PEM) that a policy promoted through the directory may be signed with, with commas between: `FILE`, or `ID=FILE`. Empty: none can be promoted.", func(c *Config) *List { return &c.Policy.VerificationKeys }),
		level("log.level", "What to log: this level and those above it.", func(c *Config) *slog.Level { return &c.Log.Level }),
		word("log.format", "The form of log lines.", func(c *Config) *LogFormat { return &c.Log.Format }, LogText, LogJSON),
		duration("decision.timeout", "How long one decision may take before the answer is 503.", func(c *Config) *time.Duration { return &c.Decision.Timeout }),
		number("facts.max_entries", "How many memberships `serve` remembers in memory.", func(c *Config) *int { return &c.Facts.MaxEntries }),
		number("facts.max_bytes", "How many bytes of facts a sidecar or directory remembers in memory.", func(c *Config) *int { return &c.Facts.MaxBytes }),
		list("directory.urls", "URLs", "Where a sidecar finds its directory: the addresses of its replicas' gate listeners, with commas between. Without TLS only a loopback number, as in `http://127.0.0.1:8082`.", func(c *Config) *List { return &c.Directory.URLs }),
		text("directory.token_file", "a path", "A file with a client token of scope `gate` (`doorward token create NAME --scope gate`). It is read for every call, so it may be replaced.", func(c *Config) *string { return &c.Directory.TokenFile }),
		text("directory.ca_file", "a path", "The certificates that a sidecar trusts its directory by, PEM. Empty: those that the machine trusts.", func(c *Config) *string { return &c.Directory.CAFile }),
		text("gate.label", "a name", "How a sidecar is shown to operators. Empty: the machine's name.", func(c *Config) *string { return &c.Gate.Label }),
		duration("gate.lease", "How long a sidecar believes what it knows without news of the directory ([freshness.md](freshness.md)).", func(c *Config) *time.Duration { return &c.Gate.Lease }),
		duration("gate.max_staleness", "For how much longer it answers questions of bounded categories then. Removals wait for it while the sidecar is out of reach.", func(c *Config) *time.Duration { return &c.Gate.MaxStaleness }),
		text("gate.spool", "a folder", "Where a sidecar keeps decisions about sensitive actions until the directory has them; one process has it open at a time. Empty: `spool` in `data`. It is made when missing.", func(c *Config) *string { return &c.Gate.Spool }),
		number("gate.spool_bytes", "How many bytes may wait there. Beyond it, sensitive actions are 503 `not_recorded`.", func(c *Config) *int { return &c.Gate.SpoolBytes }),
		text("redis", "a URL", "A Redis that sidecars share what they have read in, as in `rediss://doorward@redis.example:6379/0` ([freshness.md](freshness.md#the-shared-cache)); with `?master=NAME` the hosts, with commas between, are Sentinels, with `?cluster=true` those of a cluster. Without TLS only loopback numbers. Empty: none.", func(c *Config) *string { return &c.Redis.URL }),
		text("redis_password_file", "a path", "A file with the password of the URL's user. It is read for every connection, so it may be replaced.", func(c *Config) *string { return &c.Redis.PasswordFile }),
		text("redis_sentinel_password_file", "a path", "A file with the password of the Sentinels, read as often.", func(c *Config) *string { return &c.Redis.SentinelPasswordFile }),
		text("redis_ca_file", "a path", "The certificates that Redis is trusted by, PEM. Empty: those that the machine trusts.", func(c *Config) *string { return &c.Redis.CAFile }),
		text("gates.address", "host:port", "Where a directory answers sidecars. Beyond loopback only with `tls.cert_file` and `tls.key_file`.", func(c *Config) *string { return &c.Gates.Address }),
		duration("gates.longest_term", "The most that any sidecar's `gate.lease` and `gate.max_staleness` may come to.", func(c *Config) *time.Duration { return &c.Gates.LongestTerm }),
		duration("gates.margin", "What removals wait besides, for clocks of different speed: at least 1/200 of `gates.longest_term`.", func(c *Config) *time.Duration { return &c.Gates.Margin }),
		toggle("gates.canary", "Whether a directory gives and takes away a membership of nobody's every minute, to measure until when it is in force ([operating.md](operating.md#the-canary)).", func(c *Config) *bool { return &c.Gates.Canary }),
		duration("drain.timeout", "How long running requests may take to finish when the server stops.", func(c *Config) *time.Duration { return &c.Drain.Timeout }),
		toggle("demo", "Fill an empty directory with the demo portal.", func(c *Config) *bool { return &c.Demo }),
	}
}

func text(key, kind, doc string, at func(*Config) *string) Setting {
	return Setting{Key: key, Doc: doc, Kind: kind, yaml: []string{"!!str"},
		set: func(c *Config, s string) error { *at(c) = s; return nil },
		get: func(c *Config) string { return *at(c) }}
}

func word[W ~string](key, doc string, at func(*Config) *W, words ...W) Setting {
	kind := oneOf(words)
	return Setting{Key: key, Doc: doc, Kind: kind, yaml: []string{"!!str"},
		set: func(c *Config, s string) error {
			for _, w := range words {
				if string(w) == s {
					*at(c) = w
					return nil
				}
			}
			return fmt.Errorf("%q is not %s", s, kind)
		},
		get: func(c *Config) string { return string(*at(c)) }}
}

func oneOf[W ~string](words []W) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " or " + all[last]
}

func level(key, doc string, at func(*Config) *slog.Level) Setting {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	const kind = "debug, info, warn or error"
	return Setting{Key: key, Doc: doc, Kind: kind, yaml: []string{"!!str"},
		set: func(c *Config, s string) error {
			l, ok := levels[s]
			if !ok {
				return fmt.Errorf("%q is not %s", s, kind)
			}
			*at(c) = l
			return nil
		},
		get: func(c *Config) string { return strings.ToLower(at(c).String()) }}
}

func duration(key, doc string, at func(*Config) *time.Duration) Setting {
	return Setting{Key: key, Doc: doc, Kind: "a duration", yaml: []string{"!!str"},
		set: func(c *Config, s string) error {
			d, err := time.ParseDuration(s)
			if err != nil {
				return fmt.Errorf("%q is not a duration: write it with its unit, as in 100ms, 30s or 2m", s)
			}
			*at(c) = d
			return nil
		},
		get: func(c *Config) string { return at(c).String() }}
}

func number(key, doc string, at func(*Config) *int) Setting {
	return Setting{Key: key, Doc: doc, Kind: "a whole number", yaml: []string{"!!int"},
		set: func(c *Config, s string) error {
			n, err := strconv.Atoi(s)
			if err != nil {
				return fmt.Errorf("%q is not a whole number: write digits only", s)
			}
			*at(c) = n
			return nil
		},
		get: func(c *Config) string { return strconv.Itoa(*at(c)) }}
}

func list(key, kind, doc string, at func(*Config) *List) Setting {
	return Setting{Key: key, Doc: doc, Kind: kind, yaml: []string{"!!str"},
		set: func(c *Config, s string) error {
			*at(c) = nil
			for part := range strings.SplitSeq(s, ",") {
				if part = strings.TrimSpace(part); part != "" {
					*at(c) = append(*at(c), part)
				}
			}
			return nil
		},
		get: func(c *Config) string { return strings.Join(*at(c), ",") }}
}

// mode takes a number from the file as well, because 0660 without quotes is one
// to YAML; its digits are read as written, in octal.
func mode(key, doc string, at func(*Config) *fs.FileMode) Setting {
	return Setting{Key: key, Doc: doc, Kind: "octal permissions", yaml: []string{"!!str", "!!int"},
		set: func(c *Config, s string) error {
			m, err := strconv.ParseUint(strings.TrimPrefix(s, "0o"), 8, 32)
			if err != nil || m > 0o777 {
				return fmt.Errorf("%q is not octal permissions: write them as in 0660", s)
			}
			*at(c) = fs.FileMode(m)
			return nil
		},
		get: func(c *Config) string { return fmt.Sprintf("%04o", uint32(*at(c))) }}
}

func toggle(key, doc string, at func(*Config) *bool) Setting {
	return Setting{Key: key, Doc: doc, Kind: kindSwitch, yaml: []string{"!!bool"},
		set: func(c *Config, s string) error {
			if s != "true" && s != "false" {
				return fmt.Errorf("%q is not true or false", s)
			}
			*at(c) = s == "true"
			return nil
		},
		get: func(c *Config) string { return strconv.FormatBool(*at(c)) }}
}
