package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
	"doorward/internal/problem"
	"doorward/internal/token"
)

// A ServerConfig makes a Server.
type ServerConfig struct {
	Keeper   Keeper
	Verifier *token.Verifier
	// Tokens reads client tokens for gates, from a database that has committed something
	// after the call began.
	Tokens func(context.Context) ([]directory.Token, error)
	// Policy reads what was promoted at a revision.
	Policy func(context.Context, portal.Revision) (directory.Promotion, error)
	// SharingKeys reads the keys for a shared cache. nil: there are none.
	SharingKeys func(context.Context) ([]gate.SharingKey, error)
	// Uses keeps uses of memberships, all or none (R16). nil: it cannot.
	Uses    func(context.Context, []portal.Use) error
	Log     *slog.Logger          // nil: none
	Metrics prometheus.Registerer // nil: none
}

// A Server answers gates. It wants a token of scope gate always, also on loopback.
type Server struct {
	keeper      Keeper
	sharingKeys func(context.Context) ([]gate.SharingKey, error)
	read        func(context.Context) ([]directory.Token, error)
	promoted    func(context.Context, portal.Revision) (directory.Promotion, error)
	used        func(context.Context, []portal.Use) error
	guard       *token.Guard
	log         *slog.Logger
	asks        *prometheus.CounterVec
}

// NewServer makes a Server.
func NewServer(c ServerConfig) *Server {
	if c.SharingKeys == nil {
		c.SharingKeys = func(context.Context) ([]gate.SharingKey, error) { return nil, nil }
	}
	if c.Uses == nil {
		c.Uses = func(context.Context, []portal.Use) error { return directory.ErrUnavailable }
	}
	return &Server{
		keeper: c.Keeper, used: c.Uses, sharingKeys: c.SharingKeys, read: c.Tokens, promoted: c.Policy, log: c.Log, asks: newServerMetrics(c.Metrics),
		guard: &token.Guard{Verifier: c.Verifier, Required: true, Log: c.Log},
	}
}

// Register mounts the addresses of the interface.
func (s *Server) Register(mux interface {
	Handle(pattern string, handler http.Handler)
}) {
	for _, c := range []call{
		{pathAsk, maxWait + gate.ReadTimeout, s.ask}, {pathLeave, leaveTimeout, s.leave}, {pathFacts, gate.ReadTimeout, s.facts},
		{pathTokens, gate.ReadTimeout, s.tokens}, {pathPolicy, policyTimeout, s.policy}, {pathSharing, gate.ReadTimeout, s.sharing},
		{pathUses, usesTimeout, s.uses},
	} {
		mux.Handle(http.MethodPost+" "+c.path, s.guard.Protect(token.Gate, s.handle(c)))
	}
}

// A call is one that gates make.
type call struct {
	path   string
	limit  time.Duration // after which its gate has given it up
	answer func(ctx context.Context, body []byte) ([]byte, error)
}

func (s *Server) handle(c call) http.Handler {
	return problem.Handle(s.log, func(w http.ResponseWriter, r *http.Request) error {
		if token.Limits(r.Context()) != nil {
			return &problem.Error{Code: problem.Forbidden, Detail: "This token is limited to some accounts or types. A gate serves all."}
		}
		body, err := readBody(w, r)
		if err != nil {
			return err
		}
		ctx, cancel, err := within(r.Context(), w, c.limit)
		if err != nil {
			return err
		}
		defer cancel()
		text, err := c.answer(ctx, body)
		if err != nil {
			return refusal(err)
		}
		if len(text) > maxBody {
			return fmt.Errorf("an answer of %d bytes, which no gate would take", len(text))
		}
		h := w.Header()
		h.Set("Content-Type", jsonType)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(text) // a gate that went away asks again
		return nil
	})
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if t := r.Header.Values("Content-Type"); len(t) != 1 || t[0] != jsonType {
		return nil, &problem.Error{Code: problem.WrongContentType}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, err
	}
	if err != nil {
		return nil, &problem.Error{Code: problem.UnreadableBody, Err: err}
	}
	return body, nil
}

func (s *Server) ask(ctx context.Context, body []byte) (text []byte, err error) {
	defer func() { s.asks.WithLabelValues(result(refusal(err))).Inc() }()
	ask, err := decodeAsk(body)
	if err != nil {
		return nil, err
	}
	ask.Wait = min(ask.Wait, maxWait)
	ctx, cancel := context.WithTimeout(ctx, ask.Wait+gate.ReadTimeout)
	defer cancel()
	answer, err := s.keeper.Ask(ctx, ask)
	if err != nil {
		return nil, err
	}
	return encodeAnswer(answer)
}

func (s *Server) leave(ctx context.Context, body []byte) ([]byte, error) {
	who, err := decodeLeave(body)
	if err != nil {
		return nil, err
	}
	if err := s.keeper.Leave(ctx, who); err != nil {
		return nil, err
	}
	return encodeLeft(who)
}

func (s *Server) facts(ctx context.Context, body []byte) ([]byte, error) {
	read, err := decodeRead(body)
	if err != nil {
		return nil, err
	}
	found, err := s.keeper.Facts(ctx, read.keys, read.confirmed)
	if err != nil {
		return nil, err
	}
	return encodeFound(read, found)
}

func (s *Server) tokens(ctx context.Context, body []byte) ([]byte, error) {
	call, err := decodeTokenCall(body)
	if err != nil {
		return nil, err
	}
	all, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	return encodeTokens(call, all)
}

// sending is how long an answer may take to be sent, once there is one.
const sending = 10 * time.Second

// within bounds a call by the time after which its gate has given it up, and lets the
// answer be written by then, whatever the server's own timeout is: a long poll is no slow
// client. The time for reading is over with the body, which net/http knows.
func within(ctx context.Context, w http.ResponseWriter, limit time.Duration) (context.Context, context.CancelFunc, error) {
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(limit + sending)); err != nil {
		return nil, nil, fmt.Errorf("let a call wait: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	return ctx, cancel, nil
}

// refusal gives an error its answer.
func refusal(err error) error {
	if f, ok := errors.AsType[*fault](err); ok {
		return &problem.Error{Code: problem.InvalidRequest, Detail: f.message, Pointer: f.pointer}
	}
	switch {
	case errors.Is(err, barrier.ErrTerm):
		return &problem.Error{Code: problem.InvalidRequest, Detail: err.Error(), Pointer: "/term_ns"}
	case errors.Is(err, barrier.ErrUnconfirmed):
		return &problem.Error{Code: problem.DirectoryUnavailable, Detail: "Nothing proves that the database can still commit.", Err: err}
	}
	return err
}
