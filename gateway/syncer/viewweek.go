package syncer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
)

// viewRecord is what is remembered of what one client with a filter is shown of a kind. Nothing in it names a device.
type viewRecord struct {
	Filter   string    `json:"filter"`  // digest of the filter that Devices is of
	Devices  int       `json:"devices"` // shown of what was published last
	Removals []removal `json:"removals,omitempty"`

	All time.Time `json:"all,omitzero"` // since when it has no filter: from then on its removals are those of the generation
}

// viewCount is what one publish does to a view.
type viewCount struct {
	Client string `json:"client"`
	Filter string `json:"filter"`
	Gone   int    `json:"gone,omitempty"` // deletions that Jamf confirmed
	Left   int    `json:"left,omitempty"` // not shown any more
	Of     int    `json:"of"`             // devices before
	After  int    `json:"after"`
}

// ahead tells that something of a week was written down by a clock that was ahead of now.
func (r kindRecord) ahead(now time.Time) bool {
	if ahead(r.Removals, now) {
		return true
	}
	for _, v := range r.Views {
		if v.All.After(now) || ahead(v.Removals, now) {
			return true
		}
	}
	return false
}

// age lets no removal be ahead of now, and no view show all since later: in doubt it has lost what the generation has.
func (r *kindRecord) age(now time.Time) {
	r.Removals = weekOf(r.Removals, now, weekParts)
	views := maps.Clone(r.Views)
	for client, v := range views {
		if v.Removals = weekOf(v.Removals, now, viewWeekParts); v.All.After(now) {
			v.All = time.Time{}
		}
		views[client] = v
	}
	r.Views = views
}

// differs tells whether counts have something to remember.
func (r kindRecord) differs(counts []viewCount) bool {
	return slices.ContainsFunc(counts, func(c viewCount) bool {
		v, known := r.Views[c.Client]
		return !known || c.Gone+c.Left > 0 || v.Filter != c.Filter || v.Devices != c.After
	})
}

// countViews remembers what a publish took from views. excused: its confirmed deletions were announced or approved. Of clients that are not shown
// anything by a filter now, what they lost, and since when they are shown all, is remembered to the end of the week.
func (r *kindRecord) countViews(note holdNote, excused bool, shown []View, now time.Time) {
	views := maps.Clone(r.Views)
	if views == nil && len(note.Views) > 0 {
		views = make(map[string]viewRecord, len(note.Views))
	}
	of := make(map[string]string, len(shown)) // client -> digest of its filter now
	for _, v := range shown {
		f := v.Filter
		f.NewestOfSerial = false
		of[v.Client] = f.Digest()
	}
	for _, c := range note.Views {
		v := views[c.Client]
		if of[c.Client] == c.Filter { // else settings were changed under the sync
			v.Filter, v.Devices = c.Filter, c.After
		}
		n := c.Left
		if !excused {
			n += c.Gone
		}
		if len(note.Evidence.Views[c.Client]) > 0 {
			n = 0 // a person approved these devices
		}
		if n > 0 {
			v.Removals = append(slices.Clone(v.Removals), removal{At: now, Count: n, Of: c.Of})
		}
		views[c.Client] = v
	}
	for client, v := range views {
		v.Removals = weekOf(v.Removals, now, viewWeekParts)
		if views[client] = v; of[client] == "" && len(v.Removals) == 0 && now.Sub(v.All) >= week {
			delete(views, client)
		}
	}
	r.Views = views
}

// remembered is the record of a series, empty = nothing is known of it.
func (s *Syncer) remembered(q cache.Series) kindRecord {
	if b, ok := s.crew.Load().books[q.Source]; ok {
		return b.kind(q.Kind)
	}
	return kindRecord{}
}

// removalsOf are those of a view, in no order. One that shows all has those of the generation, since it does.
func (r kindRecord) removalsOf(v View) []removal {
	past := slices.Clone(r.Views[v.Client].Removals)
	if len(v.Filter.Conditions()) == 0 {
		since := r.Views[v.Client].All
		past = append(past, slices.DeleteFunc(slices.Clone(r.Removals), func(g removal) bool { return !g.At.After(since) })...)
	}
	return past
}

// change is what other settings make of the view of one client.
type change struct {
	old     View
	nothing bool    // the client is not shown anything of the series any more
	filter  string  // "" = it shows all
	shown   int     // devices, now
	lost    removal // by a reload; Count 0 = nothing
}

