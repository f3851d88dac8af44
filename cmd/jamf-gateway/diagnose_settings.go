package main

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"jamf-gateway/config"
)

// hostLabel finds the hosts that metrics name.
func hostLabel() *regexp.Regexp { return regexp.MustCompile(`(?:server_address|host_name)="([^"]+)"`) }

// settingsSeen is what of the settings may be passed on. It is made member by member: a setting that is new stands in no file
// until somebody has thought about it.
type settingsSeen struct {
	Listen        string                 `json:"listen"` // loopback, every interface, one interface, off; and the port
	AdminListen   string                 `json:"adminListen"`
	MetricsListen string                 `json:"metricsListen"`
	TLS           bool                   `json:"tls"`
	InsecureHTTP  bool                   `json:"insecureHttp"`
	PublicURL     string                 `json:"publicUrl"` // none, or its scheme and path
	MaxPageSize   int                    `json:"maxPageSize"`
	MaxStale      string                 `json:"maxStale"`
	CacheBytes    int64                  `json:"cacheMaxBytes"`
	LogLevel      string                 `json:"logLevel"`
	Propagate     bool                   `json:"propagateToJamf"`
	Sources       []sourceSeen           `json:"sources"`
	Clients       []clientSeen           `json:"clients"`
	Profiles      map[string]profileSeen `json:"profiles"`
}

type sourceSeen struct {
	Name        string    `json:"name"`
	Address     string    `json:"address"` // its scheme, whether it is Jamf's cloud, and its path
	Disabled    bool      `json:"disabled"`
	Default     bool      `json:"default"`
	Kinds       []string  `json:"kinds"`
	Hosts       int       `json:"hosts"`
	Profile     string    `json:"profile"`
	Names       bool      `json:"names"`
	Interval    string    `json:"interval"`
	At          string    `json:"at"`
	PageSize    int       `json:"pageSize"`
	Connections int       `json:"connections"`
	PerSecond   float64   `json:"requestsPerSecond"`
	Heartbeat   string    `json:"heartbeat"`
	OwnCA       bool      `json:"ownCertificates"`
	Guard       seenGuard `json:"guard"`
	Passthrough []string  `json:"passthrough"`
}

type clientSeen struct {
	ID          string   `json:"id"`
	Secrets     int      `json:"secrets"`
	Sources     []string `json:"sources"` // null = all
	Profile     string   `json:"profile"`
	Passthrough bool     `json:"passthrough"`
	OnlyFresh   bool     `json:"onlyFresh"`
}

type profileSeen struct {
	Extends string   `json:"extends"`
	Dropped string   `json:"dropped"`
	Fields  []string `json:"fields"`
}

// problemSeen is one thing that is wrong with the settings.
type problemSeen struct {
	Line     int    `json:"line,omitempty"`
	Variable string `json:"variable,omitempty"`
	Setting  string `json:"setting,omitempty"`
	Text     string `json:"text"`
}

func (d *diagnosing) problems(list []config.Problem) []problemSeen {
	out := []problemSeen{}
	for _, p := range list {
		said := p.Text
		if d.s.lang == "de" {
			said = p.GermanText()
		}
		out = append(out, problemSeen{p.Line, p.Variable, p.Setting, d.redact.problem(said)})
	}
	return out
}

func seenSettings(c *config.Config) *settingsSeen {
	out := &settingsSeen{
		Listen: seenListen(c.Listen), AdminListen: seenListen(c.AdminListen), MetricsListen: seenListen(c.MetricsListen), TLS: c.TLS.On(),
		InsecureHTTP: c.InsecureHTTP, PublicURL: seenAddress(c.PublicURL), MaxPageSize: c.MaxPageSize, MaxStale: c.MaxStale.String(),
		CacheBytes: c.Cache.MaxBytes, LogLevel: c.Telemetry.LogLevel, Propagate: c.Telemetry.PropagateToJamf,
		Sources: []sourceSeen{}, Clients: []clientSeen{}, Profiles: map[string]profileSeen{},
	}
	for _, src := range c.Sources {
		seen := sourceSeen{
			Name: src.Name, Address: seenAddress(src.URL), Disabled: src.Disabled, Default: src.Default, Kinds: src.Kinds, Hosts: len(src.Hosts),
			Profile: src.Profile, Names: !src.SkipNames, Interval: src.Sync.Interval.String(), At: src.Sync.At, PageSize: src.Sync.PageSize,
			Connections: src.Limits.Connections, PerSecond: src.Limits.RequestsPerSecond, Heartbeat: seenTime(src.Heartbeat), OwnCA: src.CAFile != "", Guard: seenGuard(src.Guard),
			Passthrough: []string{},
		}
		for _, p := range src.Passthrough {
			seen.Passthrough = append(seen.Passthrough, p.Path+" "+p.TTL.String())
		}
		out.Sources = append(out.Sources, seen)
	}
	for _, client := range c.Clients {
		out.Clients = append(out.Clients, clientSeen{client.ID, len(client.Secrets), client.Sources, client.Profile, client.Passthrough, client.OnlyFresh})
	}
	for name, p := range c.Profiles {
		out.Profiles[name] = profileSeen{p.Extends, p.Dropped, p.Fields}
	}
	return out
}

func seenTime(t time.Duration) string {
	if t == 0 {
		return "off"
	}
	return t.String()
}

// seenListen tells from where a door is reached, and its port.
func seenListen(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "off"
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && ip.IsUnspecified():
		return "every interface, port " + port
	case host == "localhost" || err == nil && ip.IsLoopback():
		return "loopback, port " + port
	}
	return "one interface, port " + port
}

// seenAddress tells of an address all but the host.
func seenAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "none"
	}
	where := "a host of its own"
	if strings.HasSuffix(u.Hostname(), ".jamfcloud.com") {
		where = "Jamf Cloud"
	}
	out := u.Scheme + ", " + where
	if u.Port() != "" {
		out += ", port " + u.Port()
	}
	return out + ", path " + u.Path
}

// seenGuard is config.Guard with the names of JSON: numbers alone.
type seenGuard struct {
	RemovedPercent     int `json:"removedPercent"`
	RemovedCount       int `json:"removedCount"`
	UnconfirmedPercent int `json:"unconfirmedPercent"`
	UnconfirmedCount   int `json:"unconfirmedCount"`
	SmallPercent       int `json:"smallPercent"`
	SmallCount         int `json:"smallCount"`
	WeekPercent        int `json:"weekPercent"`
	SerialPercent      int `json:"serialPercent"`
	SerialCount        int `json:"serialCount"`
	HardwarePercent    int `json:"hardwarePercent"`
	BlankedPoints      int `json:"blankedPoints"`
	GrownPercent       int `json:"grownPercent"`
}
