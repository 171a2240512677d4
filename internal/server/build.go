package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"doorward/internal/authzen"
	"doorward/internal/config"
	"doorward/internal/decision"
	"doorward/internal/explain"
	"doorward/internal/fault"
	"doorward/internal/importer"
	"doorward/internal/manage"
	"doorward/internal/policy"
	"doorward/internal/policy/bundle"
	"doorward/internal/policy/watch"
	"doorward/internal/problem"
	"doorward/internal/promotion"
	"doorward/internal/search"
	"doorward/internal/token"
	"doorward/policies"
)

// LoadPolicy loads the policy folder, or the one built in when folder is "". Its
// error is a fault.List when the folder is there but not sound. Invariants are taken as
// held.
func LoadPolicy(folder string) (*policy.Policy, error) {
	_, p, err := readPolicy(folder, policy.Source.Load)
	return p, err
}

// readPolicy is LoadPolicy, as load does it, that also returns what was loaded.
func readPolicy(folder string, load func(policy.Source) (*policy.Policy, error)) (policy.Source, *policy.Policy, error) {
	fsys, err := OpenPolicy(folder)
	if err != nil {
		return policy.Source{}, nil, err
	}
	source := policy.Read(fsys)
	p, err := load(source)
	return source, p, Below(folder, err)
}

// toServe is how a policy is loaded to be put in force. The invariants of the one built
// in are held by this program's own tests.
func toServe(folder string, o Options) func(policy.Source) (*policy.Policy, error) {
	if folder == "" || o.Once {
		return policy.Source.Load
	}
	return policy.Source.LoadChecked
}

// Words are what imports may speak of.
func Words(p *policy.Policy) importer.Words {
	return importer.Words{Catalogue: p.Catalogue, Presets: p.Presets, InviteTTL: p.Provider.InviteTTL()}
}

// OpenPolicy opens the policy folder, or the one built in when folder is "".
func OpenPolicy(folder string) (fs.FS, error) {
	if folder == "" {
		return policies.FS, nil
	}
	info, err := os.Stat(folder)
	if err != nil {
		return nil, fmt.Errorf("open policy folder: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open policy folder: %s is no folder", folder)
	}
	return os.DirFS(folder), nil
}

// Below names the files of faults in err as they are named outside the folder, so
// that an editor finds them. Any other err is returned as it is.
func Below(folder string, err error) error {
	faults, ok := errors.AsType[fault.List](err)
	if !ok {
		return err
	}
	named := slices.Clone(faults)
	for i := range named {
		named[i].File = filepath.Join(folder, named[i].File)
	}
	return named.Err()
}

// A Service is the whole of one of Doorward's processes, without its listeners.
type Service struct {
	Store   Directory      // nil in a sidecar
	Policy  *policy.Policy // the one it started with
	Handler http.Handler
	gates   http.Handler // answers sidecars; nil but in a directory
	health  *health
	keeper  *watch.Keeper // nil with the built-in policy, which does not change
	loops   []func(context.Context)
	opened  []func() error // closes what was opened, in that order
}

