package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// Remove implements server.Control.
func (c *control) Remove(ctx context.Context, source string) (server.Removed, error) {
	return c.remove(ctx, source)
}

// remove goes over to settings that name every source but this one, because an operator has typed its name (ADR 0061). What it allows ends
// with it: settings that are refused now are refused by the next reload too.
func (g *Gateway) remove(ctx context.Context, source string) (server.Removed, error) {
	if g.o.Follower == nil {
		return server.Removed{}, settingsError(errNotFollowed)
	}
	if !names(g.fit.Load().config, source) {
		return server.Removed{}, server.ErrUnknownSource
	}
	var gone server.Removed
	plan, err := g.o.Follower.Try(ctx, "the source "+source+" is removed", func(ctx context.Context, c *config.Config) (Plan, error) {
		g.reloading.Lock()
		defer g.reloading.Unlock()
		if g.over {
			return Plan{}, ErrEnded
		}
		before := g.fit.Load().config
		if !names(before, source) {
			return Plan{}, server.ErrUnknownSource // somebody was faster
		}
		gone.Devices, gone.Clients = g.servedOf(before, source)
		return g.reload(ctx, c, source)
	})
	if errors.Is(err, server.ErrUnknownSource) {
		return server.Removed{}, server.ErrUnknownSource
	} else if err != nil {
		return server.Removed{}, settingsError(err)
	}
	gone.Taken = takenOf(plan)
	return gone, nil
}

// names tells that settings have the source.
func names(c *config.Config, source string) bool {
	return slices.ContainsFunc(c.Sources, func(s config.Source) bool { return s.Name == source })
}

// servedOf counts the devices that are served of a source, and lists the clients that are shown them, sorted; neither is nil.
func (g *Gateway) servedOf(c *config.Config, source string) (devices int, clients []string) {
	clients = []string{}
	for _, src := range c.Sources {
		if src.Name != source {
			continue
		}
		for _, k := range kindsOf(src) {
			q := cache.Series{Source: source, Kind: k}
			if info, err := g.store.Look(q); err == nil {
				devices += info.Count
			}
			for _, v := range allViews(c, q) {
				clients = append(clients, v.Client)
			}
		}
	}
	slices.Sort(clients)
	return devices, slices.Compact(clients)
}

// missing refuses settings that no longer name a source: a line that was lost in an editor must not take a school's devices away. leaving is
// the one that an operator removes; it must be the only one.
func missing(was, next *config.Config, leaving string) error {
	if leaving != "" && names(next, leaving) {
		return refusal{
			fmt.Sprintf("sources: %s still stands in the settings file: take it out there, then remove it", leaving),
			fmt.Sprintf("sources: %s steht noch in der Einstellungsdatei: Nehmen Sie die Quelle dort heraus, dann entfernen Sie sie", leaving), nil,
		}
	}
	for _, src := range was.Sources {
		switch {
		case src.Name == leaving || names(next, src.Name):
		case leaving != "":
			return refusal{
				fmt.Sprintf("sources: beside %s, %s is not in the settings any more: one source is removed at a time; put %s back, remove %s, and then the other", leaving, src.Name, src.Name, leaving),
				fmt.Sprintf("sources: außer %s fehlt auch %s in den Einstellungen: Es wird eine Quelle nach der anderen entfernt; tragen Sie %s wieder ein, entfernen Sie %s und dann die andere", leaving, src.Name, src.Name, leaving), ErrSourceMissing,
			}
		default:
			return refusal{
				fmt.Sprintf("sources: %s is running and is not in the settings any more; to stop reading it write status: disabled, to remove it: jamf-gateway source remove %s", src.Name, src.Name),
				fmt.Sprintf("sources: %s läuft und fehlt in den Einstellungen; soll die Quelle nicht mehr gelesen werden, schreiben Sie status: disabled, zum Entfernen: jamf-gateway source remove %s", src.Name, src.Name), ErrSourceMissing,
			}
		}
	}
	return nil
}

// answeredByAnother refuses a removal after which another source would answer at an address of the one that leaves: a client that still asks
// there would take another school's devices for its own.
func answeredByAnother(was, next *config.Config, leaving string) error {
	for _, src := range was.Sources {
		if src.Name != leaving {
			continue
		}
		for _, host := range src.Hosts { // keepAddresses has seen to the root
			other := servedAt(next, host)
			if other == "" {
				continue
			}
			return refusal{
				fmt.Sprintf("sources: without %s its address %s would be answered by %s, and a client that still asks there would take its devices for its own; give %s hosts of its own in the settings, or restart the gateway with them", leaving, host, other, other),
				fmt.Sprintf("sources: ohne %s würde unter ihrer Adresse %s die Quelle %s antworten, und ein Client, der dort noch fragt, hielte deren Geräte für seine; geben Sie %s in den Einstellungen eigene hosts, oder starten Sie das Gateway mit ihnen neu", leaving, host, other, other), nil,
			}
		}
	}
	return nil
}

// goneAtStart tells which sources whose devices clients were shown are not in the settings any more. A removal by an operator's command is told
// when it is done, and not here.
func (g *Gateway) goneAtStart(ctx context.Context, c *config.Config, was []servedView) (out []server.Warning) {
	type loss struct {
		devices int
		clients []string
		kinds   []device.Kind
	}
	gone, order := map[string]*loss{}, []string{}
	for _, v := range was {
		if names(c, v.Source) {
			continue
		}
		l := gone[v.Source]
		if l == nil {
			l = &loss{}
			gone[v.Source], order = l, append(order, v.Source)
		}
		if !slices.Contains(l.clients, v.Client) {
			l.clients = append(l.clients, v.Client)
		}
		if !slices.Contains(l.kinds, v.Kind) {
			l.kinds = append(l.kinds, v.Kind)
			if info, err := g.store.Look(cache.Series{Source: v.Source, Kind: v.Kind}); err == nil {
				l.devices += info.Count
			}
		}
	}
	for _, source := range order {
		l := gone[source]
		if l.devices == 0 {
			continue // nothing of it was served
		}
		w := server.Warning{
			EN: fmt.Sprintf("since the start with other settings source %s is gone: %d devices are served no more, clients that were shown them: %s", source, l.devices, strings.Join(l.clients, ", ")),
			DE: fmt.Sprintf("seit dem Start mit anderen Einstellungen fehlt die Quelle %s: %d Geräte werden nicht mehr ausgeliefert, Clients, denen sie gezeigt wurden: %s", source, l.devices, strings.Join(l.clients, ", ")),
		}
		out = append(out, w)
		g.o.Logger.ErrorContext(ctx, w.EN, "source", source)
		g.audit.Note(audit.Entry{Event: "settings.start", Source: source, Outcome: "source_missing"})
	}
	return out
}
