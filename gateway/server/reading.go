package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// States of a series, as clients read them.
const (
	stateFresh       = "fresh"
	stateStale       = "stale"
	stateNeverSynced = "never_synced"
	stateDisabled    = "disabled"
)

// series is one series of a request: what is known of its state and, when it was ever read, its generation.
type series struct {
	scope
	generation *cache.Generation // nil: there is none yet
	view       *cache.View       // what the caller is shown of it
	info       cache.Info
	state      string
	reason     string // catalogue code, "" when fresh
	next       time.Time
	overdue    bool   // older than max_stale
	behind     string // overdue though a newer one is there: the code that says how a walk begins again
	held       string // digest of what waits for approval
}

// reading is the set of generations that one request reads. It is a lease: a rendering that outlives the request
// keeps them open by retaining it.
type reading struct {
	concerned []*series
	rows      int       // at most in the answer; 0 = one
	others    []*series // visible to the caller besides; only for duplicateOf
	onlyFresh bool      // of the caller

	mu      sync.Mutex
	holders int
}

// retain adds a holder; false when the last one has already gone.
func (r *reading) retain() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holders == 0 {
		return false
	}
	r.holders++
	return true
}

// release lets go; the last holder releases the generations.
func (r *reading) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holders--; r.holders > 0 {
		return
	}
	for _, list := range [][]*series{r.concerned, r.others} {
		for _, sr := range list {
			if sr.generation != nil {
				sr.generation.Release()
				sr.generation = nil
			}
		}
	}
}

// statusIndex finds the status of a series. Control answers from memory.
type statusIndex []SourceStatus

func (st statusIndex) source(name string) (SourceStatus, bool) {
	for _, s := range st {
		if s.Name == name {
			return s, true
		}
	}
	return SourceStatus{}, false
}

func (s SourceStatus) kind(q cache.Series) KindStatus {
	for _, k := range s.Kinds {
		if k.Kind == q.Kind {
			return k
		}
	}
	return KindStatus{}
}

// observe joins a generation (nil = none) with what the house says of its series.
func (s *Server) observe(ru *rules, sc scope, g *cache.Generation, statuses statusIndex, now time.Time) *series {
	src, _ := statuses.source(sc.Source)
	k := src.kind(sc.Series)
	sr := &series{scope: sc, generation: g, state: k.State, reason: k.Reason, next: k.NextSync}
	if k.Hold != nil {
		sr.held = k.Hold.Digest
	}
	if k.Syncing {
		sr.next = now.Add(defaultRetryAfter)
	}
	switch {
	case src.Disabled:
		sr.state, sr.reason = stateDisabled, codeSourceDisabled
	case g == nil:
		sr.state = stateNeverSynced
		if sr.reason == "" {
			sr.reason = codeNeverSynced
		}
	case k.State == stateFresh:
		sr.reason = ""
	default:
		// Whatever else is said of a series that has a generation, it is not known to be fresh.
		sr.state = stateStale
	}
	if g != nil {
		sr.info = g.Info()
		// What is held is known, and a person decides: it never becomes an error by its age.
		old := now.Sub(sr.info.Ended) > ru.maxStale && (sr.held == "" || src.Disabled)
		if sr.overdue = old; sr.overdue && !src.Disabled {
			sr.state, sr.reason = stateStale, codeStaleLimit
		}
	}
	return sr
}

// read opens the concerned series of a request, by the caller's run.
// A series whose store is lost or corrupt is an error: leaving it out would shorten a list.
func (s *Server) read(x *exchange, concerned []scope, st step) (*reading, error) {
	c := x.caller
	statuses, now := x.rules.statusesOf(concerned), s.o.Now()
	r := &reading{holders: 1, onlyFresh: c.onlyFresh}
	for _, sc := range concerned {
		st.view = sc.filter.Digest()
		sr, err := s.step(x, sc, st, statuses, now)
		if err != nil {
			r.release()
			return nil, storeFault(err, sc.Source)
		}
		r.concerned = append(r.concerned, sr)
		if f := sr.look(now); f != nil {
			s.runs.drop(c.id, sc.Series, sr.info.Number) // a later generation knows more
			r.release()
			return nil, f
		}
	}
	s.runs.save(context.Background(), false)
	return r, nil
}

