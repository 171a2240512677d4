package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/cachetool"
	"doorward/internal/config"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/gate/shared"
	"doorward/internal/gate/wire"
)

// How often a sidecar reads the keys of the shared cache, tries to when it could not, and how
// long those that it has count meanwhile.
const (
	sharingPause = time.Minute
	sharingRetry = time.Second
	sharingLife  = 10 * time.Minute
)

// share makes the cache that this sidecar shares with others (R10). It does nothing until
// the directory has handed out keys.
func (b *builder) share(client *wire.Client) (gate.Shared, error) {
	if b.c.Redis.URL == "" {
		return nil, nil
	}
	cache, err := openShared(b.c, b.o.Log, b.reg)
	if err != nil {
		return nil, err
	}
	b.opened = append(b.opened, cache.Close)
	b.loops = append(b.loops, cache.Run, func(ctx context.Context) {
		every(ctx, sharingRetry, b.o.Log, "reading the keys of the shared cache", keysFor(cache.Use, client.SharingKeys))
	})
	return cache, nil
}

func openShared(c config.Config, log *slog.Logger, metrics prometheus.Registerer) (*shared.Cache, error) {
	at := shared.Server{URL: c.Redis.URL, PasswordFile: c.Redis.PasswordFile, SentinelPasswordFile: c.Redis.SentinelPasswordFile, CAFile: c.Redis.CAFile}
	if err := at.Check(); err != nil {
		return nil, c.Refused("redis", err.Error(), "")
	}
	cache, err := shared.New(shared.Config{Server: at, Log: log, Metrics: metrics})
	if err != nil {
		return nil, fmt.Errorf("find the shared cache: %w", err)
	}
	return cache, nil
}

// keysFor reads keys again when those that the cache has are old, and has it use none when
// nobody vouches for them any more: one that leaked has to end also where keys cannot be read.
func keysFor(use func(shared.Keys), read func(context.Context) ([]gate.SharingKey, error)) func(context.Context) error {
	var last time.Time
	return func(ctx context.Context) error {
		if !last.IsZero() && time.Since(last) < sharingPause {
			return nil
		}
		keys, err := read(ctx)
		switch {
		case err == nil:
			use(keys)
			last = time.Now()
		case time.Since(last) > sharingLife:
			use(nil)
		}
		return err
	}
}

// sharingKeys are those that this directory hands its gates.
func (b *builder) sharingKeys(context.Context) ([]gate.SharingKey, error) {
	return barrier.SharingKeys(b.Store.Salt(), time.Now())
}

// Sharing has an operator's tool work on the cache that the sidecars of d share.
func Sharing(ctx context.Context, c config.Config, d Directory, log *slog.Logger, work func(*cachetool.Tool) error) (err error) {
	if !d.hasRows() {
		return errors.New("no doorward directory has run here: no sidecars share anything")
	}
	cache, err := openShared(c, log, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cache.Close()) }()
	keys, err := barrier.SharingKeys(d.Salt(), time.Now())
	if err != nil {
		return err
	}
	cache.Use(keys)
	rows, err := d.rows(ctx)
	if err != nil {
		return fmt.Errorf("open the rows of gates: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	return work(&cachetool.Tool{Directory: d, Facts: rows.Facts, Cache: cache})
}
