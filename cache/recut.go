package cache

import (
	"context"
	"fmt"
	"slices"

	"jamf-gateway/gateway/device"
)

// Recut builds a generation from the current one with profile's cut of every record, publishes it and deletes all
// other ones, damaged ones too, at once: what a narrowed profile no longer allows is then neither on disk nor in ristretto. Window and
// asOf stay. Readers that hold an older generation keep it until they release it. ErrNone, ErrLost, ErrBusy, ErrConflict.
func (s *Store) Recut(ctx context.Context, q Series, profile *device.Profile) (*Generation, error) {
	none := func([]keptFile) []keptFile { return nil }
	g, err := s.derive(ctx, q, profile, nil, none)
	if err != nil {
		return nil, fmt.Errorf("cut current generation again: %w", err)
	}
	s.Flush()
	return g, nil
}

// Remap derives the columns of the current generation again, by this program's mapping, into a new one, and of these terms what was
// known of them or stands in the records. Records, window and asOf stay. ErrNone, ErrLost, ErrBusy, ErrConflict.
func (s *Store) Remap(ctx context.Context, q Series, terms []string) (*Generation, error) {
	usual := func(kept []keptFile) []keptFile { return prune(kept, s.keep, s.now()) }
	g, err := s.derive(ctx, q, nil, &terms, usual)
	if err != nil {
		return nil, fmt.Errorf("map current generation again: %w", err)
	}
	return g, nil
}

// derive builds and publishes a successor out of the current generation's own records; profile and terms nil = as they are.
func (s *Store) derive(ctx context.Context, q Series, profile *device.Profile, terms *[]string, stay func([]keptFile) []keptFile) (*Generation, error) {
	old, err := s.Acquire(q)
	if err != nil {
		return nil, err
	}
	defer old.Release()
	was := old.info
	draft := Draft{
		Series: q, Parent: was.Number, SourceEpoch: was.SourceEpoch, MappingVersion: device.MappingVersion,
		ProfileDigest: was.ProfileDigest, ProfileName: was.ProfileName, ProfilePaths: was.ProfilePaths, ProfileAtMost: was.ProfileAtMost,
		JamfVersion: was.JamfVersion, Upstream: was.Upstream, Started: was.Started, Terms: was.Terms,
	}
	var known *device.TermReader
	if terms != nil {
		draft.Terms = *terms
		known = device.NewTermReader(q.Kind, device.TermsWithin(q.Kind, *terms, was.ProfilePaths), nil)
	}
	if profile != nil {
		draft.ProfileDigest, draft.ProfileName = profile.Digest(), profile.Name()
		draft.ProfilePaths, draft.ProfileAtMost = cutPaths(was, profile)
	}
	b, err := s.Begin(ctx, draft)
	if err != nil {
		return nil, err
	}
	defer b.Abort()
	for offset := 0; offset < len(old.ids); offset += chunk {
		records, err := old.Page(ctx, offset, chunk)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if err := b.derive(ctx, r, profile, known); err != nil {
				return nil, err
			}
		}
	}
	names := old.names
	if profile != nil {
		names = names.Only(profile.NameLists(q.Kind)...)
	}
	b.SetNames(names)
	c, err := b.Finish(ctx, Outcome{
		Ended: was.Ended, ReportedTotal: was.ReportedTotal, ConfirmedEmpty: was.ConfirmedEmpty, Quarantined: was.Quarantined,
	})
	if err != nil {
		return nil, err
	}
	defer c.Discard()
	return s.publish(ctx, c, stay)
}

// cutPaths tells which fields a generation can still hold after profile's cut.
func cutPaths(was Info, profile *device.Profile) (paths []string, atMost bool) {
	paths = profile.Paths(was.Kind)
	if was.ProfilePaths == nil {
		return paths, was.ProfileDigest != profile.Digest()
	}
	kept := []string{}
	for _, p := range paths {
		if _, held := slices.BinarySearch(was.ProfilePaths, p); held {
			kept = append(kept, p)
		}
	}
	return kept, was.ProfileAtMost
}

// Exceeds tells that the generation holds, or may hold, a field of the kind that profile does not keep.
func (i Info) Exceeds(profile *device.Profile) bool {
	if i.ProfilePaths == nil {
		return i.ProfileDigest != profile.Digest()
	}
	allowed := profile.Paths(i.Kind)
	return slices.ContainsFunc(i.ProfilePaths, func(p string) bool {
		_, found := slices.BinarySearch(allowed, p)
		return !found
	})
}

// Lacks tells that profile keeps a field of the kind that the generation was not read with: the next walk fills it in.
func (i Info) Lacks(profile *device.Profile) bool {
	if i.ProfilePaths == nil {
		return i.ProfileDigest != profile.Digest()
	}
	return i.ProfileAtMost || slices.ContainsFunc(profile.Paths(i.Kind), func(p string) bool {
		_, found := slices.BinarySearch(i.ProfilePaths, p)
		return !found
	})
}

func (b *Builder) derive(ctx context.Context, r Record, profile *device.Profile, known *device.TermReader) (err error) {
	kind, body := b.draft.Kind, r.Body
	if profile != nil {
		if body, err = profile.Cut(kind, nil, r.Body); err != nil {
			return fmt.Errorf("cut device %d: %w", r.ID, err)
		}
	}
	columns, err := device.ColumnsOf(kind, b.columns, body)
	if err != nil {
		return fmt.Errorf("map device %d: %w", r.ID, err)
	}
	if columns.Terms, err = b.termsOf(known, r); err != nil {
		return fmt.Errorf("map device %d: %w", r.ID, err)
	}
	return b.Put(ctx, r.ID, body, columns, r.State)
}
