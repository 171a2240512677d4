package cli

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// A remote is a directory that a command asks over HTTP.
type remote struct{ address, tokenFile, caFile string }

// remoteFlags adds the flags that name it.
func remoteFlags(c *cobra.Command) *remote {
	r := new(remote)
	c.Flags().StringVar(&r.address, "server", "http://127.0.0.1:8081", "ask the directory at this `URL`, or unix:PATH")
	c.Flags().StringVar(&r.tokenFile, "token-file", "", "`file` with the client token to send")
	c.Flags().StringVar(&r.caFile, "ca-file", "", "`file` with the certificates to trust the directory by (default those that the machine trusts)")
	return r
}

func (r *remote) dial() (*client, error) {
	c, err := dial(r.address)
	if err != nil {
		return nil, err
	}
	if r.caFile != "" && strings.HasPrefix(r.address, "https://") {
		trusted, err := certificatesIn(r.caFile)
		if err != nil {
			return nil, err
		}
		c.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: trusted}}
	}
	return c, c.useToken(r.tokenFile)
}

func certificatesIn(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read --ca-file: %w", err)
	}
	all := x509.NewCertPool()
	if !all.AppendCertsFromPEM(pem) {
		return nil, usagef("--ca-file %s has no certificate in PEM form", file)
	}
	return all, nil
}
