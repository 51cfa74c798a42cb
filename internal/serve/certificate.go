package serve

import (
	"crypto/tls"
	"log/slog"
	"net/http"
)

// certified makes srv serve TLS with the certificate of two PEM files, which
// are read again when they change.
func certified(srv *http.Server, cert, key string, logger *slog.Logger) error {
	load := func() (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(cert, key)
		return &c, err
	}
	current, err := watch(load, nil, func(err error, _ bool) {
		logger.Error("the TLS certificate cannot be read again; the last one stays", "err", err)
	}, cert, key)
	if err != nil {
		return wrong("--tls-cert and --tls-key: %v", err)
	}
	srv.TLSConfig = &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current.get(), nil },
	}
	return nil
}
