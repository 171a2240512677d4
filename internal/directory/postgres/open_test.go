package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/postgres"
	"doorward/internal/portal"
)

// schema is everything that a dump of the schema would say.
const schema = `SELECT coalesce(string_agg(line, E'\n' ORDER BY line), '') FROM (
	SELECT format('%s.%s %s %s', table_name, column_name, data_type, is_nullable) FROM information_schema.columns WHERE table_schema = 'doorward'
	UNION ALL SELECT format('%s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'doorward'::regnamespace
	UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'doorward'
	UNION ALL SELECT 'migrations ' || count(*) FROM doorward.goose_db_version) AS s (line)`

func TestOpeningAgainChangesNothing(t *testing.T) {
	database := server.Database(t)
	var before, salt string
	for range 3 {
		s := open(t, server.DSN(database), postgres.Options{})
		if p, err := s.Head(t.Context()); err != nil || p.Revision != 1 {
			t.Errorf("opened at %v, %v", p, err)
		}
		if salt != "" && salt != string(s.Salt()) || len(s.Salt()) < 32 {
			t.Error("the salt changed, or is short")
		}
		var now string
		if err := raw(t, server, database).QueryRow(t.Context(), schema).Scan(&now); err != nil || !strings.Contains(now, "accounts.id text NO") {
			t.Fatalf("%v: %s", err, now)
		}
		if before != "" && before != now {
			t.Errorf("the schema changed from\n%s\nto\n%s", before, now)
		}
		before, salt = now, string(s.Salt())
		s.Close()
	}
}

// However many replicas start on an empty database at once, directly or through a pooler
// with few connections, the directory is created once.
func TestCreatedByManyReplicasAtOnce(t *testing.T) {
	p := pooler(t, "default_pool_size = 3")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, dsn := range []string{server.DSN(server.Database(t)) + " pool_max_conns=1", p.DSN(server.Database(t)) + " default_query_exec_mode=exec"} {
		var replicas sync.WaitGroup
		for range 8 {
			replicas.Go(func() {
				s, err := postgres.Open(ctx, dsn, postgres.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				if _, err := addUser(t.Context(), s, portal.UserID(fmt.Sprintf("u%p", s))); err != nil {
					t.Error(err)
				}
			})
		}
		replicas.Wait()
		report, err := directory.Verify(t.Context(), open(t, dsn, postgres.Options{}), nil)
		if err != nil || report.Lines != 9 || report.Position.Revision != 9 {
			t.Errorf("%+v, %v", report, err)
		}
	}
}

// A migration that fails leaves nothing, and the next one who tries makes it.
func TestMigrationThatFails(t *testing.T) {
	database := server.Database(t)
	user := userOf(t, database)
	dsn := as(server.DSN(database), user)
	server.Do(t, "postgres", `ALTER DATABASE `+database+` OWNER TO postgres`) // so that user may create nothing in it
	_, err := postgres.Open(t.Context(), dsn, postgres.Options{})
	refused(t, err, "lacks a right")
	open(t, server.DSN(database), postgres.Options{})
}

func TestDatabasesThatAreNoDirectory(t *testing.T) {
	for _, c := range []struct {
		name, do string
		want     error
	}{
		{"newer", `UPDATE doorward.goose_db_version SET version_id = 9999 WHERE version_id = 1`, postgres.ErrNewer},
		{"of another program", `DROP SCHEMA doorward CASCADE; CREATE SCHEMA doorward; CREATE TABLE doorward.theirs (x int)`, postgres.ErrDamaged},
		{"a table is missing", `DROP TABLE doorward.head`, postgres.ErrDamaged},
		{"a column is missing", `ALTER TABLE doorward.head DROP COLUMN tag`, postgres.ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			database := server.Database(t)
			s := open(t, server.DSN(database), postgres.Options{})
			found(t, s)
			s.Close()
			server.Do(t, database, c.do)
			_, err := postgres.Open(t.Context(), server.DSN(database), postgres.Options{})
			if !errors.Is(err, c.want) || errors.Is(err, directory.ErrUnavailable) || !strings.Contains(err.Error(), database) {
				t.Errorf("got %v, want %v that names the database", err, c.want)
			}
		})
	}
}

// Text is kept in UTF-8 or not at all.
func TestEncoding(t *testing.T) {
	database := newName()
	server.Do(t, "postgres", `CREATE DATABASE `+database+` ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0`)
	if _, err := postgres.Open(t.Context(), server.DSN(database), postgres.Options{}); !errors.Is(err, postgres.ErrDamaged) || !strings.Contains(err.Error(), "UTF8") {
		t.Errorf("got %v", err)
	}
}

