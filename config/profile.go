package config

import (
	"maps"
	"slices"
	"strings"
)

// builtinProfiles need no definition and cannot be redefined.
func builtinProfiles() []string {
	return []string{"minimal", "standard", "with-user", "with-software", "full"}
}

// profiles reads the own profiles and returns every name that can be used. Which fields there are is known elsewhere.
func (d *document) profiles(c *Config, root *mapping) []string {
	entries := root.entries("profiles")
	own := slices.Sorted(maps.Keys(entries))
	names := append(builtinProfiles(), own...)
	c.Profiles = map[string]Profile{}
	for _, name := range own {
		m := entries[name]
		here := origin{line: m.line, setting: m.path}
		switch {
		case slices.Contains(builtinProfiles(), name):
			d.problem(here, "is built in and cannot be changed; choose another name")
		case !sourceName.MatchString(name):
			d.problem(here, "the name must be 1 to 32 small letters, digits and dashes, beginning with a letter or digit")
		}
		p := Profile{Extends: m.profile("extends", "", names), Dropped: m.choice("dropped_fields", "", "empty", DroppedOmit)}
		fields, _ := m.values("fields")
		for _, f := range fields {
			if f.text == "" || strings.TrimSpace(f.text) != f.text {
				d.problem(f.origin, "is not the name of a field")
			}
			p.Fields = append(p.Fields, f.text)
			p.Places = append(p.Places, d.describe(f.origin, ""))
		}
		if p.Extends == "" && len(p.Fields) == 0 && !d.blamedBelow(m.path) {
			d.problem(here, "names neither fields nor a profile that it extends")
		}
		m.done()
		c.Profiles[name] = p
	}
	d.circles(c.Profiles, entries)
	return names
}

// circles finds profiles that extend themselves over others.
func (d *document) circles(profiles map[string]Profile, entries map[string]*mapping) {
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		seen := map[string]bool{}
		for at := name; at != "" && !seen[at]; {
			seen[at] = true
			at = profiles[at].Extends
			if at == name {
				d.problem(entries[name].from("extends"), "the profile extends itself")
			}
		}
	}
}

// profile reads the name of a profile.
func (m *mapping) profile(key, fallback string, names []string) string {
	v := m.text(key, fallback)
	if v.text == "" || slices.Contains(names, v.text) {
		return v.text
	}
	text := "there is no profile " + quote(v.text)
	if near := nearest(v.text, names); near != "" {
		text += "; did you mean " + near + "?"
	}
	m.doc.problem(v.origin, "%s", text)
	return fallback
}

func quote(s string) string { return `"` + clip(s) + `"` }
