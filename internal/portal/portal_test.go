package portal_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"doorward/internal/portal"
)

func TestParseRef(t *testing.T) {
	for s, want := range map[string]portal.Ref{
		"user:7":        {Type: "user", ID: "7"},
		"service:a:b":   {Type: "service", ID: "a:b"},
		"User:Foo":      {Type: "User", ID: "Foo"}, // S14
		"größe:ü x":     {Type: "größe", ID: "ü x"},
		"a::":           {Type: "a", ID: ":"},
		"domain:\u2028": {Type: "domain", ID: "\u2028"},
	} {
		if got, err := portal.ParseRef(s); got != want || err != nil || got.String() != s {
			t.Errorf("%q: got %+v, %v, want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "user", ":", "user:", ":7", "user:\n", "us\x00er:7", "user:\xff", "user:" + strings.Repeat("a", 257)} {
		if got, err := portal.ParseRef(s); err == nil || got != (portal.Ref{}) || !strings.Contains(err.Error(), "type:id") {
			t.Errorf("%q: got %+v, %v", s, got, err)
		}
	}
}

func TestValidNames(t *testing.T) {
	for s, want := range map[string]struct{ id, name bool }{
		"a":                      {true, true},
		"AZaz09._:@+~-":          {true, true},
		"User:Foo@example.org":   {true, true},
		strings.Repeat("a", 128): {true, true},
		strings.Repeat("a", 129): {false, true},
		strings.Repeat("a", 256): {false, true},
		strings.Repeat("a", 257): {false, false},
		strings.Repeat("ü", 128): {false, true},
		strings.Repeat("ü", 129): {false, false},
		"":                       {false, false},
		"a b":                    {false, true},
		"a/b":                    {false, true},
		"ä":                      {false, true},
		"\u212a":                 {false, true}, // KELVIN SIGN (S33)
		"a\n":                    {false, false},
		"a\x00":                  {false, false},
		"a\x7f":                  {false, false},
		"a\u0085":                {false, false},
		"\xff":                   {false, false},
		"\xed\xa0\x80":           {false, false},
	} {
		if got := portal.ValidID(s); got != want.id {
			t.Errorf("%q as an id: %v", s, got)
		}
		if got := portal.ValidName(s); got != want.name {
			t.Errorf("%q as a name: %v", s, got)
		}
	}
}

func FuzzParseRef(f *testing.F) {
	for _, seed := range []string{"user:7", "a:b:c", ":", "x", "a:\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := portal.ParseRef(s)
		if err != nil {
			return
		}
		if r.String() != s || !portal.ValidName(r.Type) || !portal.ValidName(r.ID) || strings.Contains(r.Type, ":") {
			t.Errorf("%q reads as %+v", s, r)
		}
	})
}

func TestPositionIsWrittenAndRead(t *testing.T) {
	p := portal.Position{Revision: 18446744073709551615, Tag: portal.Tag{0: 0xab, 15: 0x01, 31: 0xff}}
	const want = "18446744073709551615.ab000000000000000000000000000001"
	if p.String() != want {
		t.Errorf("got %v, want %v", p, want)
	}
	m, err := portal.ParseMark(want)
	if err != nil || !m.Marks(p) || m.String() != want {
		t.Errorf("%+v, %v does not mark %v", m, err, p)
	}
	tail, tag, revision := p, p, p
	tail.Tag[31]++ // beyond what is written
	tag.Tag[15]++
	revision.Revision--
	for other, want := range map[portal.Position]bool{tail: true, tag: false, revision: false, {}: false} {
		if m.Marks(other) != want {
			t.Errorf("%v marks %v: %v", m, other, !want)
		}
	}
	if (portal.Mark{}).Marks(p) || !(portal.Mark{}).Marks(portal.Position{}) {
		t.Error("the zero mark marks more than the zero position")
	}
}

func TestTextsThatAreNoPosition(t *testing.T) {
	const tag = "ab000000000000000000000000000001"
	for _, s := range []string{
		"", ".", "7", "7.", "." + tag, "7." + tag[1:], "7." + tag + "0", "-7." + tag, "+7." + tag, " 7." + tag, "7 ." + tag,
		"18446744073709551616." + tag, "7.xb000000000000000000000000000001", "0x7." + tag, "7_0." + tag, "7.7." + tag,
		"07." + tag, "7." + strings.ToUpper(tag),
	} {
		if m, err := portal.ParseMark(s); !errors.Is(err, portal.ErrMark) || m != (portal.Mark{}) {
			t.Errorf("%q reads as %+v, %v", s, m, err)
		}
	}
}

func FuzzParseMark(f *testing.F) {
	for _, seed := range []string{"7.ab000000000000000000000000000001", "0.00000000000000000000000000000000", "007.", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := portal.ParseMark(s)
		if err != nil {
			return
		}
		if m.String() != s {
			t.Errorf("%q is written %v", s, m)
		}
	})
}

// A whole position reads as it is written, and nothing else does.
func FuzzParsePosition(f *testing.F) {
	const tag = "ab00000000000000000000000000000100000000000000000000000000000002"
	for _, seed := range []string{"7." + tag, "07." + tag, "7." + strings.ToUpper(tag), "7." + tag[1:], "0.", "18446744073709551616." + tag} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := portal.ParsePosition(s)
		if (err != nil) != (p == portal.Position{} && string(p.AppendWhole(nil)) != s) {
			t.Errorf("%q reads as %v, %v", s, p, err)
		}
		if err == nil && string(p.AppendWhole(nil)) != s {
			t.Errorf("%q is written %s", s, p.AppendWhole(nil))
		}
	})
}

// What nothing was said about grants nothing (design 3: deny is the zero value).
func TestZeroFactsKnowNothing(t *testing.T) {
	f := portal.Facts{}
	if f.Account.Status == portal.AccountActive || f.User.Status == portal.UserActive ||
		f.Membership.State == portal.MembershipActive || f.Membership.Owner || f.Membership.Grant != nil {
		t.Errorf("%+v", f)
	}
}

// A13.19
func TestStaffRights(t *testing.T) {
	r := portal.NewStaffRights("staff.read", "staff.login_as", "staff.read")
	if r != "staff.login_as,staff.read" || !slices.Equal(r.Actions(), []string{"staff.login_as", "staff.read"}) {
		t.Errorf("got %q, %q", r, r.Actions())
	}
	for action, want := range map[string]bool{
		"staff.read": true, "staff.login_as": true, "staff": false, "read": false, "": false, "staff.login_as,staff.read": false,
	} {
		if r.May(action) != want {
			t.Errorf("May(%q): want %v", action, want)
		}
	}
	var none portal.StaffRights
	if none.May("") || none.May("staff.read") || none.Actions() != nil || portal.NewStaffRights() != none {
		t.Error("the zero value gives a right")
	}
}
