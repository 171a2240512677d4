package catalogue

import "math/bits"

// MaxObjects is how many categories and mails a catalogue may have together: as
// many as a Set has bits.
const MaxObjects = 128

// A Set is a set of objects by their bit. The zero Set is empty. Sets of
// different catalogues must not be mixed.
type Set [2]uint64

// Has tells whether the object with that bit is in s. A bit that no object can
// have is in no set.
func (s Set) Has(bit int) bool {
	return bit >= 0 && bit < MaxObjects && s[bit/64]&(1<<(bit%64)) != 0
}

// With returns s and the object with that bit.
func (s Set) With(bit int) Set {
	if bit >= 0 && bit < MaxObjects {
		s[bit/64] |= 1 << (bit % 64)
	}
	return s
}

// Union returns what is in s or in t.
func (s Set) Union(t Set) Set { return Set{s[0] | t[0], s[1] | t[1]} }

// Minus returns what is in s and not in t.
func (s Set) Minus(t Set) Set { return Set{s[0] &^ t[0], s[1] &^ t[1]} }

// Common returns what is in both s and t.
func (s Set) Common(t Set) Set { return Set{s[0] & t[0], s[1] & t[1]} }

// Contains tells whether all of t is in s.
func (s Set) Contains(t Set) bool { return t.Minus(s).IsEmpty() }

// IsEmpty tells whether nothing is in s.
func (s Set) IsEmpty() bool { return s == Set{} }

// all yields the bits of s in order.
func (s Set) all(yield func(bit int) bool) {
	for word, left := range s {
		for ; left != 0; left &= left - 1 {
			if !yield(64*word + bits.TrailingZeros64(left)) {
				return
			}
		}
	}
}
