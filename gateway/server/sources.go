package server

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// testTime bounds a connection test: each of its steps has a deadline of its own.
const testTime = 5 * time.Minute

// sourceView is one source as GET /v1/sources shows it: what is kept of it.
type sourceView struct {
	Name        string       `json:"name"`
	Default     bool         `json:"default"`
	SourceState string       `json:"sourceState"` // active, disabled
	JamfVersion *string      `json:"jamfVersion"`
	Kinds       []sourceKind `json:"kinds"`

	Expected *expectedView `json:"expectedRemovals,omitempty"` // where one source is asked for
}

// expectedView is the open window of announced removals.
type expectedView struct {
	Left  int     `json:"left"`
	Until *string `json:"until"`
}

func newExpected(e *Expected) *expectedView {
	if e == nil {
		return nil
	}
	return &expectedView{e.Left, stamp(e.Until)}
}

// undecidedAfter is how long a device may be kept that Jamf neither lists nor confirms as deleted before somebody is asked to decide.
const undecidedAfter = 14 * 24 * time.Hour

// kindView is one kind of a source, in the shape that lists use.
type kindView struct {
	Kind        device.Kind `json:"kind"`
	State       string      `json:"state"`
	Reason      *string     `json:"reason"`
	AsOf        *string     `json:"asOf"`
	Generation  *uint64     `json:"generation"`
	Count       *int        `json:"count"`
	Quarantined *int        `json:"quarantined"`
	Held        *string     `json:"held"`

	LeftOut map[device.Reason]int `json:"leftOut,omitempty"` // by the filters of the client: reason -> devices
}

// sourceKind is one kind of a source. Devices are those of Quarantined, at most maxQuarantined, where one source is asked for.
type sourceKind struct {
	kindView
	Hold    *holdView     `json:"hold,omitempty"` // why a generation is held
	Devices []quarantined `json:"quarantinedDevices,omitempty"`
}

// maxQuarantined bounds the devices that are named.
const maxQuarantined = 100

// quarantined is one device that could not be read as usual.
type quarantined struct {
	UID    *string `json:"uid"` // null = not even its id could be read
	Reason string  `json:"reason"`
	Kept   string  `json:"kept"`             // what is served of it: previous = its last good version, skeleton = what the short list says
	Since  *string `json:"since,omitempty"`  // of one that is no longer listed
	Decide bool    `json:"decide,omitempty"` // for more than 14 days
}

// holdView is a finished generation that waits for approval.
type holdView struct {
	Digest     string    `json:"digest"`
	Since      *string   `json:"since"`
	Generation uint64    `json:"generation"`
	Count      int       `json:"count"`   // its devices
	Removed    int       `json:"removed"` // devices that are served now and are not in it
	Guards     []Finding `json:"guards"`
}

func newHold(h *Hold) *holdView {
	if h == nil {
		return nil
	}
	v := &holdView{Digest: h.Digest, Since: stamp(h.Since), Generation: h.Generation, Count: h.Count, Removed: h.Removed, Guards: h.Findings}
	if v.Guards == nil {
		v.Guards = []Finding{}
	}
	return v
}

// healthView is one source as GET /v1/sources/{name}/health shows it: how it is doing and what to do about it.
type healthView struct {
	Name         string        `json:"name"`
	Status       string        `json:"status"` // ok, waiting, syncing, degraded, failing, disabled
	SourceState  string        `json:"sourceState"`
	Token        string        `json:"token"`
	TokenExpires *string       `json:"tokenExpiresAt"`
	Breaker      string        `json:"breaker"`
	NotBefore    *string       `json:"notBefore"`
	Rights       []string      `json:"rights"`
	JamfVersion  *string       `json:"jamfVersion"`
	LastError    *trouble      `json:"lastError"`
	Expected     *expectedView `json:"expectedRemovals,omitempty"` // the open window
	Heartbeat    *heartbeat    `json:"heartbeat"`                  // null = off, or the source is disabled
	Kinds        []kindHealth  `json:"kinds"`
}

// heartbeat is the last sign of life that Jamf was asked for.
type heartbeat struct {
	Every     int64    `json:"everySeconds"`
	LastAt    *string  `json:"lastAt"`
	Reachable *bool    `json:"reachable"` // null = not known: none yet, or Jamf could not be asked
	LatencyMS *float64 `json:"latencyMs"` // of v1/auth; null = not measured
	DownSince *string  `json:"downSince"`
	NextAt    *string  `json:"nextAt"`
	Error     *trouble `json:"error"`
}

