package generate

import (
	"math/bits"
	"math/rand/v2"
)

// A kind of dice: what is drawn about one thing never moves what is drawn about another.
type kind uint64

const (
	owner kind = iota + 1
	account
	person
	agency
	bookkeeper
)

// dice draw what is made up about one thing. The generator's sequence is fixed by its
// definition; how numbers are made from it is written here, because Go does not promise
// to keep that.
type dice struct{ source *rand.PCG }

// dice are those of thing i of a kind, the same whenever they are asked for.
func (w *writer) dice(k kind, i uint64) dice {
	return dice{rand.NewPCG(w.Seed, scatter(uint64(k)<<56|i))}
}

// scatter makes neighbours differ in every bit (the finalizer of SplitMix64).
func scatter(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below draws one of n numbers from 0 on; 0 when there are none.
func (d dice) below(n int) int {
	high, _ := bits.Mul64(d.source.Uint64(), uint64(max(n, 0)))
	return int(high)
}

// between draws a number from low to high.
func (d dice) between(low, high int) int { return low + d.below(high-low+1) }

// least is the least of so many draws below n: small numbers are drawn more often.
func (d dice) least(n, draws int) int {
	lowest := d.below(n)
	for range draws - 1 {
		lowest = min(lowest, d.below(n))
	}
	return lowest
}

// in1000 tells what happens so many times in a thousand.
func (d dice) in1000(times int) bool { return d.below(1000) < times }

// pick draws one of a list that has some.
func pick[T any](d dice, list []T) T { return list[d.below(len(list))] }

// A weighted thing is drawn as often as its weight says.
type weighted[T any] struct {
	weight int
	value  T
}

// draw draws one of a list that has some.
func draw[T any](d dice, list []weighted[T]) T {
	total := 0
	for _, one := range list {
		total += one.weight
	}
	at := d.below(total)
	for _, one := range list {
		if at -= one.weight; at < 0 {
			return one.value
		}
	}
	return list[len(list)-1].value
}
