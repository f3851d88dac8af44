package simulate_test

import (
	"context"
	"crypto/sha256"
	"hash/fnv"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
)

const (
	publicDoor = "127.0.0.1:8080"
	adminDoor  = "127.0.0.1:9480"
	secret     = "client-secret"
)

// house is one process of the gateway: whole, but for its sockets.
type house struct {
	w      *world
	dir    string
	g      *gateway.Gateway
	cancel context.CancelFunc
	ended  chan error
	dead   atomic.Bool // killed: whatever it still does happens nowhere
	turns  map[string]chan struct{}
}

// start begins a process on a data directory.
func (w *world) start(dir string) {
	ctx, cancel := context.WithCancel(context.Background())
	h := &house{w: w, dir: dir, cancel: cancel, ended: make(chan error, 1), turns: map[string]chan struct{}{}}
	for _, u := range w.upstreams {
		h.turns[u.name] = make(chan struct{}, 1)
	}
	g, err := gateway.New(ctx, gateway.Options{
		Config: w.settings(dir), Version: "simulated", StartJitter: -1, Now: w.now, Logger: slog.New(&listener{h: h}),
		TracerProvider: tracers{}, MeterProvider: noop.NewMeterProvider(),
		Disk: w.disk.of(h), Listen: w.net.listen, Dial: w.dial, Simulation: gateway.Simulation{Jitter: w.jitter, Turn: h.turn},
	})
	if w.last = dir; err != nil {
		if !w.disk.ill() && !h.dead.Load() {
			w.log.wrong("house", "does not start: %v", err)
		}
		w.log.note("house", "does not start")
		cancel()
		return
	}
	h.g, w.house = g, h
	w.look(g.Store(), "start")
	w.log.note("house", "started")
	go func() { h.ended <- g.Run(ctx) }()
}

func (w *world) settings(dir string) *config.Config {
	c := &config.Config{
		Listen: publicDoor, AdminListen: adminDoor, MaxPageSize: 10000, MaxStale: w.plan.maxStale,
		KeyFile: filepath.Join(dir, "gateway.key"), AdminTokenFile: filepath.Join(dir, "admin.token"), DataDir: filepath.Join(dir, "data"), Cache: config.Cache{MaxBytes: 1 << 20},
		Clients: []config.Client{
			{ID: "cmdb", Secrets: [][32]byte{sha256.Sum256([]byte(secret))}},
			{ID: "strict", Secrets: [][32]byte{sha256.Sum256([]byte(secret))}, OnlyFresh: true},
		},
	}
	for _, u := range w.upstreams {
		c.Sources = append(c.Sources, config.Source{
			Name: u.name, URL: "http://" + u.address + "/api", ClientID: "gw", ClientSecret: config.NewSecret(w.secrets[u.name]),
			AllowInsecureLoopback: true, Profile: w.plan.profile, Heartbeat: w.plan.heartbeat,
			Sync:   config.Sync{Interval: w.plan.interval, At: w.plan.at, PageSize: w.plan.pageSize},
			Limits: config.Limits{Connections: w.plan.connections, RequestsPerSecond: 5},
		})
	}
	return c
}

// turn lets the calls towards one Jamf go one after the other: at the same moment goroutines have no order of their own.
func (h *house) turn(ctx context.Context, source, asked string) (done func()) {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(whoAsks(ctx) + asked))
	rest(ctx, time.Duration(1+sum.Sum32()%1_000_000))
	turns := h.turns[source]
	select {
	case turns <- struct{}{}:
		return func() { <-turns }
	case <-ctx.Done():
		return func() {}
	}
}

// stop ends the process as an operator does.
func (w *world) stop() {
	h := w.house
	if h == nil {
		return
	}
	h.cancel()
	if err := <-h.ended; err != nil && !w.disk.ill() {
		w.log.wrong("house", "ends with %v", err)
	}
	w.look(nil, "stop")
	w.house = nil
	w.log.note("house", "stopped")
}

// crash is kill -9: of the process nothing is left but what lies on the disk at this moment.
func (w *world) crash() {
	h := w.house
	if h == nil {
		return
	}
	w.bury(h, w.left(h))
}

// left is what a killed process leaves behind.
func (w *world) left(h *house) (dir string) {
	next := filepath.Join(w.dir, "life-"+time.Now().UTC().Format("20060102150405.000000000"))
	if err := copyTree(h.dir, next); err != nil {
		w.log.wrong("house", "copy the disk: %v", err)
	}
	h.dead.Store(true)
	return next
}

// die kills a process from within, at an operation of its disk.
func (w *world) die(h *house) {
	next := w.left(h)
	w.kill <- func() { w.bury(h, next) }
}

// bury takes a dead process away and starts the next one on what it left.
func (w *world) bury(h *house, next string) {
	w.log.note("house", "killed")
	w.log.count("kills", 1)
	if w.house == h {
		w.net.shut(publicDoor, adminDoor)
		h.cancel()
		w.zombies.Go(func() { <-h.ended })
		w.house = nil
	}
	w.start(next)
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o600)
	})
}

// caller is a client of the doors; each connection is one request's.
func (w *world) caller() *http.Client {
	return &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return w.net.dial(ctx, network, address)
		},
	}}
}

// listener hears what the gateway logs: a sync that ends is looked at before anything else happens.
type listener struct{ h *house }

func (l *listener) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }
func (l *listener) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *listener) WithGroup(string) slog.Handler                    { return l }

func (l *listener) Handle(_ context.Context, r slog.Record) error {
	if l.h.dead.Load() || l.h.g == nil {
		return nil
	}
	attrs := map[string]string{}
	r.Attrs(func(a slog.Attr) bool {
		attrs[a.Key] = a.Value.String()
		return true
	})
	l.h.w.heard(l.h.g.Store(), r.Message, attrs)
	return nil
}
