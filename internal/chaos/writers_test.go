package chaos

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

const (
	placesOfWriter = 6
	thinking       = 60 * time.Millisecond // at most, between calls
	retryPause     = 50 * time.Millisecond
)

// write gives and takes memberships away, until ctx ends and what is begun is enforced.
func (s *scene) write(ctx context.Context) {
	places := make([]*place, placesOfWriter)
	for i := range places {
		places[i] = s.newPlace()
	}
	for ctx.Err() == nil {
		i := rand.IntN(len(places))
		if places[i] == nil {
			s.violate(healthy, "no user is left")
			return
		}
		if !s.round(ctx, places[i]) {
			places[i] = s.newPlace()
		}
	}
}

// round gives a membership and takes it away. Of what is not clear it tells: that place is
// not written any more.
func (s *scene) round(ctx context.Context, p *place) (clear bool) {
	if !s.grant(p) {
		return false
	}
	s.burst(context.WithoutCancel(ctx), p, bounded, strict)
	if !p.granted() {
		return true
	}
	pause(ctx, rand.N(thinking))
	enforced, clear := s.remove(p)
	if enforced {
		s.burst(context.WithoutCancel(ctx), p, bounded, strict, anyForm())
	}
	pause(ctx, rand.N(thinking))
	return enforced && clear
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

const (
	granted = `{"state":"active","presets":["billing"]}`
	removed = `{"state":"removed"}`
)

// grant gives a membership, with one call. When its answer is lost, it is not known whether
// the change was made, or may still be.
func (s *scene) grant(p *place) (clear bool) {
	p.begin(true, s.now())
	r := s.call(rand.IntN(directories), http.MethodPut, p.path(), granted)
	switch {
	case r.Enforced != nil:
		p.end(s.now(), true)
	case r.made():
		p.end(never, true)
	case r.notMade():
		p.undo()
		s.counts.add(refused, 1)
		pause(context.Background(), retryPause)
		return true
	default:
		p.end(never, false)
		s.counts.add(unclear, 1)
		pause(context.Background(), retryPause)
		return false
	}
	s.counts.add(acked, 1)
	return true
}

func (p *place) path() string { return "/v1/accounts/" + p.account + "/memberships/" + p.user }

// remove takes a membership away, and calls again until that is enforced: to do so twice
// does no harm. clear tells that no call is left that may still be under way.
func (s *scene) remove(p *place) (enforced, clear bool) {
	sent, method, path, body := s.now(), http.MethodPut, p.path(), removed
	p.begin(false, sent)
	clear = true
	for n := rand.IntN(directories); s.now()-sent < removeWait; n++ {
		r := s.call(n%directories, method, path, body)
		switch {
		case r.status == http.StatusAccepted:
			s.counts.add(pending, 1)
			method, path, body = http.MethodGet, r.location, ""
		case r.Enforced != nil:
			at := s.now()
			p.end(at, true)
			s.enforced(sent, at, r)
			return true, clear
		case r.status == http.StatusNotFound && method == http.MethodGet:
			s.violate(durable, "%s: an acknowledged removal is gone: %s", p.path(), r.body)
			method, path, body = http.MethodPut, p.path(), removed
		default:
			s.counts.add(refused, 1)
			if !r.made() && !r.notMade() {
				s.counts.add(unclear, 1)
				clear = false
			}
			pause(context.Background(), retryPause)
		}
	}
	s.violate(recovery, "%s: a removal is not enforced after %v", p.path(), removeWait)
	p.end(never, false)
	return false, false
}

// enforced counts a removal.
func (s *scene) enforced(sent, at moment, r result) {
	s.counts.add(acked, 1)
	s.counts.add(removals, 1)
	if r.Enforced.WaitedFor > 0 {
		s.counts.add(byWaiting, 1)
	} else if r.Enforced.Left == 0 {
		s.counts.add(byAck, 1)
	}
	s.counts.took(at-sent, s.faulty(sent, at))
}

// A result is what a directory answered; status 0: nothing.
type result struct {
	status         int
	body, location string
	Enforced       *struct {
		Gates, Acknowledged, Left int
		WaitedFor                 int `json:"waited_for"`
	}
}

// odd tells whether a directory should never have answered so. It may say with 500 that it
// does not know whether a change was made.
func (r result) odd(method string) bool {
	switch {
	case r.status < http.StatusBadRequest, r.status == http.StatusServiceUnavailable:
		return false
	case r.status == http.StatusInternalServerError:
		return !strings.Contains(r.body, "outcome_unknown")
	}
	return method != http.MethodGet || r.status != http.StatusNotFound
}

// made tells whether a directory says that it made a change, notMade that it did not; if
// neither, it may have, or may still.
func (r result) made() bool {
	return r.status >= http.StatusOK && r.status < http.StatusMultipleChoices || strings.Contains(r.body, "The change was made.")
}

func (r result) notMade() bool { return strings.Contains(r.body, "Nothing was changed.") }

// call calls a directory.
func (s *scene) call(directory int, method, path, body string) (r result) {
	request, err := http.NewRequest(method, "http://"+s.directories[directory].address+path, strings.NewReader(body))
	if err != nil {
		s.violate(healthy, "%v", err)
		return r
	}
	request.Header.Set("Authorization", "Bearer "+s.manager)
	request.Header.Set("Content-Type", "application/json")
	response, err := s.managing.Do(request)
	if err != nil {
		return r
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode == http.StatusOK && json.Unmarshal(text, &r) != nil {
		return result{} // it was killed in the middle
	}
	r.status, r.body, r.location = response.StatusCode, string(text), response.Header.Get("Location")
	switch {
	case r.status == http.StatusCreated:
		_ = json.Unmarshal(text, &r) // the answer is whole
	case r.odd(method):
		s.violate(healthy, "%s answered %s to %s %s: %s", s.directories[directory].name, response.Status, method, path, text)
	}
	if at := response.Header.Get("Doorward-Revision"); at != "" && r.status < http.StatusMultipleChoices {
		s.mu.Lock()
		s.witness = at
		s.mu.Unlock()
	}
	return r
}
