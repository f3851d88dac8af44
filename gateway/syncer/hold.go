package syncer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"jamf-gateway/cache"
)

// errHeld is how a sync ends whose generation waits for a person.
var errHeld = errors.New("the generation is held")

// ErrNotHeld is asked with errors.Is: nothing is held under this digest.
var ErrNotHeld = errors.New("nothing is held under this digest")

const resultHeld = "held"

// approvalLife is how long an approval stays good for later generations whose removals are a subset.
const approvalLife = 72 * time.Hour

// approval is what a person approved.
type approval struct {
	At       time.Time `json:"at"`
	Evidence evidence  `json:"evidence"`
}

// expectation is a planned window: so many confirmed deletions are announced until then.
type expectation struct {
	At    time.Time `json:"at,omitzero"` // when; zero in a file of before it was kept
	Left  int       `json:"left"`
	Until time.Time `json:"until"`
}

// holdNote is what a hold says of itself beside its digest; the store keeps it.
type holdNote struct {
	Findings []Finding `json:"findings"`
	Evidence evidence  `json:"evidence"`
	Removed  int       `json:"removed,omitempty"` // confirmed deletions, whatever guard holds it
	Of       int       `json:"of,omitempty"`      // devices before

	Views []viewCount `json:"views,omitempty"` // of clients with a filter
}

// HoldStatus is a generation that waits for a person. Removed are its first devices, at most 100, which the served one has. Generation 0:
// it was read after a loss and is not kept; approved, Jamf is read again.
type HoldStatus struct {
	Digest     string
	Since      time.Time
	Generation uint64
	Count      int
	Findings   []Finding
	Removed    []int64
	RemovedAll int
}

// shownRemoved is how many of the devices that would go are named.
const shownRemoved = 100

// compare holds a generation that is complete, and that nobody sees yet, against what is served. Where the newest is damaged, the
// kept one before it is what readers know.
func (s *Syncer) compare(
	ctx context.Context, l *line, b *cache.Builder, parent *cache.Generation, version string,
) (cache.Difference, error) {
	if parent == nil {
		return cache.Difference{}, nil
	}
	d, err := b.Compare(ctx, parent, version)
	for _, info := range s.o.Store.Kept(l.series()) {
		if !errors.Is(err, cache.ErrCorrupt) {
			break
		}
		older, openErr := s.o.Store.AcquireNumber(l.series(), info.Number)
		if openErr != nil {
			continue
		}
		d, err = b.Compare(ctx, older, version)
		older.Release()
	}
	if err != nil {
		return cache.Difference{}, storeFailure("the generation could not be compared with the one that is served", err)
	}
	if !d.Traits && d.Both > 0 {
		s.log.WarnContext(ctx, "the kept data is of an older release: only the number of devices is compared this time", "source", l.src.Name, "kind", l.kind)
	}
	return d, nil
}

// settle publishes a candidate, or keeps it back and answers errHeld. Kinds of a source take their turn, from the question how many
// removals are announced until it is written down that they were used: no removal is announced for both. Where nothing is left to
// compare with, what is known of the number of devices is asked.
func (s *Syncer) settle(ctx context.Context, l *line, c *cache.Candidate, d cache.Difference, losses []viewLoss) (*cache.Generation, error) {
	l.book.settling.Lock()
	defer l.book.settling.Unlock()
	now := s.now()
	if l.book.kind(l.kind).ahead(now) {
		s.learn(ctx, l, func(p *bookPage) { p.kindOf(l.kind).age(now) })
	}
	was := l.book.kind(l.kind)
	for i := range losses {
		losses[i].past = was.Views[losses[i].client].Removals
	}
	v := weigh(l.src.Guard, d, losses, was.Removals, l.book.expected(now), now)
	if known := s.known(l); d.Before == 0 && known > 0 {
		counts := v.counts
		v = weighKnown(l.src.Guard, known, c.Info().Count, l.book.expected(now))
		v.counts = counts
		v.knownViews(l.src.Guard, losses, was.Views, l.book.expected(now))
	}
	v.evidence.Kind = l.kind
	for _, f := range v.warnings {
		s.log.WarnContext(ctx, "the list grew by more than usual", "source", l.src.Name, "kind", l.kind, "by", f.Count, "of", f.Of, "limit", f.Limit)
	}
	if s.holds(ctx, l, v) {
		if v.evidence.isShort() {
			return nil, s.holdShort(ctx, l, c, v)
		}
		return nil, s.hold(ctx, l, c, v)
	}
	published, err := s.o.Store.Publish(ctx, c)
	if err != nil {
		return nil, storeFailure("the generation could not be published", err)
	}
	s.count(ctx, l, v.note())
	s.tellFewer(ctx, l, losses, was.Views)
	return published, nil
}

