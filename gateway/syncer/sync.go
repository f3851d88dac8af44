package syncer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

// emptyPause lies between the two looks that make an empty instance believable (proof 6).
const emptyPause = time.Minute

// syncOnce runs one sync of a line and remembers how it ended. due tells that the schedule asked for it.
func (s *Syncer) syncOnce(ctx context.Context, l *line, due bool) {
	started, mending := s.now(), s.stock(l).mendable()
	l.begin()

	ctx, span := s.tracer.Start(ctx, "sync", trace.WithAttributes(
		attribute.String("jamf.source", l.src.Name), attribute.String("jamf.kind", string(l.kind))))
	var info cache.Info
	err := contained(func() (err error) {
		info, err = s.sync(ctx, l, started)
		return err
	})
	if err != nil {
		span.SetStatus(codes.Error, codeOf(err))
	}
	span.End()
	if ctx.Err() != nil && err != nil {
		l.book.desk(l.kind).running.Store(false)
		return // the program ends: no result to remember
	}
	s.remember(ctx, l, started, due, info, err)
	l.mu.Lock()
	if (err == nil || errors.Is(err, errHeld)) && mending {
		l.mends, l.mended = l.mends+1, s.now()
	}
	l.tried = true
	l.mu.Unlock()
	l.book.desk(l.kind).running.Store(false)
	l.expect(s.due(l))
}

// begin waits for an approval that is being published.
func (l *line) begin() {
	d := l.book.desk(l.kind)
	d.acting <- struct{}{}
	defer func() { <-d.acting }()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held, l.total = 0, 0
	d.running.Store(true)
}

// contained turns a panic into a failure of this line: one hostile answer ends neither the program nor the other lines, and
// it is booked like any failure.
func contained(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &failure{Code: "internal", Detail: "the gateway met a fault of its own in this sync", Err: cache.Recovered(v)}
		}
	}()
	return f()
}

// remember writes the result into the book, the metrics and the log. Here, and nowhere else, a walk is logged.
func (s *Syncer) remember(ctx context.Context, l *line, started time.Time, due bool, info cache.Info, err error) {
	ended := s.now()
	took := max(0, ended.Sub(started))
	s.meters.ended(ctx, l, err, took)
	save := l.book.update(func(p *bookPage) {
		r := p.kindOf(l.kind)
		r.LastAttempt, r.LastEnd = started, ended
		if !r.Approved.good(ended) {
			r.Approved = nil
		}
		switch {
		case errors.Is(err, errHeld): // read to its end, and not to be read again before the next slot
			r.LastResult, r.ErrorCode, r.ErrorDetail, r.ErrorAt = resultHeld, codeOf(err), detailOf(err), ended
			r.Failures, r.LastSuccess = 0, started
			if r.Anchor.IsZero() { // else there is no slot to wait for
				r.Anchor = started
			}
			return
		case err != nil:
			r.LastResult, r.ErrorCode, r.ErrorDetail = "failed", codeOf(err), detailOf(err)
			r.ErrorAt = s.now()
			if due {
				r.Failures++
			}
			p.Refused = p.Refused || errors.Is(err, jamf.ErrAuthFailed)
			if errors.Is(err, jamf.ErrForbidden) {
				p.Rights = slices.DeleteFunc(p.Rights, func(have string) bool { return have == rightFor(l.kind) })
			}
			return
		}
		r.LastResult, r.ErrorCode, r.ErrorDetail, r.ErrorAt = "ok", "", "", time.Time{}
		r.Failures, r.LastSuccess = 0, started
		r.Devices, r.Short = info.Count, nil
		if r.Anchor.IsZero() {
			r.Anchor = started
		}
	})
	if save != nil {
		s.log.ErrorContext(ctx, "remember the schedule", "source", l.src.Name, "error", save)
	}
	attrs := []any{"source", l.src.Name, "kind", l.kind, "took", took.Round(time.Millisecond).String(), "next", s.due(l).UTC()}
	switch {
	case errors.Is(err, errHeld):
		h, _ := s.heldOf(l)
		s.log.ErrorContext(ctx, "sync held: a person must approve it", append(attrs, "served", s.served(l), "generation", info.Number,
			"count", info.Count, "removed", info.Removed, "digest", h.Digest, "guards", h.Findings)...)
		return
	case err != nil:
		s.log.WarnContext(ctx, "sync failed",
			append(attrs, "served", s.served(l), "code", codeOf(err), "detail", detailOf(err), "error", err)...)
		return
	}
	s.log.InfoContext(ctx, "sync done", append(attrs, "generation", info.Number, "count", info.Count, "added", info.Added,
		"changed", info.Changed, "removed", info.Removed, "quarantined", len(info.Quarantined))...)
}

