package gateway

import (
	"context"
	"errors"
	"log/slog"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/catalogue"
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
	to, err := buildUpstreams(Options{Config: c, Version: version, Logger: slog.New(slog.DiscardHandler)}, c, nil)
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
		report := Report(src.Name, to.upstreams[src.Name].Test(ctx, wantedRights(src), nameRights(src, ps.named[src.Profile], termsOf(c, src.Name))...), lang)
		out = append(out, withRoom(report, c, src, lang))
	}
	if !found {
		return nil, server.ErrUnknownSource
	}
	return out, nil
}

// withRoom adds what keeps a good connection from being of use: no sync begins on a disk that is too full for it.
func withRoom(r server.TestReport, c *config.Config, src config.Source, lang string) server.TestReport {
	const code = "store_full"
	for _, k := range kindsOf(src) {
		err := cache.RoomIn(c.DataDir, cache.Series{Source: src.Name, Kind: k})
		if !errors.Is(err, cache.ErrFull) {
			continue
		}
		step := server.TestStep{Name: "data_dir", Result: "failed", Code: code}
		if e, ok := catalogue.Lookup(code); ok {
			step.Detail, step.Action = e.Title.In(catalogue.Language(lang)), e.Action.In(catalogue.Language(lang))
		}
		r.OK, r.Steps = false, append(r.Steps, step)
		return r
	}
	return r
}
