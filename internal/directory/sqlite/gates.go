package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// Gates are what a directory knows of its gates.
//
// Their rows and records are in a file of their own beside the directory's. No change of
// facts is in it, so its commits do not move the stamp by which memory is proved fresh
// (ADR 2), which pulses would do all the time; they never wait for those of the directory;
// and a backup has no leases in it. What holds the two together is that an acknowledgement
// is a position, and counts only while the directory's history holds it: a history does
// not lose any while a process has it open, for a restore refuses to replace it then.
type Gates struct {
	file
	store     *Store
	era       gate.Era
	closeOnce sync.Once
	closeErr  error
}

var _ barrier.Archive = (*Gates)(nil)

// Gates opens the file of the gates of s, doorward-gates.db beside doorward.db, and makes
// it if there is none. It is closed before s. Of o, MustExist does not count.
func (s *Store) Gates(ctx context.Context, o Options) (*Gates, error) {
	g := &Gates{file: newFile(), store: s}
	g.path = s.GatesPath()
	o.MustExist = false
	o.BusyTimeout = cmp.Or(o.BusyTimeout, defaultPatience)
	if err := g.open(ctx, o); err != nil {
		return nil, fmt.Errorf("open gates %s: %w", g.path, errors.Join(err, g.release()))
	}
	return g, nil
}

// GatesPath is where the file of the gates of s is, if there is one.
func (s *Store) GatesPath() string {
	extension := filepath.Ext(s.path)
	return strings.TrimSuffix(s.path, extension) + "-gates" + extension
}

func (g *Gates) open(ctx context.Context, o Options) (err error) {
	if g.era, err = reading(ctx, &g.store.file, func(c *session) (gate.Era, error) { return c.era(ctx) }); err != nil {
		return fmt.Errorf("read installation: %w", err)
	}
	if err := createFile(g.path, o); err != nil {
		return err
	}
	unlock, err := lockFolder(ctx, filepath.Dir(g.path), o.BusyTimeout)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := g.connectWriter(ctx, o, func(db *sql.DB) error { return migrate(ctx, db, gatesSchema) }); err != nil {
		return err
	}
	if err := g.connectReaders(ctx, o); err != nil {
		return err
	}
	return g.beginSettled(ctx)
}

// beginSettled settles the era of a directory that was never restored and has had no
// gates yet. That it has had some is written into the directory itself, first: a file of
// gates that is new all the same was deleted, or left behind, and rows are missing.
func (g *Gates) beginSettled(ctx context.Context) error {
	first, err := g.store.firstGates(ctx)
	if err != nil || !first {
		return err
	}
	return g.write(ctx, "begin", func(c *session) error {
		return c.exec(ctx, `INSERT INTO settled (only, era) VALUES (1, ?) ON CONFLICT (only) DO NOTHING`, g.era)
	})
}

// firstGates notes that the directory has gates, and tells whether it never had any: there
// was no note, and no restore either, after which nobody knows.
func (s *Store) firstGates(ctx context.Context) (first bool, err error) {
	c, err := s.take(ctx, s.writer)
	if err != nil {
		return false, err
	}
	defer func() { s.writer <- c }()
	return first, c.transaction(ctx, beginWrite, func() error {
		if err := c.get(ctx, `SELECT NOT EXISTS (SELECT 1 FROM meta WHERE name IN ('gates', 'restored'))`, nil, &first); err != nil {
			return err
		}
		return c.exec(ctx, `INSERT INTO meta (name, value) VALUES ('gates', x'01') ON CONFLICT (name) DO NOTHING`)
	})
}

// Settle implements barrier.Store. The era is the same as long as the file is open.
func (g *Gates) Settle(ctx context.Context, era gate.Era) error {
	if era != g.era {
		return nil
	}
	return g.write(ctx, "settle", func(c *session) error {
		return c.exec(ctx, `INSERT INTO settled (only, era) VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET era = excluded.era`, era)
	})
}

