package gateway

import (
	"context"
	"log/slog"

	"jamf-gateway/config"
	"jamf-gateway/gateway/server"
)

// Check validates what New would build of the settings, and the files that it would open on this machine, and runs the connection test of each active source (or of the
// one named), without a store, a door or a loop. lang is "en" or "de".
func Check(ctx context.Context, c *config.Config, version, source, lang string) ([]server.TestReport, error) {
	ps, err := compileProfiles(c)
	if err != nil {
		return nil, err
	}
	if err := ready(c); err != nil {
		return nil, err
	}
	ups, err := buildUpstreams(Options{Config: c, Version: version, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	var out []server.TestReport
	found := false
	for _, src := range c.Sources {
		if source != "" && src.Name != source {
			continue
		}
		found = true
		if src.Disabled {
			continue
		}
		out = append(out, Report(src.Name, ups[src.Name].Test(ctx, wantedRights(src), nameRights(src, ps.named[src.Profile])...), lang))
	}
	if !found {
		return nil, server.ErrUnknownSource
	}
	return out, nil
}
