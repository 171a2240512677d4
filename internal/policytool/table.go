package policytool

import (
	"io/fs"
	"maps"
	"path"
	"slices"

	"go.yaml.in/yaml/v3"

	"doorward/internal/fault"
	"doorward/internal/policy"
)

// A Table is one file of expected answers (policies/tests/*.yaml).
type Table struct {
	File  string
	Title string
	// Profile stands in place of what provider.yaml says; "" leaves that.
	Profile string
	// Provider are the switches set otherwise for this table, by dotted name.
	Provider map[string]string
	Rows     []Row
	at       int // the line of provider, or of profile
}

// A Row is one line of a table: who asks to do what, and the answer expected of
// every action listed.
type Row struct {
	Line       int
	Asked      string   // everything but req, do and want, as it is written
	Req        []string // the requirements the row holds: "62", "A13.3", "D2"
	Who        Who
	Member     *Who // the member that is managed, user:8; nil: nobody is
	Actor      *Who // user:9, whom context.actor may name; nil: not known
	Do         []string
	With       *yaml.Node // properties of the action; nil: none
	On         string     // the resource, type:id; "self" is the subject; "" is the account
	Properties *yaml.Node // nil: none
	Context    *yaml.Node // nil: none
	Account    AccountState
	Want       string // "allow" or a reason
}

// Who is the subject of a row and its place in the account; or one of the policy's own
// entities, which has none.
type Who struct {
	Entity     string     // type:id; "" for a person of the portal
	Properties *yaml.Node // what the question says of an entity; nil: nothing
	Name       string     // as written, when it is one word
	Subject    string     // user (the default) or contact
	User       string     // status; default active
	State      string     // of the membership; default active
	Presets    []string
	Categories []string
	Scope      []string
	Wide       []string        // categories held on the whole account besides a scope
	Mail       map[string]bool // what was chosen to be sent, and not to be sent
	Staff      []string        // rights of the provider's staff
	NotBefore  string          // RFC 3339
	NotAfter   string          // RFC 3339
}

// AccountState is the account of a row.
type AccountState struct {
	Status      string // default active
	MFARequired bool
}

// tablesFolder is where a policy folder keeps its tables.
const tablesFolder = "tests"

// ReadTables reads the tables of a policy folder. Its error is a fault.List when
// a table is malformed, or lies where it would not be read.
func ReadTables(fsys fs.FS) ([]Table, error) { return readTables(policy.Read(fsys)) }

func readTables(source policy.Source) ([]Table, error) {
	var faults fault.List
	var tables []Table
	files := source.Tables()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Dir(name) != tablesFolder || path.Ext(name) != ".yaml" {
			faults.Add(fault.Fault{File: name, Message: "would not be read here", Fix: "Tables are files " + tablesFolder + "/*.yaml."})
			continue
		}
		r := tableReader{profiles: source.Profiles()}
		tables = append(tables, r.table(name, files[name]))
		faults = append(faults, r.Faults...)
	}
	return tables, faults.Err()
}
