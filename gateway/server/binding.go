package server

import (
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"time"

	"github.com/valyala/fasthttp"
)

// Certificate says by which certificate a client proves itself beside its secret: by the SHA-256 of it or by a DNS name in it. The zero value asks
// for none.
type Certificate struct {
	Fingerprint [32]byte
	DNS         string
}

// shown is the certificate that the other side of a connection has proved to be its own, by an authority of the settings; nil when there is none.
// One that has ended since the handshake proves nothing: a connection that is used can live longer.
func shown(rc *fasthttp.RequestCtx, now time.Time) *x509.Certificate {
	state := rc.TLSConnectionState()
	if state == nil || len(state.VerifiedChains) == 0 {
		return nil
	}
	if leaf := state.VerifiedChains[0][0]; !now.After(leaf.NotAfter) {
		return leaf
	}
	return nil
}

// binding is what ties the tokens of the caller to the certificate that was shown (RFC 8705, section 3): its SHA-256, nothing for a caller that
// needs no certificate. ok is false when it is not the caller's.
func (c *caller) binding(shown *x509.Certificate) (thumbprint []byte, ok bool) {
	if c.certificate == (Certificate{}) {
		return nil, true
	}
	if shown == nil {
		return nil, false
	}
	sum := sha256.Sum256(shown.Raw)
	return sum[:], sum == c.certificate.Fingerprint || c.certificate.DNS != "" && slices.Contains(shown.DNSNames, c.certificate.DNS)
}
