package wire

import (
	"encoding/base64"
	"fmt"
	"strings"

	"doorward/internal/gate"
	"doorward/internal/ijson"
)

func encodeAsk(a gate.Ask) ([]byte, error) {
	return written(func(w *writer) {
		w.text("instance", string(a.Instance))
		w.number("number", a.Number)
		w.text("label", a.Label)
		w.text("policy", a.Policy)
		w.position("after", a.After)
		w.duration("term_ns", a.Term)
		w.duration("wait_ns", a.Wait)
		w.number("window", a.Window)
		w.text("spool", a.Spool)
		w.list("records", len(a.Records), func(i int) { w.record(a.Records[i]) })
	})
}

func (w *writer) record(r gate.Record) {
	w.braces(func(w *writer) {
		w.number("seq", r.Seq)
		w.name("data")
		w.b = append(w.b, '"')
		w.b = base64.StdEncoding.AppendEncode(w.b, r.Data)
		w.b = append(w.b, '"')
	})
}

func decodeAsk(body []byte) (a gate.Ask, err error) {
	err = parse(body, func(o object) {
		a.Instance, a.Number = gate.Instance(o.named("instance")), o.number("number")
		a.Label, a.Policy, a.After = o.maybe("label"), o.maybe("policy"), o.position("after")
		a.Term, a.Wait = o.duration("term_ns"), o.duration("wait_ns")
		a.Window = o.number("window")
		a.Spool, a.Records = o.maybe("spool"), o.records()
		if len(a.Records) > 0 && a.Spool == "" {
			o.r.within("spool", func() { o.r.fail("is empty, though there are records") })
		}
	})
	return a, err
}

func (o object) records() (all []gate.Record) {
	last := uint64(0)
	o.list("records", func(n int) {
		if n > maxRecords {
			o.r.fail(fmt.Sprintf("has more than %d", maxRecords))
			return
		}
		all = make([]gate.Record, n)
	}, func(i int, v ijson.Value) {
		if !o.r.expect(v, ijson.Object) {
			return
		}
		o.r.enter(v, func(o object) { all[i] = o.record() })
		if all[i].Seq <= last {
			o.r.fail("seq must go up from 1")
		}
		last = all[i].Seq
	})
	return all
}

func (o object) record() (r gate.Record) {
	r.Seq = o.number("seq")
	o.member("data", ijson.String, func(v ijson.Value) {
		var err error
		// The decoder skips line ends, which encodeAsk never writes.
		if r.Data, err = base64.StdEncoding.Strict().DecodeString(v.Text()); err != nil || strings.ContainsAny(v.Text(), "\r\n") {
			o.r.fail("must be base64 with padding")
		}
	})
	return r
}

// fitting returns the oldest records that may go with one ask.
func fitting(all []gate.Record) []gate.Record {
	bytes := 0
	for i, r := range all {
		if bytes += len(r.Data); i == maxRecords || i > 0 && bytes > maxData {
			return all[:i]
		}
	}
	return all
}

// A process that leaves says only who it is, and the answer repeats it.

func encodeLeave(who gate.Instance) ([]byte, error) {
	return written(func(w *writer) { w.text("instance", string(who)) })
}

func decodeLeave(body []byte) (who gate.Instance, err error) {
	err = parse(body, func(o object) { who = gate.Instance(o.named("instance")) })
	return who, err
}

func encodeLeft(who gate.Instance) ([]byte, error) {
	return written(func(w *writer) {
		w.number("version", version)
		w.text("instance", string(who))
	})
}

func decodeLeft(body []byte, who gate.Instance) error {
	return parse(body, func(o object) {
		o.version()
		o.repeats("instance", string(who))
	})
}
