package wire

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"
)

// Bounds of a connection. Calls end when their own time is over; these are for what goes
// on without them.
const (
	connectTimeout  = time.Second
	idleTimeout     = 90 * time.Second
	maxIdle         = 32 // more than a gate asks at once
	maxHeaderBytes  = 16 << 10
	maxTokenLength  = 1 << 10
	maxCertificates = 1 << 20
)

// checkURL returns an address to which a path can be appended.
func checkURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(text, "?#") || u.Scheme != "https" && u.Scheme != "http" {
		return "", fmt.Errorf("the directory's address %q is not a plain URL: write it as in https://directory.example:8082", text)
	}
	// A name may lead to another machine tomorrow, so a loopback address is a number.
	if host, err := netip.ParseAddr(u.Hostname()); u.Scheme == "http" && (err != nil || !host.Unmap().IsLoopback()) {
		return "", fmt.Errorf("the directory's address %q has no TLS and is not a loopback address: use https, or http://127.0.0.1", text)
	}
	return strings.TrimSuffix(text, "/"), nil
}

// newTransport makes connections that carry one call at a time (HTTP/1.1): giving one up
// ends its connection. One of HTTP/2 would be used on, by all calls, when the machine at
// its other end is gone.
func newTransport(caFile string) (*http.Transport, error) {
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		pem, err := readSmall(caFile, maxCertificates)
		if err != nil {
			return nil, fmt.Errorf("read the certificates of authorities: %w", err)
		}
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate in PEM form", caFile)
		}
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSClientConfig:        secure,
		TLSHandshakeTimeout:    connectTimeout,
		Protocols:              protocols,
		DisableCompression:     true, // bounds are those of what is sent
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}, nil
}

// stay follows no redirect: it would take the token elsewhere (S44).
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// readToken reads a token. Nothing is remembered: what is in the file now counts.
func readToken(file string) (string, error) {
	text, err := readSmall(file, maxTokenLength)
	if err != nil {
		return "", fmt.Errorf("read the gate's token: %w", err)
	}
	token := strings.TrimRight(string(text), "\r\n")
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", fmt.Errorf("%s has no token: it must be one word on one line", file)
	}
	return token, nil
}

// readSmall reads a file of limit bytes at most.
func readSmall(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return text, err
}
