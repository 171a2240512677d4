package chaos

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorward/internal/gate/wire"
	"doorward/internal/portal"
)

const ms = time.Millisecond

// A history with a grant from 10 to 20 ms and a removal from 30 to 40 ms, then a grant
// sent at 60 ms.
func history(answers ...answer) *place {
	return &place{account: "a", user: "u", answers: answers, writes: []write{
		{grants: true, sent: 10 * ms, enforced: 20 * ms, known: true},
		{grants: false, sent: 30 * ms, enforced: 40 * ms, known: true},
		{grants: true, sent: 60 * ms, enforced: never},
	}}
}

// req 52, req 97: what breaks the promise is found, and nothing else.
func TestTheCheckerFindsEachViolation(t *testing.T) {
	for _, c := range []struct {
		name         string
		begun, ended moment
		allowed, bad bool
	}{
		{"allowed before anything was granted", 1 * ms, 5 * ms, true, true},
		{"refused before anything was granted", 1 * ms, 5 * ms, false, false},
		{"allowed while the grant is under way", 5 * ms, 15 * ms, true, false},
		{"refused after the grant was enforced", 20 * ms, 25 * ms, false, true},
		{"allowed after the grant was enforced", 20 * ms, 25 * ms, true, false},
		{"refused while the removal is under way", 25 * ms, 35 * ms, false, false},
		{"allowed while the removal is under way", 31 * ms, 50 * ms, true, false},
		{"allowed to a question of just before enforced", 40*ms - 1, 50 * ms, true, false},
		{"allowed to a question of just after enforced", 40 * ms, 40*ms + 1, true, true},
		{"allowed long after enforced", 50 * ms, 60 * ms, true, true},
		{"refused after enforced", 41 * ms, 42 * ms, false, false},
		{"allowed after the next grant was sent", 50 * ms, 60*ms + 1, true, false},
		{"refused while a grant is unclear", 70 * ms, 80 * ms, false, false},
		{"allowed while a grant is unclear", 70 * ms, 80 * ms, true, false},
	} {
		if bad := history(answer{c.begun, c.ended, c.allowed, "s"}).check(); (len(bad) > 0) != c.bad {
			t.Errorf("%s: %q", c.name, bad)
		}
	}
}

// What was acknowledged is in the directory in the end.
func TestTheCheckerFindsLostWrites(t *testing.T) {
	removed := write{known: true}
	granted := write{grants: true, known: true}
	unclear := write{grants: true}
	for _, c := range []struct {
		name   string
		writes []write
		stored bool
		bad    bool
	}{
		{"a lost grant", []write{granted}, false, true},
		{"a grant", []write{granted}, true, false},
		{"a lost removal", []write{granted, removed}, true, true},
		{"a removal", []write{granted, removed}, false, false},
		{"an unclear grant that was made", []write{removed, unclear}, true, false},
		{"an unclear grant that was not", []write{removed, unclear}, false, false},
		{"what nobody wrote", nil, true, true},
	} {
		if bad := (&place{writes: c.writes}).checkStored(c.stored); (len(bad) > 0) != c.bad {
			t.Errorf("%s: %q", c.name, bad)
		}
	}
}

// A call that changed nothing, as its answer says, leaves what was right before.
func TestAWriteThatWasNotMadeChangesNothing(t *testing.T) {
	p := history(answer{65 * ms, 70 * ms, true, "s"})
	p.undo()
	if bad := p.check(); len(bad) != 1 {
		t.Errorf("allowed after a removal, beside a grant that was not made: %q", bad)
	}
	if active, known := p.expected(); active || !known {
		t.Errorf("expected active=%v, known=%v", active, known)
	}
}

// An end that nobody wanted is found, and what a log should not have.
func TestTheCheckerFindsUnhealthyProcesses(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte("level=INFO msg=serving\nlevel=ERROR msg=\"request panicked\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &process{name: "p", log: log}
	p.ended(nil)
	p.wanted = true
	p.ended(nil)
	if odd := p.oddities(); len(odd) != 2 || !strings.Contains(odd[0], "by itself") || !strings.Contains(odd[1], "panicked") {
		t.Errorf("%q", odd)
	}
}

// A run that does nothing does not pass, nor a long one that does what a short one has to.
func TestTooLittleIsNotEnough(t *testing.T) {
	c := newCounts()
	if missing := c.enough(ordinary); len(missing) != len(atLeast)+len(kinds) {
		t.Errorf("%q", missing)
	}
	for what, n := range atLeast {
		c.of[what] = n
	}
	for _, k := range kinds {
		c.fault(k.name)
	}
	if missing := c.enough(ordinary); len(missing) > 0 {
		t.Errorf("%q", missing)
	}
	if missing := c.enough(2 * ordinary); len(missing) == 0 {
		t.Error("a run of twice the time may do as little")
	}
}

// The forgery that would give somebody a right says all that a sidecar checks but the seal.
func TestAForgedEntryIsAboutTheRightPerson(t *testing.T) {
	encode := func(user string, f portal.Facts, at portal.Revision) []byte {
		body, err := wire.EncodeEntry(portal.FactKey{Account: "a", Subject: portal.Ref{Type: portal.TypeUser, ID: user}}, f, portal.Position{Revision: at}, "era")
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	var nobody, member portal.Facts
	member.Membership = portal.MembershipFacts{State: portal.MembershipActive, Grant: &portal.Grant{Presets: []string{"billing"}}}
	if forged := disguised(encode("bob", member, 6), encode("anna", nobody, 7)); !bytes.Equal(forged, encode("anna", member, 7)) {
		t.Errorf("%s", forged)
	}
}