// Follow remembers what clients whose views were changed are shown of a series now: the week of a view goes on, whatever filter makes it. What the
// change itself took away counts where reload is set; a restart is meant (ADR 0058). Where a view has more devices than before, what it lost
// earlier is a part of these.
func (s *Syncer) Follow(ctx context.Context, served *cache.Generation, before, after []View, reload bool) error {
	q := served.Info().Series
	b, ok := s.crew.Load().books[q.Source]
	if !ok || len(before) == 0 {
		return nil
	}
	now := s.now()
	var changes []change
	for _, old := range before {
		c, err := changeOf(ctx, served, old, after, reload, now)
		if errors.Is(err, cache.ErrNoView) {
			continue // the next sync compares with what was shown before
		} else if err != nil {
			return fmt.Errorf("what client %s is shown: %w", old.Client, err)
		}
		changes = append(changes, c)
	}
	if err := b.update(func(p *bookPage) { p.kindOf(q.Kind).follow(changes, now) }); err != nil {
		return fmt.Errorf("remember the views of %s: %w", q.Source, err)
	}
	return nil
}

// changeOf compares an old view with what its client has after. cache.ErrNoView: nobody knows yet what that shows.
func changeOf(ctx context.Context, served *cache.Generation, old View, after []View, reload bool, now time.Time) (change, error) {
	c := change{old: old, shown: served.Info().Count}
	at := slices.IndexFunc(after, func(v View) bool { return v.Client == old.Client })
	if at < 0 {
		c.nothing = true
		return c, nil
	}
	if reload {
		if loss, another, err := lossByView(ctx, served, old, after); err == nil && another && len(loss.left) > 0 {
			c.lost = removal{At: now, Count: len(loss.left), Of: loss.before}
		}
	}
	f := after[at].Filter
	if f.NewestOfSerial = false; f.ShowsAll() {
		return c, nil
	}
	has, err := served.Sift(f)
	if err != nil {
		return change{}, err
	}
	c.filter, c.shown = f.Digest(), has.Count()
	return c, nil
}

func (r *kindRecord) follow(changes []change, now time.Time) {
	views := maps.Clone(r.Views)
	if views == nil {
		views = make(map[string]viewRecord, len(changes))
	}
	for _, c := range changes {
		if c.nothing {
			delete(views, c.old.Client)
			continue
		}
		past := r.removalsOf(c.old)
		for i := range past {
			past[i].Of = max(past[i].Of, c.shown)
		}
		if c.lost.Count > 0 {
			past = append(past, c.lost)
		}
		view := viewRecord{Filter: c.filter, Devices: c.shown, Removals: weekOf(past, now, viewWeekParts)}
		if c.filter == "" {
			view.All = now
		}
		views[c.old.Client] = view
	}
	r.Views = views
}

// Fewer tells of views by another filter than was in force when something was published last that show fewer devices than were shown then, beyond
// what a guard lets go: for where nobody knows any more which devices these were.
func (s *Syncer) Fewer(g config.Guard, served *cache.Generation, views []View) (findings []Finding) {
	r := s.remembered(served.Info().Series)
	for _, v := range views {
		f := v.Filter
		f.NewestOfSerial = false
		was, known := r.Views[v.Client]
		if !known || was.Filter == f.Digest() {
			continue
		}
		if has, err := served.Sift(f); err == nil {
			findings = append(findings, fewer(g, v.Client, was.Devices, has.Count())...)
		}
	}
	return findings
}

// fewer weighs two numbers of devices of a view.
func fewer(g config.Guard, client string, before, after int) []Finding {
	found := weighKnown(g, before, after, 0).findings
	for i := range found {
		found[i].Client = client
	}
	return found
}

// knownViews is weighKnown of each view that has the filter it had before the loss.
func (v *verdict) knownViews(g config.Guard, losses []viewLoss, was map[string]viewRecord, planned int) {
	for _, l := range losses {
		r, known := was[l.client]
		if !known || !l.isNew || r.Filter != l.filter {
			continue
		}
		for _, f := range weighKnown(g, r.Devices, l.after, planned).findings {
			f.Client = l.client
			v.hold(f)
			if v.evidence.ShortViews == nil {
				v.evidence.ShortViews = map[string]int{}
			}
			v.evidence.ShortViews[l.client] = f.Count
		}
	}
}

// isShort tells that it is of a loss: of nothing in it anybody knows which devices it is about.
func (e evidence) isShort() bool { return e.Short > 0 || len(e.ShortViews) > 0 }

// tellFewer says what became of views whose filter was changed by a start, where only now it is known what they show. It was meant (ADR 0058).
func (s *Syncer) tellFewer(ctx context.Context, l *line, losses []viewLoss, was map[string]viewRecord) {
	for _, loss := range losses {
		r, known := was[loss.client]
		if !known || !loss.isNew || r.Filter == loss.filter {
			continue
		}
		for _, f := range fewer(l.src.Guard, loss.client, r.Devices, loss.after) {
			s.log.ErrorContext(ctx, "a client is shown fewer devices since its view was changed", "source", l.src.Name, "kind", l.kind,
				"client", f.Client, "before", f.Of, "now", loss.after, "limit", f.Limit)
		}
	}
}
