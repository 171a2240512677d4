package shared

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/gate"
	"doorward/internal/gate/shared/redistest"
	"doorward/internal/portal"
)

// What one gate has read another finds, also that there is nobody, each with its position;
// and entries end, not all at once.
func TestWhatIsKeptIsFound(t *testing.T) {
	s := redistest.New(t)
	one, other := cache(t, at(s)), cache(t, at(s))
	if _, result := other.find(anna); result != missing {
		t.Error(result)
	}
	one.keep([]portal.FactKey{anna, bob}, read)
	for i, key := range []portal.FactKey{anna, bob} {
		want := gate.Found{Facts: read.Facts[i : i+1], Position: read.Position, Era: read.Era}
		got, result := other.find(key)
		if diff := cmp.Diff(want, got); diff != "" || result != found {
			t.Error(result, diff)
		}
	}
	all := other.Find(t.Context(), "era", []portal.FactKey{anna, keyOf("acme", "carl"), bob})
	if len(all) != 3 || len(all[0].Facts) != 1 || len(all[1].Facts) != 0 || len(all[2].Facts) != 1 {
		t.Errorf("%+v", all)
	}
	client := raw(t, s)
	for key, most := range map[portal.FactKey]time.Duration{anna: TTL, bob: TTL / 4} {
		ttl, err := client.PTTL(t.Context(), Name("era", key)).Result()
		if must(t, ttl, err) > most || ttl < most/2 {
			t.Errorf("%v is kept for %v", key, ttl)
		}
	}
	lives := map[time.Duration]bool{}
	for range 100 {
		lives[lifetime(member)] = true
	}
	if len(lives) < 50 {
		t.Errorf("of 100 entries %d end at times of their own", len(lives))
	}
}

// Run writes what was read until it is told to stop; a queue that is full drops.
func TestRunWrites(t *testing.T) {
	s := redistest.New(t)
	w := cache(t, at(s))
	for range maxFills + 3 {
		w.Keep([]portal.FactKey{anna}, gate.Found{Facts: read.Facts[:1], Position: read.Position, Era: "era"})
	}
	if n := w.filled(dropped); n != 3 {
		t.Errorf("%v dropped", n)
	}
	var work sync.WaitGroup
	work.Go(func() { w.Run(t.Context()) })
	t.Cleanup(work.Wait)
	for w.filled(written) < 1 {
		w.rested()
	}
	if _, result := w.find(anna); result != found {
		t.Error(result)
	}
}

// An entry is sealed with the newest key and opened with any that is known; with one that
// is gone, or that another directory has, it is none.
func TestKeysRotate(t *testing.T) {
	s := redistest.New(t)
	w := cache(t, at(s))
	w.keep([]portal.FactKey{anna, bob}, read)
	other := secret(1)
	other.Secret[0]++
	for _, step := range []struct {
		keys Keys
		want string
	}{
		{Keys{secret(2), secret(1)}, found}, {Keys{secret(2)}, unknownKey}, {nil, unknownKey}, {Keys{other}, forged}, {Keys{secret(1)}, found},
	} {
		w.Use(step.keys)
		if f, result := w.find(anna); result != step.want || (len(f.Facts) > 0) != (result == found) {
			t.Errorf("%d keys: %s, not %s", len(step.keys), result, step.want)
		}
	}
	w.Use(Keys{secret(2), secret(1)})
	w.keep([]portal.FactKey{anna, bob}, read)
	w.Use(Keys{secret(2)})
	if _, result := w.find(anna); result != found {
		t.Error("the newest key is not used")
	}
	w.Use(nil)
	w.keep([]portal.FactKey{anna, bob}, read)
	if w.filled(unfit) != 2 {
		t.Error("without a key something was written")
	}
}

// Before it has keys, a cache asks nobody.
func TestWithoutKeysNothingIsAsked(t *testing.T) {
	w := cache(t, Server{URL: "redis://127.0.0.1:1"})
	w.keys.Store(nil)
	w.Keep([]portal.FactKey{anna, bob}, read)
	if all := w.Find(t.Context(), "era", []portal.FactKey{anna}); all != nil || len(w.fills) != 0 {
		t.Errorf("%+v", all)
	}
	if n := w.counts(); n[failed]+n[skipped] != 0 {
		t.Error(n)
	}
}

