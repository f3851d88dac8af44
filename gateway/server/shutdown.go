package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/gofiber/fiber/v2"
)

// drainTime is what requests in flight are given to end.
const drainTime = 20 * time.Second

// ServePublic answers on the public door until ctx ends, and then drains.
func (s *Server) ServePublic(ctx context.Context, ln net.Listener) error {
	d := s.newDoorman("public", connections)
	d.proxy = func(a netip.Addr) bool { return s.rules.Load().proxies.has(a) }
	return serveUntil(ctx, s.newApp(s.publicRoutes), headListener{ln, d})
}

// ServeAdmin answers on the admin door until ctx ends, and then drains.
func (s *Server) ServeAdmin(ctx context.Context, ln net.Listener) error {
	d := s.newDoorman("admin", otherConnections)
	d.yields = true
	return serveUntil(ctx, s.adminApp(ln.Addr()), headListener{ln, d})
}

// ServeMetrics answers /metrics, and nothing else, until ctx ends, and then drains.
func (s *Server) ServeMetrics(ctx context.Context, ln net.Listener) error {
	return serveUntil(ctx, s.newApp(s.metricsRoutes), headListener{ln, s.newDoorman("metrics", otherConnections)})
}

// serveUntil serves until ctx ends or the listener fails. It closes the listener and returns when the last request is
// answered, or after the drain time.
func serveUntil(ctx context.Context, app *fiber.App, ln headListener) error {
	door := ln.doorman.door
	served := make(chan error, 1)
	go func() { served <- app.Listener(ln) }()
	select {
	case err := <-served:
		if err == nil {
			err = errors.New("listener was closed")
		}
		return fmt.Errorf("serve %s door: %w", door, err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	// Where serving had not begun yet, there is nothing to shut down but the listener.
	shut := app.ShutdownWithContext(drain)
	if err := ln.Close(); err != nil && !errors.Is(err, net.ErrClosed) && shut == nil {
		shut = err
	}
	if err := <-served; err != nil && shut == nil && !errors.Is(err, net.ErrClosed) {
		shut = err
	}
	if shut != nil && !errors.Is(shut, net.ErrClosed) {
		return fmt.Errorf("drain %s door: %w", door, shut)
	}
	return nil
}
