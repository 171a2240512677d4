package generate_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/generate"
	"doorward/internal/importer"
	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/policies"
)

var load = sync.OnceValues(func() (*policy.Policy, error) { return policy.Load(policies.FS) })

func shipped(t testing.TB) *policy.Policy {
	t.Helper()
	p, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// options are those of a portal under the shipped policy.
func options(t testing.TB, accounts int, seed uint64) generate.Options {
	p := shipped(t)
	return generate.Options{Accounts: accounts, Seed: seed, Catalogue: p.Catalogue, Presets: p.Presets.Names(), MembersMax: 40}
}

func write(t testing.TB, o generate.Options) (string, generate.Summary) {
	t.Helper()
	var b bytes.Buffer
	s, err := generate.Write(t.Context(), &b, o)
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), s
}

// What is generated is a portal: its import finds no fault and nothing to look at, and
// the directory it makes is sound (req 9, req 10).
func TestWhatIsGeneratedIsImported(t *testing.T) {
	if generate.Format != importer.Format {
		t.Errorf("format %s, want %s", generate.Format, importer.Format)
	}
	p := shipped(t)
	for seed := range uint64(3) { // many accounts, for what is rare: a friend who is the owner
		text, _ := write(t, options(t, 4000, seed))
		readable(t, p, text)
	}
	plan, summary := imported(t, p, 100, 4)
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "doorward.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	report, err := plan.Apply(t.Context(), store, importer.Carry{})
	if err != nil {
		t.Fatal(err)
	}
	got := [4]int{report.Users.New, report.Accounts.New, report.Memberships.New, report.Contacts.New}
	if want := [4]int{summary.Users, summary.Accounts, summary.Memberships, summary.Contacts}; got != want {
		t.Errorf("imported %v, the summary says %v", got, want)
	}
	if toLookAt(report) > 0 {
		t.Errorf("to look at: %+v, %v, %v", report.Warnings, report.Ignored, report.Quarantine)
	}
	if _, err := directory.Verify(t.Context(), store, nil); err != nil {
		t.Error(err)
	}
}

// toLookAt counts what the report of an import has to look at. That nobody of an
// account is sent mail about domains happens in real portals, too.
func toLookAt(r importer.Report) int {
	n := len(r.Ignored) + r.Quarantine.Total()
	for _, w := range r.Warnings {
		if !strings.Contains(w.Message, "mail about domains") {
			n++
		}
	}
	return n
}

// readable reads a portal as an import does, and finds no fault.
func readable(t *testing.T, p *policy.Policy, text string) *importer.Plan {
	t.Helper()
	words := importer.Words{Catalogue: p.Catalogue, Presets: p.Presets}
	plan, err := importer.Read(t.Context(), "generated", strings.NewReader(text), words, importer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plan.Close(); err != nil {
			t.Error(err)
		}
	})
	return plan
}

// imported reads a portal as an import does, and finds no fault and no warning.
func imported(t *testing.T, p *policy.Policy, accounts int, seed uint64) (*importer.Plan, generate.Summary) {
	t.Helper()
	text, summary := write(t, options(t, accounts, seed))
	plan := readable(t, p, text)
	empty, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "doorward.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	report, err := plan.Compare(t.Context(), empty, importer.Carry{})
	if err != nil || toLookAt(report) > 0 {
		t.Errorf("seed %d: %v; to look at: %+v, %v, %v", seed, err, report.Warnings, report.Ignored, report.Quarantine)
	}
	return plan, summary
}

// The same on every machine, today and in a year. Should this fail, a change of the
// generator changed every portal: say so in the changelog, and put the new digest here.
func TestSameBytesForEver(t *testing.T) {
	o := options(t, 1000, 42)
	// The words of the policy are part of what is written, so they are fixed here.
	o.Presets = []string{"owner", "support", "billing", "auditor"}
	o.Catalogue = &catalogue.Catalogue{
		Categories: []catalogue.Category{{Name: "invoices", Delegable: true}, {Name: "ownership"}, {Name: "tickets", Delegable: true}},
		Mails:      []catalogue.Mail{{Name: "invoice"}, {Name: "security"}, {Name: "general"}},
	}
	text, _ := write(t, o)
	digest := sha256.Sum256([]byte(text))
	if got, want := hex.EncodeToString(digest[:8]), "d72c81a2a088e98f"; got != want {
		t.Errorf("digest %s, want %s; it begins\n%.600s", got, want, text)
	}
}

