package audit_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorward/internal/audit"
	"doorward/internal/portal"
)

var noon = time.Date(2026, 8, 1, 12, 0, 0, 123456000, time.UTC)

func entry() audit.Entry {
	return audit.Entry{
		Actor: "user:7", Client: "shop", Action: "membership.put", Object: "account:42",
		Detail: map[string]string{"user": "8", "presets": "billing"},
	}
}

// chain is a trail of n revisions with two lines each.
func chain(n int) (lines []audit.Line) {
	var prev portal.Tag
	for i := range 2 * n {
		l := audit.Seal(prev, uint64(i+1), portal.Revision(i/2+1), noon.Add(time.Duration(i)), entry())
		lines, prev = append(lines, l), l.Hash
	}
	return lines
}

func verify(lines []audit.Line) (portal.Position, error) {
	var v audit.Verifier
	for _, l := range lines {
		if err := v.Next(l); err != nil {
			return v.Position(), err
		}
	}
	if v.Lines() != uint64(len(lines)) {
		return v.Position(), errors.New("lines were not counted")
	}
	return v.Position(), nil
}

// A line sealed years ago must fit its chain for ever. Should this fail, the
// encoding has changed: give the new one a new first line, and keep this one.
func TestSealedOnceFitsForEver(t *testing.T) {
	for _, c := range []struct {
		line audit.Line
		hash string
	}{
		{audit.Seal(portal.Tag{}, 1, 1, noon, audit.Entry{}), "af3dcca34fca8cc4618a91ac95e99a5813cc0f9bbf1f86f8b3eaba28845630da"},
		{audit.Seal(portal.Tag{31: 1}, 2, 7, noon, entry()), "9ffdbd9020fa22289d7edbf8ce5e9e582dec5ee5f3e0accb4ff11422a3f53401"},
	} {
		if got := hex.EncodeToString(c.line.Hash[:]); got != c.hash {
			t.Errorf("line %d has hash %s, want %s", c.line.Seq, got, c.hash)
		}
	}
}

func TestSoundChain(t *testing.T) {
	lines := chain(5)
	p, err := verify(lines)
	if want := (portal.Position{Revision: 5, Tag: lines[9].Hash}); err != nil || p != want {
		t.Errorf("got %v, %v, want %v", p, err, want)
	}
	if p, err := verify(nil); p != (portal.Position{}) || err != nil {
		t.Errorf("an empty trail: %v, %v", p, err)
	}
}

// S45, req 113: the first line that does not fit is named.
func TestBrokenChain(t *testing.T) {
	edit := func(change func(l *audit.Line)) func([]audit.Line) []audit.Line {
		return func(lines []audit.Line) []audit.Line {
			lines[4].Detail = maps.Clone(lines[4].Detail)
			change(&lines[4])
			return lines
		}
	}
	for _, c := range []struct {
		name string
		do   func([]audit.Line) []audit.Line
		why  string
	}{
		{"actor edited", edit(func(l *audit.Line) { l.Actor = "user:8" }), "changed"},
		{"client edited", edit(func(l *audit.Line) { l.Client = "" }), "changed"},
		{"action edited", edit(func(l *audit.Line) { l.Action = "membership.Put" }), "changed"},
		{"object edited", edit(func(l *audit.Line) { l.Object = "account:4" }), "changed"},
		{"text moved between fields", edit(func(l *audit.Line) { l.Action, l.Object = "membership.putaccount:42", "" }), "changed"},
		{"time edited", edit(func(l *audit.Line) { l.Time = l.Time.Add(time.Microsecond) }), "changed"},
		{"detail edited", edit(func(l *audit.Line) { l.Detail["user"] = "9" }), "changed"},
		{"detail added", edit(func(l *audit.Line) { l.Detail["x"] = "" }), "changed"},
		{"detail removed", edit(func(l *audit.Line) { delete(l.Detail, "user") }), "changed"},
		{"revision edited", edit(func(l *audit.Line) { l.Revision-- }), "changed"},
		{"revision back", edit(func(l *audit.Line) { l.Revision -= 2 }), "revision 1 does not follow revision 2"},
		{"revision skipped", edit(func(l *audit.Line) { l.Revision++ }), "revision 4 does not follow revision 2"},
		{"hash edited", edit(func(l *audit.Line) { l.Hash[0]++ }), "changed"},
		{"sealed anew", edit(func(l *audit.Line) { *l = audit.Seal(portal.Tag{}, l.Seq, l.Revision, l.Time, l.Entry) }), "the line before"},
		{"deleted", func(l []audit.Line) []audit.Line { return append(l[:4:4], l[5:]...) }, "line 6 stands in its place"},
		{"repeated", func(l []audit.Line) []audit.Line { return append(l[:4:4], l[3:]...) }, "line 4 stands in its place"},
		{"swapped", func(l []audit.Line) []audit.Line { l[4], l[5] = l[5], l[4]; return l }, "line 6 stands in its place"},
	} {
		var broken *audit.BrokenError
		p, err := verify(c.do(chain(5)))
		if !errors.As(err, &broken) || broken.Seq != 5 || !strings.Contains(broken.Why, c.why) {
			t.Errorf("%s: got %v, want line 5: %s", c.name, err, c.why)
		}
		if want := chain(2); p.Tag != want[3].Hash {
			t.Errorf("%s: sound up to %v, want line 4", c.name, p)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "audit line 5: ") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSealKeepsMicroseconds(t *testing.T) {
	east := time.Date(2026, 8, 1, 17, 0, 0, 123456789, time.FixedZone("east", 5*3600))
	if got, want := audit.Seal(portal.Tag{}, 1, 1, east, entry()), audit.Seal(portal.Tag{}, 1, 1, noon, entry()); got.Time != noon || got.Hash != want.Hash {
		t.Errorf("got %v, want %v", got, want)
	}
}

// No two different lines have the same hash, however their texts are cut.
func TestDifferentLinesDiffer(t *testing.T) {
	text := rapid.StringOfN(rapid.SampledFrom([]rune{0, 1, 'a', '\n'}), 0, 4, -1)
	draw := rapid.Custom(func(t *rapid.T) audit.Line {
		return audit.Seal(portal.Tag{}, rapid.Uint64Range(1, 2).Draw(t, "seq"), portal.Revision(rapid.Uint64Range(1, 2).Draw(t, "revision")),
			noon, audit.Entry{
				Actor: text.Draw(t, "actor"), Client: text.Draw(t, "client"), Action: text.Draw(t, "action"), Object: text.Draw(t, "object"),
				Detail: rapid.MapOfN(text, text, 0, 2).Draw(t, "detail"),
			})
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		same := a.Seq == b.Seq && a.Revision == b.Revision && a.Actor == b.Actor && a.Client == b.Client &&
			a.Action == b.Action && a.Object == b.Object && maps.Equal(a.Detail, b.Detail)
		if same != (a.Hash == b.Hash) {
			t.Errorf("%+v and %+v", a, b)
		}
	})
}

// What `audit` prints and tools read.
func TestLineAsJSON(t *testing.T) {
	got, err := json.Marshal(chain(1)[0])
	want := `{"seq":1,"revision":1,"time":"2026-08-01T12:00:00.123456Z","actor":"user:7","client":"shop","action":"membership.put","object":"account:42","detail":{"presets":"billing","user":"8"}}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
