package gateway

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
)

// align brings what is on disk of a source in line with today's settings before anybody can read it, kinds that are
// switched off and disabled sources too. A profile that lost fields cuts the current generation again and every other one goes;
// a profile that only gained some leaves all as it is, and the syncer fetches what is missing soon; a mapping that changed
// derives the columns again. Where that fails, the kind is returned: it is served by views, which show nothing beyond the
// profile, and the next sync puts it right. Only a cancelled ctx is an error.
func (g *Gateway) align(ctx context.Context, source string, kept *device.Profile) (failed []device.Kind, err error) {
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		q := cache.Series{Source: source, Kind: k}
		done, err := g.alignSeries(ctx, q, kept)
		dropped, dropErr := g.store.DropWider(ctx, q, kept)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err = errors.Join(err, dropErr); err != nil {
			failed = append(failed, k)
			g.o.Logger.ErrorContext(ctx, "stored data could not be brought in line with today's profile; the next sync does it",
				"source", source, "kind", k, "profile", kept.Name(), "removed", dropped, "error", err)
			continue
		}
		if done != "" || len(dropped) > 0 {
			g.o.Logger.InfoContext(ctx, "data brought in line with today's profile", "source", source, "kind", k,
				"profile", kept.Name(), "done", done, "removed", dropped)
		}
	}
	return failed, nil
}

// alignSeries cuts or maps the served generation again where it must, and tells what it did. A generation that turns out to
// be damaged is set aside by the store, so that the one before it is next; in the end there may be none.
func (g *Gateway) alignSeries(ctx context.Context, q cache.Series, kept *device.Profile) (done string, err error) {
	for last := uint64(0); ; {
		gen, err := g.store.Acquire(q)
		if err != nil {
			return "", nil //nolint:nilerr // none yet, or broken: Acquire tells every reader
		}
		info := gen.Info()
		gen.Release()
		switch {
		case info.Exceeds(kept):
			done = "cut"
			gen, err = g.store.Recut(ctx, q, kept)
		case info.MappingVersion != device.MappingVersion:
			done = "mapped"
			gen, err = g.store.Remap(ctx, q)
		default:
			return "", nil
		}
		switch {
		case (errors.Is(err, cache.ErrCorrupt) || errors.Is(err, cache.ErrLost)) && info.Number != last:
			last = info.Number // it is the new file that is damaged when the same is served again
			continue
		case err != nil:
			return "", fmt.Errorf("generation %d: %w", info.Number, err)
		}
		gen.Release()
		return done, nil
	}
}

// Leftovers warns of sources that are no longer configured but have data in the data directory: no profile says any
// more what of it may be kept. file is what the settings were read from.
func Leftovers(c *config.Config, file string) []config.Problem {
	found, err := cache.SeriesIn(c.DataDir)
	if err != nil {
		return nil // there is none yet, or the start will say what is wrong with it
	}
	var out []config.Problem
	last := ""
	for _, q := range found {
		if q.Source == last || slices.ContainsFunc(c.Sources, func(s config.Source) bool { return s.Name == q.Source }) {
			continue
		}
		last = q.Source
		out = append(out, config.Problem{File: file, Setting: "data_dir", Text: fmt.Sprintf(
			"data of source %s, which is not configured, is still in %s; remove that directory if it is not needed any more",
			q.Source, filepath.Join(c.DataDir, q.Source))})
	}
	return out
}
