package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/metric"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway"
)

// settingsLook is how often the settings file is looked at. Looking needs no library, and sees what a watch does not: the swapped links of
// a Kubernetes ConfigMap, and files on network volumes (docs/adr/0047).
const settingsLook = 3 * time.Second

// busyLooks are the looks until settings are read once more that met a sync which they would have had to wait for.
const busyLooks = 20

// follower reads the settings anew on SIGHUP, when their file has changed, and when an operator asks.
type follower struct {
	path   string
	env    []string
	log    *slog.Logger
	load   func(ctx context.Context, why string, c *config.Config) (gateway.Plan, error)
	unread func(why string, err error) // told of settings that load never sees; nil = nobody is

	mu sync.Mutex // held while settings are read and taken: what was read earlier is never taken later

	files []string // in which secrets of clients stand, of the settings that were last read well

	good    atomic.Int64 // 1: the last reload was good, or there was none
	goodAt  atomic.Int64 // in unix seconds
	refused atomic.Pointer[gateway.Refused]
	applied [32]byte // digest of the file that was last read, taken or not
	seen    [32]byte // of the look before
	again   int      // looks until what only came at a bad moment is tried again; 0 = nothing did
}

func newFollower(path string, first [32]byte, s streams, log *slog.Logger, load func(context.Context, string, *config.Config) (gateway.Plan, error)) *follower {
	f := &follower{path: path, env: s.env, log: log, load: load}
	f.good.Store(1)
	f.goodAt.Store(time.Now().Unix())
	f.applied, f.seen = first, first
	return f
}

// secretsOf follows the files of these settings too, which are in force.
func (f *follower) secretsOf(c *config.Config) {
	f.files = c.ClientSecretFiles()
	f.applied = withFiles(f.applied, f.files)
	f.seen = f.applied
}

// digest is that of the settings and of the files of secrets.
func (f *follower) digest() ([32]byte, error) {
	settings, err := digestOf(f.path)
	return withFiles(settings, f.files), err
}

// withFiles adds what stands in files, of one that cannot be read its name.
func withFiles(settings [32]byte, files []string) [32]byte {
	if len(files) == 0 {
		return settings
	}
	h := sha256.New()
	h.Write(settings[:])
	for _, name := range files {
		one, err := digestOf(name)
		_, _ = fmt.Fprintf(h, "%q %t %x", name, err == nil, one)
	}
	return [32]byte(h.Sum(nil))
}

// publish makes the metrics of the last reload.
func (f *follower) publish(p metric.MeterProvider) error {
	m := p.Meter("jamf-gateway/cmd/jamf-gateway")
	good, errGood := m.Int64ObservableGauge("jamf_gateway_config_last_reload_successful", metric.WithDescription("1 when the settings as they were last read are in force."))
	at, errAt := m.Int64ObservableGauge("jamf_gateway_config_last_reload_success_timestamp", metric.WithUnit("s"), metric.WithDescription("When settings were last taken."))
	_, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(good, f.good.Load())
		o.ObserveInt64(at, f.goodAt.Load())
		return nil
	}, good, at)
	return errors.Join(errGood, errAt, err)
}

// run follows until ctx ends.
func (f *follower) run(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	tick := time.NewTicker(settingsLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			f.reload(ctx, "SIGHUP")
		case <-tick.C:
			f.look(ctx)
		}
	}
}

// look reloads when two looks in a row find the same file, and another one than was read last: half of one that is being written is not
// taken.
func (f *follower) look(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, err := f.digest()
	if err != nil {
		return // it is being swapped, or gone; the old settings stay
	}
	switch {
	case now != f.applied && now == f.seen:
		f.reloadLocked(ctx, "the file has changed")
	case f.again == 1 && now == f.applied:
		f.reloadLocked(ctx, "tried again")
	case f.again > 1:
		f.again--
	}
	f.seen = now
}

// Refused implements gateway.Follower.
func (f *follower) Refused() *gateway.Refused { return f.refused.Load() }

// reload reads the file and goes over to it, or logs with its lines why not.
func (f *follower) reload(ctx context.Context, why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reloadLocked(ctx, why)
}

func (f *follower) reloadLocked(ctx context.Context, why string) {
	read := false
	_, err := f.readLocked(ctx, why, func(ctx context.Context, c *config.Config) (gateway.Plan, error) {
		read = true
		return f.load(ctx, why, c)
	}) // it is logged
	if !read && f.unread != nil {
		f.unread(why, err)
	}
}

// taker goes over to settings, or says why not.
type taker = func(context.Context, *config.Config) (gateway.Plan, error)

// Read implements gateway.Follower.
func (f *follower) Read(ctx context.Context, why string, take taker) (gateway.Plan, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.readLocked(ctx, why, take)
}

// Try implements gateway.Follower.
func (f *follower) Try(ctx context.Context, why string, take taker) (gateway.Plan, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.attempt(ctx, take)
	if r.err != nil {
		return r.plan, r.err
	}
	return f.settleLocked(ctx, why, r)
}

func (f *follower) readLocked(ctx context.Context, why string, take taker) (gateway.Plan, error) {
	return f.settleLocked(ctx, why, f.attempt(ctx, take))
}

// attempt is what came of reading the file once.
type attempt struct {
	digest [32]byte // of the file and the files of secrets before
	loaded bool
	files  []string // of its secrets, where it was loaded
	plan   gateway.Plan
	err    error
}

// attempt reads the file and hands it on. It remembers nothing.
func (f *follower) attempt(ctx context.Context, take taker) (r attempt) {
	r.digest, _ = f.digest()
	settings, err := config.Load(f.path, f.env)
	if err != nil {
		r.err = err
		return r
	}
	r.loaded, r.files = true, settings.ClientSecretFiles()
	for _, w := range settings.Warnings {
		f.log.WarnContext(ctx, w.String())
	}
	r.plan, r.err = take(ctx, settings)
	return r
}

// settleLocked remembers what came of it, and logs it.
func (f *follower) settleLocked(ctx context.Context, why string, r attempt) (gateway.Plan, error) {
	plan, err := r.plan, r.err
	f.applied = r.digest
	if r.loaded {
		f.files = r.files // where they are others, the next looks read once more
	}
	f.again = 0
	if errors.Is(err, cache.ErrBusy) {
		f.again = busyLooks
	}
	if err != nil {
		f.good.Store(0)
		refused := &gateway.Refused{Since: time.Now(), Taken: time.Unix(f.goodAt.Load(), 0), Problem: err}
		if before := f.refused.Load(); before != nil {
			refused.Since = before.Since
		}
		f.refused.Store(refused)
		f.log.ErrorContext(ctx, "the settings were not taken; the ones before stay in force", "why", why, "file", f.path, "error", err)
		return plan, err
	}
	f.good.Store(1)
	f.goodAt.Store(time.Now().Unix())
	f.refused.Store(nil)
	f.log.InfoContext(ctx, "other settings are in force", "why", why, "file", f.path, "added", plan.Added, "changed", plan.Changed)
	if len(plan.Restart) > 0 {
		f.log.WarnContext(ctx, "changed settings that wait for a restart", "settings", plan.Restart)
	}
	return plan, nil
}

// maxSettings is far more than settings of hundreds of sources have.
const maxSettings = 16 << 20

func digestOf(path string) ([32]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return [32]byte{}, fmt.Errorf("look at the settings: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(file, maxSettings)); err != nil {
		return [32]byte{}, fmt.Errorf("look at the settings: %w", err)
	}
	return [32]byte(h.Sum(nil)), nil
}
