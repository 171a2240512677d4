package importer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/portal"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

// killed is set in the child process that imports until it is killed.
const killed = "DOORWARD_TEST_IMPORT_INTO"

func TestMain(m *testing.M) {
	if path := os.Getenv(killed); path != "" {
		importUntilKilled(path)
		return
	}
	goleak.VerifyTestMain(m)
}

func head(t testing.TB, store *sqlite.Store) portal.Position {
	t.Helper()
	at, err := store.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func trail(t testing.TB, store *sqlite.Store) []audit.Entry {
	t.Helper()
	var entries []audit.Entry
	for line, err := range store.AuditLines(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, line.Entry)
	}
	return entries
}

func TestASecondImportChangesNothing(t *testing.T) {
	text := file(userAnna, userDee, accountAcme, annaOwns,
		deeHas(`"presets":["support"],"permissions":"invoices","scope":["service:5"],"not_after":"2030-01-01 00:00:00.123456789"`))
	store := emptyStore(t)
	first := apply(t, plan(t, text), store)
	if first.Position != head(t, store) {
		t.Errorf("the report ends at %v, the directory at %v", first.Position, head(t, store))
	}
	for _, again := range []Report{apply(t, plan(t, text), store), compare(t, plan(t, text), store)} {
		if again.Users != (Count{Unchanged: 2}) || again.Accounts != (Count{Unchanged: 1}) || again.Memberships != (Count{Unchanged: 2}) {
			t.Errorf("the second time: %+v", again)
		}
		if again.Position != first.Position || head(t, store) != first.Position {
			t.Errorf("the second time moved the directory from %v to %v", first.Position, head(t, store))
		}
	}
}

func compare(t testing.TB, p *Plan, store *sqlite.Store) Report {
	t.Helper()
	r, err := p.Compare(context.Background(), store, Carry{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDryRunTellsAndChangesNothing(t *testing.T) {
	store := emptyStore(t)
	made := head(t, store)
	p := plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"permissions":"invoices"`)))
	dry := compare(t, p, store)
	if !dry.DryRun || dry.Users != (Count{New: 2}) || dry.Accounts != (Count{New: 1}) || dry.Memberships != (Count{New: 2}) {
		t.Errorf("dry run: %+v", dry)
	}
	if head(t, store) != made {
		t.Errorf("the dry run moved the directory to %v", head(t, store))
	}
	apply(t, p, store)
	changed := plan(t, file(strings.Replace(userAnna, "anna@", "a.archer@", 1), userDee, accountAcme, annaOwns, deeHas(`"permissions":"tickets"`)))
	before := head(t, store)
	dry = compare(t, changed, store)
	if dry.Users != (Count{Changed: 1, Unchanged: 1}) || dry.Accounts != (Count{Unchanged: 1}) || dry.Memberships != (Count{Changed: 1, Unchanged: 1}) {
		t.Errorf("dry run: %+v", dry)
	}
	if head(t, store) != before {
		t.Error("the dry run moved the directory")
	}
	wet := apply(t, changed, store)
	if dry.Users != wet.Users || dry.Accounts != wet.Accounts || dry.Memberships != wet.Memberships {
		t.Errorf("foretold %+v, done %+v", dry, wet)
	}
}

// What the file does not know, the directory keeps: when a record was made, and
// sign-ins since the export.
func TestImportKeepsWhatTheFileDoesNotSay(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	text := file(userAnna, accountAcme, strings.Replace(annaOwns, `"permissions":null`, `"last_login":"2025-01-01T00:00:00Z"`, 1))
	apply(t, plan(t, text), store)
	later := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err := store.Update(ctx, func(tx directory.Tx) error {
		anna, err := tx.User(ctx, "1")
		if err != nil {
			return err
		}
		anna.CreatedAt = later
		owner, err := tx.Membership(ctx, "42", "1")
		if err != nil {
			return err
		}
		owner.LastLogin, owner.CreatedAt = later, later
		tx.Log(audit.Entry{Actor: "test", Action: "test"})
		return errors.Join(tx.PutUser(ctx, anna), tx.PutMembership(ctx, owner))
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := apply(t, plan(t, text), store); r.Users.Changed+r.Memberships.Changed != 0 {
		t.Errorf("the import took back what happened since: %+v", r)
	}
}

// req 113: each commit says who, what and from which file, and nothing personal.
func TestImportLeavesATrail(t *testing.T) {
	store := emptyStore(t)
	p := plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"permissions":"invoices"`)))
	p.Actor = "cli:root"
	before := len(trail(t, store))
	apply(t, p, store)
	want := []audit.Entry{
		{Actor: "cli:root", Action: "import.users", Object: "import:" + p.Digest[:16], Detail: map[string]string{
			"source": "whmcs", "sha256": p.Digest, "first": "1", "last": "7", "new": "2", "changed": "0"}},
		{Actor: "cli:root", Action: "import.account", Object: "account:42", Detail: map[string]string{
			"source": "whmcs", "sha256": p.Digest, "new": "2", "changed": "0"}},
	}
	if diff := cmp.Diff(want, trail(t, store)[before:]); diff != "" {
		t.Errorf("trail (-want +got):\n%s", diff)
	}
}

