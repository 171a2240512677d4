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

	"doorward/internal/gate"
)

// A Disk is a gate.Spool in one file. One process has it open at a time.
type Disk struct {
	mu   sync.Mutex
	path string
	room int64
	file *os.File
	size int64
	head header
	kept []gate.Record // in order
	err  error         // after a failed write nothing is added any more
}

// Open opens the spool at path, or makes it; its folder must be there. The file takes
// room bytes at most, which must be enough for a record.
func Open(path string, room int64) (*Disk, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		d := &Disk{path: path, room: room, head: header{name: rand.Text(), next: 1}}
		return d, d.rewrite()
	}
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	d := &Disk{path: path, room: room}
	if d.head, d.kept, err = parse(data); err != nil {
		return nil, fmt.Errorf("open the spool %s: %w", path, err)
	}
	return d, d.rewrite() // without what was being written when the process ended
}

// Name implements gate.Spool.
func (d *Disk) Name() string { return d.head.name }

// Add implements gate.Spool.
func (d *Disk) Add(data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	frame := appendRecord(nil, gate.Record{Seq: d.head.next, Data: data})
	switch {
	case d.err != nil:
		return fmt.Errorf("%w: %w", gate.ErrSpoolFull, d.err)
	case len(data) > maxRecord || d.size+int64(len(frame)) > d.room:
		return gate.ErrSpoolFull
	}
	_, err := d.file.Write(frame)
	if err == nil {
		err = d.file.Sync()
	}
	if err != nil { // what is in the file now is not known
		d.err = err
		return fmt.Errorf("%w: %w", gate.ErrSpoolFull, err)
	}
	d.size += int64(len(frame))
	d.kept = append(d.kept, gate.Record{Seq: d.head.next, Data: append([]byte(nil), data...)})
	d.head.next++
	return nil
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
	d.err = os.ErrClosed
	return d.file.Close()
}

// rewrite puts a new file in the place of the old one, with what is kept.
func (d *Disk) rewrite() error {
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
