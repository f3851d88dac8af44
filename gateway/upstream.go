package gateway

import (
	"bytes"
	"cmp"
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

// reach is how the sources are asked. Hosts that stay are those of before; the secrets are those that come from files.
type reach struct {
	upstreams   map[string]*jamf.Source
	secrets     []*liveSecret
	hosts       map[string]*jamf.Host // authority -> budget
	authorities map[string][]byte     // source -> what its ca_file held
}

// buildUpstreams makes the client of every source; sources on one Jamf host share its budget, and hosts outlive a reload. A source that is
// reached as before keeps its client, with its token.
func buildUpstreams(o Options, c *config.Config, was *outfit) (out reach, err error) {
	out = reach{upstreams: map[string]*jamf.Source{}, hosts: map[string]*jamf.Host{}, authorities: map[string][]byte{}}
	var before reach
	if was != nil {
		before = was.reach
	}
	defer func() {
		if err != nil {
			out.retire(before, (*jamf.Source).Close)
		}
	}()
	tel := jamf.Telemetry{TracerProvider: o.TracerProvider, MeterProvider: o.MeterProvider}
	for _, src := range c.Sources {
		u, err := url.Parse(src.URL)
		if err != nil {
			return out, fmt.Errorf("sources.%s.url: %w", src.Name, err)
		}
		authority := jamf.Authority(u)
		host := cmp.Or(out.hosts[authority], before.hosts[authority])
		if host == nil {
			host = jamf.NewHost(authority, jamf.Limits{
				Connections: src.Limits.Connections, RequestsPerSecond: src.Limits.RequestsPerSecond, Jitter: o.Simulation.Jitter,
			}, tel)
		}
		out.hosts[authority] = host
		roots, pem, err := rootsOf(src.CAFile)
		if err != nil {
			return out, fmt.Errorf("sources.%s.ca_file: %w", src.Name, err)
		}
		out.authorities[src.Name] = pem
		if was.reaches(src, pem) {
			out.upstreams[src.Name] = was.upstreams[src.Name]
			out.secrets = append(out.secrets, before.secretsOf(src.Name)...)
			continue
		}
		if out.upstreams[src.Name], err = out.upstream(o, src, host, roots, tel); err != nil {
			delete(out.upstreams, src.Name)
			return out, fmt.Errorf("sources.%s: %w", src.Name, err)
		}
	}
	return out, nil
}

func (r *reach) secretsOf(source string) (own []*liveSecret) {
	for _, l := range r.secrets {
		if l.source == source {
			own = append(own, l)
		}
	}
	return own
}

// upstream makes the client of one source, and notes those of its secrets that come from files.
func (r *reach) upstream(o Options, src config.Source, host *jamf.Host, roots *x509.CertPool, tel jamf.Telemetry) (*jamf.Source, error) {
	secret := newLiveSecret(src.Name, "client_secret", src.ClientSecret, o.Logger)
	if secret.clientID = src.ClientID; secret.file != "" {
		r.secrets = append(r.secrets, secret)
	}
	var second *jamf.Login
	if b := src.SecondClient; b.ID != "" {
		other := newLiveSecret(src.Name, "second_client.client_secret", b.Secret, o.Logger)
		if other.clientID = b.ID; other.file != "" {
			r.secrets = append(r.secrets, other)
		}
		second = &jamf.Login{ID: b.ID, Secret: other.Reveal, Reread: other.Reread}
	}
	return jamf.NewSource(host, jamf.SourceOptions{
		Name: src.Name, URL: src.URL, ClientID: src.ClientID, ClientSecret: secret.Reveal, Reread: secret.Reread, Second: second,
		AllowInsecureLoopback: src.AllowInsecureLoopback, UserAgent: "jamf-gateway/" + o.Version,
		Passed: passedOn(src),
		Proxy:  src.Proxy.Reveal(), RootCAs: roots, Networks: src.Networks, Dial: o.Dial, Resolver: o.Resolver, Turn: o.Simulation.turnOf(src.Name),
		PropagateTrace: o.Config.Telemetry.PropagateToJamf, Logger: o.Logger, Telemetry: tel,
	})
}

// retire ends the metrics of all that kept has not, and hands its sources to end.
func (r reach) retire(kept reach, end func(*jamf.Source)) {
	for name, up := range r.upstreams {
		if kept.upstreams[name] != up {
			up.Retire()
			end(up)
		}
	}
	for authority, host := range r.hosts {
		if kept.hosts[authority] != host {
			host.Close()
		}
	}
}

// reaches tells that a source is asked in the same way by these settings. A secret in a file may be another one since: the file is followed.
func (o *outfit) reaches(src config.Source, authorities []byte) bool {
	if o == nil || !bytes.Equal(o.authorities[src.Name], authorities) {
		return false
	}
	where := func(s config.Secret) config.Secret {
		if s.File() != "" {
			return config.SecretFromFile("", s.File())
		}
		return s
	}
	way := func(s config.Source) config.Source {
		return config.Source{
			Name: s.Name, URL: s.URL, ClientID: s.ClientID, ClientSecret: where(s.ClientSecret),
			SecondClient: config.JamfClient{ID: s.SecondClient.ID, Secret: where(s.SecondClient.Secret)}, AllowInsecureLoopback: s.AllowInsecureLoopback,
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
func rootsOf(file string) (pool *x509.CertPool, pem []byte, err error) {
	if file == "" {
		return nil, nil, nil
	}
	if pem, err = os.ReadFile(file); err != nil {
		return nil, nil, err
	}
	pool, err = x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without any: the file alone
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, pem, nil
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
