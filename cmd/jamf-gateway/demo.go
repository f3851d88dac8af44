package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/test/fakejamf"
)

type demoCommand struct {
	Listen      string `default:"127.0.0.1:8080" help:"Address of the gateway."`
	AdminListen string `default:"127.0.0.1:9480" help:"Address of the gateway's admin door and metrics."`
	JamfListen  string `default:"127.0.0.1:8081" help:"Address of the simulated Jamf Pro."`
	DataDir     string `help:"Keep the data here (default: a temporary directory that is removed at the end)." placeholder:"DIR"`
	fleetFlags
}

// demoSource is the name of the demo's only source.
const demoSource = "demo"

// Run starts both sides, shows the first sync and prints what to try.
func (c demoCommand) Run(ctx context.Context, s streams) (err error) {
	for _, address := range []string{c.Listen, c.AdminListen, c.JamfListen} {
		if err := loopback(address); err != nil {
			return usageError{err}
		}
	}
	dir := c.DataDir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "jamf-gateway-demo-"); err != nil {
			return fmt.Errorf("make a data directory: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	var lc net.ListenConfig
	jamfLn, err := lc.Listen(ctx, "tcp", c.JamfListen)
	if err != nil {
		return closedDoor(&gateway.ListenError{Setting: "jamf_listen", Address: c.JamfListen, Err: err}, true)
	}
	log := slog.New(traceHandler{slog.NewJSONHandler(harmlessLines{s.err}, &slog.HandlerOptions{Level: slog.LevelWarn})})
	tel, err := newTelemetry(ctx, s.env, log)
	if err != nil {
		return errors.Join(err, jamfLn.Close())
	}
	defer tel.shutdown()
	settings := c.settings(dir, "http://"+jamfLn.Addr().String()+"/api")
	g, err := gateway.New(ctx, gateway.Options{
		Config: settings, Version: version, Metrics: tel.metrics,
		StartJitter: -1, Logger: log, TracerProvider: tel.tracers, MeterProvider: tel.meters,
	})
	if err != nil {
		return errors.Join(err, jamfLn.Close())
	}
	if err := g.Listen(ctx); err != nil {
		return errors.Join(closedDoor(err, true), g.Close(), jamfLn.Close())
	}
	kept := keptKinds(g)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serveHTTP(ctx, jamfLn, fakejamf.New(c.options())) })
	group.Go(func() error { return g.Run(ctx) })
	group.Go(func() error {
		_, _ = fmt.Fprintf(s.out, "Simulated Jamf Pro: http://%s/api\nGateway:            http://%s\n\n", jamfLn.Addr(), g.PublicAddr())
		admin := demoAdmin{"http://" + g.AdminAddr(), settings.AdminTokenFile}
		tellKept(s.out, kept, admin)
		watchFirstSync(ctx, s.out, g, kept)
		if ctx.Err() == nil {
			printLines(s.out, "http://"+g.PublicAddr(), admin, c.ClientID, c.ClientSecret, firstDevices(ctx, g))
		}
		return nil
	})
	return group.Wait()
}

// settings are what a gateway.yaml of the demo would say.
func (c demoCommand) settings(dir, jamfURL string) *config.Config {
	return &config.Config{
		Listen: c.Listen, AdminListen: c.AdminListen, MaxPageSize: 10000, MaxStale: 30 * 24 * time.Hour,
		KeyFile: filepath.Join(dir, "gateway.key"), AdminTokenFile: filepath.Join(dir, "admin.token"), DataDir: filepath.Join(dir, "data"), Cache: config.Cache{MaxBytes: 256 << 20},
		Sources: []config.Source{{
			Name: demoSource, URL: jamfURL, ClientID: c.ClientID, ClientSecret: config.NewSecret(c.ClientSecret),
			AllowInsecureLoopback: true, Default: true, Profile: "minimal",
			Sync: config.Sync{Interval: 24 * time.Hour, PageSize: 200}, Limits: config.Limits{Connections: 2, RequestsPerSecond: 5},
		}},
		Clients: []config.Client{{ID: c.ClientID, Secrets: [][32]byte{sha256.Sum256([]byte(c.ClientSecret))}}},
	}
}

// loopback refuses addresses that others can reach: the demo's secret is printed.
func loopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is no address of the form HOST:PORT", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("the demo only listens on loopback, not on %q", host)
	}
	return nil
}
