package pgtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// A Pooler is a PgBouncer before a server. It gives each transaction whichever of its
// connections is free.
type Pooler struct {
	folder   string
	settings []string
	process  *process
}

// Pooler starts one, with settings such as "default_pool_size=3" besides.
func (s *Server) Pooler(settings ...string) (*Pooler, error) {
	folder, err := makeFolder()
	if err != nil {
		return nil, err
	}
	p := &Pooler{folder: folder, settings: settings}
	if err = p.configure(s); err == nil {
		p.process, err = launch(command("pgbouncer", p.file()), "process up")
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return p, nil
}

func (p *Pooler) file() string { return filepath.Join(p.folder, "pgbouncer.ini") }

func (p *Pooler) configure(s *Server) error {
	lines := append([]string{
		"[databases]", "* = host=" + s.folder + " port=5432 user=postgres",
		"[pgbouncer]", "pool_mode = transaction", "auth_type = any", "listen_addr =", "listen_port = 6432",
		"unix_socket_dir = " + p.folder, "max_client_conn = 500",
	}, p.settings...)
	return os.WriteFile(p.file(), []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

// Redirect sends transactions to another server, once the pooler has noticed.
func (p *Pooler) Redirect(to *Server) error {
	return errors.Join(p.configure(to), syscall.Kill(p.process.pid, syscall.SIGHUP))
}

// DSN names a database of the server, through the pooler.
func (p *Pooler) DSN(database string) string {
	return fmt.Sprintf("host=%s port=6432 user=postgres dbname=%s", p.folder, database)
}

// Close ends the pooler and removes its folder.
func (p *Pooler) Close() error {
	p.process.stop(syscall.SIGQUIT)
	return os.RemoveAll(p.folder)
}
