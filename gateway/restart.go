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

// weighStart tells what clients that stay are shown less of than before the start, beyond what a guard lets pass. It keeps nothing back: a
// restart is the act by which an operator says that it is meant (ADR 0058).
func (g *Gateway) weighStart(ctx context.Context) {
	c := g.fit.Load().config
	data, err := os.ReadFile(filepath.Join(c.DataDir, viewsFile))
	var was []servedView
	if err == nil {
		err = json.Unmarshal(data, &was)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		g.o.Logger.ErrorContext(ctx, "what clients were shown before the start cannot be read", "error", err)
	}
	var told []server.Warning
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
			told = append(told, g.lostAtStart(ctx, q, g.weigh(src.Guard, q, before, after))...)
		}
	}
	g.shrunk.Store(&told)
	g.rememberViews(ctx, c)
}

// lostAtStart says what weighing one series came to: to the log, the audit and the status.
func (g *Gateway) lostAtStart(ctx context.Context, q cache.Series, err error) (out []server.Warning) {
	guard, shrinks := errors.AsType[*GuardError](err)
	switch {
	case err == nil:
		return nil
	case !shrinks:
		g.o.Logger.WarnContext(ctx, "settings that show clients something else are in force since this start; what they lose by it cannot be told", "source", q.Source, "kind", q.Kind, "error", err)
		return nil
	}
	for _, f := range guard.Findings {
		w := server.Warning{
			EN: fmt.Sprintf("since the start with other settings client %s is shown %d of %d devices (%s) of %s no more", f.Client, f.Count, f.Of, q.Kind, q.Source),
			DE: fmt.Sprintf("seit dem Start mit anderen Einstellungen werden dem Client %s von %s (%s) %d von %d Geräten nicht mehr gezeigt", f.Client, q.Source, q.Kind, f.Count, f.Of),
		}
		out = append(out, w)
		g.o.Logger.ErrorContext(ctx, w.EN, "source", q.Source, "kind", q.Kind, "client", f.Client, "guard", f.Guard, "digest", guard.Digest)
		g.audit.Note(audit.Entry{Event: "settings.start", Source: q.Source, Kind: string(q.Kind), Target: f.Client, Outcome: "guarded"})
	}
	return out
}
