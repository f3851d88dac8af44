package gateway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
	"jamf-gateway/gateway/server"
	"jamf-gateway/gateway/syncer"
)

// outfit is all that was made from one set of settings. Immutable.
type outfit struct {
	reach

	config   *config.Config
	profiles profiles
	served   []server.SourceOptions
	synced   []syncer.Source
}

// Plan is what a reload came to.
type Plan struct {
	Added, Changed []string // sources
	Restart        []string // settings whose change waits for a restart
}

// ErrSourceMissing is asked with errors.Is: a source is no longer in the settings. Its devices would be gone for every client.
var ErrSourceMissing = errors.New("a source is missing")

// ErrEnded is what a reload says when the gateway has ended.
var ErrEnded = errors.New("the gateway has ended")

// GuardError says that clients would lose so many devices by other settings that a person should look. Nothing was changed.
type GuardError struct {
	Source   string
	Kind     device.Kind
	Findings []syncer.Finding
	Digest   string
}

// German is the sentence in German.
func (e *GuardError) German() string {
	parts := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		parts[i] = fmt.Sprintf("Sicht des Clients %s, %s: %d von %d Geräten, ohne Freigabe höchstens %d", f.Client, f.Guard, f.Count, f.Of, f.Limit)
	}
	kind := "Computer"
	if e.Kind == device.Mobile {
		kind = "Mobilgeräte"
	}
	return fmt.Sprintf("diese Einstellungen würden Clients der Quelle %s %s wegnehmen (%s): %s; wenn das gewollt ist, starten Sie das Gateway mit diesen Einstellungen neu",
		e.Source, kind, e.Digest, strings.Join(parts, "; "))
}

// Error implements error.
func (e *GuardError) Error() string {
	return fmt.Sprintf("the settings would take devices away from clients of %s %s (%s): %s; if that is meant, restart the gateway with these settings", e.Source, e.Kind, e.Digest, syncer.Describe(e.Findings))
}

// Reload goes over to other settings without a request noticing, or says why not; the old ones stay then. It is for while Run runs. why is what
// asked for it, for the audit: one that cannot be written down there is not done.
func (g *Gateway) Reload(ctx context.Context, why string, c *config.Config) (Plan, error) {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	if g.over {
		return Plan{}, ErrEnded
	}
	ended, err := g.audit.Act(audit.Entry{Event: "settings.reload", Target: why})
	if err != nil {
		return Plan{}, fmt.Errorf("write to the audit: %w", err)
	}
	outcome := "internal"
	defer func() { ended(outcome) }()
	plan, err := g.reload(ctx, c, "")
	outcome = outcomeOf(err)
	return plan, err
}

// Unread writes to the audit that settings could not be read, so that there was nothing to reload: the line alone, for what stands in it may be
// a secret.
func (g *Gateway) Unread(why string, err error) {
	e := audit.Entry{Event: "settings.reload", Target: why, Outcome: outcomeOf(err)}
	if invalid, ok := errors.AsType[*config.InvalidError](err); ok && len(invalid.Problems) > 0 {
		if line := invalid.Problems[0].Line; line > 0 {
			e.Target += fmt.Sprintf(", line %d", line)
		}
	}
	g.audit.Fold(e) // whoever sends signals may send many
}

// outcomeOf is what the audit calls the end of a reload.
func outcomeOf(err error) string {
	guard, invalid, unreadable := (*GuardError)(nil), (*config.InvalidError)(nil), (*config.UnreadableError)(nil)
	switch {
	case err == nil:
		return audit.Done
	case errors.As(err, &guard):
		return "guarded"
	case errors.As(err, &invalid):
		return "invalid"
	case errors.As(err, &unreadable):
		return "unreadable"
	case errors.Is(err, ErrSourceMissing):
		return "source_missing"
	}
	return "refused"
}

// take is Reload of what an operator asks for, whose act is in the audit already.
func (g *Gateway) take(ctx context.Context, c *config.Config) (Plan, error) {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	if g.over {
		return Plan{}, ErrEnded
	}
	return g.reload(ctx, c, "")
}

