package serve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// certify writes a certificate of its own and returns it for clients to trust.
func certify(t *testing.T, cert, key string, serial int64) *x509.Certificate {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, private.Public(), private)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return parsed
}

func TestTLSIsReadAgain(t *testing.T) {
	t.Parallel() // it waits more than it works
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	first := certify(t, cert, key, 1)
	h := serving(t, newBench().server(), HTTPOptions{TLSCert: cert, TLSKey: key})
	h.url = strings.Replace(h.url, "http:", "https:", 1)
	seen := func(trusted *x509.Certificate) (serial int64, version string) {
		pool := x509.NewCertPool()
		pool.AddCert(trusted)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
		defer transport.CloseIdleConnections()
		h.client = &http.Client{Transport: transport, Timeout: patience}
		req, err := http.NewRequest(http.MethodPost, h.url+"/mcp", strings.NewReader(asks("1", "echo", "secret")))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		resp, err := h.client.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		assert.Equal(t, 200, resp.StatusCode)
		return resp.TLS.PeerCertificates[0].SerialNumber.Int64(), resp.Proto
	}
	serial, proto := seen(first)
	assert.EqualValues(t, 1, serial)
	assert.Equal(t, "HTTP/2.0", proto)

	time.Sleep(glance)
	require.NoError(t, os.WriteFile(cert, []byte("half"), 0o600))
	serial, _ = seen(first)
	assert.EqualValues(t, 1, serial, "the last good one stays")
	assert.Contains(t, h.logs.String(), "cannot be read again")

	second := certify(t, cert, key, 2)
	time.Sleep(glance)
	serial, _ = seen(second)
	assert.EqualValues(t, 2, serial)

	pool := x509.NewCertPool()
	pool.AddCert(second)
	_, err := tls.Dial("tcp", h.site.at.Addr().String(), &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11})
	assert.ErrorContains(t, err, "version")
}
