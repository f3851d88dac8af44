package config

import (
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
)

// clientID is what a client can be called; it is part of logs and of form fields.
var clientID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// defaultClientRate is what no real client comes near: 64 requests at once that take 13 ms each.
const defaultClientRate = 5000

// maxSecrets of one client: the one in use and the next one, while it is being changed.
const maxSecrets = 2

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
	c := Client{ID: id.text, Secrets: d.hashes(m), Profile: m.profile("profile", "", profiles), Passthrough: m.flag("passthrough")}
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

// hashes reads the SHA-256 of each live secret. What was written is never repeated: it may be the secret itself.
func (d *document) hashes(m *mapping) [][32]byte {
	list, _ := m.values("secrets")
	where := m.from("secrets")
	if len(list) == 0 && !d.blamedBelow(where.setting) {
		d.problem(where, "at least one secret is needed: sha256: and 64 hex digits")
	}
	if len(list) > maxSecrets {
		d.problem(where, "at most %d secrets can be live at once", maxSecrets)
	}
	var out [][32]byte
	for _, v := range list {
		digits, ok := strings.CutPrefix(v.text, "sha256:")
		raw, err := hex.DecodeString(digits)
		if !ok || err != nil || len(raw) != 32 {
			d.problem(v.origin, "must be sha256: and the 64 hex digits of the secret's SHA-256, never the secret itself")
			continue
		}
		hash := [32]byte(raw)
		switch hash {
		case [32]byte{}:
			d.warn(v.origin, "is the placeholder of the example: no secret matches it")
		case HashSecret(""), HashSecret("\n"):
			d.warn(v.origin, "is the SHA-256 of an empty text, not of a secret; make one with: jamf-gateway client new")
		}
		if slices.Contains(out, hash) {
			d.problem(v.origin, "stands twice")
		}
		out = append(out, hash)
	}
	return out
}
