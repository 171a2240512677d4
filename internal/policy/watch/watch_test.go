package watch

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/internal/policy"
	"doorward/policies"
)

// safe is a buffer that a Keeper may write to while a test reads it.
type safe struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(p)
}

func (s *safe) count(part string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.all.String(), part)
}

// kept is a folder under a running Keeper.
type kept struct {
	*Keeper
	t     *testing.T
	hints *hints // nil: the kernel's
	log   safe
	mu    sync.Mutex
	put   []string // digests handed over, in order
}

// keep copies the shipped policy to the folder unless it exists, and keeps it
// until the test ends.
func keep(t *testing.T, folder string) *kept {
	t.Helper()
	k := prepare(t, folder)
	k.start()
	return k
}

// prepare is keep without the keeping.
func prepare(t *testing.T, folder string) *kept {
	t.Helper()
	if _, err := os.Lstat(folder); err != nil {
		copyTo(t, folder)
	}
	source := policy.Read(os.DirFS(folder))
	p, err := quickly(source)
	must(t, err)
	k := &kept{t: t}
	k.Keeper = New(folder, source, p, Options{Log: slog.New(slog.NewTextHandler(&k.log, nil)), Use: func(p *policy.Policy) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.put = append(k.put, p.Digest)
	}})
	k.load = quickly
	return k
}

// quickly loads a policy without its invariants, which take longer than all the rest.
func quickly(s policy.Source) (*policy.Policy, error) { return s.LoadProfile("", nil) }

func (k *kept) start() {
	ctx, cancel := context.WithCancel(k.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if k.hints != nil {
			k.run(ctx, k.hints)
		} else {
			k.Run(ctx)
		}
	})
	k.t.Cleanup(func() { cancel(); running.Wait() })
}

func (k *kept) handed() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.put)
}

// until waits for a condition of the state.
func (k *kept) until(what string, holds func(State) bool) State {
	k.t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(20 * time.Second) // the race detector on a busy machine
	for {
		if state := k.State(); holds(state) {
			return state
		}
		select {
		case <-ticker.C:
		case <-deadline:
			k.t.Fatalf("never %s; state %+v", what, k.State())
		}
	}
}

func (k *kept) untilNew(old string) State {
	k.t.Helper()
	return k.until("another policy", func(s State) bool { return !s.Stale && s.Digest != old })
}

func (k *kept) untilStale() State {
	k.t.Helper()
	return k.until("refused", func(s State) bool { return s.Stale })
}

func (k *kept) untilGood() State {
	k.t.Helper()
	return k.until("mended", func(s State) bool { return !s.Stale })
}

func copyTo(t *testing.T, folder string) {
	t.Helper()
	if err := os.CopyFS(folder, policies.FS); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, all ...error) {
	t.Helper()
	if err := errors.Join(all...); err != nil {
		t.Fatal(err)
	}
}

// replaced returns the file's content with one text for another.
func replaced(t *testing.T, file, old, new string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%s lacks %q", file, old)
	}
	return bytes.Replace(data, []byte(old), []byte(new), 1)
}

const presets = "presets/presets.csv"

// Every way in which a line is changed puts the new policy in force: saved in
// place, by vim (the old file away, a new one written), by renaming over it, or
// with its time and size kept.
func TestHoweverAFileIsSaved(t *testing.T) {
	const line = "p, billing, invoices, allow"
	for name, save := range map[string]func(file string, data []byte) error{
		"in place": func(file string, data []byte) error { return os.WriteFile(file, data, 0o600) },
		"vim": func(file string, data []byte) error {
			return errors.Join(os.Rename(file, file+"~"), os.WriteFile(file, data, 0o600), os.Remove(file+"~"))
		},
		"renamed over": func(file string, data []byte) error {
			return errors.Join(os.WriteFile(file+".tmp", data, 0o600), os.Rename(file+".tmp", file))
		},
		"time kept": func(file string, data []byte) error {
			info, err := os.Stat(file)
			return errors.Join(err, os.WriteFile(file, data, 0o600), os.Chtimes(file, info.ModTime(), info.ModTime()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "p")
			k := keep(t, folder)
			file := filepath.Join(folder, presets)
			must(t, save(file, replaced(t, file, line, "p, billing, tickets, allow")))
			k.untilNew(k.State().Digest)
			if n := k.handed(); n != 1 {
				t.Errorf("%d policies handed over, want 1", n)
			}
		})
	}
}

// Either is enough: notifications without polling, polling without notifications.
func TestEitherFindsAChange(t *testing.T) {
	for name, change := range map[string]func(*kept){
		"notifications": func(k *kept) { k.o.Poll = time.Hour },
		"polling":       func(k *kept) { k.hints = &hints{folder: k.folder} },
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "p")
			k := prepare(t, folder)
			change(k)
			k.start()
			// After a first change every watch is in place.
			for _, text := range []string{"# one", "# two"} {
				file, old := filepath.Join(folder, presets), k.State().Digest
				must(t, os.WriteFile(file, append(replaced(t, file, "# Presets", "# Presets"), text...), 0o600))
				k.untilNew(old)
			}
		})
	}
}

