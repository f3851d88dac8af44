package simulate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/test/fakejamf"
)

// oracle knows the life line of every device and everything that was published. It reads what the store holds, and asks the
// gateway for nothing.
type oracle struct {
	w  *world
	mu sync.Mutex

	series map[cache.Series]*chronicle
}

// chronicle is the history of one kind of one source.
type chronicle struct {
	published map[uint64]*snapshot
	held      map[uint64]*reading // generations that wait for approval
	newest    uint64
	result    string    // of the last sync: ok, failed, held
	approved  time.Time // by the clock of the bubble; what is like it may pass for 72 h
	removals  []removal
	unsure    bool // a process was killed, or a sync asked for: result may not be what the schedule remembers
}

type removal struct {
	at        time.Time // by the gateway's clock
	count, of int
}

// reading is the time in which a walk read, closed.
type reading struct {
	window
	to map[*instance]fakejamf.Mark
}

// snapshot is what one generation holds.
type snapshot struct {
	number, parent uint64
	ended          time.Time // asOf
	at             time.Time // when it was first seen, by the clock of the bubble
	until          time.Time // when a newer one was; zero while it is the newest
	rows           map[int64]row
}

type row struct {
	state, name, serial string
	blank               []string // sections that are null
}

func newOracle(w *world) *oracle { return &oracle{w: w, series: map[cache.Series]*chronicle{}} }

func (o *oracle) of(q cache.Series) *chronicle {
	c := o.series[q]
	if c == nil {
		c = &chronicle{published: map[uint64]*snapshot{}, held: map[uint64]*reading{}}
		o.series[q] = c
	}
	return c
}

// heard is told what the gateway logs.
func (w *world) heard(store *cache.Store, message string, attrs map[string]string) {
	q := cache.Series{Source: attrs["source"], Kind: device.Kind(attrs["kind"])}
	u := w.upstream(q.Source)
	switch message {
	case "sync done", "sync failed", "sync held: a person must approve it", "held generation approved":
	default:
		return
	}
	text := fmt.Sprintf("%s: generation %s count %s removed %s quarantined %s code %s guards %s", message, attrs["generation"], attrs["count"],
		attrs["removed"], attrs["quarantined"], attrs["code"], attrs["guards"])
	w.log.note(q.Source+" "+string(q.Kind), "%s", text)
	w.oracle.mu.Lock()
	defer w.oracle.mu.Unlock()
	c := w.oracle.of(q)
	switch message {
	case "sync done":
		c.result = "ok"
		w.log.count("syncs ok", 1)
		w.oracle.check(store, q, u.close(q.Kind))
	case "sync failed":
		c.result = "failed"
		w.log.count("syncs failed", 1)
		w.log.count("failed: "+attrs["code"], 1)
		u.close(q.Kind)
	case "sync held: a person must approve it":
		c.result = "held"
		w.log.count("syncs held", 1)
		if n, err := strconv.ParseUint(attrs["generation"], 10, 64); err == nil {
			c.held[n] = u.close(q.Kind)
		}
	case "held generation approved":
		if c.result == "held" {
			c.result = "ok"
		}
		c.approved = time.Now()
		w.log.count("approvals", 1)
		unsure := c.unsure && c.result == "failed" // what is published does not tell whether a failure since was a due sync's
		w.oracle.check(store, q, nil)
		c.unsure = unsure
	}
}

// look takes up what was published without a word: a process was killed between both.
func (w *world) look(store *cache.Store, why string) {
	w.oracle.mu.Lock()
	defer w.oracle.mu.Unlock()
	for _, u := range w.upstreams {
		for _, k := range kinds() {
			q := cache.Series{Source: u.name, Kind: k}
			r := u.close(k)
			if store != nil {
				w.oracle.check(store, q, r)
				w.oracle.of(q).unsure = true
			}
			w.log.note(u.name+" "+string(k), "looked at: %s", why)
		}
	}
}

// close ends the window of a kind; nil when no page was read.
func (u *upstream) close(k device.Kind) *reading {
	u.mu.Lock()
	defer u.mu.Unlock()
	win := u.open[k]
	u.open[k] = nil
	if win == nil {
		return nil
	}
	r := &reading{window: *win, to: map[*instance]fakejamf.Mark{}}
	for _, i := range append(slices.Collect(maps.Keys(win.others)), win.jamf) {
		if r.to[i] = i.Mark(); i.gone {
			r.to[i] = i.left
		}
	}
	r.others = maps.Clone(win.others)
	r.others[win.jamf] = win.from
	return r
}

