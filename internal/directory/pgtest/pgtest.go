// Package pgtest runs real PostgreSQL servers for tests, and a pooler before them.
//
// It knows nothing of what is kept in them. A server has a temporary folder, a unix
// socket in it and no port, so servers of different tests never meet. Its invariant: it
// ends what it has started, also when the test dies, and nothing else.
package pgtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Server is one cluster of databases. Its superuser is postgres, without a password.
type Server struct {
	folder   string
	settings []string
	process  *process
	count    atomic.Int64 // databases made
	empty    chan string  // those that nobody has
}

// manyDatabases is more than a server will ever have.
const manyDatabases = 10_000

// New makes a cluster and starts its server, with settings such as
// "max_connections=20". Its databases order text as people do, not by bytes, as most
// databases do.
func New(settings ...string) (*Server, error) {
	folder, err := makeFolder()
	if err != nil {
		return nil, err
	}
	s := &Server{folder: folder, settings: settings, empty: make(chan string, manyDatabases)}
	return s.startWith(command("initdb", "--pgdata="+s.data(), "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync",
		"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=und"))
}

// Standby makes and starts a server that follows s and can only be read, until it is
// promoted.
func (s *Server) Standby() (*Server, error) {
	folder, err := makeFolder()
	if err != nil {
		return nil, err
	}
	standby := &Server{folder: folder, settings: s.settings, empty: make(chan string, manyDatabases)}
	return standby.startWith(command("pg_basebackup", "--pgdata="+standby.data(), "--host="+s.folder, "--port=5432", "--username=postgres",
		"--write-recovery-conf", "--checkpoint=fast", "--no-sync"))
}

// startWith starts the server once cmd has made its data.
func (s *Server) startWith(cmd *exec.Cmd) (*Server, error) {
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s (make test installs it): %w: %s", cmd.Path, err, out), os.RemoveAll(s.folder))
	}
	if err := s.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.folder))
	}
	return s, nil
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// startTimeout bounds the tries to start a server whose predecessor was killed.
const startTimeout = time.Minute

// Start starts the server again after Stop. While processes of one that was killed still
// end, it waits.
func (s *Server) Start() error {
	arguments := []string{"-D", s.data(), "-k", s.folder, "-c", "listen_addresses=", "-c", "lc_messages=C", "-c", "logging_collector=off"}
	for _, setting := range s.settings {
		arguments = append(arguments, "-c", setting)
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for began := time.Now(); ; <-again.C {
		p, err := launch(command("postgres", arguments...), "database system is ready to accept")
		if err == nil {
			s.process = p
			return nil
		}
		if time.Since(began) > startTimeout {
			return err
		}
	}
}

// Stop ends the server: with SIGINT as pg_ctl stop does, with SIGKILL as a crash does.
func (s *Server) Stop(signal syscall.Signal) {
	if s.process != nil {
		s.process.stop(signal)
		s.process = nil
	}
}

// Pause has all processes of the server stand still, its connections open, until Resume.
func (s *Server) Pause() { s.process.signalAll(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Server) Resume() { s.process.signalAll(syscall.SIGCONT) }

// Close ends the server and removes its folder.
func (s *Server) Close() error {
	s.Stop(syscall.SIGINT)
	return os.RemoveAll(s.folder)
}

// DSN names a database of the server.
func (s *Server) DSN(database string) string {
	return fmt.Sprintf("host=%s port=5432 user=postgres dbname=%s", s.folder, database)
}

// Database returns the name of a database that is empty. It is the test's until its end;
// then another one may get it, because creating one takes long.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	var name string
	select {
	case name = <-s.empty:
	default:
		name = "test" + strconv.FormatInt(s.count.Add(1), 10)
		s.Do(t, "postgres", `CREATE DATABASE `+name)
	}
	t.Cleanup(func() {
		if s.process != nil {
			s.clear(t, name)
			s.empty <- name
		}
	})
	return name
}

// clear makes a database as it was made.
func (s *Server) clear(t testing.TB, name string) {
	t.Helper()
	s.Do(t, "postgres",
		`SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '`+name+`'`,
		`ALTER DATABASE `+name+` RESET ALL`, `ALTER DATABASE `+name+` OWNER TO postgres`)
	s.Do(t, name, `DO 'DECLARE n name; BEGIN
		FOR n IN SELECT nspname FROM pg_namespace WHERE nspname !~ ''^pg_'' AND nspname <> ''information_schema'' LOOP
			EXECUTE format(''DROP SCHEMA %I CASCADE'', n);
		END LOOP;
	END'`, `CREATE SCHEMA public`)
}

// Do runs statements in a database, as its superuser.
func (s *Server) Do(t testing.TB, database string, statements ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // in a clean-up it has ended
	conn, err := pgx.Connect(ctx, s.DSN(database))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// makeFolder makes a temporary folder that servers can write.
func makeFolder() (string, error) {
	folder, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return "", err
	}
	if c := credential(); c != nil {
		err = os.Chown(folder, int(c.Uid), int(c.Gid))
	}
	return folder, err
}

// credential is whom servers run as: PostgreSQL and its poolers refuse to run as root.
// nil: as who runs the test.
func credential() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, errU := strconv.ParseUint(u.Uid, 10, 32)
			gid, errG := strconv.ParseUint(u.Gid, 10, 32)
			if errU == nil && errG == nil {
				return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
			}
		}
	}
	return nil
}

// program finds a program, also where Debian keeps those of PostgreSQL and of servers.
func program(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is sound
	if len(found) == 0 {
		return filepath.Join("/usr/sbin", name)
	}
	return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
}

// version is the version in /usr/lib/postgresql/15/bin/initdb.
func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // another name is older
	return n
}

func command(name string, arguments ...string) *exec.Cmd {
	cmd := exec.Command(program(name), arguments...)
	cmd.Dir = "/" // who runs the server may not enter the folder of the test
	// SIGQUIT ends a server at once, should the test die without ending it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential(), Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// A process is a server under way.
type process struct {
	pid  int
	done chan struct{} // closed when it has ended
}

// launch starts a server and waits until it says that it is ready.
func launch(cmd *exec.Cmd, ready string) (*process, error) {
	said, say, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = say
	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the kernel sends Pdeathsig when the thread ends that started it
		err := cmd.Start()
		say.Close()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(p.done)
	}()
	if err := <-started; err != nil {
		said.Close()
		return nil, fmt.Errorf("%w (make test installs it)", err)
	}
	p.pid = cmd.Process.Pid
	return p, p.await(said, ready)
}

// await reads what the server says until it is ready, and then lets it say on.
func (p *process) await(said *os.File, ready string) error {
	var before strings.Builder
	lines := bufio.NewReader(said)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			said.Close()
			return fmt.Errorf("the server ended: %s", before.String())
		}
		if strings.Contains(line, ready) {
			go func() {
				_, _ = io.Copy(io.Discard, lines)
				said.Close()
			}()
			return nil
		}
		before.WriteString(line)
	}
}

// stop ends the server and waits for its end.
func (p *process) stop(signal syscall.Signal) {
	_ = syscall.Kill(p.pid, signal)
	<-p.done
}

// signalAll sends a signal to the server, which makes no new processes then, and to those
// that it has made.
func (p *process) signalAll(signal syscall.Signal) {
	_ = syscall.Kill(p.pid, signal)
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p.pid, p.pid)) // none: it has ended
	for child := range strings.FieldsSeq(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil {
			_ = syscall.Kill(pid, signal)
		}
	}
}
