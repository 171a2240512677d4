// Package redistest runs real Redis servers for tests.
//
// It knows nothing of what is kept in them. A server has a temporary folder and a free
// port of the loopback address. Its invariant: it ends what it has started, also when the
// test dies, and nothing else.
package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// A Server is one Redis. It keeps nothing on disk.
type Server struct {
	Address string // host:port
	folder  string
	command func() *exec.Cmd
	pid     int
	done    chan struct{} // closed when it has ended; nil: it does not run
}

// New starts a Redis that ends with the test, with settings such as "requirepass", "x".
func New(t testing.TB, settings ...string) *Server {
	t.Helper()
	return start(t, "redis-server", append([]string{"--save", ""}, settings...)...)
}

// Sentinel starts a Sentinel that follows master under a name, alone.
func Sentinel(t testing.TB, name string, master *Server) *Server {
	t.Helper()
	host, port, err := net.SplitHostPort(master.Address)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "sentinel.conf") // a Sentinel writes to it
	if err := os.WriteFile(file, fmt.Appendf(nil, "sentinel monitor %s %s %s 1\n", name, host, port), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, "redis-server", file, "--sentinel")
}

// tries is how often another port is tried, because somebody took the one that was free.
const tries = 5

func start(t testing.TB, program string, arguments ...string) *Server {
	t.Helper()
	var failed error
	for range tries {
		s, err := newServer(t, program, arguments)
		if err == nil {
			t.Cleanup(s.Stop)
			return s
		}
		failed = errors.Join(failed, err)
	}
	t.Fatal(failed)
	return nil
}

func newServer(t testing.TB, program string, arguments []string) (*Server, error) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	s := &Server{Address: address, folder: t.TempDir()}
	s.command = func() *exec.Cmd {
		given := []string{"--port", port}
		for i, a := range arguments {
			if i == 0 && !strings.HasPrefix(a, "--") { // a file goes first
				given = append([]string{a}, given...)
				continue
			}
			given = append(given, strings.ReplaceAll(a, "PORT", port))
		}
		cmd := exec.Command(program, append(given, "--bind", "127.0.0.1", "--dir", s.folder, "--appendonly", "no")...)
		// A server dies with the test.
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		return cmd
	}
	return s, s.Start()
}

// Start starts the server again after Stop. What it held is gone.
func (s *Server) Start() error {
	cmd := s.command()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	started, done := make(chan error), make(chan struct{})
	ready := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the kernel sends Pdeathsig when the thread ends that started it
		defer close(done)
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		listen(out, ready)
		_ = cmd.Wait()
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("%w (make test installs it)", err)
	}
	s.pid, s.done = cmd.Process.Pid, done
	return <-ready
}

// listen reads what a server says, and tells when it is ready, or that it never was.
func listen(out io.Reader, ready chan<- error) {
	lines, said := bufio.NewScanner(out), strings.Builder{}
	for lines.Scan() {
		if text := lines.Text(); ready != nil {
			said.WriteString(text + "\n")
			if strings.Contains(text, "Ready to accept connections") || strings.Contains(text, "Sentinel ID is") {
				ready <- nil
				ready = nil
			}
		}
	}
	if ready != nil {
		ready <- fmt.Errorf("the server ended: %s", said.String())
	}
}

// Stop kills the server.
func (s *Server) Stop() { s.end(syscall.SIGKILL) }

// Pause has the server answer nothing, its connections open, until Resume.
func (s *Server) Pause() { _ = syscall.Kill(s.pid, syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Server) Resume() { _ = syscall.Kill(s.pid, syscall.SIGCONT) }

func (s *Server) end(signal syscall.Signal) {
	if s.done == nil {
		return
	}
	select {
	case <-s.done: // its number may be another's by now
	default:
		_ = syscall.Kill(s.pid, signal)
		<-s.done
	}
	s.done = nil
}
