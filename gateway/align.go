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

// align brings what is on disk of a source in line with today's profile before anybody can read it, kinds that are
// switched off and disabled sources too. A profile that lost fields cuts the current generation again and every other one goes;
// a profile that only gained some leaves all as it is, and the syncer fetches what is missing soon. Where that fails, the kind is
// returned: it is served by views, which show nothing beyond the profile, and the next sync puts it right. Only a cancelled ctx is
// an error.
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

// alignSeries cuts the served generation again where it must, and tells what it did.
func (g *Gateway) alignSeries(ctx context.Context, q cache.Series, kept *device.Profile) (done string, err error) {
	return g.redo(ctx, q, func(info cache.Info) (string, remake) {
		if !info.Exceeds(kept) {
			return "", nil
		}
		return "cut", func() (*cache.Generation, error) { return g.store.Recut(ctx, q, kept) }
	})
}

// remap derives the columns of what another release mapped again, and what the records tell of the filters of clients, one series after the other and while everything is served:
// only filters and sorts wait for it. The syncer begins afterwards, because a series has one builder. Where it fails, the next
// sync puts it right, and that is asked for now.
func (g *Gateway) remap(ctx context.Context) {
	c := g.fit.Load().config
	was, _ := viewsBefore(c.DataDir) // weighStart says that it cannot be read
	for _, src := range c.Sources {
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			g.remapOrSync(ctx, cache.Series{Source: src.Name, Kind: k}, union(termsBefore(was, src.Name), termsOf(c, src.Name)))
		}
	}
}

// remapOrSync asks for a sync where the kept data cannot be mapped.
func (g *Gateway) remapOrSync(ctx context.Context, q cache.Series, terms []string) {
	if err := g.remapSeries(ctx, q, terms); err != nil && ctx.Err() == nil {
		g.o.Logger.ErrorContext(ctx, "stored data could not be mapped by this release; the next sync does it", "source", q.Source, "kind", q.Kind, "error", err)
		_ = g.syncer.SyncNow(q.Source, q.Kind) // of a disabled source nothing is read
	}
}

// remapSeries maps what is served of a series, so that it answers these terms. No sync of it begins meanwhile; syncer.ErrRunning: one runs.
func (g *Gateway) remapSeries(ctx context.Context, q cache.Series, terms []string) error {
	done, err := g.redo(ctx, q, func(info cache.Info) (string, remake) {
		told := device.TermsWithin(q.Kind, terms, info.ProfilePaths)
		if info.MappingVersion == device.MappingVersion && info.Knows(told) {
			return "", nil
		}
		return "mapped", func() (gen *cache.Generation, err error) {
			err = g.syncer.Between(ctx, q.Source, q.Kind, func() error {
				gen, err = g.store.Remap(ctx, q, terms)
				return err
			})
			return gen, err
		}
	})
	if done != "" && err == nil {
		g.o.Logger.InfoContext(ctx, "data mapped by this release", "source", q.Source, "kind", q.Kind)
	}
	return err
}

// remake makes a successor of the served generation.
type remake func() (*cache.Generation, error)

// redo makes the served generation again if need says so, and tells what was done. A generation that turns out to
// be damaged is set aside by the store, so that the one before it is next; in the end there may be none.
func (g *Gateway) redo(ctx context.Context, q cache.Series, need func(info cache.Info) (act string, again remake)) (done string, err error) {
	for last := uint64(0); ; {
		gen, err := g.store.Acquire(q)
		if err != nil {
			return "", nil //nolint:nilerr // none yet, or broken: Acquire tells every reader
		}
		info := gen.Info()
		gen.Release()
		act, again := need(info)
		if again == nil {
			return done, nil
		}
		done = act
		if gen, err = again(); err == nil {
			gen.Release()
			return done, nil
		}
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case (errors.Is(err, cache.ErrCorrupt) || errors.Is(err, cache.ErrLost)) && info.Number != last:
			last = info.Number // it is the new file that is damaged when the same is served again
			continue
		default:
			return "", fmt.Errorf("generation %d: %w", info.Number, err)
		}
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
			"data of source %s, which is not configured, is still in %s; if it is not needed any more: jamf-gateway purge %s --config FILE",
			q.Source, filepath.Join(c.DataDir, q.Source), q.Source)})
	}
	return out
}
