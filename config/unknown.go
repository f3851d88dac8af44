package config

import (
	"fmt"
	"slices"
	"strings"
)

// unknown is a key that is no setting where it stands.
type unknown struct {
	m   *mapping
	key string
}

// unknownSettings reports them when every setting that there is has been asked for, so that one that stands in the wrong place is
// told the right one.
func (d *document) unknownSettings() {
	for _, u := range d.unknown {
		o := origin{line: u.m.lines[u.key], setting: u.m.join(clip(u.key))}
		d.problem(o, "unknown setting%s", u.hint())
	}
}

// hint says what was probably meant; "" when nothing comes near.
func (u unknown) hint() string {
	if written := usualMistakes()[u.m.pattern+"."+u.key]; written != "" {
		return "; write " + written
	}
	var places []string
	for _, setting := range u.m.doc.settings {
		place, key, nested := cutLast(setting)
		if !nested {
			key = setting
		}
		if key == u.key && sameEntry(u.m.pattern, place) && !slices.Contains(places, setting) {
			places = append(places, setting)
		}
	}
	switch {
	case len(places) == 1 && places[0] == u.key:
		return " here; it stands at the top of the file"
	case len(places) > 0:
		return " here; it is " + strings.Join(places, ", ")
	}
	if near := nearest(u.key, u.m.known); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}

// usualMistakes are names that other programs have for what is written differently here: pattern of the setting -> how.
func usualMistakes() map[string]string {
	const secrets = "secrets: [sha256:HASH]; jamf-gateway client new makes one"
	return map[string]string{
		"sources[].client_secret_file": "client_secret: file:PATH",
		"sources[].client_secret_env":  "client_secret: env:NAME",
		"sources[].secret":             "client_secret: file:PATH",
		"sources[].id":                 "name: NAME",
		"clients[].client_id":          "id: ID",
		"clients[].name":               "id: ID",
		"clients[].client_secret":      secrets,
		"clients[].client_secret_file": secrets,
	}
}

// sameEntry tells that a setting could have been meant from a place: an entry of a list does not mean what entries of another have.
func sameEntry(from, place string) bool {
	list := func(pattern string) string {
		name, _, in := strings.Cut(pattern, "[]")
		if !in {
			return ""
		}
		return name
	}
	return list(from) == "" || list(place) == "" || list(from) == list(place)
}

func cutLast(setting string) (before, last string, found bool) {
	i := strings.LastIndexByte(setting, '.')
	if i < 0 {
		return "", setting, false
	}
	return setting[:i], setting[i+1:], true
}