// holds decides whether a verdict keeps its generation back: not where a person has approved as much.
func (s *Syncer) holds(ctx context.Context, l *line, v verdict) bool {
	if len(v.findings) == 0 {
		return false
	}
	a := l.book.kind(l.kind).Approved
	if !a.good(s.now()) || !a.Evidence.covers(v.evidence) {
		return true
	}
	s.log.WarnContext(ctx, "a guard is tripped by what was approved", "source", l.src.Name, "kind", l.kind,
		"approved", a.At.UTC(), "digest", a.Evidence.digest(), "guards", v.findings)
	return false
}

// good tells that an approval still counts. One of the future, by a clock that was set back, does not.
func (a *approval) good(now time.Time) bool {
	return a != nil && !now.Before(a.At) && now.Sub(a.At) <= approvalLife
}

// hold keeps the generation back. The same evidence as before keeps its date.
func (s *Syncer) hold(ctx context.Context, l *line, c *cache.Candidate, v verdict) error {
	note, err := json.Marshal(v.note())
	if err != nil {
		return fmt.Errorf("describe the hold: %w", err)
	}
	h := cache.Hold{Digest: v.evidence.digest(), Since: s.now().UTC(), Note: note}
	if was, _, held := s.o.Store.Held(l.series()); held && was.Digest == h.Digest {
		h.Since = was.Since
	}
	if err := s.o.Store.Hold(ctx, c, h); err != nil {
		return storeFailure("the generation could not be kept for approval", err)
	}
	return &failure{Code: resultHeld, Detail: describe(v.findings), Err: errHeld}
}

// note is what is remembered of a verdict.
func (v verdict) note() holdNote {
	return holdNote{v.findings, v.evidence, v.removed, v.before, v.counts}
}

// count remembers what a publish took away: of what was announced less is left, and what no person approved by its devices counts
// for GuardWeek, of the generation and of the views.
func (s *Syncer) count(ctx context.Context, l *line, note holdNote) {
	if note.Removed == 0 && !l.book.kind(l.kind).differs(note.Views) {
		return
	}
	now, shown := s.now(), l.shown.Load().views
	s.learn(ctx, l, func(p *bookPage) {
		announced := note.Removed > 0 && p.Expected.open(now) && note.Removed <= p.Expected.Left
		approved := len(note.Evidence.Removed) > 0
		r := p.kindOf(l.kind)
		switch {
		case announced:
			p.Expected.Left -= note.Removed
		case note.Removed > 0 && !approved:
			r.Removals = weekOf(append(slices.Clone(r.Removals), removal{At: now, Count: note.Removed, Of: note.Of}), now, weekParts)
		}
		r.countViews(note, announced || approved, shown, now)
	})
}

// open tells that the window is open. One that was announced in the future, by a clock that was set back, is not: it would stay open until
// that day is over.
func (e *expectation) open(now time.Time) bool {
	return e != nil && e.Left > 0 && !now.Before(e.At) && now.Before(e.Until)
}

// expected is how many confirmed deletions are announced now.
func (b *book) expected(now time.Time) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.page.Expected; e.open(now) {
		return e.Left
	}
	return 0
}

// window is the open one, nil = none.
func (b *book) window(now time.Time) *Expected {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.page.Expected; e.open(now) {
		return &Expected{e.Left, e.Until}
	}
	return nil
}

func (s *Syncer) isHeld(l *line) bool {
	_, _, held := s.o.Store.Held(l.series())
	return held
}

