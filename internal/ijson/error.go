package ijson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// An Error tells a person what is wrong in a text, and where.
type Error struct {
	Pointer string // JSON pointer (RFC 6901) to the value at fault; "" is the whole text
	Offset  int64  // bytes before the fault
	Message string // what is wrong, and what would be right
}

// Error returns the message with its place. The pointer is quoted, for its names
// are the sender's (S42).
func (e *Error) Error() string {
	s := e.Message
	if e.Pointer != "" {
		s = "at " + strconv.Quote(e.Pointer) + ": " + s
	}
	if e.Offset > 0 {
		s += " (byte " + strconv.FormatInt(e.Offset, 10) + ")"
	}
	return s
}

// explain finds the first fault of a text that was refused, token by token and
// never deeper than MaxDepth.
func explain(body []byte) *Error {
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	for read := 0; ; read++ {
		if read > 0 && d.StackDepth() == 0 {
			return &Error{Offset: d.InputOffset(), Message: "something follows after the JSON value; send exactly one"}
		}
		if _, err := d.ReadToken(); err != nil {
			if errors.Is(err, io.EOF) && read == 0 {
				return &Error{Message: "the text is empty; it must be a JSON object"}
			}
			return describe(err)
		}
		if d.StackDepth() > MaxDepth {
			return &Error{
				Pointer: string(d.StackPointer()), Offset: d.InputOffset(),
				Message: fmt.Sprintf("arrays and objects nest deeper than %d levels", MaxDepth),
			}
		}
	}
}

// describe puts a decoder's error into words.
func describe(err error) *Error {
	var at *jsontext.SyntacticError
	if !errors.As(err, &at) {
		return &Error{Message: "the text is not JSON"}
	}
	e := &Error{Pointer: string(at.JSONPointer), Offset: at.ByteOffset}
	switch {
	case errors.Is(at.Err, jsontext.ErrDuplicateName):
		e.Message = "this name occurs twice in one object"
	case errors.Is(at.Err, jsontext.ErrNonStringName):
		e.Message = "the name of a member must be a string"
	case errors.Is(at.Err, io.ErrUnexpectedEOF):
		e.Message = "the text ends before the JSON value does"
	default:
		e.Message = "not valid JSON: " + at.Err.Error()
	}
	return e
}
