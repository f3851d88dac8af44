package config

import (
	"slices"
	"strings"
)

// Bounds of a list of a view.
const (
	maxViewValues = 200
	maxViewValue  = 200 // bytes
	keep          = "keep"
)

// readView reads which devices a client is shown.
func readView(m *mapping) View {
	defer m.done()
	word := func(key string, words ...string) string {
		if v := m.choice(key, keep, append([]string{keep}, words...)...); v != keep {
			return v
		}
		return ""
	}
	return View{
		Names: word("names", "serial", "strip_owner", "pseudonym"), Users: word("users", "drop", "pseudonym"), DropSentinels: word("sentinels", "drop") != "",
		ManagedOnly: m.flag("managed_only"), NoBYOD: m.flag("no_byod"), WithSerial: m.flag("with_serial"),
		Sites: m.viewValues("sites"), Groups: m.viewValues("groups"), Prefixes: m.viewValues("prefixes"),
		NewestDuplicate: m.choice("duplicates", "all", "all", "newest") == "newest",
	}
}

// viewValues reads names of which one must hold. None at all is a list that was not written: an empty one would show nothing.
func (m *mapping) viewValues(key string) (out []string) {
	list, written := m.values(key)
	where := m.from(key)
	if written && len(list) == 0 && !m.doc.blamedBelow(m.join(key)) {
		m.doc.problem(where, "is empty; name something, or leave it out to show all devices")
	}
	if len(list) > maxViewValues {
		m.doc.problem(where, "at most %d can be named", maxViewValues)
	}
	for _, v := range list {
		switch {
		case v.text == "" || strings.TrimSpace(v.text) != v.text:
			m.doc.problem(v.origin, "must be a name without blanks around it")
		case len(v.text) > maxViewValue:
			m.doc.problem(v.origin, "is longer than %d bytes", maxViewValue)
		case slices.ContainsFunc(out, func(have string) bool { return strings.EqualFold(have, v.text) }):
			m.doc.problem(v.origin, "%s stands twice", v.text)
		default:
			out = append(out, v.text)
		}
	}
	return out
}
