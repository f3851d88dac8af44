package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	certificateLook = 5 * time.Second     // between looks at the files, which handshakes make
	certificateSoon = 21 * 24 * time.Hour // how long before its end a certificate is warned of
)

// certificate is the certificate of the public door. It follows its files: a pair that cannot be used keeps the one before. Safe for
// concurrent use.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	looked  time.Time
	fault   string // why the files cannot be used, as it was logged; "" = they can
}

// newCertificate reads the pair. An error says why it cannot be used: nothing is served without one.
func newCertificate(ctx context.Context, certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log, current: &pair, looked: time.Now()}
	c.warnOfEnd(ctx, &pair)
	return c, nil
}

// forHandshake is tls.Config.GetCertificate. One handshake in 5 s looks at the files; the others do not wait for it.
func (c *certificate) forHandshake(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	now, current := time.Now(), c.current
	due := now.Sub(c.looked) >= certificateLook
	if due {
		c.looked = now
	}
	c.mu.Unlock()
	if due {
		current = c.look(hello.Context())
	}
	return current, nil
}

// look reads the files and returns what counts from then on.
func (c *certificate) look(ctx context.Context) *tls.Certificate {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	c.mu.Lock()
	before, fault, changed := c.fault, "", false
	if err != nil {
		fault = err.Error()
	} else if !slices.EqualFunc(pair.Certificate, c.current.Certificate, bytes.Equal) {
		c.current, changed = &pair, true
	}
	c.fault = fault
	current := c.current
	c.mu.Unlock()
	at := c.log.With("cert_file", c.certFile, "key_file", c.keyFile)
	switch {
	case fault != "" && fault != before:
		at.WarnContext(ctx, "the certificate of the public door cannot be read anew: the one before stays", "error", fault)
	case changed:
		at.InfoContext(ctx, "the certificate of the public door was changed", "valid_until", pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
		c.warnOfEnd(ctx, &pair)
	}
	return current
}

func (c *certificate) warnOfEnd(ctx context.Context, pair *tls.Certificate) {
	if pair.Leaf != nil && time.Until(pair.Leaf.NotAfter) < certificateSoon {
		c.log.WarnContext(ctx, "the certificate of the public door ends soon", "cert_file", c.certFile, "valid_until", pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	}
}
