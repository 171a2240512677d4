// Package problem turns errors into HTTP answers: application/problem+json as
// RFC 9457 has it, from one table (docs/problems.md).
//
// It knows what each kind of error means to a caller and nothing of what caused
// it. Its invariants: a problem never carries a decision; text that was not
// written for callers stays in the log; an error is answered once and logged
// once; an answer that has begun is never overwritten.
package problem

import (
	"fmt"
	"strconv"
	"strings"
)

// An Error is an error with an answer of its own. Detail and Pointer are for the
// caller; Err is for the log alone.
type Error struct {
	Code    Code
	Detail  string // what is wrong here and what to do; "" takes the code's text
	Pointer string // JSON pointer (RFC 6901) into the request's body; "" is all of it
	Each    []Each // every single thing, where there can be several; may be nil
	Allow   string // the methods the resource has, for MethodNotAllowed
	Err     error  // the cause; may be nil
}

// Each is one of several things that are the matter (RFC 9457 section 3, errors).
type Each struct {
	Detail  string `json:"detail"`
	Pointer string `json:"pointer,omitempty"`
}

// Several is a problem with several things the matter; at least one.
func Several(code Code, each []Each) *Error {
	e := &Error{Code: code, Detail: each[0].Detail, Pointer: each[0].Pointer, Each: each}
	if more := len(each) - 1; more > 0 {
		e.Detail += fmt.Sprintf(" (and %d more, see errors)", more)
	}
	return e
}

// Error describes the problem for the log. It quotes what the caller chose (S42).
func (e *Error) Error() string {
	parts := []string{string(e.Code)}
	if e.Detail != "" {
		parts = append(parts, e.Text())
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Status is the HTTP status the problem is answered with.
func (e *Error) Status() int { return e.Code.kind().status }

// Text is the detail with its place, for answers that have room for one text
// only, as an item of a batch has.
func (e *Error) Text() string {
	if e.Pointer != "" {
		return quoted(e.Pointer) + ": " + e.detail()
	}
	return e.detail()
}

func (e *Error) detail() string {
	if e.Detail != "" {
		return e.Detail
	}
	return e.Code.kind().detail
}

// quoted returns the pointer as it is when that is harmless, else as a Go string.
func quoted(pointer string) string {
	plain := func(r rune) bool { return r > ' ' && r < 0x7f && r != '"' && r != '\\' }
	for _, r := range pointer {
		if !plain(r) {
			return strconv.Quote(pointer)
		}
	}
	return pointer
}
