package authzen

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"doorward/internal/problem"
)

// MetadataPath is where clients look for a decision point's metadata (section 9.2).
const MetadataPath = "/.well-known/authzen-configuration"

// A Metadata says under which address Doorward is known to its clients. It cannot be
// learnt from a request: behind proxies the Host header is anybody's.
type Metadata struct {
	// PublicURL identifies the decision point: https, no query, no fragment. "": none
	// is known, and there is no metadata.
	PublicURL string
}

// A configuration is the metadata document (section 9.1). What is not offered is left
// out, never null.
type configuration struct {
	Point       string `json:"policy_decision_point"`
	Evaluation  string `json:"access_evaluation_endpoint"`
	Evaluations string `json:"access_evaluations_endpoint"`
	Subjects    string `json:"search_subject_endpoint"`
	Resources   string `json:"search_resource_endpoint"`
	Actions     string `json:"search_action_endpoint"`
}

// Register adds the metadata to mux. A path of the public URL comes after the
// well-known one (section 9.2).
func (m Metadata) Register(mux Mux) {
	pattern := "GET " + MetadataPath
	if u, err := url.Parse(m.PublicURL); err == nil {
		pattern += strings.TrimSuffix(u.EscapedPath(), "/")
	}
	mux.Handle(pattern, problem.Handle(nil, m.serve))
}

func (m Metadata) serve(w http.ResponseWriter, _ *http.Request) error {
	if m.PublicURL == "" {
		return &problem.Error{Code: problem.NotFound, Detail: "There is no metadata, because the setting public_url is not set."}
	}
	base := strings.TrimSuffix(m.PublicURL, "/")
	body, err := json.Marshal(configuration{
		Point: m.PublicURL, Evaluation: base + EvaluationPath, Evaluations: base + EvaluationsPath,
		Subjects: base + SearchSubjectPath, Resources: base + SearchResourcePath, Actions: base + SearchActionPath,
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(body) // a client that went away cannot be told
	return nil
}
