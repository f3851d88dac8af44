package syncer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"jamf-gateway/gateway/availability"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

// Pulse is what a heartbeat needs of the way out; *jamf.Source is one.
type Pulse interface {
	Beat(ctx context.Context, lists ...jamf.List) jamf.Beat
	Status() jamf.Status
}

const (
	// After a heartbeat that went badly the next comes sooner: 30 s, then twice as long each time, at most 5 min. An
	// hour without Jamf costs 18 heartbeats of one call each (docs/adr/0008).
	soonest     = 30 * time.Second
	latest      = 5 * time.Minute
	heartLook   = 5 * time.Second  // how often the breaker is looked at
	healPause   = 15 * time.Minute // between retries that a recovery brings forward
	memory      = 48 * time.Hour   // how far back a start looks for the beginning of an outage
	firstJitter = 20 * time.Second
)

// heart asks one source for signs of life.
type heart struct {
	src     *Source
	book    *book
	journal *availability.Journal // nil = no history is kept
	lists   []jamf.List
	every   time.Duration
	poke    chan struct{} // capacity 1: the next one is wanted now

	mu        sync.Mutex
	asked     time.Time // when the last heartbeat ended, by the clock of the machine; zero = never
	last      availability.Entry
	downSince time.Time // zero = not down, as far as is known
	next      time.Time
	bad       int  // heartbeats in a row that found something wrong
	full      bool // the journal's failure was logged

	// Of the goroutine of the heartbeats alone.
	ill    map[device.Kind]bool      // kinds that the last heartbeat could not count
	healed map[device.Kind]time.Time // when a recovery last brought a retry forward, by the clock of the machine
}

// HeartbeatStatus is what the last heartbeat of a source said.
type HeartbeatStatus struct {
	Every     time.Duration // 0 = there is none
	At        time.Time     // of the last one, zero = never
	State     availability.State
	Code      string        // catalogue code, "" = every question was answered
	Latency   time.Duration // of v1/auth, 0 = not measured
	DownSince time.Time     // zero = it is not down, as far as is known
	Next      time.Time
}

// journal is the history of a source, nil when none is kept.
func (s *Syncer) journal(source string) *availability.Journal {
	if s.o.DataDir == "" {
		return nil
	}
	return availability.NewJournal(availability.Dir(s.o.DataDir, source), s.o.Store.Disk(), s.o.Date)
}

// newHeart looks into the history, so that an outage keeps its beginning over a restart.
func newHeart(src *Source, b *book, journal *availability.Journal, now time.Time) *heart {
	h := &heart{src: src, book: b, journal: journal, every: src.Heartbeat, poke: make(chan struct{}, 1), ill: map[device.Kind]bool{}, healed: map[device.Kind]time.Time{}}
	for _, k := range src.Kinds {
		list, _ := lightListOf(k)
		h.lists = append(h.lists, list)
	}
	if journal == nil {
		return h
	}
	entries, _, err := journal.Read(now.Add(-memory), now)
	if err != nil {
		return h // the report says it; a start needs no history
	}
	for _, e := range entries {
		if e.Event == "" && e.State != availability.Unasked && !e.Walk {
			for _, k := range src.Kinds { // as recover does
				_, counted := e.Counts[string(k)]
				h.ill[k] = !counted
			}
		}
		switch {
		case e.Event != "":
		case e.State == availability.Up:
			h.downSince = time.Time{}
			h.last = e
		case e.State == availability.Down && h.downSince.IsZero():
			h.downSince = e.Begun()
			fallthrough
		default:
			h.last = e
		}
	}
	return h
}

// beat runs the heartbeats of one source until ctx ends.
func (s *Syncer) beat(ctx context.Context, h *heart, spread bool) error {
	s.chronicle(ctx, h, availability.Entry{At: s.now(), Event: availability.Started, Next: whole(firstJitter)})
	defer func() {
		s.chronicle(context.WithoutCancel(ctx), h, availability.Entry{At: s.now(), Event: availability.Stopped})
	}()
	wait := time.Duration(0)
	if spread && s.o.StartJitter >= 0 {
		wait = s.o.Jitter(firstJitter)
	}
	for {
		h.plan(s.now().Add(wait))
		if err := s.rest(ctx, h, wait); err != nil {
			return nil
		}
		wait = s.ask(ctx, h)
		if ctx.Err() != nil {
			return nil
		}
	}
}

// here is a moment of the way out by the syncer's clock. The way out measures by the clock of the machine, which need not be the
// same: in a simulation that one is put forward and back.
func (s *Syncer) here(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return s.now().Add(-time.Since(t))
}

func (h *heart) plan(next time.Time) {
	h.mu.Lock()
	h.next = next
	h.mu.Unlock()
}

