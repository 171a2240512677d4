package shared

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// A Server says where Redis is and how to sign in there.
type Server struct {
	// URL is redis://USER@HOST:PORT/DB, or rediss:// for TLS; with ?master=NAME the hosts,
	// with commas between, are those of Sentinels, with ?cluster=true those of a cluster.
	URL string
	// PasswordFile has the user's password, SentinelPasswordFile that of Sentinels. They are
	// read for every connection. "": none.
	PasswordFile         string
	SentinelPasswordFile string
	CAFile               string // PEM; "": those that this machine trusts
}

// Bounds of a connection.
const (
	connectTimeout = time.Second
	maxIdle        = time.Minute
	maxAge         = time.Minute // so that another address, or another master, is met by then
	maxFile        = 1 << 20
	defaultPort    = "6379"
)

// place is what a URL says.
type place struct {
	secure, cluster  bool
	user, master     string
	hosts            []string
	database         int
	tls              *tls.Config
	password, second func() (string, error)
}

// connect makes a client whose every wait and memory is bounded. go-redis by itself waits
// for 5 seconds whatever the context says, sends again what timed out, dials five times, and
// makes room for any length it is told.
func (s Server) connect() (redis.UniversalClient, error) {
	p, err := s.place()
	if err != nil {
		return nil, err
	}
	if _, err := p.password(); err != nil {
		return nil, err
	}
	if _, err := p.second(); err != nil {
		return nil, err
	}
	hosts, dial := p.hosts, p.dial
	if p.master != "" {
		hosts, dial = p.hosts[:1], p.follow
	}
	logging.Disable() // it would write to standard error what Redis said
	return redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: hosts, IsClusterMode: p.cluster, DB: p.database,
		CredentialsProviderContext: func(context.Context) (string, string, error) {
			password, err := p.password()
			return p.user, password, err
		},
		Dialer:   dial,
		Protocol: 2, DisableIdentity: true, MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		ContextTimeoutEnabled: true, ReadTimeout: fillWait, WriteTimeout: fillWait, PoolTimeout: Wait,
		MaxRetries: -1, DialTimeout: connectTimeout, DialerRetries: 1, PoolSize: maxFinds, MaxIdleConns: maxFinds, ConnMaxIdleTime: maxIdle, ConnMaxLifetime: maxAge,
	}), nil
}

// Check tells what is wrong with the settings, of the files only with that of authorities.
func (s Server) Check() error {
	_, err := s.place()
	return err
}

func (s Server) place() (p place, err error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.Scheme != "redis" && u.Scheme != "rediss" || u.Fragment != "" {
		return place{}, errors.New("not the URL of a Redis: write it as in rediss://doorward@redis.example:6379/0") // the text may have a password in it
	}
	if _, has := u.User.Password(); has {
		return place{}, errors.New("a password in a URL is seen by too many: write it to a file, and name the file")
	}
	p = place{secure: u.Scheme == "rediss", user: u.User.Username()}
	if err := p.options(u.Query()); err != nil {
		return place{}, err
	}
	if text := strings.TrimPrefix(u.Path, "/"); text != "" {
		if p.database, err = strconv.Atoi(text); err != nil || p.database < 0 || p.database > 0 && p.cluster {
			return place{}, fmt.Errorf("%q is not the number of a database there", text)
		}
	}
	for host := range strings.SplitSeq(u.Host, ",") {
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), defaultPort)
		}
		if err := p.allowed(host); err != nil {
			return place{}, err
		}
		p.hosts = append(p.hosts, host)
	}
	if len(p.hosts) > 1 && p.master == "" && !p.cluster {
		return place{}, errors.New("several addresses of a Redis: add ?master=NAME if they are Sentinels, or ?cluster=true")
	}
	p.password, p.second = secretIn(s.PasswordFile), secretIn(s.SentinelPasswordFile)
	return p, p.trust(s.CAFile)
}

func (p *place) options(all url.Values) error {
	for name, values := range all {
		switch {
		case name == "master" && len(values) == 1 && values[0] != "":
			p.master = values[0]
		case name == "cluster" && len(values) == 1 && values[0] == "true":
			p.cluster = true
		default:
			return fmt.Errorf("%q in the URL of a Redis is not master=NAME or cluster=true", name)
		}
	}
	if p.cluster && p.master != "" {
		return errors.New("a Redis is a cluster or followed by Sentinels, not both")
	}
	return nil
}

// allowed refuses addresses beyond this machine without TLS, also those that Sentinels and
// clusters name: facts and password would be there for all to see.
func (p *place) allowed(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip, err := netip.ParseAddr(host); !p.secure && (err != nil || !ip.Unmap().IsLoopback()) {
		return fmt.Errorf("the Redis at %q has no TLS and is not a loopback address: use rediss://, or redis://127.0.0.1", address)
	}
	return nil
}

func (p *place) trust(file string) error {
	if !p.secure {
		return nil
	}
	p.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	if file == "" {
		return nil
	}
	pem, err := readSmall(file)
	if err != nil {
		return fmt.Errorf("read the certificates of authorities: %w", err)
	}
	p.tls.RootCAs = x509.NewCertPool()
	if !p.tls.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s has no certificate in PEM form", file)
	}
	return nil
}

// dial makes a guarded connection.
func (p *place) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := p.allowed(address); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	plain := &net.Dialer{}
	dial := plain.DialContext
	if p.secure {
		dial = (&tls.Dialer{NetDialer: plain, Config: p.tls}).DialContext
	}
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &guarded{Conn: conn}, nil
}

// secretIn reads the secret in a file, whenever it is asked for.
func secretIn(file string) func() (string, error) {
	return func() (string, error) {
		if file == "" {
			return "", nil
		}
		text, err := readSmall(file)
		if err != nil {
			return "", fmt.Errorf("read the password for Redis: %w", err)
		}
		secret := strings.TrimRight(string(text), "\r\n")
		if secret == "" || strings.ContainsAny(secret, "\r\n") {
			return "", fmt.Errorf("%s has no password for Redis: it must be one line", file)
		}
		return secret, nil
	}
}

func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s has more than %d bytes", name, maxFile)
	}
	return text, err
}
