// Package syncer is the pump: it wakes by schedule, walks a kind of a source, proves
// that it read everything, publishes a generation and warms the cache. It knows Jamf only
// through Walk and nothing of HTTP clients of the gateway.
package syncer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

// Walk is one session of calls to a Jamf Pro instance; *jamf.Walk is one. Pages and records are asked for concurrently.
type Walk interface {
	Page(ctx context.Context, l jamf.List, sections []string, page, size int) (*jamf.Page, error)
	Record(ctx context.Context, l jamf.List, sections []string, id int64) ([]byte, error)
	Rights(ctx context.Context) (jamf.Rights, error)
	Version(ctx context.Context) (string, error)
	Names(ctx context.Context, l jamf.NameList) (map[int64]string, error)
}

// Errors of SyncNow; asked with errors.Is.
var (
	ErrUnknownSource = errors.New("no such source")
	ErrDisabled      = errors.New("source is disabled")
	ErrRunning       = errors.New("a sync of this source is running")
)

// Source is one configured Jamf Pro instance as the syncer reads it.
type Source struct {
	Name         string
	Settings     string // names all that follows but what clients are shown: a Change leaves an equal one alone; "" = never
	Disabled     bool
	Kinds        []device.Kind
	Profile      *device.Profile   // what is kept
	Views        []View            // what clients with filters are shown
	WarmProfiles []*device.Profile // what clients are shown: rendered into the cache after a publish
	Interval     time.Duration     // 24 h
	At           string            // "" or "HH:MM", local time
	Guard        config.Guard      // zero: the usual limits
	PageSize     int               // the largest page asked for
	Stretches    int               // parts of one list that are read at once, at most; 0 = one
	SkipNames    bool              // departments, buildings and sites are not read
	NewWalk      func() Walk
	Heartbeat    time.Duration // 0 = none
	Pulse        Pulse         // needed for a heartbeat
	Unaligned    []device.Kind // whose stored data could not be cut to Profile at the start: stale until a good sync
}

// View is which devices one client is shown, where that is not all of them.
type View struct {
	Client string
	Filter device.Filter
	Kinds  []device.Kind // nil = all
}

