package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"jamf-gateway/gateway/device"
)

var errNoProfile = errors.New("profile is not set")

// deviceScope is the key of the normalized devices of one generation as one profile shows them, but for the id.
func deviceScope(g *Generation, p *device.Profile) string {
	return string(appendPart(appendPart([]byte{classDevice}, g.ref), p.Rendering()))
}

// Normalized returns the rendered normalized device of each id, in order, from ristretto or the file.
// State and body are those of the record; DuplicateOf is always empty here: the caller renders such a device itself.
// The bytes are shared, never to be changed. An unknown id is ErrNotFound.
func (s *Store) Normalized(ctx context.Context, g *Generation, p *device.Profile, ids []int64) ([][]byte, error) {
	if p == nil {
		return nil, fmt.Errorf("render devices: %w", errNoProfile)
	}
	scope := deviceScope(g, p)
	bodies := make([][]byte, len(ids))
	missing := s.recall(scope, ids, bodies)
	s.hot.devices.hits.Add(int64(len(ids) - len(missing)))
	s.hot.devices.misses.Add(int64(len(missing)))
	if len(missing) == 0 {
		return bodies, ctx.Err()
	}
	wanted := make([]int64, len(missing))
	for i, at := range missing {
		wanted[i] = ids[at]
		if _, ok := slices.BinarySearch(g.ids, ids[at]); !ok {
			return nil, fmt.Errorf("device %d: %w", ids[at], ErrNotFound)
		}
	}
	records := make([]Record, 0, len(wanted))
	err := g.use(ctx, "read devices", func(r *reader) error {
		return g.eachOf(ctx, r, wanted, func(record Record) { records = append(records, record) })
	})
	if err != nil {
		return nil, err
	}
	fresh := make([]*entry, 0, len(records))
	var scratch []byte
	for i, record := range records {
		body, err := render(&scratch, g, p, record)
		if err != nil {
			return nil, err
		}
		bodies[missing[i]] = body
		fresh = append(fresh, &entry{scope: scope, id: record.ID, body: body})
	}
	t := s.hot.session()
	defer t.close()
	for _, e := range fresh {
		t.keep(e)
	}
	return bodies, nil
}

// recall fills bodies with what ristretto has and returns the places that are left.
func (s *Store) recall(scope string, ids []int64, bodies [][]byte) (missing []int) {
	t := s.hot.session()
	defer t.close()
	for i, id := range ids {
		if e := t.find(scope, id); e != nil {
			bodies[i] = e.body
		} else {
			missing = append(missing, i)
		}
	}
	return missing
}

// render renders into scratch, which it grows, and returns a copy without spare room.
func render(scratch *[]byte, g *Generation, p *device.Profile, r Record) ([]byte, error) {
	body, err := device.AppendNormalized((*scratch)[:0], device.View{
		Source: g.info.Source, Kind: g.info.Kind, ID: r.ID, Record: r.Body, Profile: p, State: r.State, Names: g.names, DuplicateOf: []string{},
	})
	if err != nil {
		return nil, fmt.Errorf("render device %d: %w", r.ID, err)
	}
	*scratch = body
	return append(make([]byte, 0, len(body)), body...), nil
}
