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
	g, err := s.derive(ctx, q, remake{profile: profile, stay: func([]keptFile) []keptFile { return nil }})
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
	g, err := s.derive(ctx, q, remake{terms: &terms, stay: usual})
	if err != nil {
		return nil, fmt.Errorf("map current generation again: %w", err)
	}
	return g, nil
}

// remake is how a successor differs from the current generation. Zero values: as it is.
type remake struct {
	profile *device.Profile
	terms   *[]string
	without int64                       // a device that is left out, and out of the changes
	stay    func([]keptFile) []keptFile // which older generations are kept
}

// derive builds and publishes a successor out of the current generation's own records.
func (s *Store) derive(ctx context.Context, q Series, as remake) (*Generation, error) {
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
	if as.terms != nil {
		draft.Terms = *as.terms
		known = device.NewTermReader(q.Kind, device.TermsWithin(q.Kind, *as.terms, was.ProfilePaths), nil)
	}
	if as.profile != nil {
		draft.ProfileDigest, draft.ProfileName = as.profile.Digest(), as.profile.Name()
		draft.ProfilePaths, draft.ProfileAtMost = cutPaths(was, as.profile)
	}
	b, err := s.Begin(ctx, draft)
	if err != nil {
		return nil, err
	}
	defer b.Abort()
	b.without = as.without
	for offset := 0; offset < len(old.ids); offset += chunk {
		records, err := old.Page(ctx, offset, chunk)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if r.ID == as.without {
				continue
			}
			if err := b.derive(ctx, r, as.profile, known); err != nil {
				return nil, err
			}
		}
	}
	names := old.names
	if as.profile != nil {
		names = names.Only(as.profile.NameLists(q.Kind)...)
	}
	b.SetNames(names)
	c, err := b.Finish(ctx, Outcome{
		Ended: was.Ended, ReportedTotal: was.ReportedTotal, ConfirmedEmpty: was.ConfirmedEmpty || b.Count() == 0,
		Quarantined: slices.DeleteFunc(slices.Clone(was.Quarantined), func(q Quarantine) bool { return as.without != 0 && q.ID == as.without }),
	})
	if err != nil {
		return nil, err
	}
	defer c.Discard()
	return s.publish(ctx, c, as.stay)
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