// rest waits for the next heartbeat. While the breaker is open it comes as soon as the breaker's pause is over: it is the
// probe. One that comes during the pause sends nothing and says so. A throttle of Jamf is waited for as well.
// Here and wherever heartbeats pause, time is measured like the way out does it, which no step of the wall clock changes.
func (s *Syncer) rest(ctx context.Context, h *heart, wait time.Duration) error {
	began, opened := time.Now(), false
	next := began.Add(wait)
	for {
		st := h.src.Pulse.Status()
		target := next
		wasOpen := opened
		opened = opened || st.Breaker != "closed"
		switch {
		case st.Breaker == "half-open", wasOpen && st.Breaker == "closed": // somebody else was the probe, and got an answer
			target = began.Add(heartLook) // a probe that somebody else makes at this moment ends before
		case st.Breaker == "open":
			if probe := st.NotBefore.Add(s.o.Jitter(time.Second)); probe.Before(next) {
				target = probe
			}
		case st.NotBefore.After(next):
			target = st.NotBefore
		}
		left := time.Until(target)
		if left <= 0 {
			return ctx.Err()
		}
		t := time.NewTimer(min(left, heartLook))
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-h.poke:
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

// ask makes one heartbeat, or takes the word of a walk, and tells when the next is due.
func (s *Syncer) ask(ctx context.Context, h *heart) (wait time.Duration) {
	if s.walkProves(h) {
		wait = s.around(h.every)
		s.take(ctx, h, availability.Entry{At: s.now(), State: availability.Up, Walk: true, Next: whole(wait)})
		return wait
	}
	at := s.now()
	b := h.src.Pulse.Beat(ctx, h.lists...)
	if ctx.Err() != nil {
		return 0
	}
	e := entryOf(h.src.Kinds, b)
	e.At = at
	if since := s.here(b.Since); e.State == availability.Down && since.Before(at) {
		e.Since = since
	}
	wait = s.judge(h, b)
	e.Next = whole(wait)
	s.take(ctx, h, e)
	s.heed(ctx, h, b)
	s.recover(h, b)
	return wait
}

// walkProves tells that a walk of this source runs and got an answer since the last heartbeat: Jamf is there, and need not
// be asked once more.
func (s *Syncer) walkProves(h *heart) bool {
	h.mu.Lock()
	asked, bad := h.asked, h.bad
	h.mu.Unlock()
	ok := h.src.Pulse.Status().LastSuccessAt
	if bad > 0 || !ok.After(asked) || time.Since(ok) > h.every/2 {
		return false
	}
	return slices.ContainsFunc(s.crew.Load().lines, func(l *line) bool { return l.book == h.book && l.isRunning() })
}

// judge counts heartbeats in a row that found something wrong and tells how long to wait for the next. A missing right is
// for a person to give: there is no hurry.
func (s *Syncer) judge(h *heart, b jamf.Beat) (wait time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case b.Err == nil:
		h.bad = 0
	case b.Health() == jamf.Down, errors.Is(b.Err, jamf.ErrAuthFailed), errors.Is(b.Err, jamf.ErrProxy):
		h.bad++
		return s.around(min(soonest<<min(h.bad-1, 8), latest, h.every))
	case b.Health() == jamf.Up:
		h.bad = 0
	}
	return s.around(h.every)
}

// around spreads a wait by a tenth to both sides, so that many gateways do not beat as one.
func (s *Syncer) around(d time.Duration) time.Duration {
	return d - d/10 + s.o.Jitter(d/5+1)
}

func whole(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func entryOf(kinds []device.Kind, b jamf.Beat) availability.Entry {
	e := availability.Entry{State: availability.State(b.Health()), AuthMS: milliseconds(b.Auth)}
	if b.Err != nil {
		e.Code = b.Err.Reason().Code
	}
	for i, c := range b.Counts {
		if c.Err == nil {
			if e.Counts == nil {
				e.Counts = map[string]availability.Count{}
			}
			e.Counts[string(kinds[i])] = availability.Count{MS: milliseconds(c.Took), Total: c.Total}
		}
	}
	for _, right := range []string{jamf.ReadComputers, jamf.ReadMobileDevices} {
		if b.Rights.Has(right) {
			e.Rights = append(e.Rights, right)
		}
	}
	return e
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()/100) / 10 }

// take remembers an entry here, on disk and in the metrics.
func (s *Syncer) take(ctx context.Context, h *heart, e availability.Entry) {
	h.mu.Lock()
	h.asked, h.last = time.Now(), e
	before := h.downSince
	switch e.State {
	case availability.Up:
		h.downSince = time.Time{}
	case availability.Down:
		if before.IsZero() {
			h.downSince = e.Begun()
		}
	case availability.Unasked:
	}
	after := h.downSince
	h.mu.Unlock()
	switch {
	case before.IsZero() && !after.IsZero():
		s.log.WarnContext(ctx, "jamf does not answer the heartbeat", "source", h.src.Name, "code", e.Code)
	case !before.IsZero() && after.IsZero():
		s.log.InfoContext(ctx, "jamf answers again", "source", h.src.Name, "down", max(0, s.now().Sub(before)).Round(time.Second).String())
	}
	s.beats.took(ctx, h.src.Name, e)
	s.chronicle(ctx, h, e)
}

// chronicle writes a line of the history. A disk that is full is logged once and stops nothing.
func (s *Syncer) chronicle(ctx context.Context, h *heart, e availability.Entry) {
	if h.journal == nil {
		return
	}
	err := h.journal.Append(e)
	h.mu.Lock()
	news := err != nil && !h.full
	h.full = err != nil
	h.mu.Unlock()
	if news {
		s.log.ErrorContext(ctx, "keep the history of the heartbeat", "source", h.src.Name, "error", err)
	}
}

// heed takes over what a heartbeat says about credentials and rights. It makes no data stale: that
// is the word of the last due sync and of the age (DESIGN.md).
func (s *Syncer) heed(ctx context.Context, h *heart, b jamf.Beat) {
	rights, refused, _ := h.book.source()
	now := slices.Clone(rights)
	set := func(right string, have bool) {
		now = slices.DeleteFunc(now, func(r string) bool { return r == right })
		if have {
			now = append(now, right)
		}
	}
	if b.Rights.Known {
		set(jamf.ReadComputers, b.Rights.Has(jamf.ReadComputers))
		set(jamf.ReadMobileDevices, b.Rights.Has(jamf.ReadMobileDevices))
	}
	answered := b.Auth > 0
	for i, c := range b.Counts {
		if c.Err == nil || errors.Is(c.Err, jamf.ErrForbidden) {
			set(rightFor(h.src.Kinds[i]), c.Err == nil) // the list itself is the best proof
			answered = true
		}
	}
	refusedNow := refused && !answered || h.src.Pulse.Status().Token == "auth_failed"
	slices.Sort(now)
	if refusedNow != refused || !slices.Equal(now, slices.Sorted(slices.Values(rights))) {
		err := h.book.update(func(p *bookPage) { p.Refused, p.Rights = refusedNow, now })
		if err != nil {
			s.log.ErrorContext(ctx, "remember what Jamf said", "source", h.src.Name, "error", err)
		}
		s.log.InfoContext(ctx, "what Jamf grants has changed", "source", h.src.Name, "rights", now, "credentials_refused", refusedNow)
	}
}

// recover looks for kinds that can be counted again.
func (s *Syncer) recover(h *heart, b jamf.Beat) {
	if b.Health() == jamf.Unasked {
		return
	}
	for i, k := range h.src.Kinds {
		good := i < len(b.Counts) && b.Counts[i].Err == nil
		if good && h.ill[k] {
			s.heal(h, k)
		}
		h.ill[k] = !good
	}
}

// heal brings the retry of a failed sync forward when the heartbeat has just seen its reason go: once for a recovery and
// at most every 15 min, so that a Jamf that comes and goes is not walked each time. A sync that failed for what it read,
// not for how it was answered, is left alone.
func (s *Syncer) heal(h *heart, k device.Kind) {
	r := h.book.kind(k)
	if r.Failures == 0 || !curable(r.ErrorCode) || time.Since(h.healed[k]) < healPause {
		return
	}
	for _, l := range s.crew.Load().lines {
		if l.book == h.book && l.kind == k && !l.isRunning() {
			h.healed[k] = time.Now()
			select {
			case l.wake <- struct{}{}:
			default: // already asked for
			}
		}
	}
}

// curable are the failures that a good heartbeat disproves.
func curable(code string) bool {
	return slices.Contains([]string{
		"jamf_unavailable", "jamf_cannot_render", "timeout", "connect_failed", "dns_failed", "address_refused", "tls_failed", "breaker_open", "throttled",
		"html_instead_of_json", "unexpected_answer", "redirect_refused", "auth_failed", "token_refused", "right_missing",
		"proxy_unreachable", "proxy_refused", "proxy_login_refused",
	}, code)
}

func (h *heart) status() HeartbeatStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	return HeartbeatStatus{
		Every: h.every, At: h.last.At, State: h.last.State, Code: h.last.Code, Next: h.next, DownSince: h.downSince,
		Latency: time.Duration(h.last.AuthMS * float64(time.Millisecond)),
	}
}