// terms are what the filters of all clients ask about each device, sorted.
func (l *line) terms() []string {
	var out []string
	for _, v := range l.shown.Load().views {
		out = append(out, v.Filter.Terms()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Options of New.
type Options struct {
	Store          *cache.Store
	Dir            string // where the schedule is remembered, one file per source
	DataDir        string // below it the history of the heartbeats is kept; "" = not at all
	Sources        []Source
	StartJitter    time.Duration // at most; a negative value means none
	Logger         *slog.Logger
	TracerProvider trace.TracerProvider // nil: the global one
	MeterProvider  metric.MeterProvider // nil: the global one
	Now            func() time.Time     // nil: time.Now
	Date           func() time.Time     // by which old days of the history go; nil: that of each heartbeat

	Jitter func(most time.Duration) time.Duration // in [0, most); nil: random
}

// Syncer runs the syncs of all sources. Run it once.
type Syncer struct {
	o      Options
	now    func() time.Time // the wall clock alone: the schedule rests on days and hours, also over a sleep of the machine
	log    *slog.Logger
	tracer trace.Tracer
	meters meters
	beats  beatMeters
	crew   atomic.Pointer[crew]
	begun  chan struct{} // closed when Run has begun all that it was made with
	starts chan start    // what Run is to begin
	over   chan struct{} // closed when Run has ended
}

// line is one kind of one source: its own schedule, walk and state.
type line struct {
	src  *Source
	kind device.Kind
	book *book
	wake chan struct{} // capacity 1: a sync was asked for

	shown atomic.Pointer[shown]

	mu       sync.Mutex
	held     int
	total    int
	tried    bool
	nextSync time.Time
	mends    int         // good syncs that began with data that wanted mending, and
	mended   time.Time   // when the last of them ended
	hold     *HoldStatus // what was last read of a held generation
	wide     bool        // files may hold what the profile does not keep, or columns of another mapping
}

// DefaultStartJitter spreads first syncs after a start (DESIGN.md, reliability row H7).
const DefaultStartJitter = 30 * time.Second

// New reads what is remembered of each source. It starts nothing.
func New(o Options) (*Syncer, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Jitter == nil {
		o.Jitter = rand.N[time.Duration]
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	s := &Syncer{
		o: o, now: func() time.Time { return o.Now().Round(0) }, log: o.Logger,
		tracer: o.TracerProvider.Tracer("jamf-gateway/gateway/syncer"),
		begun:  make(chan struct{}), starts: make(chan start), over: make(chan struct{}),
	}
	if err := o.Store.Disk().RemoveLeftovers(o.Dir); err != nil {
		o.Logger.Warn("remove unfinished files of the schedule", "error", err)
	}
	var hands []*hand
	for i := range o.Sources {
		src := &s.o.Sources[i]
		b, err := openBook(o.Store.Disk(), o.Dir, src.Name)
		if err != nil {
			return nil, fmt.Errorf("read the schedule of source %s: %w", src.Name, err)
		}
		hands = append(hands, s.newHand(src, b))
	}
	s.crew.Store(newCrew(hands))
	var err error
	if s.meters, err = newMeters(o.MeterProvider.Meter("jamf-gateway/gateway/syncer"), s); err != nil {
		return nil, fmt.Errorf("make the sync metrics: %w", err)
	}
	if s.beats, err = newBeatMeters(o.MeterProvider.Meter("jamf-gateway/gateway/syncer"), s); err != nil {
		return nil, fmt.Errorf("make the heartbeat metrics: %w", err)
	}
	return s, nil
}

// Run keeps every enabled source in sync until ctx ends.
func (s *Syncer) Run(ctx context.Context) error {
	defer close(s.over)
	g, ctx := errgroup.WithContext(ctx)
	for _, h := range s.crew.Load().hands {
		s.begin(ctx, g, h, true)
	}
	close(s.begun)
	for {
		select {
		case <-ctx.Done():
			return g.Wait()
		case more := <-s.starts:
			for _, h := range more.hands {
				s.begin(ctx, g, h, false)
			}
			close(more.begun)
		}
	}
}

// keep runs the syncs of one line, one after the other. spread keeps the first ones of a program that starts apart.
func (s *Syncer) keep(ctx context.Context, l *line, spread bool) error {
	jitter := time.Duration(0)
	if spread {
		jitter = s.startJitter()
	}
	s.warmAtStart(ctx, l)
	for ctx.Err() == nil {
		next := s.due(l)
		if jitter >= 0 {
			next = s.dueAtStart(l, next).Add(jitter)
		}
		jitter = -1
		l.expect(next)
		asked, err := s.sleep(ctx, l, next)
		if err != nil {
			return nil //nolint:nilerr // the end of the program is no error
		}
		s.syncOnce(ctx, l, !asked || !s.now().Before(s.due(l)))
	}
	return nil
}

func (s *Syncer) startJitter() time.Duration {
	switch {
	case s.o.StartJitter < 0:
		return 0
	case s.o.StartJitter == 0:
		return s.o.Jitter(DefaultStartJitter)
	default:
		return s.o.Jitter(s.o.StartJitter)
	}
}

func (l *line) expect(next time.Time) {
	l.mu.Lock()
	l.nextSync = next
	l.mu.Unlock()
}

// sleep waits until next or until a sync is asked for. The wall clock is asked again every minute, so that a
// stepped clock neither skips a sync nor delays it by more than that; so is the store, whose newest generation may have
// turned out to be damaged.
func (s *Syncer) sleep(ctx context.Context, l *line, next time.Time) (asked bool, err error) {
	for {
		wait := next.Sub(s.now())
		if wait <= 0 {
			return false, ctx.Err()
		}
		t := time.NewTimer(min(wait, time.Minute))
		select {
		case <-ctx.Done():
			t.Stop()
			return false, ctx.Err()
		case <-l.wake:
			t.Stop()
			return true, nil
		case <-t.C:
		}
		if sooner := s.due(l); sooner.Before(next) {
			next = sooner
			l.expect(next)
		}
	}
}

// SyncNow asks for a sync of the kinds given (none = all) of a source and returns at once.
func (s *Syncer) SyncNow(source string, kinds ...device.Kind) error {
	now := s.crew.Load()
	b, ok := now.books[source]
	if !ok {
		return fmt.Errorf("sync %s: %w", source, ErrUnknownSource)
	}
	asked := false
	for _, l := range now.lines {
		if l.book != b || (len(kinds) > 0 && !slices.Contains(kinds, l.kind)) {
			continue
		}
		if l.src.Disabled {
			return fmt.Errorf("sync %s: %w", source, ErrDisabled)
		}
		if l.isRunning() {
			continue
		}
		select {
		case l.wake <- struct{}{}:
		default: // already asked for
		}
		asked = true
	}
	if !asked {
		return fmt.Errorf("sync %s: %w", source, ErrRunning)
	}
	return nil
}

func (l *line) isRunning() bool { return l.book.desk(l.kind).running.Load() }

// Between lets act make another generation of the one that is served while no sync of the kind begins. ErrRunning: one runs. Of a source
// that is not known nothing runs.
func (s *Syncer) Between(ctx context.Context, source string, k device.Kind, act func() error) error {
	b, ok := s.crew.Load().books[source]
	if !ok {
		return act()
	}
	d := b.desk(k)
	select {
	case d.acting <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-d.acting }()
	if d.running.Load() {
		return fmt.Errorf("%s %s: %w", source, k, ErrRunning)
	}
	return act()
}

func (l *line) progress(held, total int) {
	l.mu.Lock()
	l.held, l.total = held, total
	l.mu.Unlock()
}

func (l *line) series() cache.Series { return cache.Series{Source: l.src.Name, Kind: l.kind} }
