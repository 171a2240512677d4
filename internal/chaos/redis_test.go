package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"doorward/internal/gate/shared/redistest"
)

// A topology is how Redis is run beside a fleet.
type topology string

const (
	single   topology = "one Redis"
	sentinel topology = "a Redis with a replica and a Sentinel"
	cluster  topology = "a Redis cluster of three"
)

var topologies = []topology{single, sentinel, cluster}

// A cache is Redis as one scene has it.
type cache struct {
	servers []*redistest.Server
	client  redis.UniversalClient // the driver's own way to it
	urls    []string              // what each sidecar is told
	links   []*link               // each sidecar's; none but for one Redis: a client follows where the others lead

	sentinel *redis.SentinelClient
	was      *redistest.Server // the master when it was looked at last
}

const masterName = "facts"

// newCache starts Redis for some sidecars.
func newCache(t *testing.T, how topology, sidecars int, links *toxiproxy.ApiServer) *cache {
	t.Helper()
	logging.Disable() // the driver's clients would write what happens to Redis
	c := &cache{urls: make([]string, sidecars)}
	var err error
	switch how {
	case single:
		err = c.alone(t, links)
	case sentinel:
		err = c.followed(t)
	case cluster:
		err = c.spread(t)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.client.Close() })
	return c
}

func (c *cache) alone(t *testing.T, links *toxiproxy.ApiServer) error {
	s := redistest.New(t)
	c.servers, c.client = []*redistest.Server{s}, redis.NewClient(&redis.Options{Addr: s.Address})
	for i := range c.urls {
		l, err := newLink(links, fmt.Sprintf("sidecar-%d to Redis", i), s.Address)
		if err != nil {
			return err
		}
		t.Cleanup(func() { l.proxy.Stop() }) // whichever it is by then
		c.links = append(c.links, l)
		c.urls[i] = "redis://" + l.proxy.Listen
	}
	return nil
}

func (c *cache) followed(t *testing.T) error {
	master := redistest.New(t, "--repl-diskless-sync-delay", "0")
	host, port, err := net.SplitHostPort(master.Address)
	if err != nil {
		return err
	}
	replica := redistest.New(t, "--replicaof", host, port, "--repl-diskless-sync-delay", "0")
	c.servers, c.was = []*redistest.Server{master, replica}, master
	// A Sentinel that comes before the replica looks for it ten seconds later only.
	if err := eventually(t.Context(), "the replica follows", func() bool { return follows(t.Context(), replica) }); err != nil {
		return err
	}
	watch := redistest.Sentinel(t, masterName, master)
	c.sentinel = redis.NewSentinelClient(&redis.Options{Addr: watch.Address})
	t.Cleanup(func() { _ = c.sentinel.Close() })
	for name, value := range map[string]string{"down-after-milliseconds": "500", "failover-timeout": "2000"} {
		if err := c.sentinel.Set(t.Context(), masterName, name, value).Err(); err != nil {
			return err
		}
	}
	c.client = redis.NewFailoverClient(&redis.FailoverOptions{MasterName: masterName, SentinelAddrs: []string{watch.Address}})
	for i := range c.urls {
		c.urls[i] = "redis://" + watch.Address + "?master=" + masterName
	}
	return eventually(t.Context(), "the Sentinel knows the replica", func() bool { return c.mayFailOver(t.Context()) })
}

// follows tells whether a server is a replica and has what its master has.
func follows(ctx context.Context, s *redistest.Server) bool {
	r := redis.NewClient(&redis.Options{Addr: s.Address})
	defer r.Close()
	info, err := r.Info(ctx, "replication").Result()
	return err == nil && strings.Contains(info, "master_link_status:up")
}

// mayFailOver tells whether the Sentinel has a replica to make the master.
func (c *cache) mayFailOver(ctx context.Context) bool {
	all, err := c.sentinel.Replicas(ctx, masterName).Result()
	if err != nil || len(all) != 1 || all[0]["flags"] != "slave" {
		return false
	}
	for _, s := range c.servers {
		if s.Address == all[0]["name"] {
			return follows(ctx, s)
		}
	}
	return false
}

// master is which server the Sentinel calls the master.
func (c *cache) master(ctx context.Context) (*redistest.Server, error) {
	at, err := c.sentinel.GetMasterAddrByName(ctx, masterName).Result()
	if err != nil {
		return nil, err
	}
	for _, s := range c.servers {
		if s.Address == net.JoinHostPort(at[0], at[1]) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("a Sentinel names %v as the master", at)
}

const slots = 16384

func (c *cache) spread(t *testing.T) error {
	var hosts []string
	nodes := make([]*redis.Client, 3)
	buses := make([]string, len(nodes))
	for i := range nodes {
		bus, err := freeAddress()
		if err != nil {
			return err
		}
		_, buses[i], _ = net.SplitHostPort(bus)
		s := redistest.New(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", buses[i],
			"--cluster-require-full-coverage", "no", "--cluster-config-file", "nodes.conf", "--cluster-announce-ip", "127.0.0.1")
		c.servers, hosts = append(c.servers, s), append(hosts, s.Address)
		nodes[i] = redis.NewClient(&redis.Options{Addr: s.Address})
		defer nodes[i].Close()
	}
	for i, n := range nodes {
		first, last := i*slots/len(nodes), (i+1)*slots/len(nodes)-1
		if err := n.ClusterAddSlotsRange(t.Context(), first, last).Err(); err != nil {
			return err
		}
		host, port, _ := net.SplitHostPort(hosts[i])
		if err := nodes[0].Do(t.Context(), "CLUSTER", "MEET", host, port, buses[i]).Err(); err != nil && i > 0 {
			return err
		}
	}
	for i := range c.urls {
		c.urls[i] = "redis://" + strings.Join(hosts, ",") + "?cluster=true"
	}
	c.client = redis.NewClusterClient(&redis.ClusterOptions{Addrs: hosts})
	return eventually(t.Context(), "the cluster is whole", func() bool {
		for _, n := range nodes {
			info, err := n.ClusterInfo(t.Context()).Result()
			if err != nil || !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, fmt.Sprintf("cluster_slots_ok:%d", slots)) {
				return false
			}
		}
		return true
	})
}

// each calls do with every server that holds entries of its own.
func (c *cache) each(ctx context.Context, do func(context.Context, *redis.Client) error) error {
	if spread, ok := c.client.(*redis.ClusterClient); ok {
		return spread.ForEachMaster(ctx, do)
	}
	return do(ctx, c.client.(*redis.Client))
}

// flush drops everything.
func (c *cache) flush(ctx context.Context) error {
	return c.each(ctx, func(ctx context.Context, r *redis.Client) error { return r.FlushAll(ctx).Err() })
}

// names are those of all entries.
func (c *cache) names(ctx context.Context) (all []string, err error) {
	found := make(chan []string, len(c.servers))
	err = c.each(ctx, func(ctx context.Context, r *redis.Client) error {
		keys, err := r.Keys(ctx, "*").Result()
		found <- keys
		return err
	})
	close(found)
	for keys := range found {
		all = append(all, keys...)
	}
	return all, err
}

// errLate tells that something did not come about in time.
var errLate = errors.New("not in time")

// eventually looks again and again until it is so.
func eventually(ctx context.Context, what string, so func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	for again := time.NewTicker(4 * poll); !so(); {
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %s", errLate, what)
		}
	}
	return nil
}