// Whatever somebody puts into Redis, and wherever they move what a gate has put there, it
// is not found (S29).
func TestWhatIsNotBelieved(t *testing.T) {
	s := redistest.New(t)
	w, client := cache(t, at(s)), raw(t, s)
	w.keep([]portal.FactKey{anna, bob}, read)
	value, err := client.Get(t.Context(), Name("era", anna)).Result()
	must(t, value, err)
	stranger := cache(t, at(s)) // of another installation, or of somebody without the key
	strange := secret(1)
	strange.Secret[31]++
	stranger.Use(Keys{strange})
	put := func(key portal.FactKey, text string) {
		must(t, 0, client.Set(t.Context(), Name("era", key), text, 0).Err())
	}
	for what, attempt := range map[string]struct {
		do   func()
		want string
	}{
		"no entry":                    {func() { put(anna, "garbage") }, malformed},
		"an empty string":             {func() { put(anna, "") }, missing},
		"another version":             {func() { put(anna, "\x02"+value[1:]) }, malformed},
		"a part of it":                {func() { put(anna, value[:len(value)-1]) }, forged},
		"the head of it":              {func() { put(anna, value[:headBytes]) }, forged},
		"less than its head":          {func() { put(anna, value[:headBytes-1]) }, malformed},
		"more than it":                {func() { put(anna, value+" ") }, forged},
		"far more":                    {func() { put(anna, value+strings.Repeat(" ", maxValue)) }, malformed},
		"another member's":            {func() { put(bob, value) }, forged},
		"a key that nobody made":      {func() { put(anna, value[:8]+"\x09"+value[9:]) }, unknownKey},
		"of another installation":     {func() { stranger.keep([]portal.FactKey{anna, bob}, read) }, forged},
		"of another account, in part": {func() { put(anna, strings.Replace(value, "acme", "evil", 1)) }, forged},
		"of a later position":         {func() { put(anna, strings.Replace(value, `"7.`, `"9.`, 1)) }, forged},
		"of another time line": {func() {
			elsewhere := read
			elsewhere.Era = "another"
			w.keep([]portal.FactKey{anna, bob}, elsewhere)
			text, err := client.Get(t.Context(), Name("another", anna)).Result()
			put(anna, must(t, text, err))
		}, forged},
	} {
		asked := anna
		if what == "another member's" {
			asked = bob
		}
		attempt.do()
		if f, result := w.find(asked); result != attempt.want || len(f.Facts) != 0 {
			t.Errorf("%s: %s, %+v", what, result, f)
		}
	}
	put(anna, value)
	if _, result := w.find(anna); result != found {
		t.Error("it was not for what was changed:", result)
	}
}

// No byte of an entry can be another.
func TestEveryByteIsSealed(t *testing.T) {
	sealer, where := Sealer{Keys: Keys{secret(1)}}, Name("era", anna)
	value, err := sealer.Seal(where, anna, member, read)
	must(t, value, err)
	for i := range value {
		for bit := range 8 {
			changed := []byte(string(value))
			changed[i] ^= 1 << bit
			if f, result := sealer.Open(where, string(changed), anna, "era"); result == found || len(f.Facts) != 0 {
				t.Errorf("byte %d, bit %d: %s", i, bit, result)
			}
		}
	}
	if f, result := sealer.Open(where, string(value), anna, "era"); result != found || len(f.Facts) != 1 {
		t.Error(result)
	}
}

// Names are not mistaken for each other, wherever an id ends and the next begins.
func TestNamesAreTheirKeysAlone(t *testing.T) {
	seen := map[string]bool{}
	for _, era := range []gate.Era{"", "a", "ab"} {
		for _, account := range []portal.AccountID{"", "b", "a"} {
			for _, subject := range []portal.Ref{{Type: "user", ID: "x"}, {Type: "contact", ID: "x"}, {Type: "userx"}, {Type: "user", ID: "xx"}} {
				seen[Name(era, portal.FactKey{Account: account, Subject: subject})] = true
			}
		}
	}
	if len(seen) != 3*3*4 {
		t.Errorf("%d names", len(seen))
	}
}

func FuzzOpen(f *testing.F) {
	sealer, where := Sealer{Keys: Keys{secret(2), secret(1)}}, Name("era", anna)
	value, err := sealer.Seal(where, anna, member, read)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(value))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if got, result := sealer.Open(where, text, anna, "era"); text != string(value) && (result == found || len(got.Facts) != 0) {
			t.Errorf("%s, %+v", result, got)
		}
	})
}
