package main

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
)

// hostLabel finds the hosts that metrics name.
func hostLabel() *regexp.Regexp { return regexp.MustCompile(`(?:server_address|host_name)="([^"]+)"`) }

// settingsSeen is what of the settings may be passed on. It is made member by member: a setting that is new stands in no file
// until somebody has thought about it.
type settingsSeen struct {
	Listen        string                 `json:"listen"` // loopback, every interface, one interface, off; and the port
	AdminListen   string                 `json:"adminListen"`
	MetricsListen string                 `json:"metricsListen"`
	TLS           string                 `json:"tls"` // off, files, authority
	AskedFor      bool                   `json:"clientCertificates"`
	Proxies       int                    `json:"trustedProxies"`
	InsecureHTTP  bool                   `json:"insecureHttp"`
	PublicURL     string                 `json:"publicUrl"` // none, or its scheme and path
	MaxPageSize   int                    `json:"maxPageSize"`
	MaxStale      string                 `json:"maxStale"`
	SecretMaxAge  string                 `json:"secretMaxAge"`
	DeletedKept   string                 `json:"deletedDevicesKept"`
	AuditKept     string                 `json:"auditKept"`
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
	Ending      int      `json:"endingSecrets"`
	Sources     []string `json:"sources"`     // null = all
	Kinds       []string `json:"kinds"`       // null = all
	Endpoints   []string `json:"endpoints"`   // null = both
	Networks    int      `json:"networks"`    // 0 = from anywhere
	Certificate string   `json:"certificate"` // none, fingerprint, name
	Profile     string   `json:"profile"`
	Passthrough bool     `json:"passthrough"`
	OnlyFresh   bool     `json:"onlyFresh"`
	PerSecond   float64  `json:"requestsPerSecond"`
	View        []string `json:"view"` // reasons for which devices are left out, without the names that let one in
	Names       string   `json:"names"`
	Users       string   `json:"users"`
	Sentinels   bool     `json:"dropSentinels"`
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
		Listen: seenListen(c.Listen), AdminListen: seenListen(c.AdminListen), MetricsListen: seenListen(c.MetricsListen), TLS: seenTLS(c.TLS), AskedFor: c.TLS.ClientCAFile != "",
		Proxies: len(c.TrustedProxies), SecretMaxAge: c.SecretMaxAge.String(), DeletedKept: c.Retention.DeletedDevices.String(), AuditKept: c.Audit.Keep.String(),
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
		out.Clients = append(out.Clients, seenClient(client))
	}
	for name, p := range c.Profiles {
		out.Profiles[name] = profileSeen{p.Extends, p.Dropped, p.Fields}
	}
	return out
}

func seenClient(c config.Client) clientSeen {
	out := clientSeen{
		ID: c.ID, Secrets: len(c.Secrets), Sources: c.Sources, Kinds: c.Kinds, Endpoints: c.Endpoints, Networks: len(c.Networks), Certificate: "none", Profile: c.Profile,
		Passthrough: c.Passthrough, OnlyFresh: c.OnlyFresh, PerSecond: c.RequestsPerSecond, View: []string{}, Names: c.View.Names, Users: c.View.Users, Sentinels: c.View.DropSentinels,
	}
	for _, terms := range c.Terms {
		if !terms.Expires.IsZero() {
			out.Ending++
		}
	}
	switch {
	case c.Certificate.DNS != "":
		out.Certificate = "name"
	case c.Certificate != config.Certificate{}:
		out.Certificate = "fingerprint"
	}
	for _, v := range gateway.LeftOut(c.View) {
		out.View = append(out.View, string(v.Reason))
	}
	return out
}

func seenTLS(t config.TLS) string {
	switch {
	case !t.On():
		return "off"
	case len(t.ACME.Hosts) > 0:
		return "authority"
	}
	return "files"
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
