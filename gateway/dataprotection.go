package gateway

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
	"jamf-gateway/gateway/report"
)

// DataProtection gathers what the report on data protection tells: from the settings, by the tables that enforce them, and from the
// history in the data directory. Neither Jamf nor a running gateway is asked. The settings may be an outline.
func DataProtection(c *config.Config, version string, now time.Time) (report.Facts, error) {
	ps, err := compileProfiles(c)
	if err != nil {
		return report.Facts{}, err
	}
	all, err := Leaving(c)
	if err != nil {
		return report.Facts{}, err
	}
	f := report.Facts{
		CreatedAt: now, Version: version, File: c.File, Policy: policyInForce(c, ps, all),
		Places:      report.Places{Data: c.DataDir, Key: c.KeyFile, Certificate: c.TLS.CertFile, CertificateKey: c.TLS.KeyFile},
		Generations: keptGenerations, MaxStale: c.MaxStale, DeletedKept: c.Retention.DeletedDevices, SecretMaxAge: c.SecretMaxAge,
		Doors: report.Doors{
			Listen: c.Listen, Admin: c.AdminListen, Metrics: c.MetricsListen, LogLevel: c.Telemetry.LogLevel,
			TLS: c.TLS.On(), Exposed: config.Exposed(c.Listen), AdminExposed: config.Exposed(c.AdminListen), MetricsExposed: config.Exposed(c.MetricsListen),
			Proxies: prefixTexts(c.TrustedProxies),
		},
	}
	if len(c.TLS.ACME.Hosts) > 0 {
		f.Doors.Authority, f.Places.ACME = c.TLS.ACME.DirectoryURL, c.ACMEDir()
	}
	if c.AdminListen != "" {
		f.Places.AdminToken = c.AdminTokenFile
	}
	f.AuditKept, f.Places.Audit = c.Audit.Keep, cmp.Or(c.Audit.Dir, audit.Dir(c.DataDir))
	for _, src := range c.Sources {
		f.Sources = append(f.Sources, reportedSource(c, ps, src))
	}
	for i, cl := range c.Clients {
		f.Clients = append(f.Clients, reportedClient(c, ps, cl, all[i]))
	}
	f.History, f.Damaged = report.ReadHistory(c.DataDir)
	return f, nil
}

func reportedSource(c *config.Config, ps profiles, src config.Source) report.Source {
	kept := ps.named[src.Profile]
	out := report.Source{
		Name: src.Name, URL: src.URL, Encrypted: strings.HasPrefix(src.URL, "https://"), Disabled: src.Disabled, Profile: src.Profile,
		Interval: src.Sync.Interval, Heartbeat: src.Heartbeat, Proxy: src.Proxy.Reveal() != "" && src.Proxy.Reveal() != config.ProxyOff,
		OwnCA: src.CAFile != "", Networks: src.Networks,
	}
	for _, p := range src.Passthrough {
		out.Passthrough = append(out.Passthrough, report.Passed{Path: p.Path, TTL: p.TTL})
	}
	terms := termsOf(c, src.Name)
	needed := kept.With(device.TermProfile(terms))
	for _, k := range kindsOf(src) {
		s := report.SourceKind{Kind: k, Right: rights()[string(k)], Sections: needed.Sections(k), Fields: kept.Leaving(k), Kept: kept.Exposure(k), Terms: terms}
		shape := device.ComputerV4
		if k == device.Mobile {
			shape = device.MobileDetail
		}
		s.Asked = device.Sent(shape, s.Sections)
		out.Kinds = append(out.Kinds, s)
		if src.SkipNames {
			continue
		}
		for _, list := range kept.NameLists(k) {
			out.Lists = append(out.Lists, jamf.NameList(list).Right())
		}
	}
	if device.NeedsSites(terms) && slices.Contains(kindsOf(src), device.Mobile) {
		out.Lists = append(out.Lists, jamf.ReadSites)
	}
	slices.Sort(out.Lists)
	out.Lists = slices.Compact(out.Lists)
	return out
}

func reportedClient(c *config.Config, ps profiles, cl config.Client, leaving ClientLeaving) report.Client {
	out := report.Client{
		ID: cl.ID, Policy: leaving.Policy, Secrets: len(cl.Secrets), Profile: cl.Profile, Names: cl.View.Names, Users: cl.View.Users, Passthrough: cl.Passthrough,
		Endpoints: leaving.Endpoints, Networks: prefixTexts(cl.Networks), Certificate: cl.Certificate != (config.Certificate{}),
	}
	for _, v := range leaving.View {
		out.View = append(out.View, report.Condition(v))
	}
	for _, s := range leaving.Sources {
		one := report.Shown{Source: s.Source, Kind: s.Kind}
		for _, f := range s.Fields {
			one.Fields = append(one.Fields, device.Field(f))
		}
		for _, src := range c.Sources {
			if src.Name == s.Source {
				one.Kept = ps.shown(src, []config.Client{cl}, [32]byte{})[0].Exposure(s.Kind)
			}
		}
		out.Shown = append(out.Shown, one)
	}
	return out
}

func prefixTexts(list []netip.Prefix) (out []string) {
	for _, p := range list {
		out = append(out, p.String())
	}
	return out
}

// policyInForce is what these settings keep and show.
func policyInForce(c *config.Config, ps profiles, all []ClientLeaving) report.Policy {
	out := report.Policy{Sources: []report.KeptPolicy{}, Clients: []report.ClientPolicy{}}
	for _, src := range c.Sources {
		kept := ps.named[src.Profile]
		for _, k := range kindsOf(src) {
			out.Sources = append(out.Sources, report.KeptPolicy{
				Source: src.Name, Kind: k, Profile: src.Profile, Names: !src.SkipNames && len(kept.NameLists(k)) > 0, Passthrough: passedOn(src), Fields: kept.Paths(k),
			})
		}
	}
	for i, one := range all {
		cl := c.Clients[i]
		p := report.ClientPolicy{
			Client: cl.ID, Digest: one.Policy, View: []string{}, Names: cl.View.Names, Users: cl.View.Users, Passthrough: cl.Passthrough, Endpoints: one.Endpoints, Shown: []report.ShownPolicy{},
		}
		if cl.View.DropSentinels {
			p.Sentinels = "drop"
		}
		for _, v := range one.View {
			p.View = append(p.View, strings.TrimSuffix(string(v.Reason)+": "+strings.Join(v.Names, ", "), ": "))
		}
		for _, s := range one.Sources {
			fields := []string{}
			for _, f := range s.Fields {
				fields = append(fields, f.Path)
			}
			p.Shown = append(p.Shown, report.ShownPolicy{Source: s.Source, Kind: s.Kind, Fields: fields})
		}
		out.Clients = append(out.Clients, p)
	}
	return out
}

// recordPolicy writes down that this policy begins.
func (g *Gateway) recordPolicy(ctx context.Context, c *config.Config, ps profiles) error {
	all, err := Leaving(c)
	if err != nil {
		return err
	}
	g.policies.begin(ctx, policyInForce(c, ps, all), g.o.Now())
	return nil
}
