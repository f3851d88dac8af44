package cache

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"
)

// Outcome closes a draft.
type Outcome struct {
	Ended          time.Time
	ReportedTotal  int // Jamf's last totalCount
	ConfirmedEmpty bool
	Quarantined    []Quarantine
	Upstream       string // API version that was read, known only after the first page; "" keeps the draft's
	SourceEpoch    string // "" keeps the draft's
}

// Finish trains the dictionary, writes records, indexes, changes against the parent and the description, closes and fsyncs the file.
// On an error the builder is aborted.
func (b *Builder) Finish(ctx context.Context, o Outcome) (*Candidate, error) {
	if err := b.ready(ctx); err != nil {
		return nil, err
	}
	c, err := b.finish(ctx, o)
	if err != nil {
		b.Abort()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, writeError("finish generation", err)
	}
	b.settle()
	return c, nil
}

func (b *Builder) finish(ctx context.Context, o Outcome) (*Candidate, error) {
	if b.encoder == nil {
		if err := b.flush(ctx); err != nil {
			return nil, err
		}
	}
	info := b.describe(o)
	if err := b.compare(ctx, &info); err != nil {
		return nil, err
	}
	if err := b.putNames(ctx, &info); err != nil {
		return nil, err
	}
	if info.Count != b.count {
		return nil, fmt.Errorf("%d devices are in the file, %d were put", info.Count, b.count)
	}
	if err := b.putTerms(ctx, &info); err != nil {
		return nil, err
	}
	description, err := json.Marshal(info)
	if err != nil {
		return nil, err
	}
	facts, err := json.Marshal(columnNames(b.columns))
	if err != nil {
		return nil, err
	}
	shared, err := json.Marshal(b.layout.describe(b.columns))
	if err != nil {
		return nil, err
	}
	for key, value := range map[string]any{
		"format": formatVersion, "store": b.store.identity, "base": 0, "description": string(description), metaFacts: string(facts), metaShared: string(shared),
		metaTraits: b.traits != nil,
	} {
		if err := b.putMeta(ctx, key, value); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := b.conn.ExecContext(context.WithoutCancel(ctx), b.layout.indexes(b.columns)+indexes+"COMMIT"); err != nil {
		return nil, err
	}
	if err := b.closeFile(); err != nil {
		return nil, err
	}
	if err := b.store.disk.Sync(b.path); err != nil {
		return nil, err
	}
	sum, err := hashFile(ctx, b.path)
	if err != nil {
		return nil, err
	}
	stat, err := os.Stat(b.path)
	if err != nil {
		return nil, err
	}
	info.Bytes = stat.Size()
	return &Candidate{line: b.line, disk: b.store.disk, path: b.path, info: info, sha256: sum, ids: b.ids, terms: b.settled}, nil
}

// describe assigns the number: one that was given is never given again, published or not.
func (b *Builder) describe(o Outcome) Info {
	b.line.mu.Lock()
	b.line.highest++
	number := b.line.highest
	b.line.mu.Unlock()
	d := b.draft
	d.Upstream, d.SourceEpoch = cmp.Or(o.Upstream, d.Upstream), cmp.Or(o.SourceEpoch, d.SourceEpoch)
	return Info{
		Series: d.Series, Number: number, Parent: d.Parent, SourceEpoch: d.SourceEpoch, MappingVersion: d.MappingVersion,
		ProfileDigest: d.ProfileDigest, ProfileName: d.ProfileName, ProfilePaths: slices.Clone(d.ProfilePaths),
		ProfileAtMost: d.ProfileAtMost, JamfVersion: d.JamfVersion, Upstream: d.Upstream,
		Started: d.Started.UTC().Round(0), Ended: o.Ended.UTC().Round(0),
		ReportedTotal: o.ReportedTotal, ConfirmedEmpty: o.ConfirmedEmpty, Quarantined: describable(o.Quarantined),
	}
}
