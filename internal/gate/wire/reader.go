package wire

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// A fault tells what is wrong in a body that is JSON, and where. Its text has nothing of
// what the sender chose, but quoted (S42).
type fault struct {
	pointer string // JSON pointer (RFC 6901)
	message string
}

func (f *fault) Error() string {
	if f.pointer == "" {
		return f.message
	}
	return f.pointer + ": " + f.message
}

// A reader reads one body. After the first fault it reads nothing but zeros.
type reader struct{ fault *fault }

// An object is one whose members are read. Every member that is asked for has to be
// there, and those that nobody asks for are ignored, but for requires: it names what a
// reader of the object must understand, and version 1 knows of nothing that it could name.
type object struct {
	v ijson.Value
	r *reader
}

// parse reads a body. Its error is an *ijson.Error or a *fault.
func parse(body []byte, fields func(object)) error {
	v, err := ijson.Parse(body)
	if err != nil {
		return err
	}
	r := &reader{}
	r.enter(v, fields)
	if r.fault != nil {
		return r.fault
	}
	return nil
}

func (r *reader) fail(message string) {
	if r.fault == nil {
		r.fault = &fault{message: message}
	}
}

// within reads what is at a name, so that a fault has its place.
func (r *reader) within(name string, read func()) {
	if r.fault != nil {
		return
	}
	read()
	if r.fault != nil {
		r.fault.pointer = "/" + name + r.fault.pointer
	}
}

func (r *reader) enter(v ijson.Value, fields func(object)) {
	switch requires := v.Get("requires"); {
	case requires.Kind() == ijson.Absent, requires.Kind() == ijson.Array && len(requires.Items()) == 0:
		fields(object{v, r})
	case requires.Kind() == ijson.Array:
		r.fail(fmt.Sprintf("requires understanding of %q, which this version lacks", requires.Items()[0].Text()))
	default:
		r.fail("requires is " + requires.Kind().String() + "; it must be an array")
	}
}

// expect tells whether a value is of a kind.
func (r *reader) expect(v ijson.Value, kind ijson.Kind) bool {
	if v.Kind() != kind {
		r.fail("is " + v.Kind().String() + "; it must be " + kind.String())
	}
	return r.fault == nil
}

// member reads a member of a kind.
func (o object) member(name string, kind ijson.Kind, read func(ijson.Value)) {
	v := o.v.Get(name)
	o.r.within(name, func() {
		if o.r.expect(v, kind) {
			read(v)
		}
	})
}

// text returns a copy: values share their whole body.
func (o object) text(name string) (s string) {
	o.member(name, ijson.String, func(v ijson.Value) { s = strings.Clone(v.Text()) })
	return s
}

// named reads a text that names something.
func (o object) named(name string) (s string) {
	o.member(name, ijson.String, func(v ijson.Value) { s = o.r.name(v) })
	return s
}

// maybe reads a text that names something, or is "".
func (o object) maybe(name string) (s string) {
	o.member(name, ijson.String, func(v ijson.Value) {
		if v.Text() != "" {
			s = o.r.name(v)
		}
	})
	return s
}

func (r *reader) name(v ijson.Value) string {
	if r.expect(v, ijson.String) && !portal.ValidName(v.Text()) {
		r.fail("must have 1 to 256 bytes and no control characters")
	}
	return strings.Clone(v.Text())
}

// oneOf reads a text from a closed list.
func oneOf[T ~string](o object, name string, all ...T) (s T) {
	o.member(name, ijson.String, func(v ijson.Value) {
		i := slices.Index(all, T(v.Text()))
		if i < 0 {
			o.r.fail("is not known to this version")
			return
		}
		s = all[i]
	})
	return s
}

func (o object) number(name string) (n uint64) {
	o.member(name, ijson.Number, func(v ijson.Value) { n = o.r.number(v) })
	return n
}

func (r *reader) number(v ijson.Value) uint64 {
	n, err := strconv.ParseUint(v.Text(), 10, 64)
	if err != nil {
		r.fail("must be a whole number from 0 to 2^64-1")
	}
	return n
}

func (o object) integer(name string) (n int64) {
	o.member(name, ijson.Number, func(v ijson.Value) {
		var err error
		if n, err = strconv.ParseInt(v.Text(), 10, 64); err != nil {
			o.r.fail("must be a whole number of 64 bits")
		}
	})
	return n
}

func (o object) flag(name string) (is bool) {
	o.member(name, ijson.Bool, func(v ijson.Value) { is = v.True() })
	return is
}

// duration reads nanoseconds.
func (o object) duration(name string) time.Duration {
	d := time.Duration(o.integer(name))
	if d < 0 {
		o.r.within(name, func() { o.r.fail("is less than nothing") })
	}
	return d
}

// moment reads microseconds since 1970, or null for none. The number of the zero time is
// refused: a bound must not become none.
func (o object) moment(name string) (t time.Time) {
	if o.v.Get(name).Kind() == ijson.Null {
		return t
	}
	t = time.UnixMicro(o.integer(name)).UTC()
	if t.IsZero() {
		o.r.within(name, func() { o.r.fail("must be null when there is none") })
	}
	return t
}

// object reads an object or null, and tells which it is.
func (o object) object(name string, fields func(object)) (there bool) {
	if o.v.Get(name).Kind() == ijson.Null {
		return false
	}
	o.member(name, ijson.Object, func(v ijson.Value) { o.r.enter(v, fields) })
	return true
}

// list reads an array; make is told how many items there are, if there are any.
func (o object) list(name string, make func(n int), item func(i int, v ijson.Value)) {
	o.member(name, ijson.Array, func(v ijson.Value) {
		all := v.Items()
		if len(all) > 0 {
			make(len(all))
		}
		for i := 0; i < len(all) && o.r.fault == nil; i++ {
			if item(i, all[i]); o.r.fault != nil {
				o.r.fault.pointer = "/" + strconv.Itoa(i) + o.r.fault.pointer
			}
		}
	})
}

// texts reads a list of texts; nil when it is empty, as stores do.
func (o object) texts(name string) (all []string) {
	o.list(name, func(n int) { all = make([]string, n) }, func(i int, v ijson.Value) {
		if o.r.expect(v, ijson.String) {
			all[i] = strings.Clone(v.Text())
		}
	})
	return all
}

func (o object) refs(name string) (all []portal.Ref) {
	o.list(name, func(n int) { all = make([]portal.Ref, n) }, func(i int, v ijson.Value) { all[i] = o.r.pair(v) })
	return all
}

func (r *reader) pair(v ijson.Value) portal.Ref {
	if !r.expect(v, ijson.Array) {
		return portal.Ref{}
	}
	if len(v.Items()) != 2 {
		r.fail("must be a type and an id")
		return portal.Ref{}
	}
	return portal.Ref{Type: r.name(v.Items()[0]), ID: r.name(v.Items()[1])}
}