// check reads the newest generation of a series and holds it against what the devices were while it was read.
func (o *oracle) check(store *cache.Store, q cache.Series, r *reading) {
	c := o.of(q)
	g, err := store.Acquire(q)
	if err != nil {
		if c.newest > 0 {
			o.wrong(q, "generation %d was published and nothing can be read: %v", c.newest, err)
		}
		return
	}
	defer g.Release()
	info := g.Info()
	if have := c.published[info.Number]; have != nil {
		o.same(q, g, have)
		return
	}
	if info.Number < c.newest {
		o.wrong(q, "generation %d is served after %d", info.Number, c.newest)
	}
	if held := c.held[info.Number]; held != nil {
		r = held
	}
	if r == nil {
		o.wrong(q, "generation %d was published though no page was read", info.Number)
		return
	}
	s, trees := o.read(q, g)
	parent := c.published[info.Parent]
	if info.Parent > 0 && parent == nil {
		o.wrong(q, "generation %d has the parent %d, which was never seen", info.Number, info.Parent)
	}
	if info.Parent != c.newest {
		o.wrong(q, "generation %d has the parent %d, served was %d", info.Number, info.Parent, c.newest)
	}
	o.complete(q, r, s, parent, trees)
	o.limits(q, c, s, parent)
	if before := c.published[c.newest]; before != nil {
		before.until = time.Now()
	}
	c.published[info.Number], c.newest, c.unsure = s, info.Number, false
	clear(c.held)
	o.w.log.count("generations", 1)
	o.w.log.count("records", len(s.rows))
}

func (o *oracle) wrong(q cache.Series, format string, args ...any) {
	o.w.log.wrong(q.Source+" "+string(q.Kind), format, args...)
}

// same: a generation never changes.
func (o *oracle) same(q cache.Series, g *cache.Generation, have *snapshot) {
	if g.Info().Count != len(have.rows) || !g.Info().Ended.Equal(have.ended) {
		o.wrong(q, "generation %d was %d devices as of %v and is %d as of %v", have.number, len(have.rows), have.ended, g.Info().Count, g.Info().Ended)
	}
}

// read takes a generation to pieces.
func (o *oracle) read(q cache.Series, g *cache.Generation) (*snapshot, map[int64]map[string]any) {
	info := g.Info()
	s := &snapshot{number: info.Number, parent: info.Parent, ended: info.Ended, at: time.Now(), rows: map[int64]row{}}
	trees := map[int64]map[string]any{}
	records, err := g.Page(context.Background(), 0, info.Count+1)
	if err != nil {
		o.wrong(q, "generation %d cannot be read: %v", info.Number, err)
		return s, trees
	}
	for _, rec := range records {
		var tree map[string]any
		if err := json.Unmarshal(rec.Body, &tree); err != nil {
			o.wrong(q, "record %d of generation %d is no JSON: %v", rec.ID, info.Number, err)
			continue
		}
		if _, twice := s.rows[rec.ID]; twice {
			o.wrong(q, "device %d is in generation %d twice", rec.ID, info.Number)
		}
		s.rows[rec.ID], trees[rec.ID] = rowOf(rec.State, tree), tree
	}
	if len(records) != info.Count {
		o.wrong(q, "generation %d says %d devices and holds %d", info.Number, info.Count, len(records))
	}
	return s, trees
}

func rowOf(state string, tree map[string]any) row {
	r := row{state: state}
	general, _ := tree["general"].(map[string]any)
	hardware, _ := tree["hardware"].(map[string]any)
	r.name, _ = general["name"].(string)
	if display, ok := general["displayName"].(string); ok {
		r.name = display
	}
	r.serial, _ = hardware["serialNumber"].(string)
	for name, value := range tree {
		if value == nil {
			r.blank = append(r.blank, name)
		}
	}
	return r
}

// complete: for one Jamf that stood behind the URL while the walk read, everybody who lived all the while is there, and nobody
// and nothing that was not.
func (o *oracle) complete(q cache.Series, r *reading, s, parent *snapshot, trees map[int64]map[string]any) {
	var best []string
	for _, i := range slices.SortedFunc(maps.Keys(r.others), func(a, b *instance) int { return a.number - b.number }) {
		problems := o.against(q, i, r, s, parent, trees)
		if len(problems) == 0 {
			return
		}
		if best == nil || len(problems) < len(best) {
			best = problems
		}
	}
	o.wrong(q, "generation %d: %s", s.number, strings.Join(best[:min(len(best), 4)], "; "))
}

