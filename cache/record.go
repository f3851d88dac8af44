package cache

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// States of a record.
const (
	StatePresent     = "present"
	StateQuarantined = "quarantined" // could not be read as usual: the last good version, or a skeleton
	StateMissing     = "missing"     // no longer listed, and Jamf did not confirm the deletion: the last good version
)

// Record is one stored device. Body is decompressed and its checksum was verified; it is the caller's to keep.
type Record struct {
	ID    int64
	State string
	Body  []byte
}

var errMissingRow = errors.New("a row is missing")

// Get reads one record. ErrNotFound, ErrCorrupt.
func (g *Generation) Get(ctx context.Context, id int64) (Record, error) {
	if _, ok := slices.BinarySearch(g.ids, id); !ok {
		return Record{}, fmt.Errorf("device %d: %w", id, ErrNotFound)
	}
	var record Record
	err := g.use(ctx, "read device", func(r *reader) (err error) {
		record, err = g.recordBy(ctx, r, id)
		return err
	})
	return record, err
}

// Page reads limit records from the offset-th in id order; beyond the end it is empty.
func (g *Generation) Page(ctx context.Context, offset, limit int) ([]Record, error) {
	if offset < 0 || limit < 0 {
		return nil, fmt.Errorf("page of %d from %d: must not be negative", limit, offset)
	}
	from := min(offset, len(g.ids))
	to := from + min(limit, len(g.ids)-from)
	if from == to {
		return nil, ctx.Err()
	}
	records := make([]Record, 0, to-from)
	err := g.use(ctx, "read page", func(r *reader) error {
		return g.eachSpan(ctx, r, from, to, func(record Record) { records = append(records, record) })
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// IDs returns all ids, ascending. Shared, never to be changed.
func (g *Generation) IDs(ctx context.Context) ([]int64, error) { return g.ids, ctx.Err() }

// After returns up to limit ids greater than after, ascending.
func (g *Generation) After(ctx context.Context, after int64, limit int) ([]int64, error) {
	from, found := slices.BinarySearch(g.ids, after)
	if found {
		from++
	}
	to := from + min(max(limit, 0), len(g.ids)-from)
	return slices.Clone(g.ids[from:to]), ctx.Err()
}

// OfSerial lists the devices with a serial number, ascending, limit at most. Serial numbers are stored trimmed and in upper case; where the
// profile of the source drops them there are none.
func (g *Generation) OfSerial(ctx context.Context, serial string, limit int) (ids []int64, err error) {
	err = g.use(ctx, "look for a serial number", func(r *reader) (err error) {
		ids, err = collect(ctx, r.conn, func(rows *sql.Rows) (id int64, err error) {
			err = rows.Scan(&id)
			return id, err
		}, sqlOfSerial, serial, limit)
		return err
	})
	return ids, err
}

// recordBy reads an id that the generation has.
func (g *Generation) recordBy(ctx context.Context, r *reader, id int64) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	rows, err := r.record.QueryContext(context.WithoutCancel(ctx), id)
	if err != nil {
		return Record{}, err
	}
	records, err := scanAll(rows, g.scanRecord)
	if err != nil {
		return Record{}, err
	}
	if len(records) != 1 {
		return Record{}, fmt.Errorf("device %d: %w", id, errMissingRow)
	}
	return records[0], nil
}

// eachSpan reads the records of ids[from:to] and proves that none is missing.
func (g *Generation) eachSpan(ctx context.Context, r *reader, from, to int, visit func(Record)) error {
	for from < to {
		if err := ctx.Err(); err != nil {
			return err
		}
		want := g.ids[from:min(to, from+chunk)]
		rows, err := r.records.QueryContext(context.WithoutCancel(ctx), want[0], want[len(want)-1])
		if err != nil {
			return err
		}
		records, err := scanAll(rows, g.scanRecord)
		if err != nil {
			return err
		}
		if len(records) != len(want) {
			return fmt.Errorf("devices %d to %d: %w", want[0], want[len(want)-1], errMissingRow)
		}
		for i, record := range records {
			if record.ID != want[i] {
				return fmt.Errorf("device %d: %w", want[i], errMissingRow)
			}
			visit(record)
		}
		from += len(want)
	}
	return nil
}

// eachOf reads the records of any ids of the generation in their order: neighbours by one query, others one by one.
func (g *Generation) eachOf(ctx context.Context, r *reader, ids []int64, visit func(Record)) error {
	for len(ids) > 0 {
		at, ok := slices.BinarySearch(g.ids, ids[0])
		if !ok {
			return fmt.Errorf("device %d: %w", ids[0], ErrNotFound)
		}
		run := 1
		for run < len(ids) && at+run < len(g.ids) && g.ids[at+run] == ids[run] {
			run++
		}
		if run > 1 {
			if err := g.eachSpan(ctx, r, at, at+run, visit); err != nil {
				return err
			}
		} else {
			record, err := g.recordBy(ctx, r, ids[0])
			if err != nil {
				return err
			}
			visit(record)
		}
		ids = ids[run:]
	}
	return nil
}

func (g *Generation) scanRecord(rows *sql.Rows) (Record, error) {
	var (
		id          int64
		state       string
		sum, packed sql.RawBytes
	)
	if err := rows.Scan(&id, &state, &sum, &packed); err != nil {
		return Record{}, err
	}
	return decodeRecord(g.decoder, id, state, sum, packed)
}
