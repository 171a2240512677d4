package manage

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"doorward/internal/ijson"
	"doorward/internal/importer"
	"doorward/internal/portal"
	"doorward/internal/problem"
)

// reply sends a record, or a list of outcomes, as it is at a position.
func reply(w http.ResponseWriter, status int, at portal.Position, v ijson.Value) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Doorward-Revision", at.String())
	w.WriteHeader(status)
	_, _ = w.Write(append(v.Append(nil), '\n')) // a client that went away cannot be told
}

// A placer says where in the body a finding is.
type placer func(importer.Finding) string

// whole is for a body that is the record.
func whole(f importer.Finding) string { return f.Pointer }

// inBatch is for a body that is a batch.
func inBatch(f importer.Finding) string {
	return "/records/" + strconv.Itoa(f.Record) + f.Pointer
}

func each(all []importer.Finding, at placer) []problem.Each {
	list := make([]problem.Each, len(all))
	for i, f := range all {
		list[i] = problem.Each{Detail: f.Text, Pointer: at(f)}
	}
	return list
}

// refusal gives what is wrong with records its answer.
func refusal(err error, at placer) error {
	if f, ok := errors.AsType[*importer.FaultyError](err); ok {
		return problem.Several(problem.InvalidRequest, each(f.Findings, at))
	}
	if c, ok := errors.AsType[*importer.ConflictError](err); ok {
		return problem.Several(problem.Conflict, each(c.Findings, at))
	}
	return err
}

// withWarnings adds to an answer what a person should look at.
func withWarnings(v ijson.Value, warnings []importer.Finding, at placer) ijson.Value {
	if len(warnings) == 0 {
		return v
	}
	list := make([]ijson.Value, len(warnings))
	for i, f := range warnings {
		members := []ijson.Member{{Name: "detail", Value: ijson.StringValue(f.Text)}}
		if pointer := at(f); pointer != "" {
			members = append(members, ijson.Member{Name: "pointer", Value: ijson.StringValue(pointer)})
		}
		list[i] = ijson.ObjectValue(members...)
	}
	return ijson.ObjectValue(append(slices.Clone(v.Members()), ijson.Member{Name: "warnings", Value: ijson.ArrayValue(list...)})...)
}