// served tells what clients get meanwhile: the number of a generation, or "nothing".
func (s *Syncer) served(l *line) string {
	g, err := s.o.Store.Acquire(l.series())
	if err != nil {
		return "nothing"
	}
	defer g.Release()
	return "generation " + strconv.FormatUint(g.Info().Number, 10)
}

// sync reads, proves, publishes and warms.
func (s *Syncer) sync(ctx context.Context, l *line, started time.Time) (cache.Info, error) {
	if err := s.writable(l); err != nil {
		return cache.Info{}, err
	}
	walk := Walk(sane{patient{l.src.NewWalk()}})
	version, rights, err := s.introduce(ctx, l, walk)
	if err != nil {
		return cache.Info{}, err
	}
	var parent *cache.Generation
	draft := cache.Draft{
		Series: l.series(), MappingVersion: device.MappingVersion, ProfileDigest: l.src.Profile.Digest(),
		ProfileName: l.src.Profile.Name(), ProfilePaths: l.src.Profile.Paths(l.kind), JamfVersion: version, Started: started,
		Terms: l.terms(),
	}
	switch g, err := s.o.Store.Acquire(l.series()); {
	case err == nil:
		parent = g
		defer g.Release()
		draft.Parent, draft.SourceEpoch = g.Info().Number, g.Info().SourceEpoch
	case errors.Is(err, cache.ErrLost), errors.Is(err, cache.ErrCorrupt):
		// A new walk is the way out of a lost store: its number follows the last known one.
		draft.Parent = s.o.Store.LastNumber(l.series())
	case !errors.Is(err, cache.ErrNone):
		return cache.Info{}, fmt.Errorf("open the current generation: %w", err)
	}
	cand, d, err := s.walk(ctx, l, walk, rights, draft, parent)
	if err != nil {
		return cache.Info{}, err
	}
	defer cand.Discard()
	losses, err := s.losses(l, parent, cand)
	if err != nil {
		return cand.Info(), err
	}
	published, err := s.settle(ctx, l, cand, d, losses)
	if err != nil {
		return cand.Info(), err
	}
	defer published.Release()
	s.narrow(ctx, l)
	s.warm(ctx, l, published)
	return published.Info(), nil
}

