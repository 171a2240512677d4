package watch

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"doorward/internal/authzen"
	"doorward/internal/decision"
	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/internal/portal"
)

// anna holds billing in every account.
type anna struct{}

func (anna) Read(context.Context, portal.FactKey) (portal.Facts, portal.Position, error) {
	return portal.Facts{
		Account: portal.AccountFacts{Status: portal.AccountActive},
		User:    portal.UserFacts{Status: portal.UserActive},
		Membership: portal.MembershipFacts{
			State: portal.MembershipActive, Grant: &portal.Grant{Presets: []string{"billing"}},
		},
	}, portal.Position{Revision: 1}, nil
}

func (a anna) ReadAll(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all := make([]portal.Facts, len(keys))
	var at portal.Position
	for i, key := range keys {
		all[i], at, _ = a.Read(ctx, key)
	}
	return all, at, nil
}

// The questions, of which each policy allows two and the other the other two.
var flipping = []string{"invoice.list", "paymethod.list", "ticket.list", "service.list"}

// single is the request that asks one question about anna, and batch the one that asks
// all of them, four times each.
func single(action string) (path, body string) {
	return authzen.EvaluationPath, `{"subject":{"type":"user","id":"anna"},"action":{"name":"` + action + `"},"resource":{"type":"account","id":"42"}}`
}

func batch() (path, body string) {
	var items []string
	for range 4 {
		for _, action := range flipping {
			items = append(items, `{"action":{"name":"`+action+`"}}`)
		}
	}
	return authzen.EvaluationsPath, `{"subject":{"type":"user","id":"anna"},"resource":{"type":"account","id":"42"},"evaluations":[` + strings.Join(items, ",") + `]}`
}

// answered is what came back: the policy it names, and the whole body.
type answered struct{ policy, body string }

func ask(h http.Handler, path, body string) (answered, error) {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return answered{}, fmt.Errorf("%s: %d %s", path, w.Code, w.Body)
	}
	return answered{w.Header().Get("Doorward-Policy"), w.Body.String()}, nil
}

// handler serves a decider as a server does.
func handler(d *decision.Decider) http.Handler {
	mux := http.NewServeMux()
	(&authzen.Handler{Decider: d}).Register(mux)
	return mux
}

// expected is what a policy answers to each request, asked by itself.
func expected(t *testing.T, p *policy.Policy) map[string]answered {
	t.Helper()
	h, all := handler(decision.New(p, anna{}, decision.Options{Timeout: time.Minute})), map[string]answered{}
	for _, request := range requests() {
		got, err := ask(h, request[0], request[1])
		must(t, err)
		all[request[1]] = got
	}
	return all
}

// requests are the batch and the single questions, as path and body.
func requests() [][2]string {
	path, body := batch()
	all := [][2]string{{path, body}}
	for _, action := range flipping {
		path, body := single(action)
		all = append(all, [2]string{path, body})
	}
	return all
}

// An asker asks until it is stopped, and counts the answers by the policy they name.
type asker struct {
	h       http.Handler
	want    map[string]map[string]answered // by the policy's name, by the request
	batches map[string]*atomic.Int64       // whole ones
	singles map[string]*atomic.Int64
	stopped atomic.Bool
}

func (a *asker) run() error {
	for i := 0; !a.stopped.Load(); i++ {
		all := requests()
		for _, request := range [][2]string{all[0], all[1+i%len(flipping)]} {
			got, err := ask(a.h, request[0], request[1])
			if err != nil {
				return err
			}
			if want, known := a.want[got.policy][request[1]]; !known || got != want {
				return fmt.Errorf("%s under %q answered %s", request[1], got.policy, got.body)
			}
			if request == all[0] {
				a.batches[got.policy].Add(1)
			} else {
				a.singles[got.policy].Add(1)
			}
			runtime.Gosched() // else a reload waits for its turn longer than it takes
		}
	}
	return nil
}

