package gate

import "context"

// A Spool keeps records on the gate's own disk until the directory has them (R16). It
// is used by many goroutines.
type Spool interface {
	// Name names the spool among those of all gates, also after a restart: the directory
	// keeps a record of a name and number once.
	Name() string
	// Add keeps records, all or none: they are on disk when Add returns. ErrSpoolFull:
	// there is no room.
	Add(data ...[]byte) error
	// Oldest returns the oldest records kept, at most so many.
	Oldest(limit int) []Record
	// Stored forgets the records up to a number: the directory keeps them.
	Stored(seq uint64) error
}

// Flush sends what is spooled until there is nothing left, for a process that ends. What
// it cannot send stays on disk.
func (g *Gate) Flush(ctx context.Context) error {
	for g.spool != nil && len(g.spool.Oldest(1)) > 0 {
		if err := g.Step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (g *Gate) stored(seq uint64) error {
	if g.spool == nil || seq == 0 {
		return nil
	}
	return g.spool.Stored(seq)
}