// readNumbers opens exactly the generations that a cursor names.
func (s *Server) readNumbers(x *exchange, concerned []scope, numbers []uint64, list listID) (*reading, error) {
	c := x.caller
	statuses, now := x.rules.statusesOf(concerned), s.o.Now()
	r := &reading{holders: 1, onlyFresh: c.onlyFresh}
	for i, sc := range concerned {
		var g *cache.Generation
		if numbers[i] != 0 {
			var err error
			if g, err = s.runs.number(c.id, sc.Series, numbers[i], list); err != nil {
				r.release()
				return nil, storeFault(err, sc.Source)
			}
		}
		sr := s.observe(x.rules, sc, g, statuses, now)
		if s.superseded(sr) {
			sr.behind = codeCursorExpired
		}
		r.concerned = append(r.concerned, sr)
		if f := sr.look(now); f != nil {
			s.runs.drop(c.id, sc.Series, sr.info.Number) // a later generation knows more
			r.release()
			return nil, f
		}
	}
	return r, nil
}

// look finds what the caller is shown of the generation. A filter that the generation cannot answer is a refusal: any list would be wrong.
func (sr *series) look(now time.Time) *fault {
	if sr.generation == nil {
		return nil
	}
	var err error
	sr.view, err = sr.generation.View(context.Background(), sr.filter)
	switch {
	case errors.Is(err, cache.ErrNoView):
		return &fault{code: codeViewNotReady, source: sr.Source, retryAfter: retryAfter(now, sr.next)}
	case err != nil:
		return storeFault(err, sr.Source)
	}
	return nil
}

// count is the number of devices that the caller is shown.
func (sr *series) count() int {
	if sr.view == nil {
		return sr.info.Count
	}
	return sr.view.Count()
}

// quarantined lists the devices that could not be read as usual and that the caller is shown. What has not even an id belongs to nobody.
func (sr *series) quarantined() []cache.Quarantine {
	if sr.view == nil || sr.view.Digest() == "" {
		return sr.info.Quarantined
	}
	return slices.DeleteFunc(slices.Clone(sr.info.Quarantined), func(q cache.Quarantine) bool { return !sr.view.Has(q.ID) })
}

// leftOut counts what the caller is not shown; nil = nothing, or not known.
func (sr *series) leftOut() map[device.Reason]int {
	if sr.view == nil {
		return nil
	}
	return sr.view.LeftOut()
}

// widen adds the caller's other series that show serial numbers: duplicates are looked for in his whole view.
// One that cannot be opened is left out: it is nowhere in his view at the moment.
func (s *Server) widen(c *caller, r *reading) {
	have := make(map[cache.Series]bool, len(r.concerned))
	for _, sr := range r.concerned {
		have[sr.Series] = true
	}
	for _, sc := range c.scopes {
		if have[sc.Series] || !sc.profile.Allows(sc.Kind, fieldSerial) {
			continue
		}
		if g, err := s.runs.generation(c.id, sc.Series, step{ask: askBeside}); err == nil {
			beside := &series{scope: sc, generation: g, info: g.Info()}
			if r.others = append(r.others, beside); beside.look(s.o.Now()) != nil {
				beside.view = nil
			}
		}
	}
}

// serials lists the generations in which duplicates are looked for, in the order of every list.
func (r *reading) serials() []cache.Shown {
	var shown []*series
	for _, list := range [][]*series{r.concerned, r.others} {
		for _, sr := range list {
			if sr.generation != nil && sr.view != nil && sr.profile.Allows(sr.Kind, fieldSerial) {
				shown = append(shown, sr)
			}
		}
	}
	slices.SortFunc(shown, func(a, b *series) int { return compareSeries(a.Series, b.Series) })
	out := make([]cache.Shown, len(shown))
	for i, sr := range shown {
		out[i] = cache.Shown{Generation: sr.generation, View: sr.view}
	}
	return out
}