// narrow does after a good sync what could not be done at the start: older files that hold more than the profile keeps go.
func (s *Syncer) narrow(ctx context.Context, l *line) {
	if !l.isWide() {
		return
	}
	if _, err := s.o.Store.DropWider(ctx, l.series(), l.src.Profile); err != nil {
		s.log.ErrorContext(ctx, "remove data that the profile no longer keeps", "source", l.src.Name, "kind", l.kind, "error", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wide = false
}

func (l *line) isWide() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wide
}

// writable refuses a sync whose outcome could not be kept, before Jamf is asked for anything.
func (s *Syncer) writable(l *line) error {
	g, err := s.o.Store.Acquire(l.series())
	switch {
	case err == nil:
		g.Release()
	case errors.Is(err, cache.ErrNewer):
		return storeFailure("the data on disk is of a newer version and stays as it is", err)
	}
	if err := s.o.Store.Room(l.series()); err != nil {
		return storeFailure("there is too little free space in data_dir to begin: twice the stored data is needed, at least 64 MiB", err)
	}
	return nil
}

// storeFailure names what keeps a generation from being kept.
func storeFailure(detail string, err error) error {
	code := "store_error"
	switch {
	case errors.Is(err, cache.ErrNewer):
		code = "store_newer"
	case errors.Is(err, cache.ErrFull):
		code = "store_full"
	}
	return &failure{Code: code, Detail: detail, Err: err}
}

// introduce asks what the credentials may do and which Jamf answers. The rights are kept for the clients' own connection test.
func (s *Syncer) introduce(ctx context.Context, l *line, walk Walk) (version string, rights jamf.Rights, err error) {
	rights, err = walk.Rights(ctx)
	switch {
	case err == nil && rights.Known:
		s.learn(ctx, l, func(p *bookPage) {
			p.Refused, p.Rights = false, slices.DeleteFunc([]string{jamf.ReadComputers, jamf.ReadMobileDevices},
				func(want string) bool { return !rights.Has(want) })
		})
	case err == nil, errors.Is(err, jamf.ErrNotFound), errors.Is(err, jamf.ErrForbidden), errors.Is(err, jamf.ErrSchema):
		// Jamf does not say; the lists will.
		s.learn(ctx, l, func(p *bookPage) { p.Refused = false })
	case endsWalk(ctx, err):
		return "", rights, err
	}
	version, err = walk.Version(ctx)
	if endsWalk(ctx, err) {
		return "", rights, err
	}
	if version != "" {
		s.learn(ctx, l, func(p *bookPage) { p.JamfVersion = version })
	}
	return version, rights, nil
}

// endsWalk tells whether a failure of a question that only describes Jamf means that the lists cannot be read either: the
// credentials are refused, nobody answers, or the program ends. A broken page in place of a description is none of these.
func endsWalk(ctx context.Context, err error) bool {
	var j *jamf.Error
	switch {
	case err == nil:
		return false
	case ctx.Err() != nil, errors.Is(err, jamf.ErrAuthFailed), errors.Is(err, jamf.ErrUnauthorized), errors.Is(err, jamf.ErrBreakerOpen):
		return true
	}
	return errors.Is(err, jamf.ErrUnavailable) && errors.As(err, &j) && (j.Status == 0 || j.Status == http.StatusServiceUnavailable)
}

func (s *Syncer) learn(ctx context.Context, l *line, change func(*bookPage)) {
	if err := l.book.update(change); err != nil {
		s.log.ErrorContext(ctx, "remember what Jamf said", "source", l.src.Name, "error", err)
	}
}

func rightFor(k device.Kind) string {
	if k == device.Computer {
		return jamf.ReadComputers
	}
	return jamf.ReadMobileDevices
}

// walk reads everything into a new generation file and proves it complete. Nothing of it can be seen yet.
func (s *Syncer) walk(
	ctx context.Context, l *line, w Walk, rights jamf.Rights, draft cache.Draft, parent *cache.Generation,
) (*cache.Candidate, cache.Difference, error) {
	ctx, span := s.tracer.Start(ctx, "walk", trace.WithAttributes(
		attribute.String("jamf.source", l.src.Name), attribute.String("jamf.kind", string(l.kind))))
	defer span.End()
	b, err := s.o.Store.Begin(ctx, draft)
	if err != nil {
		return nil, cache.Difference{}, storeFailure("the generation file could not be made", err)
	}
	defer b.Abort()
	r := &reader{
		walk: w, kind: l.kind, profile: l.src.Profile, sections: l.src.Profile.With(device.TermProfile(draft.Terms)).Sections(l.kind),
		terms:   device.NewTermReader(l.kind, draft.Terms, s.sites(ctx, l, w, rights, draft.Terms)),
		builder: b, parent: parent, older: s.olderThan(l, draft.Parent), pageSize: l.src.PageSize, progress: l.progress,
		stretches: l.src.Stretches, now: s.now,
	}
	if r.pageSize == 0 {
		r.pageSize = defaultSize
	}
	reported, err := r.run(ctx)
	if err != nil {
		return nil, cache.Difference{}, err
	}
	s.learn(ctx, l, func(p *bookPage) {
		if right := rightFor(l.kind); !slices.Contains(p.Rights, right) {
			p.Rights = append(p.Rights, right) // a whole list is the best proof
		}
	})
	if r.rereadOrder {
		s.log.WarnContext(ctx, "ids did not come in rising order, the list was read more than once", "source", l.src.Name, "kind", l.kind)
	}
	confirmed := false
	if b.Count() == 0 {
		if confirmed, err = s.believeEmpty(ctx, l, w, r, parent); err != nil {
			return nil, cache.Difference{}, err
		}
	}
	span.SetAttributes(attribute.Int("jamf.pages", r.list.pages), attribute.Int("jamf.devices", b.Count()))
	d, err := s.compare(ctx, l, b, parent, r.version)
	if err != nil {
		return nil, cache.Difference{}, err
	}
	b.SetNames(s.names(ctx, l, w, rights, parent))
	outcome := cache.Outcome{
		Ended: s.now(), ReportedTotal: reported, ConfirmedEmpty: confirmed, Quarantined: r.flags(), Upstream: r.version,
	}
	if draft.SourceEpoch == "" || anotherInstance(l.src.Guard, d) {
		outcome.SourceEpoch = rand.Text()
	}
	cand, err := b.Finish(ctx, outcome)
	if err != nil {
		return nil, cache.Difference{}, storeFailure("the generation file could not be written", err)
	}
	return cand, d, nil
}

// olderThan reads a record from the newest kept generation before number that still gives it.
func (s *Syncer) olderThan(l *line, number uint64) func(context.Context, int64) (cache.Record, error) {
	return func(ctx context.Context, id int64) (cache.Record, error) {
		for _, info := range s.o.Store.Kept(l.series()) {
			if info.Number >= number {
				continue
			}
			g, err := s.o.Store.AcquireNumber(l.series(), info.Number)
			if err != nil {
				continue // damaged or gone: the one before
			}
			record, err := g.Get(ctx, id)
			g.Release()
			if err == nil {
				return record, nil
			}
		}
		return cache.Record{}, cache.ErrNotFound
	}
}

// believeEmpty decides on a list without a device (proof 6): believed when the other kind has some, else when seen
// twice, a minute apart. After a generation with devices it is believed when Jamf confirms of the first of them that they are
// deleted, and then held (GuardEmpty).
func (s *Syncer) believeEmpty(ctx context.Context, l *line, w Walk, r *reader, parent *cache.Generation) (bool, error) {
	if parent != nil && parent.Info().Count > 0 {
		err := r.confirmEmpty(ctx)
		return err == nil, err
	}
	other := device.Mobile
	if l.kind == device.Mobile {
		other = device.Computer
	}
	list, sections := lightListOf(other)
	if p, err := insist(ctx, w, list, sections, window{0, 1}); err == nil && p.Total > 0 {
		return true, nil
	}
	t := time.NewTimer(emptyPause)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-t.C:
	}
	list, sections = lightListOf(l.kind)
	p, err := insist(ctx, w, list, sections, window{0, 1})
	if err != nil {
		return false, err
	}
	if p.Total != 0 || len(p.Rows) != 0 {
		return false, reject("empty_unconfirmed", "Jamf listed no devices, and a minute later %d", p.Total)
	}
	return true, nil
}

