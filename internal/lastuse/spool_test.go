package lastuse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"doorward/internal/gate"
	"doorward/internal/gate/spool"
	"doorward/internal/portal"
)

func open(t *testing.T, path string, room int64) *spool.Disk {
	t.Helper()
	d, err := spool.Open(path, room)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// R16: uses outlive the process on disk, in order, and leave it when they are taken. What is
// no use is left out, and holds up nothing.
func TestUsesWaitOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "uses")
	d := open(t, path, 1<<20)
	var want []portal.Use
	for i := range Batch + 3 {
		want = append(want, portal.Use{Account: "acme", User: portal.UserID(fmt.Sprint("é ", i)), Day: 20_000})
	}
	if err := errors.Join(Spool{d}.Add(t.Context(), want[:1]), d.Add([]byte("strange")), Spool{d}.Add(t.Context(), want[1:]), d.Close()); err != nil {
		t.Fatal(err)
	}
	d = open(t, path, 1<<20)
	shelf := &shelf{err: errors.New("away")}
	if err := (Spool{d}).Send(t.Context(), shelf.keep); !errors.Is(err, shelf.err) || len(d.Oldest(1)) != 1 {
		t.Errorf("sent to nobody: %v", err)
	}
	shelf.err = nil
	if err := (Spool{d}).Send(t.Context(), shelf.keep); err != nil || !slices.Equal(shelf.uses, want) || len(d.Oldest(1)) != 0 {
		t.Errorf("%v: got %d of %d uses", err, len(shelf.uses), len(want))
	}
	if err := (Spool{d}).Send(t.Context(), func(context.Context, []portal.Use) error { return errors.New("sent nothing") }); err != nil {
		t.Error(err)
	}
}

func TestAFullDisk(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "uses"), 100)
	uses := slices.Repeat([]portal.Use{{Account: "acme", User: "anna", Day: 20_000}}, 3)
	if err := (Spool{d}).Add(t.Context(), uses); !errors.Is(err, gate.ErrSpoolFull) || len(d.Oldest(1)) != 0 {
		t.Errorf("%v: %v", err, d.Oldest(9))
	}
}

func FuzzUse(f *testing.F) {
	for _, text := range []string{"20000\x00acme\x00anna", "0\x00acme\x00anna", "+1\x00a\x00b", "1\x00a\x00", "2147483648\x00a\x00b", "1\x00a\x00b\x00c"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		u, err := parseUse(text)
		if err != nil {
			return
		}
		again := appendUse(nil, u)
		same, err := parseUse(again)
		if err != nil || same != u || u.Day < 1 || !bytes.HasSuffix(text, again[bytes.IndexByte(again, 0):]) {
			t.Errorf("%q is %+v, and that is %q: %v", text, u, again, err)
		}
	})
}
