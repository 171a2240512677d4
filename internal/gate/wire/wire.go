// Package wire carries the gates' protocol between sidecars and directories: JSON over
// HTTP, as docs/gates-api.md has it.
//
// It knows bytes, files of secrets and addresses, and nothing of leases, databases and
// policies: a Client is a gate.Directory, a Server hands to a Keeper. Its invariants:
// what a Client returns came in answer to that very call, whole; whatever a reader does
// not understand and would have to is an error, never a wider grant; and nobody is
// answered without a token for gates.
package wire

import (
	"context"
	"time"

	"doorward/internal/gate"
	"doorward/internal/portal"
)

// version is the version of the interface. It is in the paths and in every answer.
const version = 1

// The addresses, below a directory's own.
const (
	pathAsk     = "/gates/v1/ask"
	pathLeave   = "/gates/v1/leave"
	pathFacts   = "/gates/v1/facts"
	pathTokens  = "/gates/v1/tokens"
	pathPolicy  = "/gates/v1/policy"
	pathSharing = "/gates/v1/sharing-keys"
	pathUses    = "/gates/v1/uses"
)

// Bounds of version 1. A gate holds the directory to those of answers, the directory a
// gate to the others.
const (
	maxBody    = 4 << 20   // bytes of a body, either way
	maxRecords = 100       // of one ask
	maxData    = 512 << 10 // bytes of the records of one ask, but that one record always goes
	maxKeys    = 1024      // of one read
	maxUses    = 500       // of one call
	maxWait    = 30 * time.Second
)

// policyTimeout is how long a policy may take to come: it is the one body that may be large.
const policyTimeout = 10 * time.Second

// usesTimeout is how long it may take to keep uses, which nobody waits for.
const usesTimeout = 2 * time.Second

// leaveTimeout is how long giving a lease back may take: a process that stops waits for it.
const leaveTimeout = time.Second

// The media types of all bodies: of answers, and of problems.
const (
	jsonType    = "application/json"
	problemType = "application/problem+json"
)

// A Keeper is the directory's side of the protocol. *barrier.Keeper is one.
type Keeper interface {
	Ask(ctx context.Context, ask gate.Ask) (gate.Answer, error)
	Leave(ctx context.Context, who gate.Instance) error
	Facts(ctx context.Context, keys []portal.FactKey, confirmed bool) (gate.Found, error)
}
