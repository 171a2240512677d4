package whmcsexport_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/policy"
	"doorward/internal/portal"
	"doorward/internal/whmcsexport"
	"doorward/policies"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func load(t *testing.T, profile string, switches map[string]string) *policy.Policy {
	t.Helper()
	p, err := policy.LoadProfile(policies.FS, profile, switches)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// loadWith loads the shipped policy with more lines in presets.csv.
func loadWith(t *testing.T, lines string) *policy.Policy {
	t.Helper()
	folder := fstest.MapFS{}
	err := fs.WalkDir(policies.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := policies.FS.ReadFile(name)
		folder[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	presets := folder["presets/presets.csv"]
	presets.Data = append(presets.Data, lines...)
	p, err := policy.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func open(t *testing.T) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "d.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func put(t *testing.T, store directory.Store, fn func(directory.Tx) error) {
	t.Helper()
	_, err := store.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "test", Action: "test.put"})
		return fn(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A seat is a member of an account that has an owner, anna, besides.
type seat struct {
	account portal.Account
	user    portal.User
	member  portal.Membership
}

// seated is an active member of an active account with a grant.
func seated(account, user string, grant portal.Grant) seat {
	return seat{
		account: portal.Account{ID: portal.AccountID(account), Status: portal.AccountActive},
		user:    portal.User{ID: portal.UserID(user), Status: portal.UserActive},
		member: portal.Membership{
			Account: portal.AccountID(account), User: portal.UserID(user), State: portal.MembershipActive, Grant: grant,
		},
	}
}

func putSeats(t *testing.T, store directory.Store, seats ...seat) {
	put(t, store, func(tx directory.Tx) error {
		var errs []error
		for _, s := range seats {
			owner := seated(string(s.account.ID), "anna", portal.Grant{Presets: []string{"owner"}})
			owner.member.Owner = true
			errs = append(errs, tx.PutAccount(t.Context(), s.account), tx.PutUser(t.Context(), owner.user), tx.PutUser(t.Context(), s.user),
				tx.PutMembership(t.Context(), owner.member), tx.PutMembership(t.Context(), s.member))
		}
		return errors.Join(errs...)
	})
}

// exported are the rows of a directory, and their summary as it is printed.
func exported(t *testing.T, store directory.Reader, p *policy.Policy) ([]whmcsexport.Row, string) {
	t.Helper()
	var lines, printed strings.Builder
	made, err := (&whmcsexport.Exporter{Directory: store, Policy: p, Now: now}).Write(t.Context(), &lines)
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Print(&printed); err != nil {
		t.Fatal(err)
	}
	var rows []whmcsexport.Row
	d := json.NewDecoder(strings.NewReader(lines.String()))
	d.DisallowUnknownFields()
	for {
		var row whmcsexport.Row
		if err := d.Decode(&row); errors.Is(err, io.EOF) {
			return rows, printed.String()
		} else if err != nil {
			t.Fatal(err)
		}
		if row.Lost == nil || row.Gained == nil {
			t.Fatalf("null in %s", lines.String())
		}
		rows = append(rows, row)
	}
}
