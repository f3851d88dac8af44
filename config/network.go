package config

import (
	"net/netip"
	"slices"
)

// prefixes reads addresses and networks; nil when the setting does not stand there.
func (m *mapping) prefixes(key string) (out []netip.Prefix) {
	list, written := m.values(key)
	if written && len(list) == 0 && !m.doc.blamedBelow(m.join(key)) {
		m.doc.problem(m.from(key), "is empty; name a network like 10.20.0.0/16, or leave it out")
	}
	for _, v := range list {
		p, err := netip.ParsePrefix(v.text)
		if a, single := netip.ParseAddr(v.text); single == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		switch {
		case err != nil || p.Addr().Is4In6():
			m.doc.problem(v.origin, "must be an address or a network like 10.20.0.0/16, not %q", clip(v.text))
		case p != p.Masked():
			m.doc.problem(v.origin, "%s has bits beyond its length; write %s", clip(v.text), p.Masked())
		case p.Bits() == 0:
			m.doc.problem(v.origin, "%s is everybody: name the networks that are meant", v.text)
		case slices.Contains(out, p):
			m.doc.problem(v.origin, "%s stands twice", v.text)
		default:
			out = append(out, p)
		}
	}
	return out
}
