package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A form is a way to ask. All that are asked about need what the preset billing has.
type form struct {
	action    string
	sensitive bool
}

var (
	bounded = form{action: "invoice.view"}
	strict  = form{action: "paymethod.list"}
	kept    = form{action: "card.update", sensitive: true} // strict, and recorded
)

// form is drawn: one question in ten is sensitive, because those wait for the disk.
func anyForm() form {
	switch n := rand.IntN(10); {
	case n == 0:
		return kept
	case n < 5:
		return strict
	}
	return bounded
}

const readPause = 12 * time.Millisecond

// read asks a sidecar about anybody, until ctx ends.
func (s *scene) read(ctx context.Context, sidecar *process) {
	for again := time.NewTicker(readPause); ; {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
		one, other := s.somewhere(), s.somewhere()
		if rand.IntN(6) == 0 {
			s.askMany(ctx, sidecar, one, other)
		} else {
			s.ask(ctx, sidecar, anyForm(), one)
		}
	}
}

// burst asks every sidecar about a place at once.
func (s *scene) burst(ctx context.Context, p *place, forms ...form) {
	var asking sync.WaitGroup
	for _, sidecar := range s.sidecars {
		for _, f := range forms {
			asking.Go(func() { s.ask(ctx, sidecar, f, p) })
		}
	}
	asking.Wait()
}

// A verdict is a decision as AuthZEN has it.
type verdict struct {
	Decision *bool
	Context  struct{ Error *struct{ Status int } }
}

func question(f form, p *place) string {
	return fmt.Sprintf(`{"subject":{"type":"user","id":%q},"action":{"name":%q},"resource":{"type":"account","id":%q}}`, p.user, f.action, p.account)
}

// ask asks one question, and notes the answer.
func (s *scene) ask(ctx context.Context, sidecar *process, f form, p *place) {
	var v verdict
	begun := s.now()
	judged := s.post(ctx, sidecar, "/access/v1/evaluation", question(f, p), &v)
	if judged {
		s.note(p, answer{begun: begun, ended: s.now(), sidecar: sidecar.name}, v)
	}
	if judged && f.sensitive {
		s.counts.add(sensitive, 1)
		s.mu.Lock()
		s.given++
		s.mu.Unlock()
	}
}

// askMany asks about several places in one batch: each item is a question.
func (s *scene) askMany(ctx context.Context, sidecar *process, places ...*place) {
	var items []string
	for _, p := range places {
		items = append(items, question(bounded, p), question(strict, p))
	}
	var all struct{ Evaluations []verdict }
	begun := s.now()
	if !s.post(ctx, sidecar, "/access/v1/evaluations", `{"evaluations":[`+strings.Join(items, ",")+`]}`, &all) {
		return
	}
	if len(all.Evaluations) != len(items) {
		s.violate(healthy, "%s: %d answers to %d items", sidecar.name, len(all.Evaluations), len(items))
		return
	}
	s.counts.add(batches, 1)
	a := answer{begun: begun, ended: s.now(), sidecar: sidecar.name}
	for i, v := range all.Evaluations {
		s.note(places[i/2], a, v)
	}
}

// note notes what was judged, and counts what was not.
func (s *scene) note(p *place, a answer, v verdict) {
	switch {
	case v.Context.Error != nil && v.Context.Error.Status == http.StatusServiceUnavailable:
		s.counts.add(unjudged, 1)
		return
	case v.Context.Error != nil || v.Decision == nil:
		s.violate(healthy, "%s: an answer that is none: %+v", a.sidecar, v)
		return
	}
	a.allowed = *v.Decision
	p.answered(a)
	s.counts.add(questions, 1)
	if a.allowed {
		s.counts.add(allows, 1)
	} else {
		s.counts.add(refusals, 1)
	}
}

// post asks a sidecar. It tells whether there is an answer.
func (s *scene) post(ctx context.Context, sidecar *process, path, body string, into any) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+sidecar.address+path, strings.NewReader(body))
	if err != nil {
		s.violate(healthy, "%v", err)
		return false
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.asking.Do(request)
	if err != nil {
		s.counts.add(unanswered, 1)
		return false
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		if json.NewDecoder(response.Body).Decode(into) == nil {
			return true
		}
		s.counts.add(unanswered, 1) // it was killed in the middle
	case http.StatusServiceUnavailable:
		s.counts.add(unjudged, 1)
	default:
		s.violate(healthy, "%s answered %s to %s", sidecar.name, response.Status, body)
	}
	return false
}
