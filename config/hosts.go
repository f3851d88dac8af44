package config

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Longest host name and longest label of one (RFC 1035, 2.3.4).
const (
	maxHostName = 253
	maxLabel    = 63
)

// hosts reads the names at whose root a source is served, and refuses one that means another source or all of them.
func (d *document) hosts(c *Config, m *mapping, s *Source) {
	list, written := m.values("hosts")
	if written && len(list) == 0 && !d.blamedBelow(m.join("hosts")) {
		d.problem(m.from("hosts"), "is empty; name a host, or leave it out")
	}
	for _, v := range list {
		name, ok := canonicalName(v.text)
		switch {
		case !ok:
			d.problem(v.origin, "must be a host name like jamf-a.example.com, without https://, port and path; with other letters than a to z in its xn-- form")
		case c.PublicURL != "" && name == PublicHost(c):
			d.problem(v.origin, "is the host of public_url, which serves every source; a source needs another name")
		case servedBy(append(c.Sources, *s), name) != "":
			d.problem(v.origin, "%s stands twice, first at source %s", name, servedBy(append(c.Sources, *s), name))
		default:
			s.Hosts = append(s.Hosts, name)
		}
	}
}

// canonicalName is a host name as it is compared: in lower case, without the dot at the end.
func canonicalName(text string) (string, bool) {
	name := strings.TrimSuffix(strings.ToLower(text), ".")
	if _, err := netip.ParseAddr(name); err == nil || len(name) > maxHostName || !hostName.MatchString(name) {
		return "", false
	}
	for label := range strings.SplitSeq(name, ".") {
		if len(label) > maxLabel {
			return "", false
		}
	}
	return name, true
}

// servedBy names the source that has the host; "" = none.
func servedBy(sources []Source, host string) string {
	for _, s := range sources {
		if slices.Contains(s.Hosts, host) {
			return s.Name
		}
	}
	return ""
}

// PublicHost is the host of public_url as it is compared with the Host of a request; "" without one.
func PublicHost(c *Config) string {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
}
