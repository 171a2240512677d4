package shelf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func shelfOf(t *testing.T, rows ...Row) *Shelf {
	t.Helper()
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for i, r := range rows {
		r.Line, r.Raw = i+1, []byte(fmt.Sprint("raw ", i+1))
		if err := s.Add(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Index(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func user(id string) Row    { return Row{Kind: User, ID: id} }
func account(id string) Row { return Row{Kind: Account, Account: id, ID: id} }
func member(account, user string, owner bool) Row {
	return Row{Kind: Membership, Account: account, ID: user, Owner: owner}
}
func contact(account, id string) Row { return Row{Kind: Contact, Account: account, ID: id} }

// reasons are those in quarantine, by record.
func reasons(t *testing.T, s *Shelf) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := s.InQuarantine(t.Context(), func(r Row) error {
		all[r.String()] = r.Reason
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Accounts come whole and in byte order, however large and however mixed up in the file,
// with more records than are read at once; those in quarantine do not come.
func TestAccountsComeWhole(t *testing.T) {
	const members = 2*atOnce + 7
	rows := []Row{contact("b", "c1"), member("b", "u0", true), account("lost"), contact("B", "c2")}
	for i := range members {
		rows = append(rows, member("b", fmt.Sprint("m", i), false))
	}
	rows = append(rows, account("b"), user("u0"), account("B"), Row{Kind: Invite, Account: "b", ID: "i"}, Row{Kind: History, Account: "b", ID: "h"})
	s := shelfOf(t, rows...)
	if err := s.Quarantine(t.Context(), 3, "why not"); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := s.Accounts(t.Context(), func(rows []Row) error {
		kinds := map[Kind]int{}
		for _, r := range rows {
			kinds[r.Kind]++
			if r.Account != rows[0].ID {
				t.Errorf("%s is among those of %s", r, rows[0])
			}
		}
		if !slices.IsSortedFunc(rows, func(a, b Row) int { return int(a.Kind - b.Kind) }) {
			t.Errorf("%s: out of order", rows[0])
		}
		got = append(got, fmt.Sprint(rows[0], kinds, string(rows[0].Raw)))
		return nil
	})
	want := []string{
		fmt.Sprintf("account B map[2:1 4:1]raw %d", members+7),
		fmt.Sprintf("account b map[2:1 3:%d 4:1 5:1]raw %d", members+1, members+5),
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	enough := errors.New("enough")
	if err := s.Accounts(t.Context(), func([]Row) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

func TestOfGoesInParts(t *testing.T) {
	s := shelfOf(t, user("b"), account("x"), user("a"), user("c"))
	var got [][]string
	err := s.Of(t.Context(), User, 2, func(rows []Row) error {
		var ids []string
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		got = append(got, ids)
		return nil
	})
	if diff := cmp.Diff([][]string{{"b", "a"}, {"c"}}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestClashes(t *testing.T) {
	own := func(r Row, own string) Row { r.Own = own; return r }
	s := shelfOf(t, user("a"), user("A"), account("a"), user("a"), own(member("a", "a", true), "1"), own(member("a", "A", false), "1"),
		member("a", "a", false), contact("a", "a"), contact("b", "a"), user("a"))
	clashes, err := s.Clashes(t.Context(), 10)
	var got []string
	for _, c := range clashes {
		got = append(got, fmt.Sprintf("%s in line %d like line %d %s", c.Row, c.Line, c.First, c.Own))
	}
	want := []string{
		"user a in line 4 like line 1 ", "user a in line 10 like line 1 ", "contact a in line 9 like line 8 ",
		"membership of user a in account a in line 7 like line 5 ", "membership of user A in account a in line 6 like line 5 1",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// What the directory was the cause of is forgotten by the next run; what the file was
// the cause of stays.
func TestRelease(t *testing.T) {
	s := shelfOf(t, user("o"), user("p"), account("a"), member("a", "o", true), member("a", "nobody", false), account("b"), member("b", "p", true), contact("b", "c"))
	if err := s.Settle(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	first := map[string]string{"membership of user nobody in account a": "the file has no user nobody"}
	if diff := cmp.Diff(first, reasons(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := errors.Join(s.Quarantine(t.Context(), 2, "somebody else's"), s.Settle(t.Context(), true)); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"membership of user nobody in account a": "the file has no user nobody", "user p": "somebody else's",
		"membership of user p in account b": "user p is in quarantine", "account b": "its owner is in quarantine", "contact c": "account b is in quarantine",
	}
	if diff := cmp.Diff(want, reasons(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for id, there := range map[string]bool{"p": true, "P": false} {
		if got, err := s.Mentions(t.Context(), User, id, ""); got != there || err != nil {
			t.Errorf("%s is mentioned: %v, %v", id, got, err)
		}
	}
	if err := s.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, reasons(t, s)); diff != "" {
		t.Errorf("released (-want +got):\n%s", diff)
	}
}

func TestWaitingLinesComeInOrder(t *testing.T) {
	s := shelfOf(t)
	for i := range atOnce + 5 {
		if err := s.Wait(t.Context(), 2*i+1, []byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	count := func(line int, raw []byte) error {
		if line != 2*n+1 || raw[0] != byte(n) {
			t.Errorf("line %d: %v", line, raw)
		}
		n++
		return nil
	}
	if err := errors.Join(s.Waiting(t.Context(), count), s.Waiting(t.Context(), count)); err != nil || n != atOnce+5 {
		t.Errorf("%d lines, %v", n, err)
	}
}

// What is sorted on disk, addresses too, is in the folder that was asked for, as what is
// kept is (req 13): the one for temporary files may be small, or not be there.
func TestSortingIsInTheFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "it's here")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var sorts string
	if err := s.conn.QueryRowContext(t.Context(), `PRAGMA temp_store_directory`).Scan(&sorts); err != nil || sorts != folder {
		t.Errorf("it sorts in %q, %v", sorts, err)
	}
}
