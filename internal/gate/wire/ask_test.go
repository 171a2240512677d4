package wire

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/portal"
)

// at is a position that the number decides.
func at(revision portal.Revision) portal.Position {
	if revision == 0 {
		return portal.Position{}
	}
	p := portal.Position{Revision: revision}
	for i := range p.Tag {
		p.Tag[i] = byte(revision) + byte(i)
	}
	return p
}

// changes are members who change, one with each revision after from.
func changes(from portal.Revision, n int) []directory.Change {
	all := make([]directory.Change, n)
	for i := range all {
		id := fmt.Sprint(100_000 + i)
		all[i] = directory.Change{
			Revision: from + 1 + portal.Revision(i), Kind: directory.ChangedMembership,
			Account: portal.AccountID(id), User: portal.UserID("user-" + id),
		}
	}
	return all
}

var (
	asked = gate.Ask{
		Instance: "0123456789abcdef", Number: 1<<63 + 1, Label: "edge é", Policy: "sha256:00", After: at(7),
		Term: 33*time.Second + 1, Wait: time.Second, Window: 10_000, Spool: "spool", Records: []gate.Record{{Seq: 3, Data: []byte("\xff\x00")}, {Seq: 1 << 62, Data: []byte("x")}},
	}
	answered = gate.Answer{
		Instance: asked.Instance, Number: asked.Number, From: at(7), To: at(10), Head: at(12),
		Changes: []directory.Change{
			{Revision: 8, Kind: directory.ChangedMembership, Account: "acme", User: "anna"},
			{Revision: 8, Kind: directory.ChangedContact, Account: "acme", Contact: "office"},
			{Revision: 9, Kind: "of tomorrow", Account: "acme"},
			{Revision: 10, Kind: directory.ChangedUser, User: "bob"},
		},
		Lease: true, Era: "pg 1/2", Time: time.UnixMicro(1_764_000_000_123_456).UTC(), Policy: portal.Promoted{At: 5, Digest: "d5"}, Stored: 3,
	}
)

// An ask and its answer come out as they went in.
func TestAsksAndAnswersAreCarriedWhole(t *testing.T) {
	body, err := encodeAsk(asked)
	ask, err := decodeAsk(must(t, body, err))
	if diff := cmp.Diff(asked, must(t, ask, err)); diff != "" {
		t.Error(diff)
	}
	body, err = encodeAnswer(answered)
	answer, err := decodeAnswer(must(t, body, err), asked)
	if diff := cmp.Diff(answered, must(t, answer, err)); diff != "" {
		t.Error(diff)
	}
}

func TestRandomPositions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPosition.Draw(t, "position")
		ask := gate.Ask{Instance: "i", After: p}
		body, err := encodeAsk(ask)
		got, err := decodeAsk(must(t, body, err))
		if must(t, got, err).After != p {
			t.Fatalf("%v became %v", p, got.After)
		}
	})
}

// What a gate needs is not believed when it was lost, nor what contradicts the ask.
func TestAnswersThatAreNotBelieved(t *testing.T) {
	body, err := encodeAnswer(answered)
	text := string(must(t, body, err))
	for was, is := range map[string]string{
		`"version":1`:         `"version":2`,
		`"instance":"0`:       `"instance":"1`,
		`"number":9`:          `"number":8`,
		`"lease":true,`:       ``,
		`"from":`:             `"x":`,
		`"to":"10.`:           `"to":"11.`, // changes are missing
		`"head":"12.`:         `"head":"9.`,
		`"stored":3`:          `"stored":4611686018427387905`,
		`[8,"membership",`:    `[7,"membership",`,
		`[8,"contact",`:       `[11,"contact",`,
		`"acme","","office"]`: `"acme",""]`,
		`"acme","anna",""]`:   `"acme",null,""]`,
		`"changes":[`:         `"changes":[["membership"],`,
		`"time_us":`:          `"time_us":"",`,
		`"policy":5`:          `"policy":-5`,
		`"policy":5,"p`:       `"policy":0,"p`,
		`"policy_digest":"d5`: `"policy_digest":"`,
		`"policy":5,`:         `"policy":5,"policy":6,`, // S40
		`"era":`:              `"Era":`,                 // S40
		`{"version":1`:        `{"requires":["x"],"version":1`,
	} {
		changed := strings.Replace(text, was, is, 1)
		if got, err := decodeAnswer([]byte(changed), asked); changed == text || err == nil || !cmp.Equal(got, gate.Answer{}) {
			t.Errorf("%s is read", is)
		}
	}
	same := answered
	same.To, same.Changes = at(7), nil
	same.To.Tag[0]++ // of another history
	body, err = encodeAnswer(same)
	if _, err := decodeAnswer(must(t, body, err), asked); err == nil {
		t.Error("two histories in one answer are read")
	}
}

// A newer directory says more than this gate reads.
func TestAnswersMaySayMore(t *testing.T) {
	body, err := encodeAnswer(answered)
	text := strings.NewReplacer(`"lease"`, `"more":{"than":[]},"lease"`, `"anna",""]`, `"anna","",{"more":1}]`).Replace(string(must(t, body, err)))
	got, err := decodeAnswer([]byte(text), asked)
	if diff := cmp.Diff(answered, must(t, got, err)); diff != "" {
		t.Error(diff)
	}
}

