package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"doorward/internal/config"
)

// A client asks one Doorward.
type client struct {
	http  http.Client
	base  string
	token string
}

// clientTimeout bounds a call: whoever waits for a probe or a prompt wants to
// know by then.
const clientTimeout = 10 * time.Second

func newClient(base string, transport http.RoundTripper) *client {
	return &client{base: strings.TrimSuffix(base, "/"), http: http.Client{
		Transport: transport, Timeout: clientTimeout,
		// Doorward never redirects; whoever does is not Doorward.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

const unixPrefix = "unix:"

// dial returns a client of the server named by --server: a URL, or unix: and a
// path.
func dial(server string) (*client, error) {
	if path, ok := strings.CutPrefix(server, unixPrefix); ok && path != "" {
		return newClient("http://doorward", unixTransport(path)), nil
	}
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.Trim(u.Path, "/") != "" {
		return nil, usagef("--server %q is neither a URL, as in http://127.0.0.1:8080, nor unix:PATH", server)
	}
	return newClient(server, &http.Transport{}), nil
}

func unixTransport(path string) http.RoundTripper {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
}

// useToken reads the token to send. Over plain HTTP to another machine anybody in
// between could read it, so that is refused.
func (c *client) useToken(file string) error {
	if file == "" {
		return nil
	}
	if u, err := url.Parse(c.base); err == nil && u.Scheme == "http" && !localHost(u.Hostname()) {
		return usagef("a token is not sent over http:// to another machine; use https://")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read token: %w", err)
	}
	c.token = strings.TrimSpace(string(text))
	return nil
}

// localHost tells whether a host is this machine; doorward stands for a socket.
func localHost(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || host == "doorward" || err == nil && addr.Unmap().IsLoopback()
}

// fromSettings returns a client of the server that runs with these settings on
// this machine. TLS must be by exactly the certificate of the settings: no name
// of it need be loopback's.
func fromSettings(c config.Config) (*client, error) {
	if c.Listen.Socket != "" {
		return dial(unixPrefix + c.Listen.Socket)
	}
	host, port, err := net.SplitHostPort(c.Listen.Address)
	if err != nil {
		return nil, fmt.Errorf("read listen.address: %w", err)
	}
	switch host {
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	address := net.JoinHostPort(host, port)
	if c.TLS.CertFile == "" {
		return dial("http://" + address)
	}
	pair, err := tls.LoadX509KeyPair(c.TLS.CertFile, c.TLS.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("load tls.cert_file and tls.key_file: %w", err)
	}
	return newClient("https://"+address, &http.Transport{TLSClientConfig: pinned(pair.Certificate[0])}), nil
}

// pinned trusts one certificate and no other.
func pinned(der []byte) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // replaced by the comparison below
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			if len(raw) == 0 || !bytes.Equal(raw[0], der) {
				return errors.New("the server shows another certificate than tls.cert_file")
			}
			return nil
		},
	}
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// do sends a request, with JSON if it has a body, and reads the whole answer.
func (c *client) do(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	return c.send(ctx, method, path, "application/json", body)
}

// send is do for a body of any type.
func (c *client) send(ctx context.Context, method, path, contentType string, body []byte) (status int, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("make request: %w", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("ask the server: %w", err)
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return 0, nil, fmt.Errorf("read the server's answer: %w", err)
	}
	return response.StatusCode, answer, nil
}
