package decisionlog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/decision"
	"doorward/internal/decisionlog"
	"doorward/internal/portal"
)

var given = decision.Record{
	Time:     time.Date(2026, 8, 1, 12, 0, 0, 123456789, time.FixedZone("", 7200)),
	Subject:  portal.Ref{Type: "user", ID: "carl"},
	Action:   "password.reveal",
	Resource: portal.Ref{Type: "service", ID: "<s&1>"},
	Account:  "acme",
	Actor:    portal.Ref{Type: "user", ID: "tess"},
	Decision: decision.Decision{
		Reason: decision.CategoryMissing,
		Basis:  decision.Basis{Policy: "9f", Position: portal.Position{Revision: 7, Tag: portal.Tag{1}}},
	},
}

func write(t testing.TB, r decision.Record) []byte {
	t.Helper()
	data, err := decisionlog.Of(r, "edge-1")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// invariant 13, R16: who asked what about whom, what was said, and by which policy and facts.
func TestWhatIsKeptIsReadAgain(t *testing.T) {
	got, err := decisionlog.Read(write(t, given))
	want := decisionlog.Decision{
		Time: time.Date(2026, 8, 1, 10, 0, 0, 123456000, time.UTC), By: "edge-1",
		Subject: "user:carl", Actor: "user:tess", Action: "password.reveal", Resource: "service:<s&1>", Account: "acme",
		Reason: "category_missing", Policy: "9f", Position: given.Decision.Basis.Position.String(),
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	allowed := given
	allowed.Actor, allowed.Account, allowed.Decision.Allow, allowed.Decision.Reason = portal.Ref{}, "", true, ""
	if text := string(write(t, allowed)); strings.Contains(text, "actor") || strings.Contains(text, "reason") || !strings.Contains(text, `"decision":true`) {
		t.Error(text)
	}
}

// Names are bounded, and so is what is kept: a hundred records go with one ask.
func TestTheLongestRecordIsShort(t *testing.T) {
	r, longest := given, strings.Repeat("\x7f", 256)
	r.Subject, r.Resource, r.Actor = portal.Ref{Type: longest, ID: longest}, portal.Ref{Type: longest, ID: longest}, portal.Ref{Type: longest, ID: longest}
	r.Account = portal.AccountID(longest)
	if n := len(write(t, r)); n > 4<<10 {
		t.Errorf("%d bytes", n)
	}
}

// Records come from gates, which may be anybody who has a gate's token.
func TestStrangeRecordsAreNotBelieved(t *testing.T) {
	good := string(write(t, given))
	for name, text := range map[string]string{
		"nothing":        "",
		"not JSON":       "x",
		"a list":         "[]",
		"empty":          "{}",
		"another case":   strings.Replace(good, `"decision":`, `"Decision":`, 1),
		"a number":       strings.Replace(good, `"account":"acme"`, `"account":42`, 1),
		"null":           strings.Replace(good, `"action":"password.reveal"`, `"action":null`, 1),
		"another type":   strings.Replace(good, `"decision":false`, `"decision":"true"`, 1),
		"said twice":     strings.Replace(good, `"decision":false`, `"decision":false,"decision":true`, 1),
		"something else": good + good,
		"no time":        strings.Replace(good, `"time":"`, `"time":"x`, 1),
	} {
		if got, err := decisionlog.Read([]byte(text)); !errors.Is(err, decisionlog.ErrUnreadable) || got != (decisionlog.Decision{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(write(f, given))
	f.Add([]byte(`{"time":"2026-08-01T10:00:00Z","by":"","SUBJECT":"x","subject":"user:carl","action":"a","resource":"b","decision":true,"policy":"","position":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := decisionlog.Read(data)
		if err != nil {
			return
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		once, err := decisionlog.Read(again)
		if err != nil || !once.Time.Equal(d.Time) {
			t.Fatalf("%q is read as %+v, which is not: %v", data, d, err)
		}
		if twice, _ := json.Marshal(once); !bytes.Equal(again, twice) {
			t.Errorf("%s, then %s", again, twice)
		}
	})
}
