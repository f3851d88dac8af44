// Package gateway is the house as a whole: New builds it from a config, Run starts its
// loops and ends them. It wires the rooms and knows no request, page or record itself.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
	"jamf-gateway/gateway/server"
	"jamf-gateway/gateway/syncer"
	"jamf-gateway/gateway/usage"
)

// Options of New. Zero values: a silent logger, the global telemetry providers, the usual start jitter.
type Options struct {
	Config         *config.Config
	Version        string       // of this program
	Metrics        http.Handler // Prometheus exposition, nil = none
	StartJitter    time.Duration
	Logger         *slog.Logger
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
	Now            func() time.Time
	Disk           *cache.Disk // nil: the file system as it is
	Follower       Follower    // nil: an operator's reload is refused

	// Dial and Listen stand in for the network, in tests of a simulated one; nil = the system's.
	Dial       func(ctx context.Context, network, address string) (net.Conn, error)
	Listen     func(ctx context.Context, network, address string) (net.Listener, error)
	Resolver   *net.Resolver // of the names of Jamf hosts; nil = the system's
	Simulation Simulation
}

// Gateway is the running program without its command line.
type Gateway struct {
	o         Options
	store     *cache.Store
	key       [32]byte
	fit       atomic.Pointer[outfit] // by which all runs now
	syncer    *syncer.Syncer
	server    *server.Server
	usage     *usage.Recorder
	audit     *audit.Log
	auditLock *cache.Lock // of its directory
	admin     *adminToken // nil: the admin door is off
	purger    *purger
	calendar  *calendar
	policies  *policyHistory
	authority *authority // nil: tls.acme names no host; set by Listen
	listeners listeners

	shrunk atomic.Pointer[[]server.Warning] // what clients lost by the settings of the start; nil = not weighed yet

	reloading sync.Mutex
	over      bool // Run has ended; under reloading
	retiring  sync.Mutex
	retired   []retired
}

