package syncer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"jamf-gateway/cache"
	"jamf-gateway/config"
)

// viewLoss is what one client would no longer be shown with another generation. Ids are in rising order.
type viewLoss struct {
	client        string
	before, after int     // devices shown
	gone          []int64 // they are not in the generation
	left          []int64 // they are, and are not shown any more: moved to another site, out of a group, renamed
}

// losses compares the view of each client before and after. A view that one of the generations does not know is new: nothing is lost.
// Which of two duplicates is shown is not asked.
func (s *Syncer) losses(l *line, parent *cache.Generation, c *cache.Candidate) ([]viewLoss, error) {
	if parent == nil {
		return nil, nil
	}
	var out []viewLoss
	for _, v := range l.shown.Load().views {
		f := v.Filter
		if f.NewestOfSerial = false; f.ShowsAll() {
			continue
		}
		before, errBefore := parent.Sift(f)
		after, errAfter := c.View(f)
		if err := errors.Join(errBefore, errAfter); errors.Is(err, cache.ErrNoView) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("compare the view of client %s: %w", v.Client, err)
		}
		loss := viewLoss{client: v.Client, before: before.Count(), after: after.Count()}
		for _, id := range before.IDs() {
			switch {
			case after.Has(id):
			case c.Has(id):
				loss.left = append(loss.left, id)
			default:
				loss.gone = append(loss.gone, id)
			}
		}
		out = append(out, loss)
	}
	return out, nil
}

// Shrinks weighs what clients would lose of a generation by other views of it, as a sync that took as much away would be, and names it. One that
// has a view before alone loses all of it, one that has it afterwards alone nothing. cache.ErrNoView: the generation does not know what a
// changed filter asks for, and nothing can be said of it.
func Shrinks(g config.Guard, served *cache.Generation, before, after []View) (findings []Finding, digest string, err error) {
	var losses []viewLoss
	for _, old := range before {
		from := old.Filter
		from.NewestOfSerial = false
		at := slices.IndexFunc(after, func(v View) bool { return v.Client == old.Client })
		var has *cache.View // nil = nothing
		if at >= 0 {
			to := after[at].Filter
			if to.NewestOfSerial = false; from.Digest() == to.Digest() {
				continue
			}
			if has, err = served.Sift(to); err != nil {
				return nil, "", fmt.Errorf("what client %s would be shown: %w", old.Client, err)
			}
		}
		had, err := served.Sift(from)
		if err != nil {
			return nil, "", fmt.Errorf("what client %s is shown: %w", old.Client, err)
		}
		loss := viewLoss{client: old.Client, before: had.Count()}
		if has != nil {
			loss.after = has.Count()
		}
		for _, id := range had.IDs() {
			if has == nil || !has.Has(id) {
				loss.left = append(loss.left, id)
			}
		}
		losses = append(losses, loss)
	}
	var v verdict
	v.views(g, losses, 0)
	return v.findings, v.evidence.digest(), nil
}

// views weighs what clients would lose, by the limits for deletions: to an asset system a device that left its view is a deleted one.
// planned as in weigh: what was announced for the source is announced for its views.
func (v *verdict) views(g config.Guard, losses []viewLoss, planned int) {
	for _, l := range losses {
		gone := len(l.gone)
		if v.removed <= planned {
			gone = 0
		}
		n := gone + len(l.left)
		var f Finding
		switch {
		case l.before > 0 && l.after == 0 && (n > g.SmallCount || len(l.left) > 0):
			f = Finding{Guard: GuardEmpty, Count: l.before, Of: l.before}
		case l.before < smallFleet && above(n, g.SmallPercent, g.SmallCount, l.before):
			f = Finding{Guard: GuardSmall, Count: n, Of: l.before, Limit: limit(g.SmallPercent, g.SmallCount, l.before)}
		case l.before >= smallFleet && above(n, g.RemovedPercent, g.RemovedCount, l.before):
			f = Finding{Guard: GuardRemoved, Count: n, Of: l.before, Limit: limit(g.RemovedPercent, g.RemovedCount, l.before)}
		default:
			continue
		}
		f.Client = l.client
		v.hold(f)
		lost := slices.Concat(l.gone, l.left)
		slices.Sort(lost)
		if v.evidence.Views == nil {
			v.evidence.Views = map[string]idSet{}
		}
		v.evidence.Views[l.client] = setOf(lost)
	}
}

// viewsText names what is lost of which view, "" = nothing.
func (e evidence) viewsText() string {
	var text strings.Builder
	for _, client := range slices.Sorted(maps.Keys(e.Views)) {
		fmt.Fprintf(&text, "view %q %s\n", client, e.Views[client])
	}
	return text.String()
}