// era names the history of the file: which directory it is, and whether it was restored
// since (R11). Every process that has the file open finds the same.
func (c *session) era(ctx context.Context) (gate.Era, error) {
	var installation, restored []byte
	err := c.get(ctx, `SELECT value, (SELECT value FROM meta WHERE name = 'restored') FROM meta WHERE name = 'installation'`, nil,
		&installation, &restored)
	return gate.Era(fmt.Sprintf("%s-%s", installation, restored)), err
}

// Close waits for calls under way and releases everything but the directory. Calls that
// come later get ErrUnavailable. Closing again does nothing.
func (g *Gates) Close() error {
	g.closeOnce.Do(func() {
		g.drain()
		g.closeErr = g.release()
	})
	return g.closeErr
}

// write runs fn in one transaction of the gates' file.
func (g *Gates) write(ctx context.Context, what string, fn func(*session) error) error {
	c, err := g.take(ctx, g.writer)
	if err == nil {
		defer func() { g.writer <- c }()
		err = c.transaction(ctx, beginWrite, func() error { return fn(c) })
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Mark implements barrier.Store.
func (g *Gates) Mark(ctx context.Context, who gate.Instance, mark string) error {
	return g.write(ctx, "mark gate", func(c *session) error {
		return c.exec(ctx, `UPDATE gate SET mark = ? WHERE instance = ? AND mark = ''`, mark, who)
	})
}

// Delete implements barrier.Store.
func (g *Gates) Delete(ctx context.Context, who gate.Instance, mark string) error {
	return g.write(ctx, "delete gate", func(c *session) error {
		return c.exec(ctx, `DELETE FROM gate WHERE instance = ? AND mark = ? AND mark <> ''`, who, mark)
	})
}

// Leave implements barrier.Store.
func (g *Gates) Leave(ctx context.Context, who gate.Instance) error {
	return g.write(ctx, "delete gate", func(c *session) error {
		return c.exec(ctx, `DELETE FROM gate WHERE instance = ?`, who)
	})
}

// Pulse implements barrier.Store. Nothing takes the place of a file that is open, so any
// commit proves that what is read is the directory.
func (g *Gates) Pulse(ctx context.Context) (gate.Era, error) {
	err := g.write(ctx, "commit", func(c *session) error {
		return c.exec(ctx, `UPDATE pulse SET n = n + 1`)
	})
	if err != nil {
		return "", err
	}
	return g.era, nil
}

// Facts implements barrier.Store.
func (g *Gates) Facts(ctx context.Context, keys []portal.FactKey) (gate.Found, error) {
	found, err := reading(ctx, &g.store.file, func(c *session) (f gate.Found, err error) {
		err = c.transaction(ctx, beginRead, func() error {
			if f.Facts, f.Position, err = c.allFacts(ctx, keys); err != nil {
				return err
			}
			f.Policy, err = c.policyInForce(ctx)
			return err
		})
		return f, err
	})
	if err != nil {
		return gate.Found{}, err
	}
	found.Era, found.Time = g.era, g.store.now()
	return found, nil
}

// held tells for positions whether the directory's history holds them, in one snapshot.
func (g *Gates) held(ctx context.Context, positions ...portal.Position) (map[portal.Position]bool, error) {
	return reading(ctx, &g.store.file, func(c *session) (map[portal.Position]bool, error) {
		all := make(map[portal.Position]bool, 2)
		return all, c.transaction(ctx, beginRead, func() error {
			for _, p := range positions {
				if _, known := all[p]; known {
					continue
				}
				err := c.holds(ctx, p)
				if err != nil && !errors.Is(err, directory.ErrForeignPosition) {
					return err
				}
				all[p] = err == nil
			}
			return nil
		})
	})
}

// Tokens reads all client tokens for gates, and says from the database of which era.
func (g *Gates) Tokens(ctx context.Context) ([]directory.Token, gate.Era, error) {
	all, err := g.store.Tokens(ctx)
	return all, g.era, err
}
