// Package config says how one Doorward process is set up, and where each setting
// comes from: flags over DOORWARD_ variables over doorward.yaml over defaults.
//
// It opens nothing but the configuration file and the resolver, and knows no
// command. Its invariants: a key, variable or value it does not understand is
// refused with its place, never skipped; and a Config that it returns listens
// beyond this machine only with TLS and client tokens (design 6).
package config

import (
	"io/fs"
	"log/slog"
	"time"

	"doorward/internal/fault"
)

// A Config is a checked set of settings. Table describes each of them.
type Config struct {
	Listen Listen
	// PublicURL is under which address clients know the decision point; "": unknown.
	PublicURL string
	TLS       TLS
	Auth      Auth
	Data      string // folder of the directory's database
	Database  Database
	Policies  string // policy folder; "" for the one built in
	Policy    Policy
	Log       Log
	Decision  Decision
	Facts     Facts
	Directory Directory
	Gate      Gate
	Gates     Gates
	Redis     Redis
	Drain     Drain
	Demo      bool // fill an empty directory with the demo portal

	origins map[string]fault.Fault // where each setting that is no default was set
}

// Listen tells where to accept connections.
type Listen struct {
	Address    string // host:port, or NoAddress
	Socket     string // path of a unix socket; "" for none
	SocketMode fs.FileMode
}

// NoAddress as Listen.Address turns TCP off.
const NoAddress = "none"

// TLS names the files of the server's certificate. Both or neither are set.
type TLS struct {
	CertFile string
	KeyFile  string
}

// Auth tells what a client must show.
type Auth struct {
	Mode AuthMode
}

// An AuthMode tells whether requests need a client token.
type AuthMode string

// The authentication modes.
const (
	AuthNone  AuthMode = "none"  // no token needed; a wrong one is still refused
	AuthToken AuthMode = "token" // every request needs a client token
)

// Policy tells how the policy folder is taken.
type Policy struct {
	FailingTables    FailingTables
	VerificationKeys List // public keys that promoted policies may be signed with, as FILE or ID=FILE
}

// A FailingTables tells what happens when a policy does not answer as the folder's
// tables expect.
type FailingTables string

// What can happen when tables fail.
const (
	ReportFailing FailingTables = "report" // the policy is put in force, then they are run and reported
	RefuseFailing FailingTables = "refuse" // the policy is not put in force
)

// Log tells what to log, and how.
type Log struct {
	Level  slog.Level
	Format LogFormat
}

// A LogFormat is a form of log lines.
type LogFormat string

// The log formats.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// Decision bounds one decision.
type Decision struct {
	Timeout time.Duration
}

// Facts bounds the in-process cache of facts.
type Facts struct {
	MaxEntries int // of serve
	MaxBytes   int // of a sidecar, and of a directory
}

// Database says where the directory is kept when it is not in the data folder.
type Database struct {
	URLFile string // holds the URL of a PostgreSQL database; "": SQLite in the data folder
}

// Directory is how a sidecar finds its directory.
type Directory struct {
	URLs      List
	TokenFile string // holds a client token of scope gate
	CAFile    string // PEM; "": the authorities that this machine trusts
}

// A List is written with commas between its items.
type List []string

// Gate is what a sidecar promises of its facts (design R4, R9).
type Gate struct {
	Label        string        // shown to operators; "": the machine's name
	Lease        time.Duration // how long facts are believed without news
	MaxStaleness time.Duration // how long after that bounded questions are answered
	Spool        string        // folder of what is on its way to the directory (R16); "": spool in the data folder
	SpoolBytes   int           // the most that may be on its way
}

// Gates is what a directory lets gates do (design R6, R11).
type Gates struct {
	Address     string        // host:port
	LongestTerm time.Duration // the most that any gate's lease and staleness come to
	Margin      time.Duration // for clocks of different speed
	Canary      bool          // revoke somebody's membership every minute, and see
}

// Redis is the cache that sidecars share (design R10).
type Redis struct {
	URL                  string // "": none
	PasswordFile         string
	SentinelPasswordFile string
	CAFile               string // PEM; "": the authorities that this machine trusts
}

// Drain bounds the time that running requests get when the process stops.
type Drain struct {
	Timeout time.Duration
}

// A Role is which of Doorward's processes is set up.
type Role string

// The roles.
const (
	Serve            Role = "serve"     // decisions and the directory in one process
	DirectoryProcess Role = "directory" // the directory, for any number of sidecars
	Sidecar          Role = "sidecar"   // decisions alone
)

// Default returns the settings of a process that was told nothing.
func Default() Config { return DefaultOf(Serve) }

// DefaultOf is Default for a process of a role.
func DefaultOf(r Role) Config {
	c := defaults()
	if r == DirectoryProcess {
		c.Listen.Address = "127.0.0.1:8081"
	}
	return c
}

func defaults() Config {
	return Config{
		Listen:   Listen{Address: "127.0.0.1:8080", SocketMode: 0o660},
		Auth:     Auth{Mode: AuthNone},
		Data:     "./var",
		Policy:   Policy{FailingTables: ReportFailing},
		Log:      Log{Level: slog.LevelInfo, Format: LogText},
		Decision: Decision{Timeout: 100 * time.Millisecond},
		Facts:    Facts{MaxEntries: 1_000_000, MaxBytes: 64 << 20},
		Gate:     Gate{Lease: 3 * time.Second, MaxStaleness: 30 * time.Second, SpoolBytes: 16 << 20},
		Gates:    Gates{Address: "127.0.0.1:8082", LongestTerm: 33 * time.Second, Margin: 300 * time.Millisecond},
		Drain:    Drain{Timeout: 10 * time.Second},
	}
}