// await waits until another batch and another single question were answered by the
// policy of that name.
func (a *asker) await(t *testing.T, name string) {
	t.Helper()
	for _, counter := range []*atomic.Int64{a.batches[name], a.singles[name]} {
		for before := counter.Load(); counter.Load() == before; runtime.Gosched() {
			if t.Failed() {
				t.FailNow()
			}
		}
	}
}

// apart makes two policies of the folder that differ in what billing holds, and in what
// the rules say of one and the same input.
func apart(t *testing.T, folder string) (first, second *policy.Policy) {
	t.Helper()
	file, guardrails := filepath.Join(folder, presets), filepath.Join(folder, "rules", "guardrails.rego")
	must(t, os.WriteFile(file, replaced(t, file, "p, billing, invoices, allow", "p, billing, invoices, allow\np, billing, tickets, allow"), 0o600))
	load := func(forbids, holds string) *policy.Policy {
		rule := "\n\nguardrail contains \"not_now\" if input.action.name == \"" + forbids + "\"\n\n# Invariant 7"
		rules, lines := replaced(t, guardrails, "\n# Invariant 7", rule), replaced(t, file, "p, billing, payment_methods, allow", "p, billing, "+holds+", allow")
		p, err := quickly(policy.Read(over{os.DirFS(folder), fstest.MapFS{"rules/guardrails.rego": {Data: rules}, presets: {Data: lines}}}))
		must(t, err)
		return p
	}
	return load("ticket.list", "payment_methods"), load("invoice.list", "products")
}

// over is a folder with some files replaced.
type over struct {
	fs.FS
	files fstest.MapFS
}

func (o over) Open(name string) (fs.File, error) {
	if o.files[name] != nil {
		return o.files.Open(name)
	}
	return o.FS.Open(name)
}

// Two thousand policies are put in force while questions are asked over HTTP, one at
// a time and in batches; and as many are refused between them. Two policies by turns
// differ in all that is asked. No request fails, and every answer, batches whole, is
// that of the policy it names, byte for byte.
func TestTwoThousandReloadsUnderQuestions(t *testing.T) {
	const reloads = 2000
	folder := filepath.Join(t.TempDir(), "p")
	copyTo(t, folder)
	first, second := apart(t, folder)
	d := decision.New(first, anna{}, decision.Options{Timeout: time.Minute})
	k := New(folder, policy.Source{}, first, Options{Use: d.Use, Log: slog.New(slog.DiscardHandler)})
	a := &asker{h: handler(d), want: map[string]map[string]answered{}, batches: map[string]*atomic.Int64{}, singles: map[string]*atomic.Int64{}}
	for _, p := range []*policy.Policy{first, second} {
		all := expected(t, p)
		name := all[requests()[0][1]].policy
		a.want[name], a.batches[name], a.singles[name] = all, new(atomic.Int64), new(atomic.Int64)
	}
	for _, request := range requests() {
		if a.want[first.Digest][request[1]].body == a.want[second.Digest][request[1]].body {
			t.Fatalf("both policies answer %s alike", request[1])
		}
	}

	var asking sync.WaitGroup
	for range 3 {
		asking.Go(func() {
			if err := a.run(); err != nil {
				t.Error(err)
			}
		})
	}
	defer asking.Wait()
	defer a.stopped.Store(true)
	for i := range reloads {
		k.load = func(policy.Source) (*policy.Policy, error) {
			return nil, fault.List{{File: presets, Line: 1, Message: "is wrong"}}
		}
		k.judge(t.Context(), policy.Source{})
		if !k.State().Stale {
			t.Fatalf("reload %d: a policy that does not load is not told of", i)
		}
		next := []*policy.Policy{second, first}[i%2]
		k.load = func(policy.Source) (*policy.Policy, error) { return next, nil }
		k.judge(t.Context(), policy.Source{})
		a.await(t, next.Digest)
	}
	for name := range a.want {
		if b, s := a.batches[name].Load(), a.singles[name].Load(); b < reloads/2 || s < reloads/2 {
			t.Errorf("policy %s: %d batches and %d single questions, want %d of each at least", name, b, s, reloads/2)
		} else {
			t.Logf("policy %s: %d batches, %d single questions", name, b, s)
		}
	}
}
