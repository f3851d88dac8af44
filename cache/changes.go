package cache

import (
	"context"
	"errors"
)

// What a change is.
const (
	changeAdded   = "added"
	changeChanged = "changed"
	changeRemoved = "removed"
)

// compare walks the new records and the parent's side by side in id order: count, content digest and change list.
// A parent that turns out to be damaged counts as none: it must not keep its own successor back.
func (b *Builder) compare(ctx context.Context, info *Info) error {
	err := b.merge(ctx, info, b.parent)
	if b.parent == nil || !errors.Is(err, ErrCorrupt) {
		return err
	}
	b.store.log.WarnContext(ctx, "the parent cannot be compared with", "jamf.source", info.Source, "kind", info.Kind, "generation", info.Parent, "error", err)
	if _, err := b.conn.ExecContext(context.WithoutCancel(ctx), `DELETE FROM change`); err != nil {
		return err
	}
	return b.merge(ctx, info, nil)
}

func (b *Builder) merge(ctx context.Context, info *Info, parent *Generation) error {
	digest := newContentDigest()
	sumID := func(r recordSum) int64 { return r.id }
	mine := &stream[recordSum]{id: sumID, next: func(after int64) ([]recordSum, error) {
		return collect(ctx, b.conn, scanSum, sqlSums, after, sumChunk)
	}}
	theirs := &stream[recordSum]{id: sumID, done: parent == nil, next: func(after int64) (part []recordSum, err error) {
		err = parent.use(ctx, "compare with parent", func(r *reader) (err error) {
			part, err = collect(ctx, r.conn, scanSum, sqlSums, after, sumChunk)
			return err
		})
		return part, err
	}}
	info.Count, info.Added, info.Changed, info.Removed = 0, 0, 0, 0
	for {
		if err := errors.Join(mine.fill(), theirs.fill()); err != nil {
			return err
		}
		m, t := mine.head(), theirs.head()
		if m == nil && t == nil {
			info.Digest = digest.hex()
			return nil
		}
		if m != nil && (t == nil || m.id <= t.id) {
			digest.add(*m)
			info.Count++
		}
		if err := b.mergeOne(ctx, info, mine, theirs); err != nil {
			return err
		}
	}
}

// mergeOne takes the lower of the two heads, or both when they are the same device.
func (b *Builder) mergeOne(ctx context.Context, info *Info, mine, theirs *stream[recordSum]) error {
	m, t := mine.head(), theirs.head()
	switch {
	case t == nil || m != nil && m.id < t.id:
		mine.advance()
		info.Added++
		return b.putChange(ctx, m.id, changeAdded)
	case m == nil || t.id < m.id:
		theirs.advance()
		if t.id == b.without {
			return nil
		}
		info.Removed++
		return b.putChange(ctx, t.id, changeRemoved)
	}
	mine.advance()
	theirs.advance()
	if m.sum == t.sum {
		return nil
	}
	info.Changed++
	return b.putChange(ctx, m.id, changeChanged)
}

func (b *Builder) putChange(ctx context.Context, id int64, what string) error {
	_, err := b.stmts[sqlPutChange].ExecContext(context.WithoutCancel(ctx), id, what)
	return err
}

const sumChunk = 5000

// stream is a walk over rows in id order, in chunks.
type stream[T any] struct {
	id   func(T) int64
	next func(after int64) ([]T, error)
	part []T
	last int64
	done bool
}

func (s *stream[T]) fill() error {
	if s.done || len(s.part) > 0 {
		return nil
	}
	part, err := s.next(s.last)
	if err != nil {
		return err
	}
	if len(part) == 0 {
		s.done = true
		return nil
	}
	s.part, s.last = part, s.id(part[len(part)-1])
	return nil
}

func (s *stream[T]) head() *T {
	if len(s.part) == 0 {
		return nil
	}
	return &s.part[0]
}

func (s *stream[T]) advance() { s.part = s.part[1:] }
