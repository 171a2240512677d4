package facts

import (
	"strconv"
	"testing"
)

// A change of an account reaches only cells in the table: a cell that was evicted
// must be empty, whoever still points to it.
func TestACellOutOfTheTableIsEmpty(t *testing.T) {
	c := newCells[string](shards, nil) // one to a shard
	const n = 10 * shards
	key := func(k int) []byte { return strconv.AppendInt(nil, int64(k), 10) }
	filled := make([]*cell[string], n)
	for k := range n {
		filled[k] = c.fill(key(k), "known")
	}
	inTable, v := 0, ""
	for k := range n {
		known, ok := c.get(key(k))
		if ok {
			inTable++
			if known != filled[k] || !known.read(&v) {
				t.Errorf("cell %d is in the table and empty, or another", k)
			}
		} else if filled[k].read(&v) {
			t.Errorf("cell %d was evicted and still knows %q", k, v)
		}
	}
	if inTable == 0 || inTable > shards {
		t.Errorf("%d cells in a table for %d", inTable, shards)
	}
	last := n - 1
	c.drop(key(last))
	if filled[last].read(&v) {
		t.Error("a dropped cell still knows something")
	}
	if again := c.fill(key(last), "again"); again != filled[last] {
		t.Error("a dropped cell is not filled again for those who point to it")
	}
	c.clear()
	if filled[last].read(&v) || c.len() != 0 {
		t.Error("a cleared table leaves a cell filled")
	}
}
