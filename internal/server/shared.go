package server

import (
	"context"
	"fmt"
	"time"

	"doorward/internal/config"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/gate/shared"
	"doorward/internal/gate/wire"
)

// How often a sidecar reads the keys of the shared cache, and tries to when it could not.
const (
	sharingPause = time.Minute
	sharingRetry = time.Second
)

// share makes the cache that this sidecar shares with others (R10). It does nothing until
// the directory has handed out keys.
func (b *builder) share(client *wire.Client) (gate.Shared, error) {
	if b.c.Redis.URL == "" {
		return nil, nil
	}
	at := redisOf(b.c.Redis)
	if err := at.Check(); err != nil {
		return nil, b.c.Refused("redis", err.Error(), "")
	}
	cache, err := shared.New(shared.Config{Server: at, Log: b.o.Log, Metrics: b.reg})
	if err != nil {
		return nil, fmt.Errorf("find the shared cache: %w", err)
	}
	b.opened = append(b.opened, cache.Close)
	b.loops = append(b.loops, cache.Run, func(ctx context.Context) {
		every(ctx, sharingRetry, b.o.Log, "reading the keys of the shared cache", keysFor(cache, client.SharingKeys))
	})
	return cache, nil
}

func redisOf(r config.Redis) shared.Server {
	return shared.Server{URL: r.URL, PasswordFile: r.PasswordFile, SentinelPasswordFile: r.SentinelPasswordFile, CAFile: r.CAFile}
}

// keysFor reads keys again when those that the cache has are old.
func keysFor(cache *shared.Cache, read func(context.Context) ([]gate.SharingKey, error)) func(context.Context) error {
	var last time.Time
	return func(ctx context.Context) error {
		if !last.IsZero() && time.Since(last) < sharingPause {
			return nil
		}
		keys, err := read(ctx)
		if err == nil {
			cache.Use(keys)
			last = time.Now()
		}
		return err
	}
}

// sharingKeys are those that this directory hands its gates.
func (b *builder) sharingKeys(context.Context) ([]gate.SharingKey, error) {
	return barrier.SharingKeys(b.Store.Salt(), time.Now())
}
