package syncer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
)

// viewLoss is what one client would no longer be shown with another generation. Ids are in rising order.
type viewLoss struct {
	client        string
	filter        string    // its digest
	isNew         bool      // what was shown before is not known: after alone is
	before, after int       // devices shown
	gone          []int64   // they are not in the generation
	left          []int64   // they are, and are not shown any more: moved to another site, out of a group, renamed
	past          []removal // of the week before
}

// losses compares the view of each client before and after. A view that one of the generations does not know is new: nothing is lost.
// Which of two duplicates is shown is not asked. Clients with the same filter are compared once.
func (s *Syncer) losses(l *line, parent *cache.Generation, c *cache.Candidate) ([]viewLoss, error) {
	var out []viewLoss
	known := map[string]viewLoss{} // digest of the filter -> what it loses
	for _, v := range l.shown.Load().views {
		f := v.Filter
		if f.NewestOfSerial = false; f.ShowsAll() || v.Kinds != nil && !slices.Contains(v.Kinds, l.kind) {
			continue
		}
		loss, compared := known[f.Digest()]
		if !compared {
			var err error
			if loss, err = lossOf(f, parent, c); errors.Is(err, cache.ErrNoView) {
				continue
			} else if err != nil {
				return nil, fmt.Errorf("compare the view of client %s: %w", v.Client, err)
			}
			known[f.Digest()] = loss
		}
		loss.client = v.Client
		out = append(out, loss)
	}
	return out, nil
}

// lossOf compares what one filter shows. cache.ErrNoView: c does not know it.
func lossOf(f device.Filter, parent *cache.Generation, c *cache.Candidate) (viewLoss, error) {
	after, err := c.View(f)
	if err != nil {
		return viewLoss{}, err
	}
	loss := viewLoss{filter: f.Digest(), after: after.Count(), isNew: true}
	if parent == nil {
		return loss, nil
	}
	before, err := parent.Sift(f)
	if errors.Is(err, cache.ErrNoView) {
		return loss, nil
	} else if err != nil {
		return viewLoss{}, err
	}
	loss.isNew, loss.before = false, before.Count()
	ids, at := after.IDs(), 0
	for _, id := range before.IDs() {
		for at < len(ids) && ids[at] < id {
			at++
		}
		switch {
		case at < len(ids) && ids[at] == id:
		case c.Has(id):
			loss.left = append(loss.left, id)
		default:
			loss.gone = append(loss.gone, id)
		}
	}
	return loss, nil
}

// Shrinks weighs what clients would lose of a generation by other views of it, as a sync that took as much away would be, with what left them
// in the week before, and names it. One that has a view before alone loses all of it, one that has it afterwards alone nothing. cache.ErrNoView:
// the generation does not know what a changed filter asks for, and nothing can be said of it. That of duplicates
// only the newest is shown is weighed where it is new.
func (s *Syncer) Shrinks(ctx context.Context, g config.Guard, served *cache.Generation, before, after []View) (findings []Finding, digest string, err error) {
	r := s.remembered(served.Info().Series)
	var losses []viewLoss
	for _, old := range before {
		loss, another, err := lossByView(ctx, served, old, after)
		if err != nil {
			return nil, "", err
		}
		if another {
			loss.past = weekOf(r.removalsOf(old), s.now(), viewWeekParts)
			losses = append(losses, loss)
		}
	}
	var v verdict
	v.views(g, losses, 0, s.now())
	return v.findings, v.evidence.digest(), nil
}

// lossByView compares what one client was shown with what the views after show it; another tells that there is anything to compare.
func lossByView(ctx context.Context, served *cache.Generation, old View, after []View) (loss viewLoss, another bool, err error) {
	from := old.Filter
	var has *cache.View // nil = nothing
	if at := slices.IndexFunc(after, func(v View) bool { return v.Client == old.Client }); at >= 0 {
		to := after[at].Filter
		if from.NewestOfSerial || !to.NewestOfSerial {
			from.NewestOfSerial, to.NewestOfSerial = false, false
		}
		if from.Digest() == to.Digest() {
			return viewLoss{}, false, nil
		}
		if has, err = served.View(ctx, to); err != nil {
			return viewLoss{}, false, fmt.Errorf("what client %s would be shown: %w", old.Client, err)
		}
	}
	had, err := served.Sift(from)
	if err != nil {
		return viewLoss{}, false, fmt.Errorf("what client %s is shown: %w", old.Client, err)
	}
	loss = viewLoss{client: old.Client, before: had.Count()}
	if has != nil {
		loss.after = has.Count()
	}
	for _, id := range had.IDs() {
		if has == nil || !has.Has(id) {
			loss.left = append(loss.left, id)
		}
	}
	return loss, true, nil
}

// views weighs what clients would lose, by the limits for deletions: to an asset system a device that left its view is a deleted one.
// planned as in weigh: what was announced for the source is announced for its views.
func (v *verdict) views(g config.Guard, losses []viewLoss, planned int, now time.Time) {
	for _, l := range losses {
		v.counts = append(v.counts, viewCount{l.client, l.filter, len(l.gone), len(l.left), l.before, l.after})
		gone := len(l.gone)
		if v.removed <= planned {
			gone = 0
		}
		f, held := weighView(g, l, gone, now)
		if !held {
			continue
		}
		v.hold(f)
		lost := slices.Concat(l.gone, l.left)
		slices.Sort(lost)
		if v.evidence.Views == nil {
			v.evidence.Views = map[string]idSet{}
		}
		v.evidence.Views[l.client] = setOf(lost)
	}
}

// weighView is what the guards say of one view: GuardWeek only where the others let it pass. gone are the deletions that were not announced.
func weighView(g config.Guard, l viewLoss, gone int, now time.Time) (f Finding, held bool) {
	n := gone + len(l.left)
	switch {
	case l.before > 0 && l.after == 0 && (n > g.SmallCount || len(l.left) > 0):
		f = Finding{Guard: GuardEmpty, Count: l.before, Of: l.before}
	case l.before < smallFleet && above(n, g.SmallPercent, g.SmallCount, l.before):
		f = Finding{Guard: GuardSmall, Count: n, Of: l.before, Limit: limit(g.SmallPercent, g.SmallCount, l.before)}
	case l.before >= smallFleet && above(n, g.RemovedPercent, g.RemovedCount, l.before):
		f = Finding{Guard: GuardRemoved, Count: n, Of: l.before, Limit: limit(g.RemovedPercent, g.RemovedCount, l.before)}
	case n == 0:
		return Finding{}, false
	default:
		if f, held = overWeek(g, l.past, n, l.before, now); !held {
			return Finding{}, false
		}
	}
	f.Client = l.client
	return f, true
}

// viewsText names what is lost of which view, "" = nothing.
func (e evidence) viewsText() string {
	var text strings.Builder
	for _, client := range slices.Sorted(maps.Keys(e.Views)) {
		fmt.Fprintf(&text, "view %q %s\n", client, e.Views[client])
	}
	for _, client := range slices.Sorted(maps.Keys(e.ShortViews)) {
		fmt.Fprintf(&text, "short view %q %d\n", client, e.ShortViews[client])
	}
	return text.String()
}
