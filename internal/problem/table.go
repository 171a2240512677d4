package problem

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/ijson"
)

// From finds the answer to an error. Only an *Error, and the reader's own words
// about the caller's own text, reach the caller; of every other error the code
// does. An error not known here is Internal.
func From(err error) *Error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	if u, ok := errors.AsType[*decision.UnavailableError](err); ok {
		return &Error{Code: unjudged(u.Code), Err: u.Err} // the code says the rest
	}
	if j, ok := errors.AsType[*ijson.Error](err); ok {
		return &Error{Code: MalformedJSON, Detail: located(j), Pointer: j.Pointer}
	}
	if m, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &Error{Code: BodyTooLarge, Detail: fmt.Sprintf("A body may have at most %d bytes.", m.Limit)}
	}
	for _, row := range sentinels {
		if errors.Is(err, row.err) {
			return &Error{Code: row.code, Err: err}
		}
	}
	return &Error{Code: Internal, Err: err}
}

// sentinels are the errors that are known by identity, the most telling first.
var sentinels = []struct {
	err  error
	code Code
}{
	{directory.ErrOutcomeUnknown, OutcomeUnknown},
	{directory.ErrNotFound, NotFound},
	{directory.ErrInvalid, ChangeRefused},
	{directory.ErrUnavailable, DirectoryUnavailable},
	{context.DeadlineExceeded, Deadline},
	{context.Canceled, Interrupted},
}

// unjudged is the code of a question that could not be judged: always a 503.
func unjudged(u decision.Unavailability) Code {
	switch u {
	case decision.NotReady:
		return NotReady
	case decision.FactsUnavailable:
		return FactsUnavailable
	case decision.PolicyError:
		return PolicyError
	case decision.Deadline:
		return Deadline
	case decision.Stale:
		return Stale
	case decision.RevisionNotReached:
		return RevisionNotReached
	case decision.NotRecorded:
		return NotRecorded
	default:
		return Unavailable
	}
}

// located is a reader's message with the byte it is about: a pointer alone does
// not find a missing brace.
func located(e *ijson.Error) string {
	if e.Offset == 0 {
		return e.Message
	}
	return fmt.Sprintf("%s (after byte %d)", e.Message, e.Offset)
}
