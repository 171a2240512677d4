package spool

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/gate"
)

var _ gate.Spool = (*Disk)(nil)

func open(t *testing.T, path string) *Disk {
	t.Helper()
	d, err := Open(path, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func add(t *testing.T, d *Disk, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := d.Add([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// kept are the numbers and texts of what is kept.
func kept(d *Disk) (all []string) {
	for _, r := range d.Oldest(1000) {
		all = append(all, fmt.Sprint(r.Seq, " ", string(r.Data)))
	}
	return all
}

func expect(t *testing.T, d *Disk, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, kept(d)); diff != "" {
		t.Error(diff)
	}
}

// R16: records outlive the process, in order, under one name, and no number is used
// twice, also when none was left in between.
func TestRecordsOutliveTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool")
	d := open(t, path)
	name := d.Name()
	add(t, d, "one", "", "three")
	expect(t, d, "1 one", "2 ", "3 three")
	if got := d.Oldest(2); len(got) != 2 || got[1].Seq != 2 {
		t.Errorf("%+v", got)
	}
	d.Close()
	d = open(t, path)
	add(t, d, "four")
	expect(t, d, "1 one", "2 ", "3 three", "4 four")
	for _, seq := range []uint64{2, 1, 4} {
		if err := d.Stored(seq); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, d)
	d.Close()
	d = open(t, path)
	add(t, d, "five")
	if all := kept(d); all[len(all)-1] != "5 five" {
		t.Errorf("%q", all) // those before it may be sent again
	}
	if err := d.Stored(4); err != nil {
		t.Fatal(err)
	}
	expect(t, d, "5 five")
	if d.Name() != name || name == "" || open(t, path+" of another").Name() == name {
		t.Errorf("named %q, then %q", name, d.Name())
	}
}

// What was being written when the process ended was never said to be kept; all before it
// was.
func TestACutRecordIsLeftOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool")
	d := open(t, path)
	add(t, d, "one", "two")
	d.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut < 10; cut++ {
		if err := os.WriteFile(path, whole[:len(whole)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		d := open(t, path)
		add(t, d, "new")
		expect(t, d, "1 one", "2 new")
		d.Close()
	}
	for _, broken := range [][]byte{nil, []byte("something else"), append([]byte{'x'}, whole[1:]...), whole[:headerSize-1]} {
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, 1<<20); !errors.Is(err, errNoSpool) {
			t.Errorf("%q is a spool: %v", broken, err)
		}
	}
}

// A full spool says so, keeps what it has, and has room again when that is stored.
func TestAFullSpoolSaysSo(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "spool"), 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	record, n := bytes.Repeat([]byte("x"), 100), 0
	for ; err == nil; n++ {
		err = d.Add(record)
	}
	if !errors.Is(err, gate.ErrSpoolFull) || n < 5 || len(kept(d)) != n-1 || d.size > 1000 {
		t.Fatalf("%d of them, %d bytes: %v", n, d.size, err)
	}
	if err := d.Stored(uint64(n - 1)); err != nil || d.Add(record) != nil {
		t.Errorf("no room: %v", err)
	}
	if err := d.Add(make([]byte, maxRecord+1)); !errors.Is(err, gate.ErrSpoolFull) {
		t.Errorf("a record without bounds: %v", err)
	}
}

// After a write that failed nobody knows what is in the file: it is written anew before
// anything is said to be kept, and until that is possible nothing is. Once it is, the spool
// goes on, also one in which nothing waits.
func TestAFailedWriteIsNotForgotten(t *testing.T) {
	for _, waiting := range [][]string{nil, {"one", "two"}} {
		folder := filepath.Join(t.TempDir(), "gone")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, "spool")
		d := open(t, path)
		add(t, d, waiting...)
		before := kept(d)
		d.file.Close()
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := d.Add([]byte("lost")); !errors.Is(err, gate.ErrSpoolFull) {
				t.Errorf("added to nowhere: %v", err)
			}
		}
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		add(t, d, "new")
		want := append(before, fmt.Sprint(len(waiting)+1, " new"))
		expect(t, d, want...)
		d.Close()
		expect(t, open(t, path), want...)
	}
}

// R16: a batch is kept whole or not at all, so that no answer of it is given alone.
func TestManyAreKeptTogether(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "spool"), 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Add([]byte("one"), []byte("two")); err != nil {
		t.Fatal(err)
	}
	for _, last := range [][]byte{bytes.Repeat([]byte("x"), 1000), make([]byte, maxRecord+1)} {
		if err := d.Add([]byte("small"), last); !errors.Is(err, gate.ErrSpoolFull) {
			t.Errorf("%d bytes: %v", len(last), err)
		}
	}
	expect(t, d, "1 one", "2 two")
	if n, bytes := d.Waiting(); n != 2 || bytes != d.size {
		t.Errorf("%d records in %d bytes are waiting", n, bytes)
	}
}

// Two processes would write over each other's file.
func TestASpoolIsOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool")
	d := open(t, path)
	if _, err := Open(path, 1<<20); !errors.Is(err, ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
	add(t, d, "one")
	d.Close()
	if err := d.Add([]byte("two")); err == nil {
		t.Error("added after it was closed")
	}
	expect(t, open(t, path), "1 one")
}

// The file does not grow for ever.
func TestTheFileIsMadeAnew(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "spool"))
	for i := range uint64(200) {
		add(t, d, "a record of some length, as decisions have")
		if err := d.Stored(i); err != nil {
			t.Fatal(err)
		}
	}
	info, err := d.file.Stat()
	if err != nil || info.Size() > 4*int64(headerSize) || info.Size() != d.size {
		t.Errorf("%d bytes, says %d: %v", info.Size(), d.size, err)
	}
	expect(t, d, "200 a record of some length, as decisions have")
}

func FuzzParse(f *testing.F) {
	h := header{name: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", next: 7}
	f.Add(h.append(nil))
	f.Add(appendRecord(appendRecord(h.append(nil), gate.Record{Seq: 7, Data: []byte("seven")}), gate.Record{Seq: 8}))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, records, err := parse(data)
		if err != nil {
			return
		}
		// What was read is written as the beginning of what it was read from.
		first := header{h.name, h.next - uint64(len(records))}
		again := first.append(nil)
		for _, r := range records {
			again = appendRecord(again, r)
		}
		if !bytes.HasPrefix(data, again) {
			t.Errorf("%q is read as %q", data, again)
		}
	})
}
