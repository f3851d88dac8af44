package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"jamf-gateway/gateway/server"
)

// issued is a certificate of an authority; one without an authority is one.
func issued(t *testing.T, name string, by *tls.Certificate) tls.Certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(20, 0, 0), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	parent, signer := template, any(private)
	if by == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	} else {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &private.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}
}

func TestTokensOfAClientWithACertificateAreBoundToIt(t *testing.T) {
	authority := issued(t, "authority", nil)
	pinned, named, renewed := issued(t, "pinned.example.com", &authority), issued(t, "named.example.com", &authority), issued(t, "named.example.com", &authority)
	w := newWorld(t,
		scoped("pinned", func(c *server.ClientOptions) { c.Certificate.Fingerprint = sha256.Sum256(pinned.Certificate[0]) }),
		scoped("named", func(c *server.ClientOptions) { c.Certificate.DNS = "named.example.com" }))
	w.publishAll(1)
	pool := x509.NewCertPool()
	pool.AddCert(authority.Leaf)
	ln, own := listen(t), issued(t, "gateway", &authority)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		done <- w.server.ServePublic(ctx, tls.NewListener(ln, &tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{own}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool,
		}))
	}()
	base := "https://" + ln.Addr().String()
	with := func(certificates ...tls.Certificate) {
		w.http.CloseIdleConnections()
		w.http.Transport = &http.Transport{
			DialContext: onlyThese(ln.Addr().String()), TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: certificates, MinVersion: tls.VersionTLS12},
		}
	}
	ask := func(client string) (reply, string) {
		form := url.Values{"client_id": {client}, "client_secret": {secretOf(client)}, "grant_type": {"client_credentials"}}
		r := w.do(http.MethodPost, base+"/api/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		r.decode(t, &answer)
		return r, answer.AccessToken
	}
	tokens := map[string]string{}
	for client, own := range map[string]tls.Certificate{"pinned": pinned, "named": named} {
		with()
		r, _ := ask(client)
		w.want(r, http.StatusUnauthorized, "invalid_client")
		with(map[string]tls.Certificate{"pinned": named, "named": pinned}[client])
		r, _ = ask(client)
		w.want(r, http.StatusUnauthorized, "invalid_client")
		with(own)
		if r, tokens[client] = ask(client); tokens[client] == "" {
			t.Fatalf("%s with its certificate: %s", client, r)
		}
		if r := w.do(http.MethodGet, base+"/v1/devices", "", "Authorization", "Bearer "+tokens[client]); r.status != http.StatusOK {
			t.Errorf("%s with its certificate: %s", client, r)
		}
		if r := w.do(http.MethodPost, base+"/api/v1/auth/keep-alive", "", "Authorization", "Bearer "+tokens[client]); r.status != http.StatusOK {
			t.Errorf("%s renews its token: %s", client, r)
		}
	}
	for name, try := range map[string]func(){"no certificate": func() { with() }, "another's": func() { with(pinned) }, "a later one of its own name": func() { with(renewed) }} {
		try()
		if r := w.do(http.MethodGet, base+"/v1/devices", "", "Authorization", "Bearer "+tokens["named"]); r.status != http.StatusUnauthorized || r.code(t) != "invalid_token" {
			t.Errorf("%s: %s", name, r)
		}
	}
	if r, token := ask("all"); token == "" { // which needs none, and shows one
		t.Errorf("a client that needs no certificate: %s", r)
	}
	with(named)
	if r, token := ask("named"); token == "" {
		t.Errorf("before the end of its certificate: %s", r)
	}
	w.clock.Add(named.Leaf.NotAfter.Sub(w.clock.Now()) + time.Second)
	r, _ := ask("named") // the clock of handshakes has not moved: that one still holds
	w.want(r, http.StatusUnauthorized, "invalid_client")
	w.http.CloseIdleConnections()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
