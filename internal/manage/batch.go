package manage

import (
	"fmt"
	"net/http"

	"doorward/internal/ijson"
	"doorward/internal/importer"
	"doorward/internal/problem"
)

// batch takes in several records, in one commit.
func (h *Handler) batch(w http.ResponseWriter, r *http.Request) error {
	if err := refuseStrange(r); err != nil {
		return err
	}
	if err := h.admit(r); err != nil {
		return err
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	source, records, err := readBatch(body)
	if err != nil {
		return err
	}
	result, _, err := h.take(r, source, records, importer.Key{}, inBatch)
	if err != nil {
		return err
	}
	outcomes := make([]ijson.Value, len(records))
	for i, record := range records {
		outcomes[i] = outcome(record, result.Outcomes[i])
	}
	answer := ijson.ObjectValue(ijson.Member{Name: "records", Value: ijson.ArrayValue(outcomes...)})
	return h.conclude(w, r, http.StatusOK, done(result, records), withWarnings(answer, result.Warnings, inBatch))
}

// readBatch reads what a batch says of all its records, and them. A misspelt member would
// be missing in silence, so others are refused.
func readBatch(body ijson.Value) (source string, records []ijson.Value, err error) {
	fault := func(name, detail string) error {
		return &problem.Error{Code: problem.InvalidRequest, Pointer: "/" + name, Detail: name + " " + detail}
	}
	for _, m := range body.Members() {
		switch m.Name {
		case "records":
			records = m.Value.Items()
		case "source":
			if source = m.Value.Text(); m.Value.Kind() != ijson.String || !importer.ValidSource(source) {
				return "", nil, fault(m.Name, `must be a short lower-case name, as in "whmcs"`)
			}
		default:
			return "", nil, &problem.Error{Code: problem.InvalidRequest, Detail: fmt.Sprintf("a batch has the members records and source, and no %.64q", m.Name)}
		}
	}
	switch kind := body.Get("records").Kind(); {
	case kind != ijson.Array:
		return "", nil, fault("records", "must be an array, not "+kind.String())
	case len(records) > maxRecords:
		return "", nil, &problem.Error{Code: problem.BatchTooLarge, Pointer: "/records",
			Detail: fmt.Sprintf("records has %d items; at most %d are taken in at once", len(records), maxRecords)}
	}
	return source, records, nil
}

// outcome names a record and says what became of it.
func outcome(record ijson.Value, o importer.Outcome) ijson.Value {
	var members []ijson.Member
	for _, name := range []string{"kind", "account", "user", "id"} {
		if v := record.Get(name); v.Kind() == ijson.String && (name != "id" || record.Get("kind").Text() != string(importer.KindMembership)) {
			members = append(members, ijson.Member{Name: name, Value: v})
		}
	}
	return ijson.ObjectValue(append(members, ijson.Member{Name: "outcome", Value: ijson.StringValue(string(o))})...)
}
