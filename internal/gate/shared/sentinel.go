package shared

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// follow dials the Redis that the first Sentinel to answer names. Every connection asks
// anew, so a failover needs no subscription; go-redis has one, and ends the process when a
// Sentinel says less than half of an address.
func (p *place) follow(ctx context.Context, network, _ string) (net.Conn, error) {
	type answer struct {
		address string
		err     error
	}
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answer, len(p.hosts))
	for _, host := range p.hosts {
		go func() {
			address, err := p.named(asking, host)
			answers <- answer{address, err}
		}()
	}
	var wrong error
	for range p.hosts {
		a := <-answers
		if a.err == nil {
			return p.dial(ctx, network, a.address)
		}
		wrong = errors.Join(wrong, a.err)
	}
	return nil, wrong
}

// named is where the Redis is, as a Sentinel says.
func (p *place) named(ctx context.Context, host string) (string, error) {
	password, err := p.second()
	if err != nil {
		return "", err
	}
	s := redis.NewSentinelClient(&redis.Options{
		Addr: host, Password: password, Dialer: p.dial, PoolSize: 1,
		Protocol: 2, DisableIdentity: true, MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		ContextTimeoutEnabled: true, ReadTimeout: connectTimeout, WriteTimeout: connectTimeout, PoolTimeout: connectTimeout,
		MaxRetries: -1, DialTimeout: connectTimeout, DialerRetries: 1,
	})
	defer s.Close()
	at, err := s.GetMasterAddrByName(ctx, p.master).Result()
	switch {
	case errors.Is(err, redis.Nil): // not to be taken for an entry that is missing
		return "", fmt.Errorf("the Sentinel at %s knows no %q", host, p.master)
	case err == nil && len(at) != 2:
		err = errReply
	}
	if err != nil {
		return "", fmt.Errorf("ask the Sentinel at %s: %w", host, err)
	}
	return net.JoinHostPort(at[0], at[1]), nil
}