// A misspelt deny is refused with its place; the fault is logged once however
// often the folder is looked at; mended, the policy is as before.
func TestAFaultKeepsTheLastGoodPolicy(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "p")
	k := keep(t, folder)
	file := filepath.Join(folder, presets)
	good, err := os.ReadFile(file)
	must(t, err)
	digest := k.State().Digest
	must(t, os.WriteFile(file, append(bytes.Clone(good), "p, billing, tickets, denny\n"...), 0o600))
	state := k.untilStale()
	line := bytes.Count(good, []byte("\n")) + 1
	if len(state.Faults) != 1 || state.Faults[0].File != presets || state.Faults[0].Line != line || state.Digest != digest {
		t.Errorf("state %+v, want one fault at %s:%d under %s", state, presets, line, digest)
	}
	k.Force()
	k.until("refused again", func(s State) bool { return s.At.After(state.At) })
	if n := k.log.count("denny"); n != 1 {
		t.Errorf("the fault was logged %d times", n)
	}
	must(t, os.WriteFile(file, good, 0o600))
	if state := k.untilGood(); state.Digest != digest || k.handed() != 0 || state.Faults != nil {
		t.Errorf("%+v, %d handed over", state, k.handed())
	}
}

// A file that is emptied first and written later is never loaded empty.
func TestAHalfWrittenFileIsNotLoaded(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "p")
	k := prepare(t, folder)
	k.o.Still = 3 * time.Second // so that a stalled test machine is no pause between writes
	k.start()
	file := filepath.Join(folder, presets)
	data := replaced(t, file, "# Presets", "# presets")
	digest := k.State().Digest
	f, err := os.Create(file)
	must(t, err)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for part := range bytes.SplitAfterSeq(data, []byte("\n\n")) {
		_, err := f.Write(part)
		must(t, err)
		<-ticker.C
	}
	must(t, f.Close())
	k.untilNew(digest)
	if k.log.count("fault") != 0 || k.handed() != 1 {
		t.Errorf("a part was loaded; %d handed over", k.handed())
	}
}

// A ConfigMap's files are links through ..data, which is renamed over; the files
// that links led to are then removed.
func TestASwapOfAConfigMap(t *testing.T) {
	folder := t.TempDir()
	publish := func(version, old, new string) {
		t.Helper()
		copyTo(t, filepath.Join(folder, version))
		file := filepath.Join(folder, version, presets)
		must(t, os.WriteFile(file, replaced(t, file, old, new), 0o600),
			os.Symlink(version, filepath.Join(folder, "..data_tmp")),
			os.Rename(filepath.Join(folder, "..data_tmp"), filepath.Join(folder, "..data")))
	}
	publish("..1", "# Presets", "# 1")
	for _, name := range []string{"catalogue.yaml", "provider.yaml", "inputs.yaml", "presets", "rules", "profiles"} {
		must(t, os.Symlink(filepath.Join("..data", name), filepath.Join(folder, name)))
	}
	k := keep(t, folder)
	for i, versions := range [][2]string{{"..1", "..2"}, {"..2", "..3"}, {"..3", "..4"}} {
		old := k.State().Digest
		publish(versions[1], "# Presets", "# "+versions[1])
		must(t, os.RemoveAll(filepath.Join(folder, versions[0])))
		k.untilNew(old)
		if n := k.handed(); n != i+1 {
			t.Errorf("%d policies handed over, want %d", n, i+1)
		}
	}
}

func TestAFolderThatGoesAndComesBack(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "p")
	k := keep(t, folder)
	digest := k.State().Digest
	must(t, os.Rename(folder, folder+".away"))
	if state := k.untilStale(); state.Digest != digest || state.Faults != nil || k.log.count("no such file") != 1 {
		t.Errorf("%+v", state)
	}
	must(t, os.Rename(folder+".away", folder))
	if state := k.untilGood(); state.Digest != digest || k.handed() != 0 {
		t.Errorf("%+v, %d handed over", state, k.handed())
	}
	must(t, os.RemoveAll(folder))
	k.untilStale()
	copyTo(t, folder)
	file := filepath.Join(folder, presets)
	must(t, os.WriteFile(file, replaced(t, file, "# Presets", "# presets"), 0o600))
	k.untilNew(digest)
}

// A loop of links cannot be read, by root neither, whom permissions do not stop.
func TestWhatCannotBeReadKeepsTheLastGoodPolicy(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "p")
	k := keep(t, folder)
	file := filepath.Join(folder, "provider.yaml")
	must(t, os.Rename(file, file+".away"), os.Symlink("provider.yaml", file))
	k.untilStale()
	must(t, os.Remove(file), os.Rename(file+".away", file))
	k.untilGood()
	if k.handed() != 0 {
		t.Errorf("%d handed over", k.handed())
	}
}

func TestAPanicOfALoaderKeepsTheLastGoodPolicy(t *testing.T) {
	source := policy.Read(policies.FS)
	k := New("p", source, &policy.Policy{Digest: "d"}, Options{Log: slog.New(slog.DiscardHandler)})
	k.load = func(policy.Source) (*policy.Policy, error) { panic("a bug") }
	k.judge(t.Context(), source)
	if state := k.State(); !state.Stale || state.Digest != "d" {
		t.Errorf("%+v", state)
	}
}
