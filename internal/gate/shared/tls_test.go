package shared

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"strings"
	"testing"

	"doorward/internal/gate/shared/redistest"
	"doorward/internal/portal"
)

// certificate is one for 127.0.0.1, and its key, in files.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	pair := s.TLS.Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}))),
		file(t, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

// R10: over TLS the Redis has to be the one whose certificate is trusted.
func TestOverTLS(t *testing.T) {
	cert, key := certificate(t)
	s := redistest.New(t, "--tls-port", "PORT", "--port", "0", "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no")
	good := cache(t, Server{URL: "rediss://" + s.Address, CAFile: cert})
	works(t, good)
	before := good.client.PoolStats().Misses
	for range 10 {
		good.keep([]portal.FactKey{anna, bob}, read)
	}
	if n := good.client.PoolStats().Misses - before; n > 2 {
		t.Errorf("%d connections for ten fills", n)
	}
	for name, at := range map[string]Server{
		"another authority": {URL: "rediss://" + s.Address},
		"no TLS":            {URL: "redis://" + s.Address},
	} {
		w := cache(t, at)
		w.keep([]portal.FactKey{anna, bob}, read)
		if all := w.Find(t.Context(), "era", []portal.FactKey{anna}); len(all) != 0 || w.filled(failed) != 2 || !strings.Contains(w.log.String(), "the shared cache fails") {
			t.Errorf("%s: %v, %s", name, all, w.log.String())
		}
	}
}
