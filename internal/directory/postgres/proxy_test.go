package postgres_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"doorward/internal/directory/pgtest"
)

// A fate is what becomes of a COMMIT, and of the connection it came on.
type fate int32

const (
	forwarded  fate = iota
	unsent          // the connection breaks before it
	unanswered      // the client's side breaks, and the server does not know
)

// A proxy is the network between a store and its server.
type proxy struct {
	folder string
	server string // its socket
	fate   atomic.Int32
	down   atomic.Bool   // refuses new connections, as it does when a connection broke
	seen   chan struct{} // a commit was seen whose fate was not forwarded
}

// mend ends all that is wrong with the network.
func (p *proxy) mend() {
	p.fate.Store(int32(forwarded))
	p.down.Store(false)
}

// network starts a proxy to a server.
func network(t *testing.T, s *pgtest.Server) *proxy {
	t.Helper()
	folder, err := os.MkdirTemp("", "proxy") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(s.DSN(""), "host="), " ")
	p := &proxy{folder: folder, server: filepath.Join(host, ".s.PGSQL.5432"), seen: make(chan struct{}, 100)}
	listener, err := net.Listen("unix", filepath.Join(folder, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		listener.Close()
		os.RemoveAll(folder)
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	return p
}

func (p *proxy) dsn(database string) string {
	return fmt.Sprintf("host=%s port=5432 user=postgres dbname=%s", p.folder, database)
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	if p.down.Load() {
		return
	}
	server, err := net.Dial("unix", p.server)
	if err != nil {
		return
	}
	answered := make(chan struct{})
	go func() {
		_, _ = io.Copy(client, server)
		client.Close()
		close(answered)
	}()
	if !p.forward(client, server) {
		server.Close()
	}
	<-answered
	server.Close()
}

// forward hands on what the client says, until a commit has another fate, and tells
// whether the server has something to answer still. The first message has no type
// (https://www.postgresql.org/docs/current/protocol-message-formats.html).
func (p *proxy) forward(client, server net.Conn) (answers bool) {
	for header := 4; ; header = 5 {
		message := make([]byte, header)
		if _, err := io.ReadFull(client, message); err != nil {
			return false
		}
		rest := make([]byte, binary.BigEndian.Uint32(message[header-4:])-4)
		if _, err := io.ReadFull(client, rest); err != nil {
			return false
		}
		message = append(message, rest...)
		f := fate(p.fate.Load())
		if string(message[header:]) != "commit\x00" {
			f = forwarded
		}
		if f != forwarded {
			p.down.Store(true) // before the driver can ask to cancel the commit
			client.Close()
			p.seen <- struct{}{}
		}
		if f == unsent {
			return false
		}
		if _, err := server.Write(message); err != nil || f == unanswered {
			return err == nil
		}
	}
}