// req 4: an account keeps exactly one owner when the file has another one.
func TestOwnershipMovesWithTheFile(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	apply(t, plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"permissions":"invoices"`))), store)
	apply(t, plan(t, file(userAnna, userDee, accountAcme, strings.Replace(annaOwns, "true", "false", 1), deeHas(`"owner":true`))), store)
	members, err := store.Members(ctx, "42")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if m.Owner != (m.User == "7") {
			t.Errorf("%s: owner is %v", m.User, m.Owner)
		}
	}
	// A file that forgets the owner cannot be applied, and changes nothing.
	before := head(t, store)
	r := apply(t, plan(t, file(userAnna, accountAcme, annaOwns)), store)
	want := Quarantine{Accounts: 1, Memberships: 1, Records: []Held{
		{3, "account 42", "user 7 owns it here, and the file does not say what becomes of them"},
		{4, "membership of user 1 in account 42", "account 42 is in quarantine"},
	}}
	if diff := cmp.Diff(want, r.Quarantine); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
	if r.Users.Total() != 1 || r.Accounts.Total() != 0 || head(t, store) != before {
		t.Errorf("after it: %+v, the directory went from %v to %v", r, before, head(t, store))
	}
}

func TestApplyStopsWhenAsked(t *testing.T) {
	store := emptyStore(t)
	ctx, stop := context.WithCancel(context.Background())
	report, err := plan(t, large()).Apply(ctx, store, Carry{Progress: func(done, total int) {
		if total != largeRecords {
			t.Errorf("%d records in all, want %d", total, largeRecords)
		}
		if done > largeUsers {
			stop()
		}
	}})
	stop()
	if err == nil || report.Users.New != largeUsers || report.Accounts.New != firstAccounts {
		t.Errorf("stopped with %v after %+v", err, report)
	}
	if rest := apply(t, plan(t, large()), store); rest.Accounts != (Count{New: largeAccounts - firstAccounts, Unchanged: firstAccounts}) {
		t.Errorf("the rest: %+v", rest.Accounts)
	}
}

const (
	largeUsers, largeAccounts = 600, 3000
	firstAccounts             = inOneCommit / 5
	largeRecords              = largeUsers + 5*largeAccounts // an account, its owner, two members, a contact
)

// large is a file that takes a while to import.
func large() string {
	lines := make([]string, 0, largeRecords)
	for u := range largeUsers {
		lines = append(lines, fmt.Sprintf(`{"kind":"user","id":"u%d","email":"u%d@x.example"}`, u, u))
	}
	for a := range largeAccounts {
		lines = append(lines, fmt.Sprintf(`{"kind":"account","id":"a%d","name":"A %d"}`, a, a))
		for i, grant := range []string{`"owner":true`, `"presets":["billing"]`, `"permissions":"tickets"`} {
			lines = append(lines, fmt.Sprintf(`{"kind":"membership","account":"a%d","user":"u%d",%s}`, a, (a+i)%largeUsers, grant))
		}
		lines = append(lines, fmt.Sprintf(`{"kind":"contact","account":"a%d","id":"c%d","email":"c%d@x.example"}`, a, a, a))
	}
	return file(lines...)
}

// A process that is killed in the middle of an import leaves whole accounts and
// a sound trail, and running the import again completes it.
func TestKilledImportIsCompletedByTheNext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doorward.db")
	killInTheMiddle(t, path)

	ctx, store := context.Background(), openStore(t, path)
	if _, err := directory.Verify(ctx, store, nil); err != nil {
		t.Errorf("the trail after the kill: %v", err)
	}
	whole := 0
	for a := range largeAccounts {
		id := portal.AccountID(fmt.Sprintf("a%d", a))
		members, err := store.Members(ctx, id)
		if err != nil && !errors.Is(err, directory.ErrNotFound) {
			t.Fatal(err)
		}
		switch len(members) {
		case 0:
		case 3:
			whole++
		default:
			t.Errorf("%s has %d members of 3", id, len(members))
		}
	}
	if whole == 0 || whole == largeAccounts {
		t.Fatalf("%d of %d accounts were there: not killed in the middle", whole, largeAccounts)
	}

	report := apply(t, plan(t, large()), store)
	if report.Accounts != (Count{New: largeAccounts - whole, Unchanged: whole}) || report.Memberships != (Count{New: 3 * (largeAccounts - whole), Unchanged: 3 * whole}) {
		t.Errorf("after %d whole accounts: %+v", whole, report)
	}
	if again := apply(t, plan(t, large()), store); again.done != largeRecords || again.Position != report.Position {
		t.Errorf("the third time: %+v", again)
	}
	if _, err := directory.Verify(ctx, store, nil); err != nil {
		t.Errorf("the trail after completion: %v", err)
	}
}

// killInTheMiddle starts an import in another process and kills it with SIGKILL
// when some accounts are in.
func killInTheMiddle(t *testing.T, path string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), killed+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for seen := 0; seen < 3 && lines.Scan(); seen++ {
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the import was over before it was killed")
	}
}

// importUntilKilled is the child: it says a line for each commit and goes on.
func importUntilKilled(path string) {
	var t panicking
	store := openStore(t, path)
	_, err := plan(t, large()).Apply(context.Background(), store, Carry{Progress: func(done, total int) {
		if done > largeUsers {
			fmt.Println(done, "of", total)
		}
	}})
	if err != nil {
		panic(err)
	}
}

// panicking is a testing.TB for a process without a test.
type panicking struct{ testing.TB }

func (panicking) Helper()                   {}
func (panicking) Cleanup(func())            {}
func (panicking) Fatal(args ...any)         { panic(fmt.Sprint(args...)) }
func (panicking) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
