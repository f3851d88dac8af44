package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
)

type listeners struct{ public, admin, metrics net.Listener }

func (l *listeners) close() {
	for _, ln := range []net.Listener{l.public, l.admin, l.metrics} {
		if ln != nil {
			_ = ln.Close()
		}
	}
}

// ListenError says that a door cannot be opened. Trying again helps once the address is free.
type ListenError struct {
	Setting string // "listen", "admin_listen" or "metrics_listen"
	Address string
	Err     error
}

// Error implements error.
func (e *ListenError) Error() string { return fmt.Sprintf("%s: %v", e.Setting, e.Err) }

// Unwrap returns what the system said.
func (e *ListenError) Unwrap() error { return e.Err }

// Listen opens the doors, so that a port in use or a bad certificate is told before anything runs. Run calls it when the
// caller did not.
func (g *Gateway) Listen(ctx context.Context) error {
	if g.listeners.public != nil {
		return nil
	}
	c := g.o.Config
	listen := g.o.Listen
	if listen == nil {
		listen = new(net.ListenConfig).Listen
	}
	open := func(setting, address string) (net.Listener, error) {
		if address == "" {
			return nil, nil
		}
		ln, err := listen(ctx, "tcp", address)
		if err != nil {
			return nil, &ListenError{Setting: setting, Address: address, Err: err}
		}
		return ln, nil
	}
	var err error
	defer func() {
		if err != nil {
			g.listeners.close()
			g.listeners = listeners{}
		}
	}()
	if g.listeners.public, err = open("listen", c.Listen); err != nil {
		return err
	}
	if c.TLS.On() {
		var door *tls.Config
		if door, err = g.tlsConfig(); err != nil {
			return err
		}
		if err = askForCertificates(door, c.TLS.ClientCAFile); err != nil {
			return fmt.Errorf("tls: %w", err)
		}
		g.listeners.public = tls.NewListener(g.listeners.public, door)
	}
	if g.listeners.admin, err = open("admin_listen", c.AdminListen); err != nil {
		return err
	}
	g.listeners.metrics, err = open("metrics_listen", c.MetricsListen)
	return err
}

// tlsConfig is that of the public door. Run keeps an authority's certificates renewed.
func (g *Gateway) tlsConfig() (*tls.Config, error) {
	c := g.o.Config.TLS
	if len(c.ACME.Hosts) > 0 {
		a, err := newAuthority(g.o.Config, g.o.Logger, g.o.Now)
		if err != nil {
			return nil, err
		}
		g.authority = a
		return a.tlsConfig(), g.meterCertificate(a.end)
	}
	cert, err := newCertificate(c.CertFile, c.KeyFile, g.o.Logger)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: cert.forHandshake}, g.meterCertificate(cert.end)
}

// askForCertificates lets clients show a certificate of one of the authorities in a file; "" = they are not asked. One that none of
// them vouches for ends the handshake.
func askForCertificates(door *tls.Config, file string) error {
	if file == "" {
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("client_ca_file: %w", err)
	}
	door.ClientAuth, door.ClientCAs = tls.VerifyClientCertIfGiven, x509.NewCertPool()
	if !door.ClientCAs.AppendCertsFromPEM(data) {
		return fmt.Errorf("client_ca_file: %s holds no certificate", file)
	}
	return nil
}

// PublicAddr is the address of the public door; valid after Listen.
func (g *Gateway) PublicAddr() string { return g.listeners.public.Addr().String() }

// AdminAddr is the address of the admin door; valid after Listen, "" when it is off.
func (g *Gateway) AdminAddr() string {
	if g.listeners.admin == nil {
		return ""
	}
	return g.listeners.admin.Addr().String()
}
