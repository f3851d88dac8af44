package cache

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"jamf-gateway/gateway/device"
)

// Shown is a generation and what is shown of it; View nil = all.
type Shown struct {
	*Generation
	View *View
}

// Duplicates maps a uid to the other uids with the same serial number among what is shown (only clashes are in the map).
// Computed once per set of generations, by a merge over the serial indexes, and kept.
// The others stand in the order of gens and ids, the first 100 of them. Shared, never to be changed.
func (s *Store) Duplicates(ctx context.Context, gens []Shown) (map[string][]string, error) {
	name := []byte("duplicates")
	for _, g := range gens {
		name = appendPart(appendPart(name, g.ref), g.View.name())
	}
	if found, ok := s.clashes.find(string(name)); ok {
		return found, ctx.Err()
	}
	held := make([]Shown, 0, len(gens))
	release := func() {
		for _, g := range held {
			g.Release()
		}
	}
	for _, g := range gens {
		if !g.tryRetain() {
			release()
			return nil, fmt.Errorf("look for duplicates: %w", ErrGone)
		}
		held = append(held, g)
	}
	value, err := s.detached(ctx, string(name), func(ctx context.Context) (any, error) {
		found, err := findClashes(ctx, held)
		if err != nil {
			return nil, err
		}
		s.clashes.keep(string(name), found)
		return found, nil
	}, release)
	if err != nil {
		return nil, err
	}
	return value.(map[string][]string), nil
}

const maxClashes = 64 // sets of generations whose duplicates are kept

// clashes are the last computed duplicates: few entries, so they live outside ristretto, which might forget them daily.
type clashes struct {
	mu    sync.Mutex
	order []string                       // oldest first
	found map[string]map[string][]string // refs of the generations -> uid -> other uids
}

func newClashes() *clashes { return &clashes{found: make(map[string]map[string][]string)} }

func (c *clashes) find(name string) (map[string][]string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.found[name]
	return found, ok
}

func (c *clashes) keep(name string, found map[string][]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.found[name]; !ok {
		c.order = append(c.order, name)
	}
	c.found[name] = found
	if len(c.order) > maxClashes {
		delete(c.found, c.order[0])
		c.order = c.order[1:]
	}
}

// findClashes merges the serial indexes: whoever has the lowest serial is asked next, so memory holds one chunk of each
// generation and the devices of one serial.
func findClashes(ctx context.Context, gens []Shown) (map[string][]string, error) {
	walks := make([]*serials, len(gens))
	for i, g := range gens {
		walks[i] = &serials{generation: g.Generation, view: g.View}
	}
	found := make(map[string][]string)
	for {
		lowest := ""
		for _, w := range walks {
			if err := w.fill(ctx); err != nil {
				return nil, err
			}
			if serial, ok := w.head(); ok && (lowest == "" || serial < lowest) {
				lowest = serial
			}
		}
		if lowest == "" {
			return found, nil
		}
		var uids []string
		for _, w := range walks {
			same, err := w.take(ctx, lowest)
			if err != nil {
				return nil, err
			}
			uids = append(uids, same...)
		}
		addClash(found, uids)
	}
}

// maxOthers bounds what one device is told: a serial that thousands of virtual machines share must not cost its square.
const maxOthers = 100

func addClash(found map[string][]string, uids []string) {
	if len(uids) < 2 {
		return
	}
	first := uids[:min(len(uids), maxOthers+1)]
	for i, uid := range uids {
		if i >= len(first) {
			found[uid] = first[:maxOthers:maxOthers]
			continue
		}
		others := make([]string, 0, len(first)-1)
		others = append(others, first[:i]...)
		found[uid] = append(others, first[i+1:]...)
	}
}

const serialChunk = 1000

type serialRow struct {
	serial string
	id     int64
}

// serials is a walk over the serial index of one generation, in chunks: no connection is held between them, so merges
// cannot wait for each other.
type serials struct {
	generation *Generation
	view       *View
	part       []serialRow
	last       serialRow
	done       bool
}

func (w *serials) fill(ctx context.Context) error {
	if w.done || len(w.part) > 0 {
		return nil
	}
	g := w.generation
	err := g.use(ctx, "look for duplicates", func(r *reader) (err error) {
		w.part, err = collect(ctx, r.conn, func(rows *sql.Rows) (row serialRow, err error) {
			err = rows.Scan(&row.serial, &row.id)
			return row, err
		}, sqlSerials, w.last.serial, w.last.id, serialChunk)
		return err
	})
	if err != nil {
		return err
	}
	if len(w.part) == 0 {
		w.done = true
		return nil
	}
	w.last = w.part[len(w.part)-1]
	return nil
}

func (w *serials) head() (string, bool) {
	if len(w.part) == 0 {
		return "", false
	}
	return w.part[0].serial, true
}

// take returns the uids of one serial and moves past them.
func (w *serials) take(ctx context.Context, serial string) (uids []string, err error) {
	for {
		if head, ok := w.head(); !ok || head != serial {
			return uids, nil
		}
		if w.view.shows(w.part[0].id) {
			uids = append(uids, device.UID(w.generation.info.Source, w.generation.info.Kind, w.part[0].id))
		}
		w.part = w.part[1:]
		if err := w.fill(ctx); err != nil {
			return nil, err
		}
	}
}