func newHeartbeat(h HeartbeatStatus) *heartbeat {
	if h.Every <= 0 {
		return nil
	}
	v := &heartbeat{
		Every: int64(h.Every / time.Second), LastAt: stamp(h.At), DownSince: stamp(h.DownSince), NextAt: stamp(h.Next),
		Error: newTrouble(h.Code, "", h.At),
	}
	if h.State == "up" || h.State == "down" {
		up := h.State == "up"
		v.Reachable = &up
	}
	if h.Latency > 0 {
		ms := float64(h.Latency.Microseconds()) / 1000
		v.LatencyMS = &ms
	}
	return v
}

// kindHealth is the health of one kind.
type kindHealth struct {
	kindView
	Undecided int `json:"undecided,omitempty"` // devices that Jamf has neither listed nor confirmed as deleted for 14 days

	flagged     []cache.Quarantine
	tried       bool      // a first sync has ended, well or not
	Syncing     bool      `json:"syncing"`
	Progress    *progress `json:"progress"`
	LastAttempt *string   `json:"lastAttemptAt"`
	LastSuccess *string   `json:"lastSuccessAt"`
	NextSync    *string   `json:"nextSyncAt"`
	LastResult  *string   `json:"lastResult"`
	LastError   *trouble  `json:"lastError"`
	Hold        *holdView `json:"hold,omitempty"`
}

// clientView is what a client with filters is shown of a kind.
type clientView struct {
	Kind    device.Kind           `json:"kind"`
	Client  string                `json:"client"`
	Count   *int                  `json:"count"` // null = not known before the next sync
	LeftOut map[device.Reason]int `json:"leftOut"`
}

// progress is how far a running walk has come.
type progress struct {
	Held  int `json:"held"`
	Total int `json:"total"`
}

// trouble is an error that a person can act on.
type trouble struct {
	Code   string  `json:"code"`
	Title  string  `json:"title"`
	Cause  string  `json:"cause"`
	Action string  `json:"action"`
	Detail *string `json:"detail"`
	At     *string `json:"at"`
}

