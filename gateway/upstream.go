package gateway

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"slices"

	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

// buildUpstreams makes the client of every source; sources on one Jamf host share its budget, and hosts outlive a reload. A source that is
// reached as before keeps its client, with its token. The secrets are those that come from files.
func buildUpstreams(o Options, c *config.Config, hosts map[string]*jamf.Host, was *outfit) (map[string]*jamf.Source, []*liveSecret, error) {
	tel := jamf.Telemetry{TracerProvider: o.TracerProvider, MeterProvider: o.MeterProvider}
	out := map[string]*jamf.Source{}
	var secrets []*liveSecret
	for _, src := range c.Sources {
		if was.reaches(src) {
			out[src.Name] = was.upstreams[src.Name]
			for _, l := range was.secrets {
				if l.source == src.Name {
					secrets = append(secrets, l)
				}
			}
			continue
		}
		u, err := url.Parse(src.URL)
		if err != nil {
			return nil, nil, fmt.Errorf("sources.%s.url: %w", src.Name, err)
		}
		authority := jamf.Authority(u)
		host := hosts[authority]
		if host == nil {
			host = jamf.NewHost(authority, jamf.Limits{
				Connections: src.Limits.Connections, RequestsPerSecond: src.Limits.RequestsPerSecond, Jitter: o.Simulation.Jitter,
			}, tel)
			hosts[authority] = host
		}
		roots, err := rootsOf(src.CAFile)
		if err != nil {
			return nil, nil, fmt.Errorf("sources.%s.ca_file: %w", src.Name, err)
		}
		secret := newLiveSecret(src.Name, "client_secret", src.ClientSecret, o.Logger)
		if secret.clientID = src.ClientID; secret.file != "" {
			secrets = append(secrets, secret)
		}
		var second *jamf.Login
		if b := src.SecondClient; b.ID != "" {
			other := newLiveSecret(src.Name, "second_client.client_secret", b.Secret, o.Logger)
			if other.clientID = b.ID; other.file != "" {
				secrets = append(secrets, other)
			}
			second = &jamf.Login{ID: b.ID, Secret: other.Reveal, Reread: other.Reread}
		}
		out[src.Name], err = jamf.NewSource(host, jamf.SourceOptions{
			Name: src.Name, URL: src.URL, ClientID: src.ClientID, ClientSecret: secret.Reveal, Reread: secret.Reread, Second: second,
			AllowInsecureLoopback: src.AllowInsecureLoopback, UserAgent: "jamf-gateway/" + o.Version,
			Passed: passedOn(src),
			Proxy:  src.Proxy.Reveal(), RootCAs: roots, Networks: src.Networks, Dial: o.Dial, Resolver: o.Resolver, Turn: o.Simulation.turnOf(src.Name),
			PropagateTrace: o.Config.Telemetry.PropagateToJamf, Logger: o.Logger, Telemetry: tel,
		})
		if err != nil {
			return nil, nil, fmt.Errorf("sources.%s: %w", src.Name, err)
		}
	}
	return out, secrets, nil
}

// reaches tells that a source is asked in the same way by these settings.
func (o *outfit) reaches(src config.Source) bool {
	if o == nil {
		return false
	}
	way := func(s config.Source) config.Source {
		return config.Source{
			Name: s.Name, URL: s.URL, ClientID: s.ClientID, ClientSecret: s.ClientSecret, SecondClient: s.SecondClient, AllowInsecureLoopback: s.AllowInsecureLoopback,
			Proxy: s.Proxy, Networks: s.Networks, CAFile: s.CAFile, Passthrough: s.Passthrough,
		}
	}
	return slices.ContainsFunc(o.config.Sources, func(old config.Source) bool { return reflect.DeepEqual(way(old), way(src)) })
}

// sameHost tells that two sources are on one Jamf host.
func sameHost(a, b config.Source) bool {
	x, errX := url.Parse(a.URL)
	y, errY := url.Parse(b.URL)
	return errX == nil && errY == nil && jamf.Authority(x) == jamf.Authority(y)
}

// rootsOf are the authorities of the system and those in a file; nil = those of the system alone.
func rootsOf(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without any: the file alone
	}
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}

// wantedRights lists what the kinds of a source need.
func wantedRights(src config.Source) []string {
	var out []string
	for _, k := range kindsOf(src) {
		out = append(out, rights()[string(k)])
	}
	return out
}

// nameRights lists what gives names to the ids that a source keeps, and to those that the terms of filters ask about: good to have, not
// needed.
func nameRights(src config.Source, kept *device.Profile, terms []string) []string {
	var out []string
	kinds := kindsOf(src)
	if slices.Contains(kinds, device.Mobile) && device.NeedsSites(terms) {
		out = append(out, jamf.NameList(device.Sites).Right())
	}
	if src.SkipNames {
		return out
	}
	for _, k := range kinds {
		for _, list := range kept.NameLists(k) {
			out = append(out, jamf.NameList(list).Right())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func rights() map[string]string {
	return map[string]string{"computer": jamf.ReadComputers, "mobile": jamf.ReadMobileDevices}
}
