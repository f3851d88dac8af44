package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
	"jamf-gateway/gateway/syncer"
)

// viewsFile lies in the data directory: which clients were shown which part of each series, by the settings that were in force last.
const viewsFile = ".views.json"

// servedView is what one client was shown of one series. It holds words of the settings and nothing of any device.
type servedView struct {
	Source string        `json:"source"`
	Kind   device.Kind   `json:"kind"`
	Client string        `json:"client"`
	Filter device.Filter `json:"filter"`
}

// servedViews are those of all clients by these settings.
func servedViews(c *config.Config) (out []servedView) {
	for _, src := range c.Sources {
		for _, k := range kindsOf(src) {
			for _, v := range allViews(c, cache.Series{Source: src.Name, Kind: k}) {
				out = append(out, servedView{src.Name, k, v.Client, v.Filter})
			}
		}
	}
	return out
}

func (g *Gateway) rememberViews(ctx context.Context, c *config.Config) {
	data, err := json.Marshal(servedViews(c))
	if err == nil {
		err = g.store.Disk().ReplaceFile(filepath.Join(c.DataDir, viewsFile), data)
	}
	if err != nil {
		g.o.Logger.ErrorContext(ctx, "what clients are shown could not be remembered: a start with other settings cannot tell what they lose", "error", err)
	}
}

// viewsBefore are those of the settings that were in force last; none = nothing was remembered.
func viewsBefore(dataDir string) (was []servedView, err error) {
	data, err := os.ReadFile(filepath.Join(dataDir, viewsFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := json.Unmarshal(data, &was); err != nil {
		return nil, err
	}
	return was, nil
}

// termsBefore are what the views of a source asked of each device by the settings that were in force last: a start that forgot them could not tell
// what clients lose by it.
func termsBefore(was []servedView, source string) (out []string) {
	for _, v := range was {
		if v.Source == source {
			out = append(out, v.Filter.Terms()...)
		}
	}
	return out
}

// weighStart tells what clients that stay are shown less of than before the start, beyond what a guard lets pass. It keeps nothing back: a
// restart is the act by which an operator says that it is meant (ADR 0058).
func (g *Gateway) weighStart(ctx context.Context) {
	c := g.fit.Load().config
	was, err := viewsBefore(c.DataDir)
	if err != nil {
		g.o.Logger.ErrorContext(ctx, "what clients were shown before the start cannot be read", "error", err)
	}
	told := g.goneAtStart(ctx, c, was)
	for _, src := range c.Sources {
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			q := cache.Series{Source: src.Name, Kind: k}
			after := allViews(c, q)
			var before []syncer.View
			for _, v := range was {
				stays := slices.ContainsFunc(c.Clients, func(cl config.Client) bool { return cl.ID == v.Client })
				same := slices.ContainsFunc(after, func(w syncer.View) bool { return w.Client == v.Client && w.Filter.Digest() == v.Filter.Digest() })
				if v.Source == q.Source && v.Kind == k && stays && !same {
					before = append(before, syncer.View{Client: v.Client, Filter: v.Filter})
				}
			}
			lost := g.weigh(ctx, src.Guard, q, before, after)
			if _, shrinks := errors.AsType[*GuardError](lost); err != nil || lost != nil && !shrinks {
				told = append(told, g.fewerAtStart(ctx, src.Guard, q, after, lost)...)
			} else {
				told = append(told, g.lostAtStart(ctx, q, lost)...)
			}
			g.follow(ctx, q, before, after, false)
		}
	}
	g.shrunk.Store(&told)
	g.rememberViews(ctx, c)
}

// follow lets the weeks of changed views go on.
func (g *Gateway) follow(ctx context.Context, q cache.Series, before, after []syncer.View, reload bool) {
	gen, err := g.store.Acquire(q)
	if len(before) == 0 || errors.Is(err, cache.ErrNone) {
		if err == nil {
			gen.Release()
		}
		return
	}
	if err == nil {
		defer gen.Release()
		err = g.syncer.Follow(ctx, gen, before, after, reload)
	}
	if err != nil {
		g.o.Logger.ErrorContext(ctx, "what changed views lost could not be remembered for the guard of the week", "source", q.Source, "kind", q.Kind, "error", err)
	}
}

// fewerAtStart is lostAtStart where nobody knows which devices clients were shown: their number is known since the last sync. why it is not.
func (g *Gateway) fewerAtStart(ctx context.Context, limits config.Guard, q cache.Series, views []syncer.View, why error) (out []server.Warning) {
	gen, err := g.store.Acquire(q)
	if errors.Is(err, cache.ErrNone) {
		return nil
	}
	var findings []syncer.Finding
	if err == nil {
		defer gen.Release()
		findings = g.syncer.Fewer(limits, gen, views)
	}
	for _, f := range findings {
		out = append(out, g.tellStart(ctx, q, f, server.Warning{
			EN: fmt.Sprintf("since the start with other settings client %s is shown %d devices (%s) of %s, before it were %d", f.Client, f.Of-f.Count, q.Kind, q.Source, f.Of),
			DE: fmt.Sprintf("seit dem Start mit anderen Einstellungen werden dem Client %s von %s (%s) %d Geräte gezeigt, vorher waren es %d", f.Client, q.Source, q.Kind, f.Of-f.Count, f.Of),
		}, ""))
	}
	if err = errors.Join(why, err); err != nil && len(findings) == 0 {
		g.o.Logger.WarnContext(ctx, "settings that show clients something else are in force since this start; what they lose by it cannot be told", "source", q.Source, "kind", q.Kind, "error", err)
	}
	return out
}

// lostAtStart says what the guards found when one series was weighed.
func (g *Gateway) lostAtStart(ctx context.Context, q cache.Series, err error) (out []server.Warning) {
	guard, shrinks := errors.AsType[*GuardError](err)
	if !shrinks {
		return nil
	}
	for _, f := range guard.Findings {
		w := server.Warning{
			EN: fmt.Sprintf("since the start with other settings client %s is shown %d of %d devices (%s) of %s no more", f.Client, f.Count, f.Of, q.Kind, q.Source),
			DE: fmt.Sprintf("seit dem Start mit anderen Einstellungen werden dem Client %s von %s (%s) %d von %d Geräten nicht mehr gezeigt", f.Client, q.Source, q.Kind, f.Count, f.Of),
		}
		if f.Guard == syncer.GuardWeek {
			w = server.Warning{
				EN: fmt.Sprintf("with the start with other settings %d of %d devices (%s) of %s have left the view of client %s within 7 days", f.Count, f.Of, q.Kind, q.Source, f.Client),
				DE: fmt.Sprintf("mit dem Start mit anderen Einstellungen haben innerhalb von 7 Tagen %d von %d Geräten (%s) von %s die Sicht des Clients %s verlassen", f.Count, f.Of, q.Kind, q.Source, f.Client),
			}
		}
		out = append(out, g.tellStart(ctx, q, f, w, guard.Digest))
	}
	return out
}

// tellStart says one of them to the log and the audit.
func (g *Gateway) tellStart(ctx context.Context, q cache.Series, f syncer.Finding, w server.Warning, digest string) server.Warning {
	g.o.Logger.ErrorContext(ctx, w.EN, "source", q.Source, "kind", q.Kind, "client", f.Client, "guard", f.Guard, "digest", digest)
	g.audit.Note(audit.Entry{Event: "settings.start", Source: q.Source, Kind: string(q.Kind), Target: f.Client, Outcome: "guarded"})
	return w
}
