package wire

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"doorward/internal/portal"
)

// A writer writes one JSON text. It is good if err is nil: text that is not UTF-8 is not
// repaired, because an id would become somebody else's.
type writer struct {
	b   []byte
	err error
}

// written returns the object with the members that fields writes.
func written(fields func(*writer)) ([]byte, error) {
	w := &writer{}
	w.braces(fields)
	return w.b, w.err
}

// next begins a member or an item. Only what opens an object or a list ends with its
// bracket: strings end with a quote.
func (w *writer) next() {
	if n := len(w.b); n > 0 && w.b[n-1] != '{' && w.b[n-1] != '[' {
		w.b = append(w.b, ',')
	}
}

func (w *writer) name(name string) {
	w.next()
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

func (w *writer) quote(s string) {
	b, err := jsontext.AppendQuote(w.b, s)
	if err != nil {
		w.err = err
		return
	}
	w.b = b
}

func (w *writer) braces(fields func(*writer)) {
	w.b = append(w.b, '{')
	fields(w)
	w.b = append(w.b, '}')
}

func (w *writer) text(name, s string) {
	w.name(name)
	w.quote(s)
}

func (w *writer) number(name string, n uint64) {
	w.name(name)
	w.b = strconv.AppendUint(w.b, n, 10)
}

func (w *writer) flag(name string, is bool) {
	w.name(name)
	w.b = strconv.AppendBool(w.b, is)
}

func (w *writer) duration(name string, d time.Duration) {
	w.name(name)
	w.b = strconv.AppendInt(w.b, int64(d), 10)
}

// moment writes microseconds since 1970; null for the zero time.
func (w *writer) moment(name string, t time.Time) {
	w.name(name)
	if t.IsZero() {
		w.b = append(w.b, "null"...)
		return
	}
	w.b = strconv.AppendInt(w.b, t.UnixMicro(), 10)
}

// object writes null when there is nothing.
func (w *writer) object(name string, there bool, fields func(*writer)) {
	w.name(name)
	if !there {
		w.b = append(w.b, "null"...)
		return
	}
	w.braces(fields)
}

func (w *writer) list(name string, n int, item func(i int)) {
	w.name(name)
	w.b = append(w.b, '[')
	for i := range n {
		w.next()
		item(i)
	}
	w.b = append(w.b, ']')
}

func (w *writer) texts(name string, all []string) {
	w.list(name, len(all), func(i int) { w.quote(all[i]) })
}

// pair writes a ref as a list of its type and its id.
func (w *writer) pair(r portal.Ref) {
	w.b = append(w.b, '[')
	w.quote(r.Type)
	w.b = append(w.b, ',')
	w.quote(r.ID)
	w.b = append(w.b, ']')
}

func (w *writer) refs(name string, all []portal.Ref) {
	w.list(name, len(all), func(i int) { w.pair(all[i]) })
}
