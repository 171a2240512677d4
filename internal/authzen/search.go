package authzen

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/portal"
	"doorward/internal/problem"
	"doorward/internal/search"
)

// The paths of searches (section 10.1).
const (
	SearchSubjectPath  = "/access/v1/search/subject"
	SearchResourcePath = "/access/v1/search/resource"
	SearchActionPath   = "/access/v1/search/action"
)

// A Searcher finds pages of what is allowed.
type Searcher interface {
	Find(context.Context, search.Query) (search.Page, error)
}

// Bounds of a page. Of actions all of a catalogue come at once, unless asked for less.
const (
	maxFound   = 100
	maxResults = 1000
)

// most is how many results a page of a search has at most, and without a limit.
func most(kind search.Kind) int {
	if kind == search.Actions {
		return maxResults
	}
	return maxFound
}

// kinds are what is searched for at each path.
var kinds = map[string]search.Kind{
	SearchSubjectPath: search.Subjects, SearchResourcePath: search.Resources, SearchActionPath: search.Actions,
}

// SearchPaths are the paths of searches.
func SearchPaths() []string { return slices.Sorted(maps.Keys(kinds)) }

// RegisterSearch adds the search endpoints to mux, for every method.
func (h *Handler) RegisterSearch(mux Mux) {
	for path, kind := range kinds {
		find := func(w http.ResponseWriter, r *http.Request, body ijson.Value) error {
			return h.search(w, r, kind, body)
		}
		mux.Handle(path, h.orExplained(problem.Handle(h.Log, h.endpoint(find)), problem.Handle(h.Log, oneAtATime)))
	}
}

// search answers a search.
func (h *Handler) search(w http.ResponseWriter, r *http.Request, kind search.Kind, body ijson.Value) error {
	question, err := frame{own: body, index: topLevel}.searched(kind)
	if err != nil {
		return err
	}
	limits := h.limits(r)
	if kind != search.Resources { // resources beyond the limits are left out instead
		if err := admit(limits, question); err != nil {
			return err
		}
	}
	name := digest(kind, question)
	wanted, err := h.readPage(body, kind, name)
	if err != nil {
		return err
	}
	page, err := h.Searcher.Find(r.Context(), search.Query{
		Kind: kind, Question: question, Limits: limits, After: wanted.after, Limit: wanted.limit,
	})
	if err != nil {
		return err
	}
	var next string
	if page.More {
		next = h.Pager.write(name, bookmark{after: page.Next, limit: wanted.limit})
	}
	buffer := buffers.Get().(*[]byte)
	defer release(buffer)
	*buffer = append((*buffer)[:0], '{')
	if wanted.asked || page.More {
		*buffer = appendPage(*buffer, next, len(page.Found))
	}
	*buffer = appendFound(*buffer, question, kind, page.Found)
	h.reply(w, page.Basis, *buffer)
	return nil
}

// searched reads the question of a search. Of what is searched for only the type
// counts: its id and properties are ignored (c-4-2-3, c-4-3-3), and an action is not
// looked at where actions are searched for.
func (f frame) searched(kind search.Kind) (q decision.Question, err error) {
	given := map[bool]func(string) (decision.Entity, error){true: f.typed, false: f.entity}
	if q.Subject, err = given[kind == search.Subjects]("subject"); err != nil {
		return q, err
	}
	if kind != search.Actions {
		if q.Action, err = f.action(); err != nil {
			return q, err
		}
	}
	if q.Resource, err = given[kind == search.Resources]("resource"); err != nil {
		return q, err
	}
	q.Context, err = f.context()
	return q, err
}

// typed reads the type of an entity that is searched for.
func (f frame) typed(member string) (decision.Entity, error) {
	v, at := f.find(member)
	if v.Kind() != ijson.Object {
		return decision.Entity{}, at.mistyped(v, "", "an object with type")
	}
	typ, err := at.name(v, "type")
	return decision.Entity{Ref: portal.Ref{Type: typ}}, err
}

// A wanted page is a bookmark, and whether pages were asked for at all.
type wantedPage struct {
	bookmark
	asked bool
}

// readPage reads what page of a search is wanted (section 8.2). The limit may be left
// out where there is a token; else it must be the one of the first page.
func (h *Handler) readPage(body ijson.Value, kind search.Kind, name [32]byte) (wantedPage, error) {
	v, err := place{index: topLevel}.object(body, "page")
	if err != nil {
		return wantedPage{}, err
	}
	at := place{topLevel, "page"}
	limit, given, err := readLimit(v, at, most(kind))
	wanted := wantedPage{bookmark: bookmark{limit: limit}, asked: v.Kind() == ijson.Object}
	if err != nil {
		return wantedPage{}, err
	}
	switch token := v.Get("token"); token.Kind() {
	case ijson.Absent, ijson.Null:
		return wanted, nil
	case ijson.String:
		wanted.bookmark, err = h.Pager.read(name, token.Text())
	default:
		return wantedPage{}, at.mistyped(token, "token", "a string")
	}
	switch {
	case err != nil:
		return wantedPage{}, at.fault("token", "is not one that this search was answered with")
	case given && limit != wanted.limit:
		return wantedPage{}, at.fault("limit", "must stay as it was on the page before")
	}
	return wanted, nil
}

// readLimit reads page.limit: a number of digits, for a fraction is no number of
// results. More than a page can have is as good as all it can have.
func readLimit(page ijson.Value, at place, most int) (limit int, given bool, err error) {
	v := page.Get("limit")
	switch v.Kind() {
	case ijson.Absent, ijson.Null:
		return most, false, nil
	case ijson.Number:
	default:
		return 0, false, at.mistyped(v, "limit", "an integer")
	}
	for _, c := range []byte(v.Text()) {
		if c < '0' || '9' < c {
			return 0, false, at.fault("limit", "must be an integer, 0 or more")
		}
	}
	n, err := strconv.Atoi(v.Text())
	if err != nil || n > most { // digits alone fail only by being too many
		n = most
	}
	return n, true, nil
}

// appendPage appends the first member of an answer: where it goes on (section 8.2).
func appendPage(b []byte, next string, count int) []byte {
	b = appendString(append(b, `"page":{"next_token":`...), next)
	b = strconv.AppendInt(append(b, `,"count":`...), int64(count), 10)
	return append(b, `},`...)
}

// appendFound appends results and the end of the answer: entities by type and id,
// actions by name, and nothing more.
func appendFound(b []byte, q decision.Question, kind search.Kind, found []string) []byte {
	typ := q.Subject.Type
	if kind == search.Resources {
		typ = q.Resource.Type
	}
	b = append(b, `"results":[`...)
	for i, id := range found {
		if i > 0 {
			b = append(b, ',')
		}
		if kind == search.Actions {
			b = appendString(append(b, `{"name":`...), id)
		} else {
			b = appendString(append(b, `{"type":`...), typ)
			b = appendString(append(b, `,"id":`...), id)
		}
		b = append(b, '}')
	}
	return append(b, `]}`...)
}
