// Package spool keeps a gate's records on disk until the directory has them: sensitive
// decisions, and when rights were last used (design section 5, R16).
//
// It does not know what records say. Its invariants: a record that was added is in the
// file, synced, before Add returns; numbers of one name are never used for two records;
// the file has at most a given size, and a full spool says so instead of forgetting.
package spool

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"doorward/internal/gate"
)

// A Disk is a gate.Spool in one file, with a lock beside it.
type Disk struct {
	mu   sync.Mutex
	lock *os.File
	path string
	room int64
	file *os.File
	size int64
	head header
	kept []gate.Record // in order
	err  error         // of the last write, when it failed
	done bool          // closed
}

// Open opens the spool at path, or makes it; its folder must be there. The file takes
// room bytes at most, which must be enough for a record.
//
// Another process that has it open is ErrInUse: they would write over each other.
func Open(path string, room int64) (*Disk, error) {
	lock, err := locked(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("open the spool %s: %w", path, err)
	}
	d := &Disk{path: path, room: room, lock: lock}
	if err := d.open(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("open the spool %s: %w", path, err)
	}
	return d, nil
}

func (d *Disk) open() error {
	data, err := os.ReadFile(d.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		d.head = header{name: rand.Text(), next: 1}
	case err != nil:
		return err
	default:
		if d.head, d.kept, err = parse(data); err != nil {
			return err
		}
	}
	return d.rewrite() // without what was being written when the process ended
}

// ErrInUse: another process has the spool open.
var ErrInUse = errors.New("another process has it open")

// locked opens a file that one process has open at a time. The lock ends with the
// process, the file stays.
func locked(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInUse
		}
		return nil, err
	}
	return f, nil
}

// Name implements gate.Spool.
func (d *Disk) Name() string { return d.head.name }

// Add implements gate.Spool. After a write that failed the file is made anew first: what
// is in it is not known.
func (d *Disk) Add(data ...[]byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		if err := d.rewrite(); err != nil {
			return fmt.Errorf("%w: %w", gate.ErrSpoolFull, err)
		}
	}
	added, frames := d.frame(data)
	if added == nil || d.size+int64(len(frames)) > d.room {
		return gate.ErrSpoolFull
	}
	_, err := d.file.Write(frames)
	if err == nil {
		err = d.file.Sync()
	}
	if d.err = err; err != nil {
		return fmt.Errorf("%w: %w", gate.ErrSpoolFull, err)
	}
	d.size += int64(len(frames))
	d.kept = append(d.kept, added...)
	d.head.next += uint64(len(added))
	return nil
}

// frame makes the next records of data, and their bytes in the file. One that is too long
// is nil.
func (d *Disk) frame(data [][]byte) (added []gate.Record, frames []byte) {
	added = make([]gate.Record, len(data))
	for i, one := range data {
		if len(one) > maxRecord {
			return nil, nil
		}
		added[i] = gate.Record{Seq: d.head.next + uint64(i), Data: append([]byte(nil), one...)}
		frames = appendRecord(frames, added[i])
	}
	return added, frames
}

// Waiting is how many records are kept, and how many bytes the file has.
func (d *Disk) Waiting() (records int, bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.kept), d.size
}

// Oldest implements gate.Spool.
func (d *Disk) Oldest(limit int) []gate.Record {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]gate.Record(nil), d.kept[:min(limit, len(d.kept))]...)
}

// Stored implements gate.Spool. The file is made anew when half of it is of no use any
// more: until then a restart only sends again what the directory has.
func (d *Disk) Stored(seq uint64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for n < len(d.kept) && d.kept[n].Seq <= seq {
		n++
	}
	if n == 0 {
		return nil
	}
	d.kept = append([]gate.Record(nil), d.kept[n:]...)
	useful := int64(headerSize)
	for _, r := range d.kept {
		useful += recordSize(r)
	}
	if d.err == nil && useful > d.size/2 {
		return nil
	}
	return d.rewrite()
}

// Close closes the file.
func (d *Disk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done = true
	return errors.Join(d.file.Close(), d.lock.Close())
}

// rewrite puts a new file in the place of the old one, with what is kept.
func (d *Disk) rewrite() error {
	if d.done {
		return os.ErrClosed
	}
	head := d.head
	if len(d.kept) > 0 {
		head.next = d.kept[0].Seq
	}
	content := head.append(nil)
	for _, r := range d.kept {
		content = appendRecord(content, r)
	}
	file, err := replace(d.path, content)
	if err != nil {
		d.err = err
		return fmt.Errorf("write the spool anew: %w", err)
	}
	if d.file != nil {
		d.file.Close()
	}
	d.file, d.size, d.err = file, int64(len(content)), nil
	return nil
}

// replace writes a file beside path, synced, and renames it to path. It returns the
// file, open at its end.
func replace(path string, content []byte) (file *os.File, err error) {
	made := path + ".new"
	if file, err = os.OpenFile(made, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	if _, err = file.Write(content); err != nil {
		return nil, err
	}
	if err = file.Sync(); err != nil {
		return nil, err
	}
	if err = os.Rename(made, path); err != nil {
		return nil, err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return file, folder.Sync()
}