// reload is Reload of one at a time. leaving is the source that an operator removes by it, "" = none.
func (g *Gateway) reload(ctx context.Context, c *config.Config, leaving string) (Plan, error) {
	was := g.fit.Load()
	settings := *c
	plan := Plan{Restart: keepFixed(&settings, was.config, leaving)}
	if len(settings.Sources) == 0 || len(settings.Clients) == 0 {
		return plan, errors.New("at least one source and one client must be configured")
	}
	if err := missing(was.config, &settings, leaving); err != nil {
		return plan, err
	}
	if err := answeredByAnother(was.config, &settings, leaving); err != nil {
		return plan, err
	}
	next, err := g.outfit(&settings, was)
	if err != nil {
		return plan, err
	}
	for _, src := range next.synced {
		at := slices.IndexFunc(was.synced, func(old syncer.Source) bool { return old.Name == src.Name })
		switch {
		case at < 0:
			plan.Added = append(plan.Added, src.Name)
		case was.synced[at].Settings != src.Settings:
			plan.Changed = append(plan.Changed, src.Name)
		}
	}
	if err := g.change(ctx, was, next); err != nil {
		g.retire(next, was)
		return plan, err
	}
	g.retire(was, next)
	return plan, nil
}

// keepFixed gives settings that are read at the start alone the values that they have, and names those that differ.
func keepFixed(next, was *config.Config, leaving string) (differ []string) {
	for _, f := range []struct {
		name     string
		now, old any
	}{
		{"listen", &next.Listen, &was.Listen},
		{"admin_listen", &next.AdminListen, &was.AdminListen},
		{"admin_token_file", &next.AdminTokenFile, &was.AdminTokenFile},
		{"admin_hosts", &next.AdminHosts, &was.AdminHosts},
		{"metrics_listen", &next.MetricsListen, &was.MetricsListen},
		{"insecure_http", &next.InsecureHTTP, &was.InsecureHTTP},
		{"key_file", &next.KeyFile, &was.KeyFile},
		{"tls", &next.TLS, &was.TLS},
		{"data_dir", &next.DataDir, &was.DataDir},
		{"cache", &next.Cache, &was.Cache},
		{"audit", &next.Audit, &was.Audit},
		{"telemetry", &next.Telemetry, &was.Telemetry},
	} {
		if !reflect.DeepEqual(f.now, f.old) {
			differ = append(differ, f.name)
			reflect.ValueOf(f.now).Elem().Set(reflect.ValueOf(f.old).Elem())
		}
	}
	next.Sources = slices.Clone(next.Sources)
	for i := range next.Sources {
		for _, old := range was.Sources {
			if sameHost(next.Sources[i], old) && next.Sources[i].Limits != old.Limits {
				next.Sources[i].Limits = old.Limits
				differ = append(differ, "sources."+next.Sources[i].Name+".limits")
			}
		}
	}
	return slices.Compact(append(differ, keepAddresses(next, was, leaving)...))
}

// change swaps the rooms over. Nothing is stopped before all of it is known to be good.
func (g *Gateway) change(ctx context.Context, was, next *outfit) error {
	apply, err := g.server.Prepare(g.settings(next))
	if err != nil {
		return err
	}
	sources, err := g.syncer.Prepare(ctx, next.synced)
	if err != nil {
		return err
	}
	if err := g.guard(ctx, was, next); err != nil {
		return err
	}
	g.purger.follow(next.config.Sources)
	sources.Apply()
	g.fit.Store(next)
	var ids []string
	for _, cl := range next.config.Clients {
		ids = append(ids, cl.ID)
	}
	g.usage.SetClients(ids)
	apply()
	g.shrunk.Store(nil) // of the settings before
	for _, src := range next.config.Sources {
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			q := cache.Series{Source: src.Name, Kind: k}
			before, after := changedViews(was.config, next.config, q)
			g.follow(ctx, q, before, after, true)
		}
	}
	g.rememberViews(ctx, next.config)
	if err := g.recordPolicy(ctx, next.config, next.profiles); err != nil {
		g.o.Logger.ErrorContext(ctx, "describe the policy in force", "error", err)
	}
	for _, src := range next.config.Sources {
		failed, err := g.align(ctx, src.Name, next.profiles.named[src.Profile])
		if err != nil {
			failed = kindsOf(src) // the program ends; the next start aligns
		}
		sources.Unaligned(src.Name, failed)
	}
	sources.Start()
	return nil
}

