package directory

// A Stamp marks that nothing has been committed since: two equal stamps, taken
// from one open store, mean that no commit by any process came between them. The
// opposite does not hold; a stamp may also move without a commit.
//
// Stamps compare with == and mean nothing else. The zero Stamp is that of a
// closed store: it equals no other, so whoever remembers one must ask the store,
// and is told that it is closed.
type Stamp [6]uint64
