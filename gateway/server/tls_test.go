package server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"testing"

	"jamf-gateway/test/wire"
)

func TestADoorWithTLSSaysThatItStaysSo(t *testing.T) {
	w := newWorld(t)
	pair, pool := ownCertificate(t)
	ln := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- w.server.ServePublic(ctx, tls.NewListener(ln, &tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair},
		}))
	}()
	w.http.Transport = &http.Transport{
		DialContext: onlyThese(ln.Addr().String()), TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}
	r := w.do(http.MethodGet, "https://"+ln.Addr().String()+"/livez", "")
	if r.status != http.StatusOK || r.header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s %v", r, r.header)
	}
	w.http.CloseIdleConnections()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// ownCertificate is one for 127.0.0.1, good for an hour, and who trusts it.
func ownCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	cert, key, trust, err := wire.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return pair, trust
}
