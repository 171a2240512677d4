package generate

import (
	"encoding/json"
	"io"
)

// The lines of a file, by kind. A map is written with its names in order.

type metaLine struct {
	Kind       string `json:"kind"`
	Format     string `json:"format"`
	Source     string `json:"source"`
	ExportedAt string `json:"exported_at"`
}

type userLine struct {
	Kind         string `json:"kind"`
	ID           string `json:"id"`
	Email        string `json:"email"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name"`
	Language     string `json:"language"`
	Status       string `json:"status,omitempty"`
	SecondFactor string `json:"second_factor,omitempty"`
	CreatedAt    string `json:"created_at"`
}

type accountLine struct {
	Kind        string          `json:"kind"`
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Status      string          `json:"status"`
	MFARequired bool            `json:"mfa_required,omitempty"`
	Preferences map[string]bool `json:"email_preferences,omitempty"`
	CreatedAt   string          `json:"created_at"`
}

type membershipLine struct {
	Kind    string `json:"kind"`
	Account string `json:"account"`
	User    string `json:"user"`
	Owner   bool   `json:"owner,omitempty"`
	State   string `json:"state,omitempty"`
	grantMembers
	Emails    map[string]bool `json:"emails,omitempty"`
	LastLogin string          `json:"last_login,omitempty"`
	CreatedAt string          `json:"created_at"`
}

// grantMembers are the members of a membership that say what it grants.
type grantMembers struct {
	Presets     []string `json:"presets,omitempty"`
	Categories  []string `json:"categories,omitempty"`
	Scope       []string `json:"scope,omitempty"`
	AccountWide []string `json:"account_wide,omitempty"`
	NotBefore   string   `json:"not_before,omitempty"`
	NotAfter    string   `json:"not_after,omitempty"`
}

type contactLine struct {
	Kind      string          `json:"kind"`
	ID        string          `json:"id"`
	Account   string          `json:"account"`
	Email     string          `json:"email"`
	FirstName string          `json:"first_name,omitempty"`
	LastName  string          `json:"last_name,omitempty"`
	Status    string          `json:"status,omitempty"`
	Emails    map[string]bool `json:"emails"`
	Scope     []string        `json:"scope,omitempty"`
	CreatedAt string          `json:"created_at"`
}

// An encoder writes lines until one fails.
type encoder struct {
	json *json.Encoder
	err  error
}

func newEncoder(to io.Writer) encoder {
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	return encoder{json: e}
}

func (e *encoder) write(line any) {
	if e.err == nil {
		e.err = e.json.Encode(line)
	}
}