// What a directory is asked has to be whole, too.
func TestAsksThatAreNotAnswered(t *testing.T) {
	body, err := encodeAsk(asked)
	text := string(must(t, body, err))
	records := strings.Repeat(`{"seq":1,"data":""},`, maxRecords)
	for was, is := range map[string]string{
		`"instance":"0123456789abcdef"`: `"instance":""`,
		`"label":"`:                     `"label":"\u0000`,
		`"term_ns":`:                    `"term_ns":-`,
		`"wait_ns":`:                    `"x":`,
		`"spool":"spool"`:               `"spool":""`,
		`"seq":3`:                       `"seq":0`,
		`"seq":4611686018427387904`:     `"seq":3`,
		`"data":"`:                      `"data":"=`,
		`"records":[`:                   `"records":[` + records,
		`"data":"eA==`:                  `"data":"eB==`,
		`"after":"7.`:                   `"after":"7,`,
		`{"instance"`:                   `{"requires":["x"],"instance"`,
	} {
		changed := strings.Replace(text, was, is, 1)
		if _, err := decodeAsk([]byte(changed)); changed == text || err == nil {
			t.Errorf("%s is read", is)
		}
	}
}

// A commit that changed more than fits is told as one that changed everything.
func TestMoreChangesThanFit(t *testing.T) {
	many := answered
	many.Changes = changes(7, 200_000)
	for i := range many.Changes {
		many.Changes[i].Revision = 10
	}
	body, err := encodeAnswer(many)
	if len(must(t, body, err)) > 2000 {
		t.Fatalf("%d bytes", len(body))
	}
	got, err := decodeAnswer(body, asked)
	want := []directory.Change{{Revision: 10, Kind: everything}}
	if diff := cmp.Diff(want, must(t, got, err).Changes); diff != "" || got.To != at(10) {
		t.Error(diff)
	}
}

// Records wait their turn; one that is large goes alone.
func TestRecordsThatFit(t *testing.T) {
	large := gate.Record{Data: make([]byte, maxData+1)}
	half := gate.Record{Data: make([]byte, maxData/2)}
	for want, all := range map[int][]gate.Record{
		0: nil, 1: {large, half}, 2: {half, half, half}, maxRecords: make([]gate.Record, maxRecords+1),
	} {
		if got := fitting(all); len(got) != want {
			t.Errorf("%d of %d records, want %d", len(got), len(all), want)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	body, err := encodeAnswer(answered)
	f.Add(must(f, body, err))
	f.Add([]byte(`{"version":1,"changes":[[8,"everything","","",""]]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeAnswer(body, asked)
		if err != nil {
			return
		}
		again, err := encodeAnswer(got)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := decodeAnswer(again, asked); err != nil || !cmp.Equal(got, same) {
			t.Fatalf("%v: %s", err, cmp.Diff(got, same))
		}
	})
}

func FuzzAsk(f *testing.F) {
	body, err := encodeAsk(asked)
	f.Add(must(f, body, err))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeAsk(body)
		if err != nil {
			return
		}
		again, err := encodeAsk(got)
		if err != nil || got.Term < 0 || got.Wait < 0 {
			t.Fatal(got, err)
		}
		if same, err := decodeAsk(again); err != nil || !cmp.Equal(got, same, cmpopts.EquateEmpty()) {
			t.Fatalf("%v: %s", err, cmp.Diff(got, same))
		}
	})
}

func FuzzLeave(f *testing.F) {
	body, err := encodeLeave("i")
	f.Add(must(f, body, err))
	f.Fuzz(func(t *testing.T, body []byte) {
		who, err := decodeLeave(body)
		if err != nil {
			return
		}
		again, err := encodeLeave(who)
		same, err := decodeLeave(must(t, again, err))
		if must(t, same, err) != who {
			t.Fatal(same)
		}
	})
}

func BenchmarkEncodeAnswer(b *testing.B) {
	full := gate.Answer{From: at(7), To: at(10_007), Head: at(10_007), Changes: changes(7, 10_000)}
	for b.Loop() {
		body, err := encodeAnswer(full)
		b.SetBytes(int64(len(must(b, body, err))))
	}
	b.ReportAllocs()
}

func BenchmarkDecodeAnswer(b *testing.B) {
	full := gate.Answer{From: at(7), To: at(10_007), Head: at(10_007), Changes: changes(7, 10_000)}
	body, err := encodeAnswer(full)
	b.SetBytes(int64(len(must(b, body, err))))
	b.ReportAllocs()
	for b.Loop() {
		answer, err := decodeAnswer(body, gate.Ask{})
		if len(must(b, answer, err).Changes) != 10_000 {
			b.Fatal("changes are lost")
		}
	}
}

func benchmarked() (read, gate.Found) {
	member := portal.Facts{Account: portal.AccountFacts{Status: portal.AccountActive}, User: portal.UserFacts{Status: portal.UserActive}}
	member.Membership = portal.MembershipFacts{State: portal.MembershipActive, Grant: &portal.Grant{Presets: []string{"billing"}, Categories: []string{"tickets"}}}
	r, f := one, gate.Found{Position: at(17), Era: "era", Time: time.UnixMicro(1).UTC()}
	r.keys = keysOf(256)
	for range r.keys {
		f.Facts = append(f.Facts, member)
	}
	return r, f
}

func keysOf(n int) (keys []portal.FactKey) {
	for i := range n {
		keys = append(keys, portal.FactKey{Account: "acme", Subject: portal.Ref{Type: "user", ID: fmt.Sprint(i)}})
	}
	return keys
}

func BenchmarkEncodeFound(b *testing.B) {
	r, f := benchmarked()
	b.ReportAllocs()
	for b.Loop() {
		body, err := encodeFound(r, f)
		b.SetBytes(int64(len(must(b, body, err))))
	}
}

func BenchmarkDecodeFound(b *testing.B) {
	r, f := benchmarked()
	body, err := encodeFound(r, f)
	b.SetBytes(int64(len(must(b, body, err))))
	b.ReportAllocs()
	for b.Loop() {
		_, err := decodeFound(body, r)
		must(b, 0, err)
	}
}
