package visitor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"time"
)

// soon is when a certificate that expires is worth a warning.
const soon = 14 * 24 * time.Hour

// handshake judges the certificate chain exactly as it is sent: no intermediate is fetched or remembered, as Inventory360
// fetches none. The connections that follow trust the same roots.
func (v *visit) handshake(ctx context.Context) (Words, error) {
	transport := &http.Transport{DialContext: v.o.Dial, DisableCompression: true, ForceAttemptHTTP2: true}
	v.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if v.url.Scheme != "https" {
		return words("plain http", "unverschlüsseltes http"), nil
	}
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: v.o.Roots}
	raw, err := v.o.Dial(ctx, "tcp", v.address())
	if err != nil {
		return Words{}, &trouble{code: codeConnect, detail: words("no connection to %s", "keine Verbindung zu %s", v.address()), err: err}
	}
	defer raw.Close() //nolint:errcheck // only a look
	// The chain is verified right below; the handshake itself must not stop before it was seen.
	conn := tls.Client(raw, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: v.url.Hostname(), InsecureSkipVerify: true}) //nolint:gosec // see above
	if err := conn.HandshakeContext(ctx); err != nil {
		detail := words("the handshake fails", "der Verbindungsaufbau scheitert")
		if _, plain := errors.AsType[tls.RecordHeaderError](err); plain {
			detail = words("what answers speaks no TLS", "was antwortet, spricht kein TLS")
		}
		return Words{}, &trouble{code: codeTLS, detail: detail, err: err}
	}
	state := conn.ConnectionState()
	if t := judge(state.PeerCertificates, v.url.Hostname(), v.o.Roots, time.Now()); t != nil {
		return Words{}, t
	}
	leaf := state.PeerCertificates[0]
	until := leaf.NotAfter.UTC().Format(time.DateOnly)
	if time.Until(leaf.NotAfter) < soon {
		return Words{}, &trouble{code: codeExpires, soft: true, detail: words("valid until %s", "gültig bis %s", until)}
	}
	version := tls.VersionName(state.Version)
	return words("%s, %d certificates sent, valid until %s", "%s, %d Zertifikate gesendet, gültig bis %s", version, len(state.PeerCertificates), until), nil
}

// judge verifies a chain as it was sent and names what is wrong with it.
func judge(chain []*x509.Certificate, host string, roots *x509.CertPool, now time.Time) *trouble {
	leaf := chain[0]
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: between, CurrentTime: now})
	if err == nil {
		return nil
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return expired(chain, now, err)
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		names := strings.Join(leaf.DNSNames, ", ")
		for _, ip := range leaf.IPAddresses {
			names = strings.TrimPrefix(names+", "+ip.String(), ", ")
		}
		return &trouble{code: codeName, err: err, detail: words("%s is not among: %s", "%s ist nicht unter: %s", host, names)}
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return untrusted(chain, err)
	}
	return &trouble{code: codeTLS, err: err, detail: words("the certificate cannot be used (%s)", "das Zertifikat ist nicht verwendbar (%s)", err)}
}

func expired(chain []*x509.Certificate, now time.Time, err error) *trouble {
	for _, c := range chain {
		if now.After(c.NotAfter) {
			return &trouble{code: codeExpired, err: err, detail: words("%s expired on %s", "%s ist am %s abgelaufen", nameOf(c), c.NotAfter.UTC().Format(time.DateOnly))}
		}
		if now.Before(c.NotBefore) {
			return &trouble{code: codeExpired, err: err, detail: words("%s is valid from %s on", "%s gilt erst ab %s", nameOf(c), c.NotBefore.UTC().Format(time.DateOnly))}
		}
	}
	return &trouble{code: codeExpired, err: err}
}

// untrusted follows the issuers from the leaf up, as far as they were sent.
func untrusted(chain []*x509.Certificate, err error) *trouble {
	top, seen := chain[0], 1
	for top.CheckSignatureFrom(top) != nil && seen <= len(chain) {
		next := issuerOf(top, chain)
		if next == nil {
			break
		}
		top, seen = next, seen+1
	}
	switch {
	case !ownIssuer(top):
		return &trouble{code: codeIntermediate, err: err, detail: words(
			"%s was issued by %q, whose certificate was not sent", "%s wurde von %q ausgestellt, dessen Zertifikat nicht mitgesendet wurde",
			nameOf(top), issuerName(top))}
	case seen == 1:
		return &trouble{code: codeSelfSigned, err: err, detail: words("%s vouches for itself", "%s bürgt für sich selbst", nameOf(top))}
	}
	return &trouble{code: codeAuthority, err: err, detail: words("the chain ends at %q", "die Kette endet bei %q", nameOf(top))}
}

// ownIssuer tells that a certificate names itself as its issuer.
func ownIssuer(c *x509.Certificate) bool { return string(c.RawIssuer) == string(c.RawSubject) }

func issuerOf(c *x509.Certificate, chain []*x509.Certificate) *x509.Certificate {
	for _, other := range chain {
		if other != c && string(other.RawSubject) == string(c.RawIssuer) && c.CheckSignatureFrom(other) == nil {
			return other
		}
	}
	return nil
}

func nameOf(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return c.Subject.CommonName
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	}
	return c.Subject.String()
}

func issuerName(c *x509.Certificate) string {
	if c.Issuer.CommonName != "" {
		return c.Issuer.CommonName
	}
	return c.Issuer.String()
}
