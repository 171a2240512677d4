package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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
	"doorward/internal/facts"
	"doorward/internal/fault"
	"doorward/internal/importer"
	"doorward/internal/manage"
	"doorward/internal/policy"
	"doorward/internal/policy/watch"
	"doorward/internal/problem"
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

// A Service is the whole of Doorward without its listeners.
type Service struct {
	Store   Directory
	Policy  *policy.Policy // the one it started with
	Handler http.Handler
	health  *health
	keeper  *watch.Keeper // nil with the built-in policy, which does not change
}

// Build opens the directory and the policy and puts everything together. The
// caller closes the Service.
func Build(ctx context.Context, c config.Config, o Options) (*Service, error) {
	source, p, err := readPolicy(c.Policies, toServe(c.Policies, o))
	if err != nil {
		return nil, err
	}
	if err := refuseFailing(ctx, c, source); err != nil {
		return nil, err
	}
	store, err := OpenDirectory(ctx, c, o.Log, o.MustExist)
	if err != nil {
		return nil, err
	}
	// Every process that has this directory open reads the others' page tokens.
	pager, err := authzen.NewPager(store.Salt())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare page tokens: %w", err), store.Close())
	}
	reg := newRegistry(o.Version)
	cache := facts.NewCache(store, facts.Options{MaxEntries: c.Facts.MaxEntries, Registerer: reg})
	decider := decision.New(p, cache, decision.Options{Timeout: c.Decision.Timeout, Registerer: reg})
	digest := func() string { return decider.Policy().Digest }
	reg.MustRegister(newPolicyInfo(digest))
	s := &Service{Store: store, Policy: p, health: &health{log: o.Log, version: o.Version, policy: digest, head: store.Head}}
	if c.Policies != "" {
		s.follow(watch.New(c.Policies, source, p, watch.Options{
			Use: decider.Use, Log: o.Log, Registerer: reg, Tables: failingTables(c), RefuseFailing: refuses(c),
		}))
	}
	guard := &token.Guard{Verifier: token.NewVerifier(store), Required: c.Auth.Mode == config.AuthToken, Log: o.Log}
	mux := http.NewServeMux()
	s.health.register(mux)
	mux.Handle("GET /metrics", guard.Protect(token.Decide, promhttp.HandlerFor(reg, promhttp.HandlerOpts{})))
	mountDecisions(mux, guard, &authzen.Handler{
		Decider: decider, Explainer: explain.New(decider, explain.Options{Registerer: reg}),
		Searcher: &search.Searcher{Directory: store, Decider: decider}, Pager: pager, Limits: token.Limits, Log: o.Log,
	})
	mountRecords(mux, guard, &manage.Handler{
		Store: store, Salt: store.Salt(), Words: func() importer.Words { return Words(decider.Policy()) }, Metrics: manage.NewMetrics(reg), Log: o.Log,
	})
	authzen.Metadata{PublicURL: c.PublicURL}.Register(mux)
	mux.Handle(anything, problem.Handle(o.Log, fallback(mux)))

	s.Handler = around(mux, reg, o.Log)
	return s, nil
}

// follow has the policy of a folder kept in force, and the health told of it.
func (s *Service) follow(k *watch.Keeper) {
	s.keeper, s.health.folder, s.health.failing = k, k.State, k.Failing
}

// around puts around the mux what concerns every request.
func around(mux *http.ServeMux, reg prometheus.Registerer, log *slog.Logger) http.Handler {
	failed := problem.Handle(nil, func(http.ResponseWriter, *http.Request) error { return errPanicked })
	nowhere := problem.Handle(log, func(http.ResponseWriter, *http.Request) error { return &problem.Error{Code: problem.NotFound} })
	return authzen.EchoRequestID(newTraffic(log, reg, failed).watch(refuseDots(mux, nowhere)))
}

// errPanicked is logged where the panic is; here it only picks the answer.
var errPanicked = errors.New("panicked")

// Close closes the directory.
func (s *Service) Close() error {
	if err := s.Store.Close(); err != nil {
		return fmt.Errorf("close directory: %w", err)
	}
	return nil
}