func (o *oracle) against(q cache.Series, i *instance, r *reading, s, parent *snapshot, trees map[int64]map[string]any) (problems []string) {
	from, to, ledger := r.others[i], r.to[i], i.Ledger()
	for _, id := range ledger.AliveThroughout(kindOf(q.Kind), from, to) {
		_, there := s.rows[id]
		if (r.hidden || !r.listed && parent != nil) && !there && !had(parent, id) {
			continue // nobody can know of it: no answer showed it, and there is no id to ask for
		}
		if !there {
			problems = append(problems, fmt.Sprintf("device %d lived all the while and is LOST", id))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.rows)) {
		mine := s.rows[id]
		flagged := mine.state != cache.StatePresent
		var before *row
		if parent != nil {
			if b, ok := parent.rows[id]; ok {
				before = &b
			}
		}
		switch {
		case !flagged && !ledger.AliveDuring(kindOf(q.Kind), id, from, to):
			problems = append(problems, fmt.Sprintf("device %d did not live and is there, not flagged", id))
		case !flagged && !i.was(q.Kind, id, trees[id], from, to, fitsWith(r.blanked, before)):
			problems = append(problems, fmt.Sprintf("device %d holds what it was not in that time: %s", id, i.unlike(q.Kind, id, trees[id])))
		case flagged && !o.ever(q, id, trees[id]):
			problems = append(problems, fmt.Sprintf("device %d is flagged %s and holds what it never was", id, mine.state))
		case mine.state == cache.StateMissing && before == nil:
			problems = append(problems, fmt.Sprintf("device %d is kept as missing, and the parent did not have it", id))
		}
	}
	return problems
}

func had(parent *snapshot, id int64) bool {
	if parent == nil {
		return false
	}
	_, there := parent.rows[id]
	return there
}

// fitsWith is whole, but for sections that Jamf took away and of which nobody can know better: the parent does not have them.
func fitsWith(blanked bool, before *row) func(record, version map[string]any) bool {
	if !blanked {
		return whole
	}
	return func(record, version map[string]any) bool {
		for name, value := range record {
			if value == nil && (before == nil || slices.Contains(before.blank, name)) {
				continue
			}
			if other, there := version[name]; !there && value != nil || !within(value, other) {
				return false
			}
		}
		return true
	}
}

// ever: each section of a flagged record is one that the device had at some time, behind this URL.
func (o *oracle) ever(q cache.Series, id int64, tree map[string]any) bool {
	for name, value := range tree {
		if value == nil {
			continue
		}
		found := false
		for _, i := range o.w.upstream(q.Source).all {
			ends := fakejamf.Mark{Event: 1 << 60}
			found = found || i.was(q.Kind, id, map[string]any{name: value}, fakejamf.Mark{}, ends, whole)
		}
		if !found {
			return false
		}
	}
	return true
}

// limits: what was published without a person is inside the guards of DESIGN.md, counted here once more.
func (o *oracle) limits(q cache.Series, c *chronicle, s, parent *snapshot) {
	now, unreadable, most := o.w.now(), 0, 2
	for _, r := range s.rows {
		if r.state == cache.StateQuarantined {
			unreadable++
		}
	}
	if len(s.rows) >= 50 {
		most = max(10, len(s.rows)/100)
	}
	if unreadable > most {
		o.wrong(q, "generation %d has %d of %d devices in quarantine, and was published", s.number, unreadable, len(s.rows))
	}
	if parent == nil || !c.approved.IsZero() && time.Since(c.approved) < 72*time.Hour || o.w.announced(q.Source) {
		return
	}
	removed, missing, serial, both := 0, 0, 0, 0
	for id, was := range parent.rows {
		is, there := s.rows[id]
		switch {
		case !there:
			removed++
			continue
		case is.state == cache.StateMissing:
			missing++
		}
		both++
		if was.serial != "" && is.serial != "" && was.serial != is.serial {
			serial++
		}
	}
	of := len(parent.rows)
	above := func(n, percent, number, all int) bool { return n > number && n*100 > percent*all }
	week, first := removed, of
	for _, r := range slices.Backward(c.removals) {
		if now.Sub(r.at) < 7*24*time.Hour {
			week, first = week+r.count, r.of
		}
	}
	switch {
	case of > 0 && len(s.rows) == 0:
		o.wrong(q, "generation %d is empty after %d devices, and was published", s.number, of)
	case of < 50 && above(removed+missing, 20, 3, of), of >= 50 && (above(removed, 15, 25, of) || above(missing, 3, 10, of)):
		o.wrong(q, "generation %d lacks %d of %d devices, %d more are not listed, and was published", s.number, removed, of, missing)
	case removed > 0 && above(week, 25, 3, first):
		o.wrong(q, "generation %d takes the removals of the week to %d of %d, and was published", s.number, week, first)
	case above(serial, 2, 5, both):
		o.wrong(q, "generation %d has another serial number for %d of %d devices, and was published", s.number, serial, both)
	}
	if removed > 0 {
		c.removals = append(c.removals, removal{now, removed, of})
	}
}
