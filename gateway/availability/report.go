package availability

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Reasons of a gap.
const (
	NotRunning = "gateway_not_running"
	Starting   = "gateway_starting" // it ran, and its first heartbeat was not due
	NotAsked   = "jamf_not_asked"
)

// Report is what the history says of one source in a span of time. Times are in the zone asked for. Seconds of Up and Down
// are those between heartbeats; gaps belong to neither.
type Report struct {
	Source       string      `json:"source"`
	URL          string      `json:"url"`
	From         time.Time   `json:"from"`
	To           time.Time   `json:"to"`
	RecordedFrom *time.Time  `json:"recordedFrom"` // the first entry within the span; nil = there is none
	TimeZone     string      `json:"timeZone"`
	Heartbeats   int         `json:"heartbeats"`   // that asked Jamf, or that a walk proved
	Availability *float64    `json:"availability"` // percent of the time that was measured; nil = nothing was
	UpSeconds    int64       `json:"upSeconds"`
	DownSeconds  int64       `json:"downSeconds"`
	GapSeconds   int64       `json:"gapSeconds"`
	Outages      []Outage    `json:"outages"`
	Gaps         []Gap       `json:"gaps"`
	Days         []Day       `json:"days"`
	Errors       []CodeCount `json:"errors"` // most frequent first
	Damaged      int         `json:"damagedLines"`
}

// Outage is a row of calls that Jamf did not answer. It began between LastGood and Start.
type Outage struct {
	Start    time.Time   `json:"start"`    // the first call without an answer, of a sync or a heartbeat
	LastGood *time.Time  `json:"lastGood"` // the last one before with an answer, nil = not seen
	End      time.Time   `json:"end"`      // the first answer after it, or the last moment at which it was seen
	Ended    bool        `json:"ended"`    // false: the end was not seen
	Ongoing  bool        `json:"ongoing"`  // it lasts until the end of the report
	Seconds  int64       `json:"seconds"`  // measured; the gap of a restart in between is not among them
	Errors   []CodeCount `json:"errors"`
}

// Gap is a span in which nothing is known about Jamf.
type Gap struct {
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Seconds int64     `json:"seconds"`
	Reason  string    `json:"reason"`
}

// Day is one day of the time zone. Latencies are milliseconds, nil without a sample.
type Day struct {
	Date         string   `json:"date"`
	Heartbeats   int      `json:"heartbeats"`
	Availability *float64 `json:"availability"`
	DownSeconds  int64    `json:"downSeconds"`
	GapSeconds   int64    `json:"gapSeconds"`
	AuthP50      *float64 `json:"authP50Ms"`
	AuthP95      *float64 `json:"authP95Ms"`
	QueryP50     *float64 `json:"queryP50Ms"`
	QueryP95     *float64 `json:"queryP95Ms"`

	up          time.Duration
	down, gap   time.Duration
	auth, query []float64
}

// CodeCount counts the heartbeats that ended with a code. State tells whether they count against Jamf.
type CodeCount struct {
	Code       string `json:"code"`
	State      State  `json:"state"`
	Heartbeats int    `json:"heartbeats"`
}

// span is a stretch of time in one state; "" is a gap for the reason.
type span struct {
	from, to time.Time
	state    State
	reason   string
}

// Make sums entries up, as Read returns them. The span is [from, to); zone decides where a day begins.
func Make(entries []Entry, from, to time.Time, zone *time.Location) Report {
	r := Report{
		From: from.In(zone), To: to.In(zone), TimeZone: zoneName(to.In(zone)),
		Outages: []Outage{}, Gaps: []Gap{}, Days: []Day{}, Errors: []CodeCount{},
	}
	m := &making{r: &r, zone: zone, days: map[string]*Day{}, codes: map[CodeCount]int{}}
	for _, e := range entries {
		if !e.At.Before(from) && e.At.Before(to) {
			if r.RecordedFrom == nil {
				at := e.At.In(zone)
				r.RecordedFrom = &at
			}
			m.count(e)
		}
	}
	for _, s := range spans(entries, to) {
		if s.from.Before(from) {
			s.from = from
		}
		if s.to.After(to) {
			s.to = to
		}
		if s.from.Before(s.to) {
			m.add(s)
		}
	}
	m.outages(entries)
	m.finish()
	return r
}

