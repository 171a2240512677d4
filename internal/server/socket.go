package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// A socket is a listener on a unix socket that takes away its own file, and no
// other, when it closes.
type socket struct {
	*net.UnixListener
	path string
	file fs.FileInfo
	once sync.Once
}

// listenUnix listens on a unix socket whose file has exactly that mode. A socket
// that a dead process left is replaced; a live one, or a file that is no socket,
// is an error and stays.
func listenUnix(ctx context.Context, path string, mode fs.FileMode) (net.Listener, error) {
	unlock, err := lockFolder(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("listen on socket %s: %w", path, err)
	}
	defer unlock()
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("listen on socket %s: %w", path, err)
	}
	// The mode is put on before the file appears, so that there is no moment in
	// which more people can connect; the umask may take bits away until Chmod.
	closed := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), uint32(mode)) })
	}}
	l, err := closed.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on socket %s: %w", path, err)
	}
	s := &socket{UnixListener: l.(*net.UnixListener), path: path}
	s.SetUnlinkOnClose(false)
	if s.file, err = os.Lstat(path); err == nil {
		err = os.Chmod(path, mode)
	}
	if err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("set mode of socket %s: %w", path, err)
	}
	return s, nil
}

// Close stops listening and removes the socket's file if it is still this one. A
// second Close does nothing: by then the path may be another process's.
func (s *socket) Close() (err error) {
	s.once.Do(func() {
		if now, statErr := os.Lstat(s.path); statErr == nil && s.file != nil && os.SameFile(now, s.file) {
			err = os.Remove(s.path)
		}
		err = errors.Join(err, s.UnixListener.Close())
	})
	return err
}

// lockFolder keeps other Doorwards from replacing sockets in the folder at the
// same time: each would find the other's not yet alive.
func lockFolder(folder string) (unlock func(), err error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", folder, err)
	}
	return func() { _ = f.Close() }, nil
}

// answerTime is how long a live process may take to let a probe connect.
const answerTime = time.Second

// removeStale makes way at path, or says why it must not.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("a file that is no socket is there; move it away or choose another path")
	}
	conn, err := net.DialTimeout("unix", path, answerTime)
	switch {
	case err == nil:
		_ = conn.Close()
		return errInUse
	case errors.Is(err, syscall.ECONNREFUSED):
		return os.Remove(path)
	}
	return fmt.Errorf("find out whether somebody answers: %w", err)
}
