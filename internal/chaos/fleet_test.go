package chaos

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5"

	"doorward/internal/audit"
	"doorward/internal/config"
	"doorward/internal/directory"
	"doorward/internal/directory/pgtest"
	"doorward/internal/portal"
	"doorward/internal/server"
	"doorward/internal/token"
)

// Terms of the fleet. They are short, so that many removals wait for one to end.
const (
	lease     = time.Second
	staleness = 500 * time.Millisecond
	margin    = 100 * time.Millisecond
)

const (
	directories = 2
	sidecars    = 4
	accounts    = 12
)

// A database is the PostgreSQL of a run.
type database struct {
	*pgtest.Server
	address string
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(address)
	s, err := pgtest.New("listen_addresses="+host, "port="+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &database{s, address}
}

// url names a database at an address that leads to the server.
func url(address, name string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", address, name)
}

// A fleet is what runs on one database, and the network in between.
type fleet struct {
	folder      string
	url         string // a file with the database's, past all links
	name        string // the database's
	database    *database
	directories []*process
	sidecars    []*process
	toDatabase  []*link   // each directory's
	toDirectory [][]*link // each sidecar's to each directory
	cache       *cache
	manager     string // a token
}

// newFleet starts a fleet on a new database.
func newFleet(t *testing.T, binary string, db *database, name string, how topology) *fleet {
	t.Helper()
	f := &fleet{folder: t.TempDir(), name: name, database: db}
	links := newLinks()
	f.cache = newCache(t, how, sidecars, links)
	for _, step := range []func() error{
		func() error { return f.prepare(t.Context()) },
		func() error { return f.addDirectories(binary, links) },
		func() error { return f.addSidecars(binary) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(f.stop)
	for _, p := range f.all() {
		if err := p.start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f *fleet) all() []*process {
	return append(append([]*process{}, f.directories...), f.sidecars...)
}

func (f *fleet) file(name string) string { return filepath.Join(f.folder, name) }

// stop ends what still runs.
func (f *fleet) stop() {
	for _, p := range f.all() {
		_ = p.end(syscall.SIGKILL)
	}
	for _, l := range f.links() {
		l.proxy.Stop()
	}
}

func (f *fleet) links() []*link {
	all := append([]*link{}, f.toDatabase...)
	for _, links := range f.toDirectory {
		all = append(all, links...)
	}
	return all
}

// prepare makes the database, with accounts and users and no memberships but the owners'.
func (f *fleet) prepare(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, url(f.database.address, "postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+f.name)
	_ = conn.Close(ctx)
	if err != nil {
		return err
	}
	f.url = f.file("database")
	if err := os.WriteFile(f.url, []byte(url(f.database.address, f.name)), 0o600); err != nil {
		return err
	}
	c := config.Config{}
	c.Database.URLFile = f.url
	store, err := server.OpenDirectory(ctx, c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		return err
	}
	defer store.Close()
	if _, err := store.Update(ctx, func(tx directory.Tx) error { return fill(ctx, tx) }); err != nil {
		return err
	}
	return f.makeTokens(ctx, store)
}

func fill(ctx context.Context, tx directory.Tx) error {
	tx.Log(audit.Entry{Actor: "chaos", Action: "fill", Object: "directory"})
	for n := range users {
		if err := tx.PutUser(ctx, portal.User{ID: portal.UserID(userID(n)), Status: portal.UserActive}); err != nil {
			return err
		}
	}
	for n := range accounts {
		id, owner := portal.AccountID(accountID(n)), portal.UserID(ownerOf(accountID(n)))
		for _, err := range []error{
			tx.PutAccount(ctx, portal.Account{ID: id, Name: string(id), Status: portal.AccountActive}),
			tx.PutUser(ctx, portal.User{ID: owner, Status: portal.UserActive}),
			tx.PutMembership(ctx, portal.Membership{
				Account: id, User: owner, Owner: true, State: portal.MembershipActive, Grant: portal.Grant{Presets: []string{"owner"}},
			}),
		} {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func userID(n int) string           { return fmt.Sprintf("user-%d", n) }
func ownerOf(account string) string { return "owner-" + account }

func accountID(n int) string { return fmt.Sprintf("account-%d", n%accounts) }

func (f *fleet) makeTokens(ctx context.Context, store directory.Store) error {
	admin := token.Admin{Store: store, Now: time.Now, Actor: "chaos"}
	manager, err := admin.Create(ctx, "writers", []string{string(token.Manage)})
	if err != nil {
		return err
	}
	f.manager = manager.Text
	gate, err := admin.Create(ctx, "sidecars", []string{string(token.Gate)})
	if err != nil {
		return err
	}
	return os.WriteFile(f.file("gate"), []byte(gate.Text), 0o600)
}

func (f *fleet) addDirectories(binary string, links *toxiproxy.ApiServer) error {
	for n := range directories {
		name := fmt.Sprintf("directory-%d", n)
		l, err := newLink(links, name+" to PostgreSQL", f.database.address)
		if err != nil {
			return err
		}
		gates, err := freeAddress()
		if err != nil {
			return err
		}
		file := f.file(name + ".url")
		if err := os.WriteFile(file, []byte(url(l.proxy.Listen, f.name)), 0o600); err != nil {
			return err
		}
		p, err := newProcess(name, f.folder, binary, "directory", "--data", f.file(name), "--database-url-file", file, "--gates-address", gates,
			"--gates-longest-term", (lease + staleness).String(), "--gates-margin", margin.String(), "--drain-timeout", "1s")
		if err != nil {
			return err
		}
		f.directories, f.toDatabase = append(f.directories, p), append(f.toDatabase, l)
		for n := range sidecars {
			l, err := newLink(links, fmt.Sprintf("sidecar-%d to %s", n, name), gates)
			if err != nil {
				return err
			}
			if len(f.toDirectory) <= n {
				f.toDirectory = append(f.toDirectory, nil)
			}
			f.toDirectory[n] = append(f.toDirectory[n], l)
		}
	}
	return nil
}

func (f *fleet) addSidecars(binary string) error {
	for n := range sidecars {
		name, urls := fmt.Sprintf("sidecar-%d", n), ""
		for _, l := range f.toDirectory[n] {
			urls += ",http://" + l.proxy.Listen
		}
		p, err := newProcess(name, f.folder, binary, "sidecar", "--data", f.file(name), "--directory-urls", urls[1:], "--directory-token-file", f.file("gate"),
			"--gate-label", name, "--gate-lease", lease.String(), "--gate-max-staleness", staleness.String(), "--drain-timeout", "1s", "--redis", f.cache.urls[n])
		if err != nil {
			return err
		}
		f.sidecars = append(f.sidecars, p)
	}
	return nil
}
