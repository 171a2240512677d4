package policytool

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"doorward/internal/policy/fault"
)

// A Table is one file of expected answers (policies/tests/*.yaml).
type Table struct {
	File  string
	Title string
	// Provider are the switches set otherwise for this table, by dotted name.
	Provider map[string]string
	Rows     []Row
}

// A Row is one line of a table: who asks to do what, and the answer expected of
// every action listed.
type Row struct {
	Line       int
	Req        []string // the requirements the row holds: "62", "A13.3", "D2"
	Who        Who
	Do         []string
	On         string // the resource, type:id; "self" is the subject; "" is the account
	Properties yaml.Node
	Context    yaml.Node
	Account    AccountState
	Want       string // "allow" or a reason
}

// Who is the subject of a row and its place in the account.
type Who struct {
	Name       string // as written, when it is one word
	Subject    string // user (the default) or contact
	User       string // status; default active
	State      string // of the membership; default active
	Presets    []string
	Categories []string
	Scope      []string
	NotBefore  string // RFC 3339
	NotAfter   string // RFC 3339
}

// AccountState is the account of a row.
type AccountState struct {
	Status      string // default active
	MFARequired bool   `yaml:"mfa_required"`
}

// tablesFolder is where a policy folder keeps its tables.
const tablesFolder = "tests"

// ReadTables reads the tables of a policy folder. Its error is a fault.List when
// a table is malformed.
func ReadTables(fsys fs.FS) ([]Table, error) {
	names, err := fs.Glob(fsys, path.Join(tablesFolder, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	var faults fault.List
	var tables []Table
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read table: %w", err)
		}
		table, err := readTable(name, data)
		var list fault.List
		if errors.As(err, &list) {
			faults = append(faults, list...)
			continue
		}
		tables = append(tables, table)
	}
	return tables, faults.Err()
}

// tableFile and rowFile are a table as it is written.
type tableFile struct {
	Title    string
	Article  string
	Provider map[string]string
	Rows     []yaml.Node
}

type rowFile struct {
	Req        oneOrMany
	Who        yaml.Node
	Do         oneOrMany
	On         string
	Properties yaml.Node
	Context    yaml.Node
	Account    AccountState
	Want       string
}

type whoFile struct {
	Subject    string
	User       string
	State      string
	Presets    oneOrMany
	Categories oneOrMany
	Scope      oneOrMany
	NotBefore  string `yaml:"not_before"`
	NotAfter   string `yaml:"not_after"`
}

// oneOrMany is a text or a list of texts.
type oneOrMany []string

// UnmarshalYAML reads a scalar as a list of one.
func (l *oneOrMany) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = []string{n.Value}
		return nil
	}
	var many []string
	err := n.Decode(&many)
	*l = many
	return err
}

func readTable(name string, data []byte) (Table, error) {
	var file tableFile
	var faults fault.List
	if err := decodeStrict(data, &file); err != nil {
		faults.Add(fault.Fault{File: name, Message: yamlMessage(err)})
		return Table{}, faults.Err()
	}
	table := Table{File: name, Title: file.Title, Provider: file.Provider}
	for i := range file.Rows {
		row, err := readRow(&file.Rows[i])
		if err != nil {
			faults.Add(fault.Fault{File: name, Line: file.Rows[i].Line, Message: yamlMessage(err)})
			continue
		}
		table.Rows = append(table.Rows, row)
	}
	if len(file.Rows) == 0 {
		faults.Add(fault.Fault{File: name, Message: "has no rows", Fix: "A table that expects nothing proves nothing."})
	}
	return table, faults.Err()
}

func readRow(n *yaml.Node) (Row, error) {
	var file rowFile
	if err := decodeNode(n, &file); err != nil {
		return Row{}, err
	}
	who, err := readWho(&file.Who)
	if err != nil {
		return Row{}, err
	}
	switch {
	case len(file.Req) == 0:
		return Row{}, errors.New("cites no requirement: add req: [...]")
	case len(file.Do) == 0:
		return Row{}, errors.New("names no action: add do: ACTION")
	case file.Want == "":
		return Row{}, errors.New("expects nothing: add want: allow, or want: and a reason")
	}
	return Row{
		Line: n.Line, Req: file.Req, Who: who, Do: file.Do, On: file.On,
		Properties: file.Properties, Context: file.Context, Account: file.Account, Want: file.Want,
	}, nil
}

// readWho reads a subject: one word, or a mapping that says more.
func readWho(n *yaml.Node) (Who, error) {
	if n.Kind == yaml.ScalarNode {
		return whoNamed(n.Value), nil
	}
	var file whoFile
	if n.Kind != yaml.MappingNode {
		return Who{}, errors.New("names nobody: add who: PRESET, or who: {presets: [...], ...}")
	}
	if err := decodeNode(n, &file); err != nil {
		return Who{}, err
	}
	return Who{
		Subject: file.Subject, User: file.User, State: file.State, Presets: file.Presets, Categories: file.Categories,
		Scope: file.Scope, NotBefore: file.NotBefore, NotAfter: file.NotAfter,
	}, nil
}

// whoNamed reads the words that stand for a whole subject; any other word is the
// preset that a member holds.
func whoNamed(word string) Who {
	switch word {
	case "stranger":
		return Who{Name: word, State: "none"}
	case "unknown":
		return Who{Name: word, State: "none", User: "none"}
	case "contact":
		return Who{Name: word, Subject: "contact", State: "none"}
	case "none":
		return Who{Name: word}
	}
	return Who{Name: word, Presets: []string{word}}
}

// decodeStrict reads one YAML document and refuses unknown keys.
func decodeStrict(data []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	return decoder.Decode(into)
}

// decodeNode is decodeStrict for a part of a document: a Node's own Decode does
// not refuse unknown keys.
func decodeNode(n *yaml.Node, into any) error {
	data, err := yaml.Marshal(n)
	if err != nil {
		return err
	}
	return decodeStrict(data, into)
}

// yamlMessage puts the library's message on one line.
func yamlMessage(err error) string {
	var lines []string
	for _, line := range strings.Split(strings.TrimPrefix(err.Error(), "yaml: "), "\n") {
		if line = strings.TrimSpace(line); line != "" && line != "unmarshal errors:" {
			lines = append(lines, line)
		}
	}
	return strings.Join(slices.Compact(lines), "; ")
}