// guard refuses settings by which a client would lose as many devices of what is served as a sync could not take away unasked, and those of
// which that cannot be told. Who reads as much as before is not asked for.
func (g *Gateway) guard(ctx context.Context, was, next *outfit) error {
	for _, src := range next.config.Sources {
		terms := union(termsOf(was.config, src.Name), termsOf(next.config, src.Name))
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			q := cache.Series{Source: src.Name, Kind: k}
			before, after := changedViews(was.config, next.config, q)
			if len(before) == 0 {
				g.remapOrSync(ctx, q, terms) // for clients that are new
				continue
			}
			err := g.remapSeries(ctx, q, terms)
			if err == nil {
				err = g.weigh(ctx, src.Guard, q, before, after)
			}
			if guard := (*GuardError)(nil); err != nil && !errors.As(err, &guard) {
				return fmt.Errorf("what clients would lose of %s %s cannot be told: %w", q.Source, q.Kind, err)
			} else if err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// weigh is guard of one series.
func (g *Gateway) weigh(ctx context.Context, limits config.Guard, q cache.Series, before, after []syncer.View) error {
	gen, err := g.store.Acquire(q)
	if errors.Is(err, cache.ErrNone) {
		return nil // nothing is served that could be lost
	} else if err != nil {
		return err
	}
	defer gen.Release()
	findings, digest, err := g.syncer.Shrinks(ctx, limits, gen, before, after)
	if errors.Is(err, cache.ErrNoView) {
		return fmt.Errorf("%w; restart the gateway with these settings if they are meant", err)
	}
	if err == nil && len(findings) > 0 {
		err = &GuardError{Source: q.Source, Kind: q.Kind, Findings: findings, Digest: digest}
	}
	return err
}

// changedViews are what clients are shown of a series by both settings, where that is not the same. Of a client that is no longer in the
// settings nothing is said: that it reads nothing any more is written there.
func changedViews(was, next *config.Config, q cache.Series) (before, after []syncer.View) {
	after = allViews(next, q)
	for _, v := range allViews(was, q) {
		stays := slices.ContainsFunc(next.Clients, func(cl config.Client) bool { return cl.ID == v.Client })
		same := slices.ContainsFunc(after, func(w syncer.View) bool { return w.Client == v.Client && w.Filter.Digest() == v.Filter.Digest() })
		if stays && !same {
			before = append(before, v)
		}
	}
	return before, after
}

// allViews are those of all clients of a series, of those too that are shown all of it.
func allViews(c *config.Config, q cache.Series) (out []syncer.View) {
	at := slices.IndexFunc(c.Sources, func(src config.Source) bool { return src.Name == q.Source })
	if at < 0 || !slices.Contains(kindsOf(c.Sources[at]), q.Kind) {
		return nil
	}
	for _, cl := range c.Clients {
		if seesSource(cl, q.Source) && slices.Contains(kindsFor(cl, c.Sources[at]), q.Kind) {
			out = append(out, syncer.View{Client: cl.ID, Filter: filterOf(cl.View)})
		}
	}
	return out
}

// retireAfter is longer than any request, a connection test included.
const retireAfter = 6 * time.Minute

type retired struct {
	up *jamf.Source
	at time.Time
}

// retire remembers the clients of Jamf that only old has: requests that were begun may still use them.
func (g *Gateway) retire(old, kept *outfit) {
	g.retiring.Lock()
	defer g.retiring.Unlock()
	old.retire(kept.reach, func(up *jamf.Source) { g.retired = append(g.retired, retired{up, g.o.Now()}) })
}

// closeRetired closes those that no request uses any more; all of them at the end.
func (g *Gateway) closeRetired(all bool) {
	g.retiring.Lock()
	defer g.retiring.Unlock()
	g.retired = slices.DeleteFunc(g.retired, func(r retired) bool {
		over := all || g.o.Now().Sub(r.at) >= retireAfter
		if over {
			r.up.Close()
		}
		return over
	})
}

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// settingsOf names what the syncer does for a source: a reload that leaves it leaves the source alone.
func settingsOf(src config.Source, up *jamf.Source, kept *device.Profile, terms []string) string {
	src.Default, src.Hosts, src.Passthrough = false, nil, nil
	return strings.Join([]string{fmt.Sprintf("%p %+v", up, src), kept.Digest(), strings.Join(terms, " ")}, "\x00")
}
