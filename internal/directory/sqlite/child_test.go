package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/portal"
)

// childVariable holds what this test binary does when it is run as another
// process on a store: "role path".
const childVariable = "DOORWARD_TEST_SQLITE_CHILD"

func TestMain(m *testing.M) {
	role, path, ok := strings.Cut(os.Getenv(childVariable), " ")
	if !ok {
		goleak.VerifyTestMain(m)
		return
	}
	if err := child(role, path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is the other process. It says "ready" or what it has done, line by line,
// and goes on when it is sent a line.
func child(role, path string) error {
	if role == "look" {
		return look(path + "-shm")
	}
	ctx, orders := context.Background(), bufio.NewReader(os.Stdin)
	path, target, _ := strings.Cut(path, " ")
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	switch role {
	case "write": // until killed
		for {
			p, err := addUser(ctx, s)
			if err != nil {
				return err
			}
			fmt.Println(p)
		}
	case "obey": // one commit for each order
		fmt.Println("ready")
		for {
			if _, err := orders.ReadString('\n'); err != nil {
				return nil
			}
			p, err := addUser(ctx, s)
			if err != nil {
				return err
			}
			fmt.Println(p)
		}
	case "lock": // hold the write lock until told
		_, err := s.Update(ctx, func(directory.Tx) error {
			fmt.Println("ready")
			_, err := orders.ReadString('\n')
			return err
		})
		return err
	case "backup":
		fmt.Println("ready")
		_, err := s.Backup(ctx, target)
		return err
	case "backup-little-room":
		fmt.Println("ready")
		return backUpWithLittleRoom(ctx, s, target)
	case "open": // and no more
		return nil
	}
	return errors.New("no such role")
}

// backUpWithLittleRoom says whether a backup was unavailable, when no file may have more
// than a megabyte.
func backUpWithLittleRoom(ctx context.Context, s *sqlite.Store, target string) error {
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}); err != nil {
		return err
	}
	_, err := s.Backup(ctx, target)
	if errors.Is(err, directory.ErrUnavailable) {
		fmt.Println("unavailable")
		return nil
	}
	return fmt.Errorf("backed up with little room: %w", err)
}

// look says whether some process holds the lock by which SQLite knows that a WAL
// index is in use (UNIX_SHM_DMS in os_unix.c).
func look(index string) error {
	f, err := os.Open(index)
	if err != nil {
		return err
	}
	defer f.Close()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: 128, Len: 1}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock); err != nil {
		return err
	}
	fmt.Println(map[bool]string{true: "free", false: "held"}[lock.Type == syscall.F_UNLCK])
	return nil
}

// addUser adds the user whose id is the revision before.
func addUser(ctx context.Context, s directory.Store) (portal.Position, error) {
	return s.Update(ctx, func(tx directory.Tx) error {
		p, err := tx.Head(ctx)
		if err != nil {
			return err
		}
		tx.Log(audit.Entry{Actor: "user:tester", Action: "user.put", Object: "user"})
		tx.Log(audit.Entry{Actor: "user:tester", Action: "user.more", Object: "user"})
		return tx.PutUser(ctx, portal.User{ID: userAfter(p.Revision), Status: portal.UserActive})
	})
}

func userAfter(r portal.Revision) portal.UserID {
	return portal.UserID("u" + strconv.FormatUint(uint64(r), 10))
}

// A process is a child under way.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
}

func start(t *testing.T, role, path string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+role+" "+path)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, stdin, bufio.NewReader(stdout)}
	t.Cleanup(func() { p.kill("") })
	return p
}

// says waits for the child's next line.
func (p *process) says(t *testing.T) string {
	t.Helper()
	line, err := p.stdout.ReadString('\n')
	if err != nil {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

func (p *process) order(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(p.stdin, "go on\n"); err != nil {
		t.Fatal(err)
	}
}

// kill kills the child (SIGKILL), and returns the last whole line it had said,
// or else last. Killing it again does nothing.
func (p *process) kill(last string) string {
	_ = p.cmd.Process.Kill()
	rest, _ := io.ReadAll(p.stdout)
	_ = p.cmd.Wait()
	for line := range strings.Lines(string(rest)) {
		if said, whole := strings.CutSuffix(line, "\n"); whole {
			last = said
		}
	}
	return last
}
