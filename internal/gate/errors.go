package gate

import (
	"errors"
	"fmt"
)

// Why a question has no answer. Each is a 503, never a denial, and none is remembered.
var (
	// ErrNotReady: this process has not heard from the directory yet.
	ErrNotReady = errors.New("nothing is known yet")
	// ErrStale: what is known may be too old, and the directory cannot be asked (R9).
	ErrStale = errors.New("what is known may be too old")
	// ErrFactsUnavailable: what is known is fresh, the facts are not in it, and the
	// directory cannot be asked.
	ErrFactsUnavailable = errors.New("the facts cannot be read")
	// ErrRevisionNotReached: the asker demands a later revision than there is (R15).
	ErrRevisionNotReached = errors.New("the demanded revision is not reached")
	// ErrSpoolFull: what has to be kept of the answer cannot be kept (R16).
	ErrSpoolFull = errors.New("the spool is full")
)

// ErrOtherAnswer tells that a transport delivered the answer to another ask.
var ErrOtherAnswer = errors.New("answer to another ask")

// errImpatient: the question has waited as long as it may.
var errImpatient = errors.New("waited too long")

// ErrPolicyMoved tells that another policy is promoted than the one that the asker would
// judge by (R13). It takes the one in force now and asks again; should that not help, it
// is a 503 like ErrStale, which it wraps.
var ErrPolicyMoved = fmt.Errorf("another policy is promoted: %w", ErrStale)