// heldOf describes what is held of a line. Status asks for it with every request: the note is read once.
func (s *Syncer) heldOf(l *line) (HoldStatus, bool) {
	h, info, held := s.o.Store.Held(l.series())
	if !held {
		hold := s.short(l)
		if hold == nil {
			return HoldStatus{}, false
		}
		return HoldStatus{Digest: hold.Digest, Since: hold.Since, Count: hold.Count, Findings: hold.Findings, RemovedAll: hold.Evidence.Short}, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hold == nil || l.hold.Generation != info.Number {
		l.hold = s.readHold(l, h, info)
	}
	return *l.hold, true
}

func (s *Syncer) readHold(l *line, h cache.Hold, info cache.Info) *HoldStatus {
	var note holdNote
	if err := json.Unmarshal(h.Note, &note); err != nil {
		s.log.Error("read why a generation is held", "source", l.src.Name, "kind", l.kind, "error", err)
	}
	return &HoldStatus{
		Digest: h.Digest, Since: h.Since, Generation: info.Number, Count: info.Count, Findings: note.Findings,
		Removed: note.Evidence.Removed.lowest(shownRemoved), RemovedAll: info.Removed,
	}
}

// Approve publishes what is held of a source under this digest. by names who approved, for the log. ErrUnknownSource, ErrNotHeld,
// ErrRunning: a sync of that kind runs, and will say what it finds.
func (s *Syncer) Approve(ctx context.Context, source, digest, by string) error {
	now := s.crew.Load()
	b, ok := now.books[source]
	if !ok {
		return fmt.Errorf("approve %s: %w", source, ErrUnknownSource)
	}
	for _, l := range now.lines {
		if l.book != b {
			continue
		}
		if short := s.short(l); short != nil && short.Digest == digest {
			return s.approveShort(ctx, l, short, by)
		}
		h, _, held := s.o.Store.Held(l.series())
		if !held || h.Digest != digest {
			continue
		}
		return s.approve(ctx, l, h, by)
	}
	return fmt.Errorf("approve %s: %w", source, ErrNotHeld)
}

func (s *Syncer) approve(ctx context.Context, l *line, h cache.Hold, by string) error {
	var note holdNote
	if err := json.Unmarshal(h.Note, &note); err != nil {
		return fmt.Errorf("read why generation is held: %w", err)
	}
	g, err := s.release(ctx, l, h.Digest, note)
	if errors.Is(err, ErrRunning) {
		return fmt.Errorf("approve %s: %w", l.src.Name, err)
	}
	if errors.Is(err, cache.ErrNotHeld) {
		return fmt.Errorf("approve %s: %w", l.src.Name, ErrNotHeld)
	}
	if err != nil {
		return storeFailure("the held generation could not be published", err)
	}
	defer g.Release()
	info := g.Info()
	s.learn(ctx, l, func(p *bookPage) {
		r := p.kindOf(l.kind)
		r.Approved = &approval{At: s.now().UTC(), Evidence: note.Evidence}
		if r.LastResult == resultHeld { // what failed since is not mended by it
			r.LastResult, r.ErrorCode, r.ErrorDetail, r.ErrorAt = "ok", "", "", time.Time{}
		}
		r.Devices = info.Count
	})
	s.log.WarnContext(ctx, "held generation approved", "audit", true, "by", by, "source", l.src.Name, "kind", l.kind, "digest", h.Digest,
		"generation", info.Number, "count", info.Count, "removed", info.Removed, "guards", note.Findings)
	s.narrow(ctx, l)
	s.warm(ctx, l, g)
	return nil
}

// release publishes what is held, in turn with settle and with the begin of a sync. ErrRunning.
func (s *Syncer) release(ctx context.Context, l *line, digest string, note holdNote) (*cache.Generation, error) {
	d := l.book.desk(l.kind)
	d.acting <- struct{}{}
	defer func() { <-d.acting }()
	if d.running.Load() {
		return nil, ErrRunning
	}
	l.book.settling.Lock()
	defer l.book.settling.Unlock()
	g, err := s.o.Store.Release(ctx, l.series(), digest)
	if err == nil {
		s.count(ctx, l, note)
	}
	return g, err
}

// Expect opens a planned window: until then so many confirmed deletions of the source, of all its kinds together, are not held;
// 0 closes it. by names who asked. ErrUnknownSource.
func (s *Syncer) Expect(ctx context.Context, source string, removals int, until time.Time, by string) error {
	b, ok := s.crew.Load().books[source]
	if !ok {
		return fmt.Errorf("expect removals of %s: %w", source, ErrUnknownSource)
	}
	err := b.update(func(p *bookPage) {
		if p.Expected = nil; removals > 0 {
			p.Expected = &expectation{At: s.now().UTC(), Left: removals, Until: until.UTC()}
		}
	})
	if err != nil {
		return fmt.Errorf("expect removals of %s: %w", source, err)
	}
	if removals == 0 {
		s.log.WarnContext(ctx, "removals are no longer expected", "audit", true, "by", by, "source", source)
		return nil
	}
	s.log.WarnContext(ctx, "removals are expected", "audit", true, "by", by, "source", source, "removals", removals, "until", until.UTC())
	return nil
}
