package explain

import (
	"bytes"
	"encoding/json"

	"doorward/internal/decision"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
)

// An Explanation is an answer and why it is that. Its JSON has the members in this
// order. File names are paths inside the policy folder.
type Explanation struct {
	// Decision is the answer itself, which its asker writes in its own form.
	Decision decision.Decision `json:"-"`

	// BeforeRules says why the rules were not asked; "" when they were.
	BeforeRules string `json:"before_rules,omitempty"`
	// Steps are the rules that the reason came through. The last is the one that
	// decided.
	Steps []rules.Step `json:"steps,omitempty"`
	// Action is what the catalogue says of the action; nil when it has none.
	Action *Action `json:"action,omitempty"`
	// Guards are the permissions that the answer can depend on.
	Guards []Guard `json:"guards,omitempty"`
	// Changes are single things that, otherwise, would have made the other answer:
	// the least first. Where the question's account must be acted on before and that is
	// not enough, they are what is enough together with it.
	Changes []Change `json:"changes"`
	// Incomplete tells that not all changes could be tried in time.
	Incomplete bool `json:"incomplete,omitempty"`
	// Row is the question as a row of a table of expected answers. "" when no row can
	// say it; NoRow is then why.
	Row   string `json:"row,omitempty"`
	NoRow string `json:"no_row,omitempty"`
	// Facts are what the directory says of everybody in the question.
	Facts Facts `json:"facts"`
	// Input is exactly what the rules saw; nil when they were not asked.
	Input json.RawMessage `json:"input,omitempty"`

	Policy   string `json:"policy"` // the digest
	Profile  string `json:"profile,omitempty"`
	Position string `json:"position"` // of the facts
}

// AppendJSON appends the explanation as JSON.
func (x *Explanation) AppendJSON(dst []byte) ([]byte, error) {
	b := bytes.NewBuffer(dst)
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(x); err != nil {
		return dst, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// An Action is an action as the catalogue has it.
type Action struct {
	Name      string          `json:"name"`
	Class     catalogue.Class `json:"class"`
	Effect    string          `json:"effect"`
	Sensitive bool            `json:"sensitive"`
	Text      string          `json:"text"` // what it needs, for people
	File      string          `json:"file"`
	Line      int             `json:"line"`
}

// A Guard is a permission that the answer can depend on.
type Guard struct {
	Object string `json:"object"` // a category, or mail:<name>
	// Need is guard for what the catalogue demands, mail for a subscription, and
	// declared for what inputs.yaml lets rules ask for besides.
	Need  string `json:"need"`
	Held  bool   `json:"held"`
	Text  string `json:"text"` // whether and why, for people
	File  string `json:"file"` // where the catalogue has it
	Line  int    `json:"line"`
	Lines []Line `json:"lines,omitempty"`
}

// A Line is one line of a preset that gives or denies a permission.
type Line struct {
	Effect string   `json:"effect"` // allow or deny
	Preset string   `json:"preset"` // the preset held
	Path   []string `json:"path"`   // from it to the preset whose line it is
	File   string   `json:"file"`
	Line   int      `json:"line"`
}

// A Change is a single thing otherwise (or a switch and a single thing), with which the question was judged again and
// had the other answer.
type Change struct {
	Of   string          `json:"of"`             // grant, person, session, request, account or provider
	Text string          `json:"text"`           // as an instruction
	Then decision.Reason `json:"then,omitempty"` // the reason with it, when it is a denial
}