// Text is sent as it is, whatever the database makes its clients' encoding.
func TestClientEncoding(t *testing.T) {
	database := server.Database(t)
	server.Do(t, "postgres", `ALTER DATABASE `+database+` SET client_encoding = 'LATIN1'`)
	s := open(t, server.DSN(database), postgres.Options{})
	ben := portal.User{ID: "ben", Status: portal.UserActive, Person: portal.Person{FirstName: "Bén株"}}
	_, err := s.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "user:tester", Action: "test.put"})
		return tx.PutUser(t.Context(), ben)
	})
	got, errGot := s.User(t.Context(), "ben")
	if err != nil || errGot != nil || got != ben {
		t.Errorf("%v, %v, %+v", err, errGot, got)
	}
	if !yes(t, raw(t, server, database), `SELECT octet_length(first_name) = 7 FROM doorward.people`) {
		t.Error("kept in another encoding")
	}
}

// What says where the directory is may hold a password: no error repeats it.
func TestAddressesThatLeadNowhere(t *testing.T) {
	for _, dsn := range []string{
		"postgres://doorward:s3cret@127.0.0.1:1/doorward",
		"postgres://doorward:s3cret@127.0.0.1:1/doorward?sslmode=sometimes",
		"postgres://doorward:s3cret@127.0.0.1:port/doorward",
		"host=/nowhere password=s3cret",
		"host=/nowhere password=s3cret pool_max_conns=many",
		"host=/nowhere password='s3cret",
	} {
		s, err := postgres.Open(t.Context(), dsn, postgres.Options{})
		if err == nil {
			s.Close()
		}
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

// docs/operating.md says what rights servers need when somebody else owns the schema. The
// trail they can only add to.
func TestRightsOfAServer(t *testing.T) {
	page, err := os.ReadFile("../../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	grants := regexp.MustCompile("```sql\n(GRANT[^`]+)```").FindSubmatch(page)
	if grants == nil {
		t.Fatal("the page grants nothing")
	}
	database := server.Database(t)
	open(t, server.DSN(database), postgres.Options{}).Close() // by the owner
	user := newName()
	server.Do(t, database, `CREATE USER `+user, strings.ReplaceAll(string(grants[1]), "doorward_server", user))
	s := open(t, as(server.DSN(database), user), postgres.Options{})
	found(t, s)
	_, err = s.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "user:tester", Action: "test.put"})
		return errors.Join(
			tx.PutUser(t.Context(), portal.User{ID: "anna", Status: portal.UserDisabled}),
			tx.PutContact(t.Context(), portal.Contact{ID: "books", Account: "acme", Status: portal.ContactRemoved}),
			tx.PutInvitation(t.Context(), portal.Invitation{ID: "i1", Account: "acme", State: portal.InvitationRevoked}),
			tx.PutHistory(t.Context(), portal.HistoryLine{Source: "whmcs", ID: "1"}),
			tx.PutToken(t.Context(), directory.Token{ID: "t1", Digest: [32]byte{1}}),
		)
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := directory.Verify(t.Context(), s, nil); err != nil {
		t.Error(err)
	}
	for call, err := range everyCall(t.Context(), s.Gates()) {
		if err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
	conn, err := pgx.Connect(t.Context(), as(server.DSN(database), user))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, statement := range []string{
		`UPDATE doorward.audit_lines SET actor = 'user:b'`, `DELETE FROM doorward.audit_lines`, `TRUNCATE doorward.change_log`,
		`UPDATE doorward.meta SET value = ''`, `DELETE FROM doorward.memberships`, `DROP TABLE doorward.history`,
	} {
		if _, err := conn.Exec(t.Context(), statement); err == nil {
			t.Errorf("the server may %s", statement)
		}
	}
}

// Design R11: whoever starts a directory that may lose what it acknowledged is told.
func TestWarnings(t *testing.T) {
	var log bytes.Buffer
	open(t, server.DSN(server.Database(t)), postgres.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for setting, warned := range map[string]bool{"fsync": true, "synchronous_standby_names": true, "full_page_writes": false, "synchronous_commit": false} {
		if strings.Contains(log.String(), "setting="+setting+" ") != warned {
			t.Errorf("%s: want %v in\n%s", setting, warned, log.String())
		}
	}
}

// Text compares by bytes (S14) although the database orders it as people do.
func TestCollation(t *testing.T) {
	database := server.Database(t)
	open(t, server.DSN(database), postgres.Options{})
	conn := raw(t, server, database)
	if !yes(t, conn, `SELECT 'a' < 'B'`) {
		t.Error("the database does not")
	}
	if !yes(t, conn, `SELECT count(*) = 0 FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
		WHERE c.relnamespace = 'doorward'::regnamespace AND a.attnum > 0 AND a.attcollation NOT IN (0, 950)`) { // 950 is "C"
		t.Error("a column has another collation")
	}
}
