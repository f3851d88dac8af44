package config

import (
	"encoding/hex"
	"slices"
	"strings"
)

// Words of a client's Endpoints.
const (
	EndpointNormalized = "normalized" // /v1
	EndpointFacade     = "facade"     // Jamf's own API, with what its sources pass on
)

// scope reads which parts of the gateway a client may use, and which kinds of devices it is shown.
func (d *document) scope(c *Client, m *mapping) {
	c.Networks = m.prefixes("networks")
	c.Certificate = m.certificate("certificate")
	c.Kinds, _ = m.some("kinds", "leave it out for both", kindComputer, kindMobile)
	c.Endpoints, _ = m.some("endpoints", "leave it out for both", EndpointFacade, EndpointNormalized)
	if c.Passthrough && c.Endpoints != nil && !slices.Contains(c.Endpoints, EndpointFacade) && !d.blamedBelow(m.join("endpoints")) {
		d.problem(m.from("endpoints"), "passthrough: true needs facade among them: the paths stand below Jamf's API")
	}
}

// some reads a list of one or both of two words, sorted; written is false when it does not stand there. instead is what to do in place of an
// empty list.
func (m *mapping) some(key, instead, one, other string) (out []string, written bool) {
	list, written := m.values(key)
	if !written {
		return nil, false
	}
	if len(list) == 0 && !m.doc.blamedBelow(m.join(key)) {
		m.doc.problem(m.from(key), "is empty; name %s or %s, or %s", one, other, instead)
	}
	for _, v := range list {
		switch {
		case v.text != one && v.text != other:
			m.doc.problem(v.origin, "must be %s or %s, not %q", one, other, clip(v.text))
		case slices.Contains(out, v.text):
			m.doc.problem(v.origin, "%s stands twice", v.text)
		default:
			out = append(out, v.text)
		}
	}
	slices.Sort(out)
	return out, true
}

// certificate reads which certificate is meant. A fingerprint may be written as openssl prints it, with colons.
func (m *mapping) certificate(key string) (c Certificate) {
	v := m.scalar(key)
	if !v.set {
		return c
	}
	word, rest, _ := strings.Cut(v.text, ":")
	raw, err := hex.DecodeString(strings.ReplaceAll(rest, ":", ""))
	name := strings.ToLower(rest)
	switch {
	case word == "sha256" && err == nil && len(raw) == len(c.Fingerprint) && [32]byte(raw) != [32]byte{}:
		c.Fingerprint = [32]byte(raw)
	case word == "dns" && hostName.MatchString(name):
		c.DNS = name
	default:
		m.doc.problem(v.origin, "must be sha256: and the 64 hex digits of the certificate's fingerprint, or dns: and a name that stands in it, not %q", clip(v.text))
	}
	return c
}
