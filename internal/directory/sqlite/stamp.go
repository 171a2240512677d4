package sqlite

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"doorward/internal/directory"
)

// A stamper reads stamps from the file's WAL index, the -shm file.
//
// The index begins with two equal copies of a header of 48 bytes: a counter of
// commits, the number of frames in the log, salts, checksums
// (https://www.sqlite.org/walformat.html, section 2.1). SQLite itself learns
// from nothing else whether a reader's snapshot is current: it compares this
// header at the start of each read transaction (walIndexTryHdr in wal.c). A
// writer of any process changes it before its COMMIT returns, the second copy
// first (walIndexWriteHdr). So two equal readings of the second copy mean that no
// commit was acknowledged between them. Its words are loaded one by one; a
// reading during a write may mix two headers, but the commit counter is one of
// the words and its checksum another, so the mixture equals no later header that
// stands for more than the mixture has seen.
//
// Three things would break this, and are ruled out:
//
//   - The file is deleted when the last connection closes, made anew by the next,
//     and cut short by recovery when nobody else has it open. The store's
//     sessions hold it open for the store's life, and it is mapped only after one
//     of them has read.
//   - POSIX locks belong to the process: closing any descriptor of the file drops
//     the locks that SQLite's connections hold on it. So it is closed after all
//     of the store's. If the file still has a name then, some other connection
//     has it open; when that is one of this process's, closing would rob it.
//     The descriptor is then left to the end of the process.
//   - The mapping must not go while a Stamp call reads it. The garbage collector
//     knows when none can: it unmaps.
type stamper struct {
	header atomic.Pointer[indexHeader] // nil: not open
	file   int                         // descriptor; meaningful while opened
	opened bool
}

// An indexHeader is the second copy of the header, in memory that the kernel
// shares between processes.
type indexHeader struct {
	words *[6]uint64
}

const (
	headerSize   = 48
	secondHeader = headerSize // its offset
)

// Stamp returns the stamp of the last commit by any process, in nanoseconds and
// without locks. Of a closed store it is zero.
func (s *Store) Stamp() directory.Stamp {
	h := s.stamp.header.Load()
	if h == nil {
		return directory.Stamp{}
	}
	var stamp directory.Stamp
	for i := range stamp {
		stamp[i] = atomic.LoadUint64(&h.words[i])
	}
	runtime.KeepAlive(h)
	return stamp
}

// open maps the WAL index at path. The caller has read through a connection that
// stays open.
func (s *stamper) open(path string) error {
	file, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	s.file, s.opened = file, true
	region, err := syscall.Mmap(file, 0, os.Getpagesize(), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return &os.PathError{Op: "map", Path: path, Err: err}
	}
	h := &indexHeader{words: (*[6]uint64)(unsafe.Pointer(&region[secondHeader]))}
	runtime.AddCleanup(h, func(region []byte) { _ = syscall.Munmap(region) }, region)
	s.header.Store(h)
	return nil
}

// close ends all stamps. Every connection of the store is closed before.
func (s *stamper) close() error {
	s.header.Store(nil)
	if !s.opened {
		return nil
	}
	s.opened = false
	var info syscall.Stat_t
	if err := syscall.Fstat(s.file, &info); err != nil {
		return fmt.Errorf("stat WAL index: %w", err)
	}
	if info.Nlink > 0 {
		return nil
	}
	return errors.Join(syscall.Close(s.file))
}