// warm renders the devices of a fresh generation into the cache; a cache that stays cold is slower, never wrong.
func (s *Syncer) warm(ctx context.Context, l *line, g *cache.Generation) {
	ctx, span := s.tracer.Start(ctx, "warm", trace.WithAttributes(attribute.String("jamf.source", l.src.Name)))
	defer span.End()
	defer func() {
		if v := recover(); v != nil {
			s.log.ErrorContext(ctx, "warm the device cache", "source", l.src.Name, "kind", l.kind, "error", cache.Recovered(v))
		}
	}()
	n, err := s.o.Store.Warm(ctx, g, l.shown.Load().profiles)
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "warm the device cache", "source", l.src.Name, "kind", l.kind, "error", err)
		return
	}
	span.SetAttributes(attribute.Int("cache.warmed", n))
	s.log.DebugContext(ctx, "device cache is warm", "source", l.src.Name, "kind", l.kind, "devices", n)
}

// warmAtStart warms from the generation on disk: a restart begins with an empty ristretto.
func (s *Syncer) warmAtStart(ctx context.Context, l *line) {
	g, err := s.o.Store.Acquire(l.series())
	if err != nil {
		return
	}
	defer g.Release()
	s.warm(ctx, l, g)
}

// codeOf names a failure by its code in the catalogue: of a call that the breaker kept back, what made the breaker open.
func codeOf(err error) string {
	var f *failure
	var j *jamf.Error
	switch {
	case errors.As(err, &f):
		return f.Code
	case errors.As(err, &j) && j.Reason().Code != "":
		return j.Reason().Code
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "canceled"
	default:
		return "internal"
	}
}

// detailOf is one safe sentence about a failure. Other errors may name files or quote records: their text is for the log alone.
func detailOf(err error) string {
	var f *failure
	var j *jamf.Error
	switch {
	case errors.As(err, &f):
		return f.Detail
	case errors.As(err, &j):
		return j.Reason().Detail
	default:
		return "the gateway met a fault of its own in this sync"
	}
}