// refuse answers for the request as a whole where nothing may be served: no series has a generation, or what there is
// is older than max_stale. A merged list in which a kind or a source was never read is refused too, because it would be shorter than
// it should be; a disabled source without data is left out and said so. requireFresh, and a caller who takes nothing else, turn the first series in
// trouble into a refusal.
func (r *reading) refuse(now time.Time, requireFresh bool) *fault {
	servable := false
	var never, overdue, disabled *series
	for _, sr := range r.concerned {
		switch {
		case sr.generation == nil && sr.state == stateDisabled:
			disabled = sr
		case sr.generation == nil:
			if never == nil || never.reason == codeNeverSynced {
				never = sr // one whose cause is known says more
			}
		case sr.overdue:
			overdue = sr
		default:
			servable = true
		}
	}
	if never != nil && len(r.concerned) > 1 {
		f := never.neverFault(now)
		f.detail = fmt.Sprintf("%s %s was never read completely (%s). Narrow the list with source= or kind= to what was.", never.Source, never.Kind, never.reason)
		return f
	}
	if !servable && overdue != nil {
		return overdue.limitFault(now)
	}
	if !servable && never != nil {
		return never.neverFault(now)
	}
	if !servable && disabled != nil {
		return disabledFault(disabled.Source, "The source is disabled and was never read.")
	}
	if !requireFresh && !r.onlyFresh {
		return nil
	}
	return r.notFresh(now)
}

// notFresh is the refusal of a caller who takes only what is fresh, nil where everything is.
func (r *reading) notFresh(now time.Time) *fault {
	why := "require=fresh"
	if r.onlyFresh {
		why = "on_stale: fail of this client"
	}
	for _, sr := range r.concerned {
		if sr.state != stateFresh {
			return &fault{
				code: codeNotFresh, source: sr.Source, retryAfter: retryAfter(now, sr.next),
				detail: fmt.Sprintf("%s: %s %s is %s.", why, sr.Source, sr.Kind, sr.state),
			}
		}
	}
	return nil
}

// neverFault answers a question about what was never read, with the catalogue code of why where one is known.
func neverFault(q cache.Series, reason string, wait time.Duration) *fault {
	f := &fault{code: codeNeverSynced, source: q.Source, retryAfter: wait}
	if reason == "" || reason == codeNeverSynced {
		return f // nobody has tried yet
	}
	title, _, _ := sentences(reason)
	f.reason = reason
	f.detail = fmt.Sprintf("There is no complete data of %s %s (%s): %s", q.Source, q.Kind, reason, ending(title))
	return f
}

func (sr *series) neverFault(now time.Time) *fault {
	return neverFault(sr.Series, sr.reason, retryAfter(now, sr.next))
}

// disabledFault answers a question about a disabled source of which nothing can be said; detail "" = the catalogue's cause.
func disabledFault(source, detail string) *fault {
	return &fault{code: codeSourceDisabled, unread: true, source: source, retryAfter: longestRetryAfter, detail: detail}
}

// oldest is the end of the oldest generation, zero when there is none.
func (r *reading) oldest() time.Time {
	var out time.Time
	for _, sr := range r.concerned {
		if sr.generation != nil && (out.IsZero() || sr.info.Ended.Before(out)) {
			out = sr.info.Ended
		}
	}
	return out
}

// refs names the concerned generations for a cache key; "-" where there is none.
func (r *reading) refs() []string {
	out := make([]string, 0, len(r.concerned))
	for _, sr := range r.concerned {
		if sr.generation == nil {
			out = append(out, "-")
			continue
		}
		out = append(out, sr.generation.Ref())
	}
	return out
}

// epoch is the state of every concerned series: it changes whenever a body that shows states would.
func (r *reading) epoch() string {
	var b strings.Builder
	for _, sr := range r.concerned {
		b.WriteString(sr.state)
		b.WriteByte('/')
		b.WriteString(sr.reason)
		b.WriteByte('/')
		b.WriteString(sr.held)
		b.WriteByte(' ')
	}
	return b.String()
}

// worst tells the state of the reading in one word for the response header, with its reason.
func (r *reading) worst() (state, reason string) {
	for _, sr := range r.concerned {
		if sr.state != stateFresh {
			return sr.state, sr.reason
		}
	}
	return stateFresh, ""
}
