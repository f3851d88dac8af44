package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// sourceName is what a source can be called; it is part of addresses and of file names.
var sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// hostName is a DNS name in lower case, or an IPv4 address.
var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)

var timeOfDay = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

// sources reads every source and what must hold between them.
func (d *document) sources(c *Config, root *mapping, profiles []string) {
	list := root.list("sources", "name")
	if len(list) == 0 && !d.blamed("sources") {
		d.problem(root.at("sources"), "at least one Jamf Pro instance must be configured")
	}
	lines := map[string]int{} // name -> line
	var defaults []origin     // where it says default: true
	for _, m := range list {
		s := d.source(c, m, profiles)
		if first, twice := lines[s.Name]; twice && s.Name != "" {
			d.problem(m.at("name"), "stands twice, first in line %d", first)
		}
		lines[s.Name] = m.at("name").line
		if s.Default {
			defaults = append(defaults, m.from("default"))
		}
		d.budget(c.Sources, s, origin{line: m.line, setting: m.join("limits")})
		c.Sources = append(c.Sources, s)
	}
	if len(defaults) > 1 {
		for _, o := range defaults {
			d.problem(o, "only one source can be the default")
		}
	}
	if len(c.Sources) == 1 {
		c.Sources[0].Default = true
	}
}

// budget checks that the sources on one Jamf host agree about its limits.
func (d *document) budget(before []Source, s Source, o origin) {
	for _, other := range before {
		if s.host() != "" && other.host() == s.host() && other.Limits != s.Limits {
			d.problem(o, "differ from those of source %s on the same host %s: a Jamf host has one budget", other.Name, s.host())
			return
		}
	}
}

// host is the host and port of a source whose URL was accepted.
func (s Source) host() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// source reads one source; c holds those before it.
func (d *document) source(c *Config, m *mapping, profiles []string) Source {
	defer m.done()
	m.setting("name")
	name := m.own("name")
	switch {
	case !name.set && !d.blamed(name.origin.setting):
		d.problem(name.origin, "is missing")
	case name.set && !sourceName.MatchString(name.text):
		d.problem(name.origin, "must be 1 to 32 small letters, digits and dashes, beginning with a letter or digit, not %q", clip(name.text))
	}
	id := m.required("client_id")
	if id.text == placeholderID {
		d.warn(id.origin, placeholderText)
	}
	s := Source{
		Name:                  name.text,
		AllowInsecureLoopback: m.flag("allow_insecure_loopback"),
		ClientID:              id.text,
		Disabled:              m.choice("status", "active", "active", "disabled") == "disabled",
		Default:               m.flag("default"),
		Kinds:                 m.kinds(),
		Profile:               m.profile("profile", "minimal", profiles),
		SkipNames:             !m.flagOr("names", true),
		Sync:                  readSync(m.section("sync"), c.MaxStale),
		Limits:                readLimits(m.section("limits")),
		Guard:                 readGuard(m.section("guard")),
	}
	if u := m.required("url"); u.text != "" {
		var text string
		if s.URL, text = CompleteURL(u.text, s.AllowInsecureLoopback); text != "" {
			d.problem(u.origin, "%s", text)
		} else if u.text != s.URL {
			d.warn(u.origin, "was completed to %q; write it like this", s.URL)
		}
	}
	if s.URL == placeholderURL {
		d.warn(m.from("url"), placeholderText)
	}
	if v := m.required("client_secret"); v.text != "" {
		s.ClientSecret = d.secret(v)
		d.placeFile(c, m, s.ClientSecret)
	}
	s.SecondClient = d.secondClient(c, m, s.ClientID)
	d.hosts(c, m, &s)
	s.Passthrough = d.passthrough(m)
	d.way(m, &s)
	return s
}

// secondClient reads another API client of the same Jamf Pro.
func (d *document) secondClient(c *Config, m *mapping, first string) JamfClient {
	sub := m.section("second_client")
	defer sub.done()
	id, secret := sub.scalar("client_id"), sub.scalar("client_secret")
	switch {
	case !id.set && !secret.set:
		return JamfClient{}
	case id.text == "":
		d.problem(id.origin, "is missing")
	case id.text == first:
		d.problem(id.origin, "is the client_id of the first client; the second must be another API client of Jamf Pro")
	}
	if secret.text == "" {
		d.problem(secret.origin, "is missing")
		return JamfClient{}
	}
	out := JamfClient{ID: id.text, Secret: d.secret(secret)}
	d.placeFile(c, sub, out.Secret)
	return out
}

// placeFile notes where a client_secret that a file holds is written, for warnings of its age.
func (d *document) placeFile(c *Config, m *mapping, s Secret) {
	if s.File() != "" {
		d.place(c, m, "client_secret")
	}
}

// kinds reads which devices are wanted.
func (m *mapping) kinds() []string {
	if out, written := m.some("kinds", "use status: disabled", kindComputer, kindMobile); written {
		return out
	}
	return []string{kindComputer, kindMobile}
}

// blamedBelow tells that the setting or one of its entries has a problem already.
func (d *document) blamedBelow(setting string) bool {
	return slices.ContainsFunc(d.problems, func(p Problem) bool {
		return p.Setting == setting || strings.HasPrefix(p.Setting, setting+"[") || strings.HasPrefix(p.Setting, setting+".")
	})
}

func readSync(m *mapping, maxStale time.Duration) Sync {
	defer m.done()
	at := m.text("at", "")
	if at.text != "" && !timeOfDay.MatchString(at.text) {
		m.doc.problem(at.origin, "must be a time of day like 04:30, not %q", clip(at.text))
	}
	s := Sync{
		Interval: m.duration("interval", 24*time.Hour, 5*time.Minute, 30*24*time.Hour),
		At:       at.text,
		PageSize: m.number("page_size", 800, 50, 2000),
	}
	if s.Interval+s.Interval/4 > maxStale {
		o := m.from("interval")
		if _, written := m.nodes["interval"]; !written && o.variable == "" {
			o = m.doc.maxStale // the interval is the usual one
		}
		m.doc.problem(o, "data is refused when it is older than max_stale (%s): that must be at least 1.25 times the interval of %s",
			showDuration(maxStale), showDuration(s.Interval))
	}
	return s
}

func readLimits(m *mapping) Limits {
	defer m.done()
	return Limits{
		Connections:       m.number("connections", 2, 1, 5),
		RequestsPerSecond: m.rate("requests_per_second", 5, 0.1, 50),
	}
}