func TestSeedAndTimeMatter(t *testing.T) {
	first, _ := write(t, options(t, 50, 1))
	if again, _ := write(t, options(t, 50, 1)); again != first {
		t.Error("the same seed gave something else")
	}
	if other, _ := write(t, options(t, 50, 2)); other == first {
		t.Error("another seed gave the same")
	}
	later := options(t, 50, 1)
	later.At = generate.DefaultAt.AddDate(1, 0, 0)
	if other, _ := write(t, later); !strings.Contains(other, `"exported_at":"2027-01-01T00:00:00Z"`) || strings.Contains(other, "\"created_at\":\"2010") {
		t.Errorf("times do not follow the file's: %.200s", other)
	}
}

// The portal has what portals have, in about the shares that the package speaks of.
func TestPortalsLookLikePortals(t *testing.T) {
	o := options(t, 21_000, 7)
	o.MembersMax = 4000
	s, err := generate.Write(t.Context(), io.Discard, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what      string
		got       int
		low, high int
	}{
		{"accounts with nobody but the owner", s.Sizes[0], 11_000, 15_000},
		{"accounts by the hundred", s.Sizes[6], 1, 40},
		{"accounts by the thousand", s.Sizes[7], 1, 2},
		{"members of the largest", s.Largest, 1001, 4010},
		{"accounts of the largest agency", s.LargestAgency, 150, 600},
		{"accounts of the largest bookkeeper", s.LargestBookkeeper, 40, 400},
		{"owners with several accounts", s.SharedOwners, 1500, 3000},
		{"suspended", s.Suspended, 500, 1000}, {"closed", s.Closed, 900, 1600},
		{"that require a second factor", s.MFARequired, 600, 1100}, {"disabled", s.Disabled, 300, 1000},
		{"pending", s.Pending, 300, 1500}, {"removed", s.Removed, 600, 3000},
		{"granular", s.Granular, 2000, 8000}, {"scoped", s.Scoped, 1500, 5000}, {"choices of mail", s.MailChoices, 1500, 5000},
		{"expired", s.Expired, 100, 3000}, {"in force", s.InForce, 100, 3000}, {"not begun", s.Future, 50, 3000},
		{"contacts", s.Contacts, 7000, 11_000},
	} {
		if c.got < c.low || c.got > c.high {
			t.Errorf("%d %s, want %d to %d", c.got, c.what, c.low, c.high)
		}
	}
}

// Presets that the policy lacks are not given, and those it has besides are.
func TestOtherPresets(t *testing.T) {
	o := options(t, 400, 3)
	o.Presets = []string{"bookkeeping", "owner"}
	text, _ := write(t, o)
	if !strings.Contains(text, `"presets":["bookkeeping"]`) {
		t.Error("the policy's own preset is never given")
	}
	for _, absent := range []string{"billing", "developer", "owner"} {
		if strings.Contains(text, `"presets":["`+absent+`"]`) {
			t.Errorf("the preset %s is given", absent)
		}
	}
	o.Presets = nil
	if text, _ := write(t, o); strings.Contains(text, `"presets"`) || !strings.Contains(text, `"categories":[`) {
		t.Error("without presets members hold categories")
	}
}

func TestSmallPortals(t *testing.T) {
	p := shipped(t)
	for accounts, lines := range []int{1, 0, 0} {
		o := options(t, accounts, 9)
		text, s := write(t, o)
		if s.Accounts != accounts || lines > 0 && strings.Count(text, "\n") != lines {
			t.Errorf("%d accounts: %+v\n%s", accounts, s, text)
		}
		readable(t, p, text)
	}
	if s, err := generate.Write(t.Context(), io.Discard, generate.Options{Accounts: 20, At: time.Unix(0, 0)}); err != nil || s.Accounts != 20 {
		t.Errorf("without a policy: %+v, %v", s, err)
	}
}

// A portal ten times as large needs no more memory.
func TestMemoryIsFlat(t *testing.T) {
	peak := func(accounts int) uint64 {
		high := &highWater{}
		if _, err := generate.Write(t.Context(), high, options(t, accounts, 1)); err != nil {
			t.Fatal(err)
		}
		return high.most
	}
	small, large := peak(2_000), peak(20_000)
	if large > small+1<<20 {
		t.Errorf("%d bytes in use at 20000 accounts, %d at 2000", large, small)
	}
}

// A highWater remembers the most memory in use while it was written to.
type highWater struct {
	most   uint64
	writes int
}

func (h *highWater) Write(p []byte) (int, error) {
	if h.writes++; h.writes%8 == 0 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		h.most = max(h.most, m.HeapAlloc)
	}
	return len(p), nil
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteStops(t *testing.T) {
	if _, err := generate.Write(t.Context(), full{}, options(t, 5000, 1)); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := generate.Write(ended, io.Discard, options(t, 5000, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