// zoneName is the name of a zone and what it is away from UTC at that moment.
func zoneName(t time.Time) string {
	name := t.Location().String()
	if name == "Local" {
		name, _ = t.Zone()
	}
	return name + " (UTC" + t.Format("-07:00") + ")"
}

// hold is how long a heartbeat speaks for: until the next one is due, with half as much again and a minute to spare. What
// is longer is a gap from the moment on at which the next one was due.
func hold(e Entry, next time.Time) time.Time {
	due := e.At.Add(time.Duration(e.Next) * time.Second)
	if next.After(due.Add(time.Duration(e.Next)*time.Second/2 + time.Minute)) {
		return due
	}
	return next
}

// spans turns entries into stretches without holes from the first entry to the end.
func spans(entries []Entry, end time.Time) []span {
	var out []span
	var floor time.Time // nothing failed before: Jamf answered then, or the gateway began or ended
	for i, e := range entries {
		next := end
		if i+1 < len(entries) {
			next = entries[i+1].At
		}
		if e.State == Down && !e.Since.IsZero() {
			out = failing(out, later(e.Since, floor), e.At)
		}
		if e.Event != "" || e.State == Up {
			floor = e.At
		}
		switch {
		case e.Event == Started:
			until := hold(e, next)
			out = append(out, span{from: e.At, to: until, reason: Starting}, span{from: until, to: next, reason: NotRunning})
		case e.Event != "":
			out = append(out, span{from: e.At, to: next, reason: NotRunning})
		case e.State == Unasked:
			until := hold(e, next)
			out = append(out, span{from: e.At, to: until, reason: NotAsked}, span{from: until, to: next, reason: NotRunning})
		default:
			until := hold(e, next)
			out = append(out, span{from: e.At, to: until, state: e.State}, span{from: until, to: next, reason: NotRunning})
		}
	}
	return slices.DeleteFunc(out, func(s span) bool { return !s.from.Before(s.to) })
}

// failing writes down over what was known of [from, to) until a heartbeat found that calls have failed since then.
func failing(spans []span, from, to time.Time) []span {
	for len(spans) > 0 && !spans[len(spans)-1].from.Before(from) {
		spans = spans[:len(spans)-1]
	}
	if last := len(spans) - 1; last >= 0 && spans[last].to.After(from) {
		spans[last].to = from
	}
	return append(spans, span{from: from, to: to, state: Down})
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// making is a report in the making.
type making struct {
	r       *Report
	zone    *time.Location
	days    map[string]*Day
	codes   map[CodeCount]int
	spans   []span
	up, off time.Duration // off = down
	gap     time.Duration
}

func (m *making) day(t time.Time) *Day {
	date := t.In(m.zone).Format(dayForm)
	if m.days[date] == nil {
		m.days[date] = &Day{Date: date}
	}
	return m.days[date]
}

func (m *making) count(e Entry) {
	if e.Event != "" {
		return
	}
	if e.Code != "" {
		m.codes[CodeCount{Code: e.Code, State: e.State}]++
	}
	if e.State == Unasked {
		return
	}
	m.r.Heartbeats++
	d := m.day(e.At)
	d.Heartbeats++
	if e.AuthMS > 0 {
		d.auth = append(d.auth, e.AuthMS)
	}
	for _, c := range e.Counts {
		d.query = append(d.query, c.MS)
	}
}

// dayAfter is when the next day begins in the zone of t. Where clocks go forward at midnight that is no midnight.
func dayAfter(t time.Time) time.Time {
	next := time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, t.Location())
	if next.Day() == t.Day() { // 23:00: midnight does not exist
		_, next = next.ZoneBounds()
	}
	return next
}

// add books a span, cut at the days.
func (m *making) add(s span) {
	m.spans = append(m.spans, s)
	for at := s.from; at.Before(s.to); {
		until := dayAfter(at.In(m.zone))
		if until.After(s.to) {
			until = s.to
		}
		took, d := until.Sub(at), m.day(at)
		switch s.state {
		case Up:
			d.up += took
			m.up += took
		case Down:
			d.down += took
			m.off += took
		default:
			d.gap += took
			m.gap += took
		}
		at = until
	}
	if s.state != "" {
		return
	}
	if last := len(m.r.Gaps) - 1; last >= 0 && m.r.Gaps[last].Reason == s.reason && m.r.Gaps[last].End.Equal(s.from) {
		m.r.Gaps[last].End = s.to.In(m.zone)
		return
	}
	m.r.Gaps = append(m.r.Gaps, Gap{Start: s.from.In(m.zone), End: s.to.In(m.zone), Reason: s.reason})
}

