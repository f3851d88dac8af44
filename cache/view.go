package cache

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"jamf-gateway/gateway/device"
)

// ErrNoView tells that a generation does not know what a filter asks for: it was read before the filter was there, or Jamf's list of
// sites could not be read. The next sync mends it.
var ErrNoView = errors.New("generation does not know what the filter asks for")

// View is what one filter shows of one generation: its devices and why the others are left out. Never changed.
type View struct {
	digest string
	ids    []int64               // in id order
	all    bool                  // ids are those of the generation
	left   map[device.Reason]int // reason -> devices left out
	of     int                   // devices of the generation
}

// Count is the number of devices shown.
func (v *View) Count() int { return len(v.ids) }

// Of is the number of devices of the generation.
func (v *View) Of() int { return v.of }

// LeftOut counts the devices that are not shown, by the first reason; nil = none. Shared, never to be changed.
func (v *View) LeftOut() map[device.Reason]int { return v.left }

// Digest names the filter, "" = the one that leaves out nothing.
func (v *View) Digest() string { return v.digest }

// Has tells whether a device is shown.
func (v *View) Has(id int64) bool {
	_, found := slices.BinarySearch(v.ids, id)
	return found
}

// name is Digest, also of nil: everything.
func (v *View) name() string {
	if v == nil {
		return ""
	}
	return v.digest
}

// shows is Has, also of nil: everything.
func (v *View) shows(id int64) bool { return v == nil || v.all || v.Has(id) }

// IDs are the devices shown, ascending. Shared, never to be changed.
func (v *View) IDs() []int64 { return v.ids }

// After returns up to limit ids greater than after, ascending.
func (v *View) After(after int64, limit int) []int64 {
	from, found := slices.BinarySearch(v.ids, after)
	if found {
		from++
	}
	return slices.Clone(v.ids[from : from+min(max(limit, 0), len(v.ids)-from)])
}

// Slice returns the n ids from the offset-th on, fewer at the end.
func (v *View) Slice(offset, n int) []int64 {
	from := min(max(offset, 0), len(v.ids))
	return slices.Clone(v.ids[from : from+min(max(n, 0), len(v.ids)-from)])
}

// views are those that were asked for of one generation: as many as there are filters in the settings.
type views struct {
	mu   sync.Mutex
	kept map[string]*View // digest of the filter -> view
}

// View finds what a filter shows. It is found once and kept with the generation. ErrNoView, ErrCorrupt, ErrGone.
func (g *Generation) View(ctx context.Context, f device.Filter) (*View, error) {
	digest := f.Digest()
	g.views.mu.Lock()
	defer g.views.mu.Unlock()
	if v := g.views.kept[digest]; v != nil {
		return v, ctx.Err()
	}
	v, err := sift(g.ids, g.terms, f)
	if err != nil {
		return nil, err
	}
	if f.NewestOfSerial {
		if err := g.dropTwins(ctx, v); err != nil {
			return nil, err
		}
	}
	if g.views.kept == nil {
		g.views.kept = map[string]*View{}
	}
	g.views.kept[digest] = v
	return v, nil
}

// Sift is View without a look at duplicates.
func (g *Generation) Sift(f device.Filter) (*View, error) { return sift(g.ids, g.terms, f) }

// Has tells whether a candidate with terms holds a device.
func (c *Candidate) Has(id int64) bool {
	_, held := slices.BinarySearch(c.ids, id)
	return held
}

// View is that of a generation nobody sees yet. It does not look at duplicates.
func (c *Candidate) View(f device.Filter) (*View, error) { return sift(c.ids, c.terms, f) }

// sift asks the conditions of each device.
func sift(ids []int64, terms map[string]members, f device.Filter) (*View, error) {
	v := &View{digest: f.Digest(), ids: ids, all: true, of: len(ids)}
	conditions := f.Conditions()
	if len(conditions) == 0 {
		return v, nil
	}
	asked, err := ask(conditions, terms)
	if err != nil {
		return nil, err
	}
	v.ids, v.all, v.left = []int64{}, false, map[device.Reason]int{}
	for place, id := range ids {
		if reason := unmet(asked, place); reason != "" {
			v.left[reason]++
		} else {
			v.ids = append(v.ids, id)
		}
	}
	return v, nil
}

// question is one condition with the devices that each of its terms holds of.
type question struct {
	reason device.Reason
	of     []members
	unless bool
}

// ask looks the terms of conditions up once, and not for each device. ErrNoView.
func ask(conditions []device.ViewCondition, terms map[string]members) ([]question, error) {
	var out []question
	for _, c := range conditions {
		q := question{reason: c.Reason, unless: c.Unless}
		for _, term := range c.Terms {
			m, known := terms[term]
			if !known {
				return nil, fmt.Errorf("%s: %w", term, ErrNoView)
			}
			q.of = append(q.of, m)
		}
		out = append(out, q)
	}
	return out, nil
}

// unmet is the reason of the first condition that does not hold for the device at that place, "" = all hold.
func unmet(asked []question, place int) device.Reason {
	for _, q := range asked {
		if q.unless == slices.ContainsFunc(q.of, func(m members) bool { return m.has(place) }) {
			return q.reason
		}
	}
	return ""
}

// LeftOut is why a filter does not show a device, "" = it does. Errors as of View, and ErrNotFound.
func (g *Generation) LeftOut(ctx context.Context, f device.Filter, id int64) (device.Reason, error) {
	place, known := slices.BinarySearch(g.ids, id)
	if !known {
		return "", fmt.Errorf("device %d: %w", id, ErrNotFound)
	}
	v, err := g.View(ctx, f)
	if err != nil || v.shows(id) {
		return "", err
	}
	asked, err := ask(f.Conditions(), g.terms)
	if err != nil {
		return "", err
	}
	if reason := unmet(asked, place); reason != "" {
		return reason, nil
	}
	return device.OlderTwin, nil
}

const sqlNewestOfSerial = `SELECT serial_number, id FROM device WHERE serial_number IS NOT NULL
	ORDER BY serial_number, last_contact IS NULL, last_contact DESC, id DESC`

// dropTwins leaves of the shown devices with one serial number the one that was in contact last.
func (g *Generation) dropTwins(ctx context.Context, v *View) error {
	older := map[int64]bool{}
	err := g.use(ctx, "look for duplicates", func(r *reader) error {
		rows, err := r.conn.QueryContext(context.WithoutCancel(ctx), sqlNewestOfSerial)
		if err != nil {
			return err
		}
		last := ""
		_, err = scanAll(rows, func(rows *sql.Rows) (struct{}, error) {
			var row serialRow
			if err := rows.Scan(&row.serial, &row.id); err != nil {
				return struct{}{}, err
			}
			switch {
			case !v.Has(row.id):
			case row.serial == last:
				older[row.id] = true
			default:
				last = row.serial
			}
			return struct{}{}, nil
		})
		return err
	})
	if err != nil || len(older) == 0 {
		return err
	}
	left := map[device.Reason]int{device.OlderTwin: len(older)}
	maps.Copy(left, v.left)
	v.ids = slices.DeleteFunc(slices.Clone(v.ids), func(id int64) bool { return older[id] })
	v.all, v.left = false, left
	return nil
}