// New opens the store, cuts what is kept to today's profiles and builds the rooms. It starts no loop.
// The caller ends it with Run or Close.
func New(ctx context.Context, o Options) (*Gateway, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := o.Config
	if len(c.Sources) == 0 || len(c.Clients) == 0 {
		return nil, errors.New("at least one source and one client must be configured")
	}
	if err := startable(c); err != nil {
		return nil, err
	}
	key, err := sealingKey(o.Disk, c.KeyFile)
	if err != nil {
		return nil, err
	}
	var admin *adminToken
	if c.AdminListen != "" {
		if admin, err = newAdminToken(o.Disk, c.AdminTokenFile, o.Logger); err != nil {
			return nil, err
		}
	}
	g := &Gateway{o: o, key: key, admin: admin}
	first, err := g.outfit(c, nil)
	if err != nil {
		return nil, err
	}
	g.fit.Store(first)
	g.store, err = cache.Open(ctx, cache.Options{
		Dir: c.DataDir, MaxBytes: c.Cache.MaxBytes, Keep: keptGenerations, Logger: o.Logger, MeterProvider: o.MeterProvider, Now: o.Now, Disk: o.Disk,
		Date: func() time.Time { return g.calendar.date() },
	})
	if err != nil {
		return nil, fmt.Errorf("open the data directory: %w", inUse("data_dir", err))
	}
	if err = g.lockAudit(ctx); err == nil {
		err = g.build(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

func (g *Gateway) build(ctx context.Context) error {
	c, fit := g.o.Config, g.fit.Load()
	g.calendar = newCalendar(c.DataDir, g.store.Disk(), g.o.Now, g.o.Logger)
	for _, w := range Leftovers(c, "") {
		g.o.Logger.WarnContext(ctx, w.Text)
	}
	for i := range fit.synced {
		var err error
		if fit.synced[i].Unaligned, err = g.align(ctx, fit.synced[i].Name, fit.synced[i].Profile); err != nil {
			return err
		}
	}
	var err error
	g.syncer, err = syncer.New(syncer.Options{
		Store: g.store, Dir: filepath.Join(c.DataDir, scheduleDir), DataDir: c.DataDir, Sources: fit.synced, StartJitter: g.o.StartJitter, Logger: g.o.Logger,
		TracerProvider: g.o.TracerProvider, MeterProvider: g.o.MeterProvider, Now: g.o.Now, Date: g.calendar.date, Jitter: g.o.Simulation.Jitter,
	})
	if err != nil {
		return err
	}
	if g.usage, err = g.newUsage(); err != nil {
		return err
	}
	g.audit = audit.New(audit.Options{Dir: auditDir(c), Keep: c.Audit.Keep, Disk: g.store.Disk(), Now: g.o.Now, Date: g.calendar.date, Logger: g.o.Logger})
	g.policies = &policyHistory{disk: g.store.Disk(), dataDir: c.DataDir, version: g.o.Version, log: g.o.Logger}
	if err := g.recordPolicy(ctx, c, fit.profiles); err != nil {
		return err
	}
	var admin func() string
	if g.admin != nil {
		admin = g.admin.current
	}
	g.purger = newPurger(g, c.Sources)
	g.server, err = server.New(server.Options{
		AdminToken: admin, Audit: g.audit, AdminHosts: c.AdminHosts, Profiles: c.Telemetry.Pprof,
		Settings: g.settings(fit),
		Store:    g.store, Usage: g.usage, SealingKey: g.key, Version: g.o.Version, RunsFile: filepath.Join(c.DataDir, runsFile), EndedFile: filepath.Join(c.DataDir, endedFile),
		Traffic: max(256<<20, 2*c.Cache.MaxBytes), Metrics: g.o.Metrics,
		Logger: g.o.Logger, TracerProvider: g.o.TracerProvider, MeterProvider: g.o.MeterProvider, Now: g.o.Now,
	})
	if err != nil {
		return fmt.Errorf("build the server: %w", err)
	}
	g.purger.server = g.server
	if err := g.purger.open(); err != nil {
		return err
	}
	g.purger.resume(ctx)
	g.prune(ctx)
	return nil
}

// keptGenerations of each kind of a source are on disk, the served one among them.
const keptGenerations = 3

// outfit makes what the rooms need of settings. It starts nothing; was is what runs, nil = nothing does.
func (g *Gateway) outfit(c *config.Config, was *outfit) (*outfit, error) {
	ps, err := compileProfiles(c)
	if err != nil {
		return nil, err
	}
	fit := &outfit{config: c, profiles: ps}
	if fit.reach, err = buildUpstreams(g.o, c, was); err != nil {
		return nil, err
	}
	for _, src := range c.Sources {
		kept, kinds, up := ps.named[src.Profile], kindsOf(src), fit.upstreams[src.Name]
		fit.served = append(fit.served, server.SourceOptions{Name: src.Name, Default: src.Default, Hosts: src.Hosts, Kinds: kinds, Passthrough: passPaths(src), Jamf: jamfOf(src), Profile: kept})
		fit.synced = append(fit.synced, syncer.Source{
			Name: src.Name, Settings: settingsOf(src, up, kept, termsOf(c, src.Name)), Disabled: src.Disabled, Kinds: kinds, Profile: kept,
			WarmProfiles: ps.shown(src, c.Clients, g.key), Views: views(c, src.Name),
			Interval: src.Sync.Interval, At: src.Sync.At, PageSize: src.Sync.PageSize, Stretches: src.Limits.Connections, SkipNames: src.SkipNames,
			Guard: src.Guard, NewWalk: func() syncer.Walk { return up.NewWalk() }, Heartbeat: src.Heartbeat, Pulse: up,
		})
	}
	return fit, nil
}

// settings are what the server is to answer by.
func (g *Gateway) settings(fit *outfit) server.Settings {
	c := fit.config
	house := newControl(c, fit.profiles, g.syncer, fit.upstreams, g.purger, g.o.Now)
	house.reload, house.remove = g.asked, g.remove
	return server.Settings{
		Control: house, Passthrough: passthrough{fit.upstreams}, Sources: fit.served, Names: ownNames(c),
		Clients: fit.profiles.clients(c.Clients, g.key), MaxPageSize: c.MaxPageSize, MaxStale: c.MaxStale,
		Proxies: c.TrustedProxies, Warnings: g.warnings,
	}
}

// runsFile lies in the data directory: which generation each client is reading.
const runsFile = ".runs.json"

// endedFile lies in the data directory: the digests of the tokens that clients have given back.
const endedFile = ".ended-tokens"

// usageFile lies in the data directory: how each client calls.
const usageFile = ".usage.json"

// newUsage takes up the records of how the configured clients call.
func (g *Gateway) newUsage() (*usage.Recorder, error) {
	c := g.o.Config
	o := usage.Options{
		Fields: device.FieldWords(), File: filepath.Join(c.DataDir, usageFile), Write: g.store.Disk().ReplaceFile, Aside: g.store.Disk().SetAside,
		Now: g.o.Now, Date: g.calendar.date, Logger: g.o.Logger,
	}
	for _, client := range c.Clients {
		o.Clients = append(o.Clients, client.ID)
	}
	return usage.New(o)
}

// scheduleDir lies in the data directory; no source can have a name with a dot.
const scheduleDir = ".schedule"

// Run listens and serves until ctx ends or something fails, drains, and closes the store.
func (g *Gateway) Run(ctx context.Context) error {
	if err := g.Listen(ctx); err != nil {
		return errors.Join(err, g.Close())
	}
	// The client runs outlive the doors: a request that is answered while they drain is still a step of its walk.
	var runs errgroup.Group
	open, drained := context.WithCancel(context.WithoutCancel(ctx))
	runs.Go(func() error { return g.server.Run(open) })
	runs.Go(func() error { return g.usage.Run(open) })
	runs.Go(func() error { return g.audit.Run(open) })
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		g.remap(ctx)
		g.weighStart(ctx)
		return g.syncer.Run(ctx)
	})
	group.Go(func() error { return g.scrub(ctx) })
	group.Go(func() error { return g.watchSecrets(ctx) })
	group.Go(func() error { return g.tidy(ctx) })
	group.Go(func() error { return g.watchExpiry(ctx) })
	if g.authority != nil {
		group.Go(func() error { return g.authority.Run(ctx) })
	}
	group.Go(func() error { return g.server.ServePublic(ctx, g.listeners.public) })
	if g.listeners.admin != nil {
		group.Go(func() error { return g.server.ServeAdmin(ctx, g.listeners.admin) })
	}
	if g.listeners.metrics != nil {
		group.Go(func() error { return g.server.ServeMetrics(ctx, g.listeners.metrics) })
	}
	err := group.Wait()
	drained()
	err = errors.Join(err, runs.Wait())
	g.reloading.Lock() // one that is under way uses the store
	defer g.reloading.Unlock()
	g.over = true
	return errors.Join(err, g.Close())
}

// scrubEvery is how often every kept file is compared with the digest it was written with.
const scrubEvery = 24 * time.Hour

// scrub looks once a day for files that the disk has changed, at an hour of its own.
func (g *Gateway) scrub(ctx context.Context) error {
	wait := time.NewTimer(scrubEvery/2 + g.o.Simulation.jitter(scrubEvery/2))
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		if good, err := g.store.Scrub(ctx); err == nil {
			g.o.Logger.InfoContext(ctx, "kept files compared with their digests", "good", good)
		}
		wait.Reset(scrubEvery)
	}
}