// outages joins the spans in which Jamf was down: what directly follows, and what a restart of the gateway parts.
func (m *making) outages(entries []Entry) {
	for i := 0; i < len(m.spans); i++ {
		if m.spans[i].state != Down {
			continue
		}
		o := Outage{Start: m.spans[i].from.In(m.zone)}
		took := m.spans[i].to.Sub(m.spans[i].from)
		for next := m.sameOutage(i, entries); next > i; next = m.sameOutage(i, entries) {
			i = next
			took += m.spans[i].to.Sub(m.spans[i].from)
		}
		end := m.spans[i].to
		o.End, o.Seconds = end.In(m.zone), seconds(took)
		o.Ongoing = end.Equal(m.r.To)
		o.Ended = i+1 < len(m.spans) && m.spans[i+1].state == Up && m.spans[i+1].from.Equal(end)
		codes := map[CodeCount]int{}
		for _, e := range entries {
			if e.State == Up && !e.At.After(o.Start) {
				at := e.At.In(m.zone)
				o.LastGood = &at
			}
			if e.State == Down && !e.At.Before(o.Start) && e.At.Before(end) {
				codes[CodeCount{Code: e.Code, State: Down}]++
			}
		}
		o.Errors = ranked(codes)
		m.r.Outages = append(m.r.Outages, o)
	}
}

// sameOutage is the next span of the outage that the i-th one belongs to, i where there is none. A restart parts no outage
// when the heartbeat after it came as soon as it would have had to without one; what is longer is not guessed across.
func (m *making) sameOutage(i int, entries []Entry) int {
	next := i + 1
	for next < len(m.spans) && (m.spans[next].reason == NotRunning || m.spans[next].reason == Starting) {
		next++
	}
	if next == len(m.spans) || m.spans[next].state != Down {
		return i
	}
	if next == i+1 {
		return next
	}
	until := m.spans[i].to
	for _, e := range entries {
		if e.State == Down && e.At.Before(m.spans[i].to) {
			until = hold(e, m.spans[next].from)
		}
	}
	if until.Before(m.spans[next].from) {
		return i
	}
	return next
}

func (m *making) finish() {
	r := m.r
	for i := range r.Gaps {
		r.Gaps[i].Seconds = seconds(r.Gaps[i].End.Sub(r.Gaps[i].Start))
	}
	r.Errors = ranked(m.codes)
	r.UpSeconds, r.DownSeconds, r.GapSeconds = seconds(m.up), seconds(m.off), seconds(m.gap)
	r.Availability = percent(m.up, m.off)
	for _, d := range m.days {
		d.Availability, d.DownSeconds, d.GapSeconds = percent(d.up, d.down), seconds(d.down), seconds(d.gap)
		d.AuthP50, d.AuthP95 = percentile(d.auth, 50), percentile(d.auth, 95)
		d.QueryP50, d.QueryP95 = percentile(d.query, 50), percentile(d.query, 95)
		r.Days = append(r.Days, *d)
	}
	slices.SortFunc(r.Days, func(a, b Day) int { return cmp.Compare(a.Date, b.Date) })
}

func seconds(d time.Duration) int64 { return int64(d.Round(time.Second) / time.Second) }

// percent is rounded down to a thousandth, so that 100 means that nothing was missing.
func percent(up, down time.Duration) *float64 {
	if up+down <= 0 {
		return nil
	}
	p := math.Floor(float64(up)/float64(up+down)*100_000) / 1000
	return &p
}

// percentile is the nearest rank: a value that was measured.
func percentile(values []float64, p int) *float64 {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	v := values[(len(values)*p+99)/100-1]
	return &v
}

func ranked(codes map[CodeCount]int) []CodeCount {
	out := make([]CodeCount, 0, len(codes))
	for c, n := range codes {
		c.Heartbeats = n
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b CodeCount) int {
		return cmp.Or(cmp.Compare(b.Heartbeats, a.Heartbeats), cmp.Compare(a.Code, b.Code), cmp.Compare(a.State, b.State))
	})
	return out
}
