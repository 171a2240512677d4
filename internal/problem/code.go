package problem

import "net/http"

// A Code names a kind of problem. Codes are stable: clients may depend on them.
type Code string

// The kinds of problem.
const (
	MalformedJSON        Code = "malformed_json"
	InvalidRequest       Code = "invalid_request"
	WrongContentType     Code = "wrong_content_type"
	UnreadableBody       Code = "unreadable_body"
	Unauthenticated      Code = "unauthenticated"
	Forbidden            Code = "forbidden"
	NotFound             Code = "not_found"
	MethodNotAllowed     Code = "method_not_allowed"
	BodyTooLarge         Code = "body_too_large"
	BatchTooLarge        Code = "batch_too_large"
	Conflict             Code = "conflict"
	ChangeRefused        Code = "change_refused"
	Internal             Code = "internal"
	OutcomeUnknown       Code = "outcome_unknown"
	NotReady             Code = "not_ready"
	FactsUnavailable     Code = "facts_unavailable"
	PolicyError          Code = "policy_error"
	Deadline             Code = "deadline"
	Stale                Code = "stale"
	RevisionNotReached   Code = "revision_not_reached"
	NotRecorded          Code = "not_recorded"
	DirectoryUnavailable Code = "directory_unavailable"
	Interrupted          Code = "interrupted"
	Unavailable          Code = "unavailable"
)

// TypePrefix and a Code are a problem's type. It is a name, not an address: it
// stays the same wherever the documentation is.
const TypePrefix = "urn:doorward:problem:"

// A kind is what all problems of one code have in common.
type kind struct {
	status int
	title  string
	detail string // for a problem that has no detail of its own
}

// kinds is the table. docs/problems.md explains it to callers.
var kinds = map[Code]kind{
	MalformedJSON:    {http.StatusBadRequest, "The body is not acceptable JSON", "Send one JSON object in UTF-8."},
	InvalidRequest:   {http.StatusBadRequest, "The request is not valid", "A member is missing or has the wrong type."},
	WrongContentType: {http.StatusBadRequest, "The content type is not JSON", "Send the header Content-Type: application/json."},
	UnreadableBody:   {http.StatusBadRequest, "The body could not be read", "The connection ended before the body did."},
	Unauthenticated:  {http.StatusUnauthorized, "The client is not known", "Send a client token: Authorization: Bearer <token>."},
	Forbidden:        {http.StatusForbidden, "The client may not do this", "Its token lacks the scope for it."},
	NotFound:         {http.StatusNotFound, "There is nothing here", "Nothing has this address or id."},
	MethodNotAllowed: {http.StatusMethodNotAllowed, "The method is not possible here", "The Allow header lists the methods that are."},
	BodyTooLarge:     {http.StatusRequestEntityTooLarge, "The body is too large", "Send less in one request."},
	BatchTooLarge:    {http.StatusRequestEntityTooLarge, "The batch is too large", "Send it in several requests."},
	Conflict:         {http.StatusConflict, "The change does not fit what is there", "The directory holds something else. Nothing was changed."},
	ChangeRefused:    {http.StatusUnprocessableEntity, "The directory refuses the change", "It would break a rule of the directory. Nothing was changed."},
	Internal:         {http.StatusInternalServerError, "Doorward failed", "The failure is in Doorward's log. Nothing was decided or changed."},
	OutcomeUnknown:   {http.StatusInternalServerError, "Whether the change was made is not known", "Look whether it is there before you try again."},

	NotReady:             unavailable("Doorward is starting; it has no policy or no facts yet."),
	FactsUnavailable:     unavailable("The facts about this question could not be read."),
	PolicyError:          unavailable("The policy failed on this question."),
	Deadline:             unavailable("The answer was not found in time."),
	Stale:                unavailable("What is known here may be too old, and the directory cannot be asked."),
	RevisionNotReached:   unavailable("The revision that was demanded is not reached here."),
	NotRecorded:          unavailable("The action is sensitive, and the decision could not be recorded."),
	DirectoryUnavailable: unavailable("The directory cannot be read or written at the moment. Nothing was changed."),
	Interrupted:          unavailable("The request was given up before it was answered."),
	Unavailable:          unavailable("The question could not be judged."),
}

func unavailable(detail string) kind {
	return kind{http.StatusServiceUnavailable, "No answer at the moment", detail}
}

// kind returns the code's row. A code without one is a failure of Doorward's.
func (c Code) kind() kind {
	if k, ok := kinds[c]; ok {
		return k
	}
	return kinds[Internal]
}