func newTrouble(code, detail string, at time.Time) *trouble {
	if code == "" {
		return nil
	}
	title, cause, action := sentences(code)
	return &trouble{Code: code, Title: title, Cause: cause, Action: action, Detail: optional(detail), At: stamp(at)}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func sourceState(disabled bool) string {
	if disabled {
		return stateDisabled
	}
	return "active"
}

// kinds looks at the current generation of each enabled kind; a health answer belongs to no client run. A caller, nil at the admin door, is told
// of the devices that he is shown, and nothing of fields that he is not.
func (s *Server) kinds(x *exchange, st SourceStatus, statuses statusIndex) []kindHealth {
	c := x.caller
	now := s.o.Now()
	out := make([]kindHealth, 0, len(st.Kinds))
	for _, k := range st.Kinds {
		q := cache.Series{Source: st.Name, Kind: k.Kind}
		sc := scope{Series: q}
		if c != nil {
			own, shown := c.scope(q.Source, q.Kind)
			if !shown {
				continue
			}
			sc = own
		}
		g, err := s.o.Store.Acquire(q)
		sr := s.observe(x.rules, sc, g, statuses, now)
		if g != nil {
			if f := sr.look(now); f != nil && f.code == codeViewNotReady {
				sr.generation, sr.info, sr.state, sr.reason = nil, cache.Info{}, stateNeverSynced, f.code
			}
			g.Release()
		} else if err != nil && !errors.Is(err, cache.ErrNone) {
			sr.state, sr.reason = stateNeverSynced, storeFault(err, st.Name).code
		}
		e := sr.entry()
		h := kindHealth{
			flagged: sr.quarantined(),
			kindView: kindView{
				Kind: k.Kind, State: e.State, Reason: e.Reason, AsOf: e.AsOf, Generation: e.Generation, Count: e.Count,
				Quarantined: e.Quarantined, Held: e.Held, LeftOut: sr.leftOut(),
			},
			tried: k.Tried, Syncing: k.Syncing, LastAttempt: stamp(k.LastAttempt), LastSuccess: stamp(k.LastSuccess), NextSync: stamp(k.NextSync),
			LastResult: optional(k.LastResult), LastError: newTrouble(k.LastErrorCode, k.LastErrorDetail, k.LastErrorAt),
			Hold: newHold(k.Hold),
		}
		h.Undecided = countUndecided(h.flagged, now)
		if k.Syncing {
			h.Progress = &progress{Held: k.Held, Total: k.Total}
		}
		if c != nil {
			h.shownTo(c.id, sc.profile)
		}
		out = append(out, h)
	}
	return out
}

func (s *Server) sourceView(x *exchange, st SourceStatus, statuses statusIndex, devices bool) sourceView {
	v := sourceView{Name: st.Name, Default: st.Default, SourceState: sourceState(st.Disabled), JamfVersion: optional(st.JamfVersion), Kinds: []sourceKind{}}
	if devices {
		v.Expected = newExpected(st.Expected)
	}
	for _, k := range s.kinds(x, st, statuses) {
		shown := sourceKind{kindView: k.kindView}
		if devices {
			shown.Hold = k.Hold
			shown.Devices = quarantinedDevices(st.Name, k, s.o.Now())
		}
		v.Kinds = append(v.Kinds, shown)
	}
	return v
}

func (s *Server) healthView(x *exchange, st SourceStatus, statuses statusIndex) healthView {
	v := healthView{
		Name: st.Name, SourceState: sourceState(st.Disabled), Token: st.Token, TokenExpires: stamp(st.TokenExpires),
		Breaker: st.Breaker, NotBefore: stamp(st.NotBefore), Rights: st.Rights, JamfVersion: optional(st.JamfVersion),
		LastError: newTrouble(st.LastErrorCode, "", st.LastErrorAt), Kinds: s.kinds(x, st, statuses),
		Heartbeat: newHeartbeat(st.Heartbeat),
	}
	v.Expected = newExpected(st.Expected)
	if x.caller != nil {
		v.Rights = otherRights(v.Rights, x.caller.hidden(st))
	}
	if v.Rights == nil {
		v.Rights = []string{}
	}
	v.Status = healthWord(st.Disabled, v.Kinds)
	return v
}

// healthWord sums a source up: failing means that something asked for cannot be served although its first sync was tried.
func healthWord(disabled bool, kinds []kindHealth) string {
	if disabled {
		return stateDisabled
	}
	word := "ok"
	for _, k := range kinds {
		switch {
		case k.Generation == nil && k.Syncing:
			word = worseWord(word, "syncing")
		case k.Generation == nil && !k.tried && k.neverSynced():
			word = worseWord(word, "waiting")
		case k.Generation == nil:
			word = worseWord(word, "failing")
		case k.State != stateFresh:
			word = worseWord(word, "degraded")
		}
	}
	return word
}

// neverSynced tells that nothing is known to be wrong: there just was no sync yet.
func (k kindHealth) neverSynced() bool { return k.Reason == nil || *k.Reason == codeNeverSynced }

// visible are the statuses of the sources that a caller may see.
func visible(x *exchange) statusIndex {
	return slices.DeleteFunc(slices.Clone(x.rules.statuses()), func(st SourceStatus) bool { return !x.caller.sees(st.Name) })
}

// named is the status of the source in the path, as the caller may see it.
func (s *Server) named(c *fiber.Ctx) (SourceStatus, statusIndex, *fault) {
	if f := parseNoQuery(rawQuery(c)); f != nil {
		return SourceStatus{}, nil, f
	}
	x, name := exchangeOf(c), c.Params("name")
	var statuses statusIndex
	if x.caller.sees(name) {
		statuses = x.rules.statuses(name)
	}
	st, ok := statuses.source(name)
	if !ok {
		return SourceStatus{}, nil, &fault{code: codeUnknownSource, asked: name}
	}
	x.source = st.Name
	return st, statuses, nil
}

// listSources is GET /v1/sources.
func (s *Server) listSources(c *fiber.Ctx) error {
	if f := parseNoQuery(rawQuery(c)); f != nil {
		return f
	}
	x := exchangeOf(c)
	statuses := visible(x)
	items := make([]sourceView, 0, len(statuses))
	for _, st := range statuses {
		items = append(items, s.sourceView(x, st, statuses, false))
	}
	return sendJSON(c, http.StatusOK, struct {
		Items []sourceView `json:"items"`
	}{items})
}

// oneSource is GET /v1/sources/{name}.
func (s *Server) oneSource(c *fiber.Ctx) error {
	st, statuses, f := s.named(c)
	if f != nil {
		return f
	}
	return sendJSON(c, http.StatusOK, s.sourceView(exchangeOf(c), st, statuses, true))
}

// quarantinedDevices names the first of the devices that could not be read as usual.
// quarantinedDevices names those first about which somebody must decide.
func quarantinedDevices(source string, k kindHealth, now time.Time) []quarantined {
	var out []quarantined
	first := slices.Clone(k.flagged)
	slices.SortStableFunc(first, func(a, b cache.Quarantine) int { return order(undecided(b, now)) - order(undecided(a, now)) })
	for _, f := range first[:min(len(first), maxQuarantined)] {
		d := quarantined{Reason: f.Reason, Kept: f.Kept, Since: stamp(f.Since), Decide: undecided(f, now)}
		if f.ID != 0 {
			d.UID = optional(device.UID(source, k.Kind, f.ID))
		}
		out = append(out, d)
	}
	return out
}

// clientViews tells what the filters of each client leave out of a series, by client.
func (s *Server) clientViews(ru *rules, q cache.Series) []clientView {
	g, err := s.o.Store.Acquire(q)
	if err != nil {
		return nil
	}
	defer g.Release()
	var out []clientView
	for _, id := range slices.Sorted(maps.Keys(ru.clients)) {
		sc, shown := ru.clients[id].scope(q.Source, q.Kind)
		if !shown || sc.filter.ShowsAll() {
			continue
		}
		one := clientView{Kind: q.Kind, Client: id, LeftOut: map[device.Reason]int{}}
		if v, err := g.View(context.Background(), sc.filter); err == nil {
			n := v.Count()
			one.Count = &n
			maps.Copy(one.LeftOut, v.LeftOut())
		}
		out = append(out, one)
	}
	return out
}

// sourceHealth is GET /v1/sources/{name}/health.
func (s *Server) sourceHealth(c *fiber.Ctx) error {
	st, statuses, f := s.named(c)
	if f != nil {
		return f
	}
	return sendJSON(c, http.StatusOK, s.healthView(exchangeOf(c), st, statuses))
}

// testSource is POST /v1/sources/{name}/test. A test that found something wrong is a 200 with ok: false.
func (s *Server) testSource(c *fiber.Ctx) error {
	st, _, f := s.named(c)
	if f != nil {
		return f
	}
	ctx, cancel := context.WithTimeout(exchangeOf(c).context(), testTime)
	defer cancel()
	report, err := exchangeOf(c).rules.control.Test(ctx, st.Name)
	if err != nil {
		return controlFault(err, st.Name)
	}
	return sendJSON(c, http.StatusOK, report.without(exchangeOf(c).caller.hidden(st)))
}

// health is GET /v1/health: every source that the caller may see, and one word for all.
func (s *Server) health(c *fiber.Ctx) error {
	if f := parseNoQuery(rawQuery(c)); f != nil {
		return f
	}
	x := exchangeOf(c)
	statuses := visible(x)
	sources := make([]healthView, 0, len(statuses))
	word := "ok"
	for _, st := range statuses {
		v := s.healthView(x, st, statuses)
		sources = append(sources, v)
		word = worseWord(word, v.Status)
	}
	return sendJSON(c, http.StatusOK, struct {
		Status  string       `json:"status"`
		Version string       `json:"version"`
		Sources []healthView `json:"sources"`
	}{word, s.o.Version, sources})
}

// worseWord keeps the more serious of two words; a disabled source is nobody's trouble.
func worseWord(a, b string) string {
	order := []string{"ok", "waiting", "syncing", "degraded", "failing"}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// controlFault says what a refusal of the house is to a client.
func controlFault(err error, source string) *fault {
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	if refused, ok := errors.AsType[*SettingsError](err); ok {
		return &fault{code: codeSettingsRefused, source: source, refused: &refused.Why, outcome: refused.Outcome}
	}
	switch {
	case errors.Is(err, ErrUnknownSource):
		return &fault{code: codeUnknownSource, source: source}
	case errors.Is(err, ErrDisabled):
		return &fault{code: codeSourceDisabled, source: source}
	case errors.Is(err, ErrSyncRunning):
		return &fault{code: codeSyncRunning, source: source}
	case errors.Is(err, ErrNotHeld):
		return &fault{code: codeNotHeld, source: source}
	case errors.Is(err, ErrInUse):
		return &fault{code: codeSourceInUse, source: source}
	case errors.Is(err, ErrUnknownDevice):
		return &fault{code: codeUnknownDevice, source: source}
	case errors.Is(err, ErrUnfinished):
		return &fault{code: codeUnfinished, source: source, retryAfter: longestRetryAfter, cause: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &fault{code: codeBusy, source: source, retryAfter: shortestRetryAfter, cause: err}
	}
	return &fault{code: codeInternal, source: source, cause: err}
}

// sendJSON sends a small body that is made for this request.
func sendJSON(c *fiber.Ctx, status int, v any) error {
	body, err := marshal(v)
	if err != nil {
		return err
	}
	c.Response().SetStatusCode(status)
	c.Response().Header.SetContentType("application/json")
	c.Response().SetBodyRaw(body)
	return nil
}

// ready tells whether every active source can be served or has been tried.
func (s *Server) ready(ru *rules) bool {
	for _, st := range ru.statuses() {
		if st.Disabled {
			continue
		}
		for _, k := range st.Kinds {
			if k.Tried {
				continue
			}
			g, err := s.o.Store.Acquire(cache.Series{Source: st.Name, Kind: k.Kind})
			if err != nil {
				return false
			}
			g.Release()
		}
	}
	return true
}

// undecided tells that a device was kept for so long that somebody must decide: Jamf does not list it, and does not confirm that it is deleted.
func undecided(q cache.Quarantine, now time.Time) bool {
	return !q.Since.IsZero() && now.Sub(q.Since) >= undecidedAfter
}

func countUndecided(all []cache.Quarantine, now time.Time) (n int) {
	for _, q := range all {
		n += order(undecided(q, now))
	}
	return n
}

func order(first bool) int {
	if first {
		return 1
	}
	return 0
}
