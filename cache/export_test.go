package cache

import (
	"context"
	"database/sql"

	"jamf-gateway/gateway/device"
)

// Collide makes every key of an opened store's ristretto hash alike. For tests of what a hit compares.
func (s *Store) Collide() error {
	s.hot.close()
	h, err := newHot(s.hot.maxBytes, func([]byte) (uint64, uint64) { return 1, 1 })
	if err != nil {
		return err
	}
	s.hot = h
	return nil
}

// Settle waits until ristretto has taken what was offered.
func (s *Store) Settle() {
	t := s.hot.session()
	defer t.close()
	t.wait()
}

// HotBytes is what ristretto keeps.
func (s *Store) HotBytes() int64 { return s.hot.bytes() }

// Scope is a key as it is compared.
func (k Key) Scope() string { return k.scope() }

// WarmedBytes is what the last warming of a series put into ristretto.
func (s *Store) WarmedBytes(q Series) int64 { return s.warmth.snapshot(q).bytes }

// DeviceLookups are the hits and misses of rendered devices.
func (s *Store) DeviceLookups() (hits, misses int64) {
	return s.hot.devices.hits.Load(), s.hot.devices.misses.Load()
}

// SelectionLookups are the hits and misses of selections.
func (s *Store) SelectionLookups() (hits, misses int64) {
	return s.hot.selections.hits.Load(), s.hot.selections.misses.Load()
}

// Seal is what the store writes for a manifest, given as an indented object.
func Seal(object []byte) []byte { return seal(object) }

// ParseManifest is what the store reads out of a manifest.
func ParseManifest(data []byte) (any, error) { return parseManifest(data) }

// Scan takes every place for a query over the whole file, until the function it returns is called.
func (g *Generation) Scan() (end func()) {
	for range cap(g.readers.scans) {
		g.readers.scans <- struct{}{}
	}
	return func() {
		for range cap(g.readers.scans) {
			<-g.readers.scans
		}
	}
}

// Matches is what stars in a filter mean.
var Matches = matches

// Query runs any query on a generation.
func (g *Generation) Query(ctx context.Context, query string) error {
	return g.use(ctx, "ask", func(r *reader) error {
		_, err := collect(ctx, r.conn, scanID, query)
		return err
	})
}

// Plan is how SQLite answers a part.
func (g *Generation) Plan(ctx context.Context, p Part) (steps []string, err error) {
	q, err := g.query(p, 0)
	if err != nil {
		return nil, err
	}
	err = g.use(ctx, "explain", func(r *reader) error {
		steps, err = collect(ctx, r.conn, func(rows *sql.Rows) (step string, err error) {
			var rest any
			err = rows.Scan(&rest, &rest, &rest, &step)
			return step, err
		}, "EXPLAIN QUERY PLAN "+q.text, q.args...)
		return err
	})
	return steps, err
}

// Sift finds again and again what a filter with one term shows.
func Sift(ids []int64, f device.Filter, has func(place int) bool) func() (*View, error) {
	m := make(members, (len(ids)+7)/8)
	for place := range ids {
		if has(place) {
			m.add(place)
		}
	}
	return func() (*View, error) { return sift(ids, map[string]members{f.Terms()[0]: m}, f) }
}