// Build opens what a process of the role needs and puts everything together. The caller
// closes the Service.
func Build(ctx context.Context, c config.Config, o Options) (*Service, error) {
	source, p, err := readPolicy(c.Policies, toServe(c.Policies, o))
	if err != nil {
		return nil, err
	}
	if err := refuseFailing(ctx, c, source); err != nil {
		return nil, err
	}
	reg := newRegistry(o.Version)
	b := &builder{
		Service: &Service{Policy: p, health: &health{log: o.Log, version: o.Version}},
		c:       c, o: o, source: source, reg: reg, traffic: newTraffic(o.Log, reg, problem.Handle(nil, panicked)),
	}
	if b.keys, err = bundle.ReadKeys(c.Policy.VerificationKeys...); err != nil {
		return nil, fmt.Errorf("read policy.verification_keys: %w", err)
	}
	switch o.Role {
	case config.DirectoryProcess:
		err = b.directory(ctx)
	case config.Sidecar:
		err = b.sidecar()
	default:
		err = b.serve(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b.Service, nil
}

// A builder has what all processes begin with.
type builder struct {
	*Service
	c        config.Config
	o        Options
	source   policy.Source
	reg      *prometheus.Registry
	traffic  *traffic
	decider  *decision.Decider
	guard    *token.Guard
	keys     bundle.Keys         // that promoted policies may be signed with
	record   decision.Recorder   // nil: nothing is kept of decisions
	note     decision.Noter      // nil: nobody hears of uses of memberships
	promoted *promotion.Follower // nil: none are promoted to this process
}

// open opens the directory.
func (b *builder) open(ctx context.Context) error {
	store, err := OpenDirectory(ctx, b.c, b.o.Log, b.o.MustExist)
	if err != nil {
		return err
	}
	b.Store = store
	b.opened = append(b.opened, store.Close)
	return nil
}

// judge makes what questions are judged with: on these facts, by the policy of the
// folder, which is followed, for clients with these tokens.
func (b *builder) judge(f decision.Facts, tokens token.Source) {
	b.decider = decision.New(b.Policy, f, decision.Options{Timeout: b.c.Decision.Timeout, Registerer: b.reg, Record: b.record, Note: b.note})
	b.health.policy = func() string { return b.decider.Policy().Digest }
	b.reg.MustRegister(newPolicyInfo(b.health.policy))
	b.guard = &token.Guard{Verifier: token.NewVerifier(tokens), Required: b.c.Auth.Mode == config.AuthToken, Log: b.o.Log}
	use := b.decider.Use
	if b.promoted != nil {
		b.promoted.Begin(b.decider)
		use = b.promoted.Own
	}
	if b.c.Policies != "" {
		k := watch.New(b.c.Policies, b.source, b.Policy, watch.Options{
			Use: use, Log: b.o.Log, Registerer: b.reg, Tables: failingTables(b.c), RefuseFailing: refuses(b.c),
		})
		b.keeper, b.health.folder, b.health.failing = k, k.State, k.Failing
	}
}

// answers makes the handler of questions.
func (b *builder) answers() *authzen.Handler {
	return &authzen.Handler{
		Decider: b.decider, Explainer: explain.New(b.decider, explain.Options{Registerer: b.reg}), Limits: token.Limits, Log: b.o.Log,
		Admit: func(next http.Handler) http.Handler { return b.guard.Protect(token.Explain, next) },
	}
}

// searching makes h search the directory. Every process that has it open reads the
// others' page tokens.
func (b *builder) searching(h *authzen.Handler) error {
	pager, err := authzen.NewPager(b.Store.Salt())
	if err != nil {
		return fmt.Errorf("prepare page tokens: %w", err)
	}
	h.Pager, h.Searcher = pager, &search.Searcher{Directory: b.Store, Decider: decision.Unrecorded{Decider: b.decider}}
	return nil
}

// records makes the handler of records. Changes wait for the gates, if there are any.
func (b *builder) records(gates manage.Gates) *manage.Handler {
	return &manage.Handler{
		Store: b.Store, Salt: b.Store.Salt(), Words: b.words,
		Metrics: manage.NewMetrics(b.reg), Gates: gates, LastUse: b.Store.LastUse, Log: b.o.Log,
	}
}

// words are what records may speak of: those of the policy in force.
func (b *builder) words() importer.Words { return Words(b.decider.Policy()) }

// newMux makes a mux with the probes and the metrics. finish ends it.
func (b *builder) newMux() *http.ServeMux {
	mux := http.NewServeMux()
	b.health.register(mux)
	mux.Handle("GET /metrics", b.guard.Protect(token.Decide, promhttp.HandlerFor(b.reg, promhttp.HandlerOpts{})))
	return mux
}

// finish adds what answers for everything else, and puts around the mux what concerns
// every request.
func (b *builder) finish(mux *http.ServeMux) http.Handler {
	mux.Handle(anything, problem.Handle(b.o.Log, fallback(mux)))
	nowhere := problem.Handle(b.o.Log, func(http.ResponseWriter, *http.Request) error { return &problem.Error{Code: problem.NotFound} })
	return authzen.EchoRequestID(b.traffic.watch(refuseDots(mux, nowhere)))
}

func panicked(http.ResponseWriter, *http.Request) error { return errPanicked }

// errPanicked is logged where the panic is; here it only picks the answer.
var errPanicked = errors.New("panicked")

// Close closes what was opened, the last first.
func (s *Service) Close() error {
	var failed []error
	for _, closed := range slices.Backward(s.opened) {
		failed = append(failed, closed())
	}
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("close what was opened: %w", err)
	}
	return nil
}
