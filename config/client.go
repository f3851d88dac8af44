package config

import (
	"regexp"
	"slices"
)

// clientID is what a client can be called; it is part of logs and of form fields.
var clientID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// defaultClientRate is what no real client comes near: 64 requests at once that take 13 ms each.
const defaultClientRate = 5000

// clients reads everybody who may ask.
func (d *document) clients(c *Config, root *mapping, profiles []string) {
	list := root.list("clients", "id")
	if len(list) == 0 && !d.blamed("clients") {
		d.problem(root.at("clients"), "at least one client must be configured, or nobody could ask")
	}
	var sources []string
	for _, s := range c.Sources {
		sources = append(sources, s.Name)
	}
	lines := map[string]int{}       // id -> line
	owners := map[[32]byte]string{} // hash -> id
	var allowed []origin            // where each says passthrough
	for _, m := range list {
		cl := d.client(m, sources, profiles)
		d.place(c, m, "profile")
		for _, hash := range cl.Secrets {
			if other := owners[hash]; other != "" && other != cl.ID && hash != ([32]byte{}) {
				d.warn(m.from("secrets"), "client %s has the same secret: give each its own", other)
			}
			owners[hash] = cl.ID
		}
		if first, twice := lines[cl.ID]; twice && cl.ID != "" {
			d.problem(m.at("id"), "stands twice, first in line %d", first)
		}
		lines[cl.ID] = m.at("id").line
		if cl.Certificate != (Certificate{}) && c.TLS.ClientCAFile == "" && !d.blamedBelow("tls") {
			d.problem(m.from("certificate"), "needs tls.client_ca_file: without it no client is asked for a certificate")
		}
		allowed = append(allowed, m.from("passthrough"))
		c.Clients = append(c.Clients, cl)
	}
	d.idlePassthrough(c, allowed)
}

// client reads one client.
func (d *document) client(m *mapping, sources, profiles []string) Client {
	defer m.done()
	m.setting("id")
	id := m.own("id")
	switch {
	case !id.set && !d.blamed(id.origin.setting):
		d.problem(id.origin, "is missing")
	case id.set && !clientID.MatchString(id.text):
		d.problem(id.origin, "must be 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit")
	}
	c := Client{ID: id.text, Profile: m.profile("profile", "", profiles), Passthrough: m.flag("passthrough")}
	d.secrets(&c, m)
	d.scope(&c, m)
	c.View = readView(m.section("view"))
	c.OnlyFresh = m.choice("on_stale", "serve", "serve", "fail") == "fail"
	c.RequestsPerSecond = m.rate("requests_per_second", defaultClientRate, 1, 100_000)
	list, ok := m.values("sources")
	if ok && len(list) == 0 && !d.blamedBelow(m.join("sources")) {
		d.problem(m.from("sources"), "is empty; name a source, or leave it out for all of them")
	}
	for _, v := range list {
		switch {
		case !slices.Contains(sources, v.text):
			text := "there is no source " + quote(v.text)
			if near := nearest(v.text, sources); near != "" {
				text += "; did you mean " + near + "?"
			}
			d.problem(v.origin, "%s", text)
		case slices.Contains(c.Sources, v.text):
			d.problem(v.origin, "%s stands twice", v.text)
		default:
			c.Sources = append(c.Sources, v.text)
		}
	}
	return c
}
