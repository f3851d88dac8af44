package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// certificateLook is the time between looks at the files, which handshakes make.
const certificateLook = 5 * time.Second

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
func newCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log, current: &pair, looked: time.Now()}
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
	}
	return current
}

// end is when the certificate ends that is served.
func (c *certificate) end() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current.Leaf.NotAfter
}

// meterCertificate publishes when the certificate of the public door ends.
func (g *Gateway) meterCertificate(end func() time.Time) error {
	provider := g.o.MeterProvider
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	_, err := provider.Meter("jamf-gateway/gateway").Int64ObservableGauge("jamf_gateway_certificate_not_after_timestamp", metric.WithUnit("s"),
		metric.WithDescription("When the certificate of the public door ends, of several the first; absent while there is none."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			if at := end(); !at.IsZero() {
				o.Observe(at.Unix())
			}
			return nil
		}))
	return err
}
