package chaos

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// A link is the network between two processes. Its two ends stay where they are whatever
// becomes of it.
type link struct {
	server *toxiproxy.ApiServer // serves nothing; proxies want one
	proxy  *toxiproxy.Proxy
}

func newLinks() *toxiproxy.ApiServer {
	return toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
}

// newLink makes one that leads to an address.
func newLink(server *toxiproxy.ApiServer, name, to string) (*link, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	l := &link{server, toxiproxy.NewProxy(server, name, address, to)}
	return l, l.mend()
}

// cut ends all connections, and lets nobody make a new one until mend.
func (l *link) cut() error {
	l.proxy.Stop()
	return nil
}

// slow delays every byte by about d, in both directions.
func (l *link) slow(d time.Duration) error {
	for _, stream := range []string{"upstream", "downstream"} {
		if err := l.toxic(stream, "latency", fmt.Sprintf(`{"latency":%d,"jitter":%d}`, d.Milliseconds(), d.Milliseconds()/2)); err != nil {
			return err
		}
	}
	return nil
}

// swallow has one direction (upstream: what is asked, downstream: what is answered) lead
// nowhere while connections stay open, old ones and new ones.
func (l *link) swallow(stream string) error { return l.toxic(stream, "timeout", `{"timeout":0}`) }

func (l *link) toxic(stream, kind, attributes string) error {
	_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type":%q,"stream":%q,"attributes":%s}`, kind, stream, attributes)))
	return err
}

// mend ends all connections, because no TCP goes on where bytes were lost, and leads on. A
// process that is being started meanwhile has the old listener, too, until it runs.
func (l *link) mend() error {
	l.proxy.Stop()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		l.proxy = toxiproxy.NewProxy(l.server, l.proxy.Name, l.proxy.Listen, l.proxy.Upstream)
		if err := l.proxy.Start(); !errors.Is(err, syscall.EADDRINUSE) || time.Since(began) > mendingWait {
			return err
		}
	}
}

// mendingWait is how long a link waits for its address.
const mendingWait = 5 * time.Second