// tidyEvery is how often what must go by a date, or could not be purged, is looked for.
const tidyEvery = time.Hour

// tidy goes on with purges that are not finished, removes what is too old, and writes down what the disk did not take.
func (g *Gateway) tidy(ctx context.Context) error {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			g.calendar.hour()
			g.purger.resume(ctx)
			g.prune(ctx)
			g.policies.again(ctx)
		}
	}
}

// prune removes what still knows devices that Jamf deleted longer ago than the settings allow; settings without a limit, which no file can
// bring about, keep it.
func (g *Gateway) prune(ctx context.Context) {
	limit := g.fit.Load().config.Retention.DeletedDevices
	if limit == 0 {
		return
	}
	_, err := g.store.Prune(ctx, g.calendar.date().Add(-limit))
	if err := errors.Join(err, g.syncer.Prune()); err != nil && ctx.Err() == nil {
		g.o.Logger.ErrorContext(ctx, "what may not be kept longer is not removed; it is tried again in an hour", "error", err)
	}
}

// Close ends what New opened: a gateway that was never run. Run closes by itself.
func (g *Gateway) Close() error {
	g.listeners.close()
	g.fit.Load().retire(reach{}, (*jamf.Source).Close)
	g.closeRetired(true)
	return errors.Join(g.auditLock.Release(), g.store.Close())
}

// Status is the state of every source, for the demo's progress and for tests.
func (g *Gateway) Status() []syncer.Status { return g.syncer.Status() }

// Store is what the house serves from, for tests that look behind the doors.
func (g *Gateway) Store() *cache.Store { return g.store }
