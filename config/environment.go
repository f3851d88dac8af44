package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// prefix begins every environment variable of the gateway.
const prefix = "JAMF_GATEWAY_"

// AdminTokenVariable holds the admin token for commands that talk to a running gateway. It is no setting.
const AdminTokenVariable = prefix + "ADMIN_TOKEN"

// variableName is the variable of a setting: its path in upper case, everything that is no letter or digit as _.
// Entries of lists are addressed by their name or id: sources.schule-a.url is JAMF_GATEWAY_SOURCES_SCHULE_A_URL.
func variableName(path string) string {
	return prefix + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, path)
}

// variable reads the environment variable of a setting.
func (m *mapping) variable(key string) (value, bool) {
	setting := m.join(key)
	name := variableName(setting)
	other, taken := m.doc.asked[name]
	if !taken {
		m.doc.asked[name] = setting
	}
	text, ok := m.doc.env[name]
	if !ok {
		return value{}, false
	}
	o := origin{variable: name, setting: setting}
	if taken && other != setting {
		m.doc.problem(o, "the variable means %s as well; rename one of the two", other)
	}
	return value{text: text, origin: o, set: true}, true
}

// mention notes a variable that a secret refers to: it is not unknown.
func (d *document) mention(name string) { d.mentions[name] = true }

// unknownVariables reports variables with our prefix that set nothing: most are misspelled.
func (d *document) unknownVariables() {
	for _, name := range slices.Sorted(maps.Keys(d.env)) {
		if !strings.HasPrefix(name, prefix) || name == AdminTokenVariable || d.mentions[name] || d.asked[name] != "" || kubernetes(name) {
			continue
		}
		text := "no setting has this variable"
		if near := nearest(name, slices.Sorted(maps.Keys(d.asked))); near != "" {
			text += "; did you mean " + near + "?"
		}
		d.problem(origin{variable: clip(name)}, "%s", text)
	}
}

// kubernetes tells the variables that it sets in every pod of a namespace with a Service named jamf-gateway.
func kubernetes(name string) bool {
	rest := strings.TrimPrefix(name, prefix)
	return rest == "PORT" || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_")
}

// nearest finds the name that was probably meant; "" when none is near.
func nearest(name string, names []string) string {
	if len(name) > 100 {
		return ""
	}
	best, least := "", 3
	if len(name) < 4 {
		least = min(2, len(name)) // of one letter nothing is left when it is changed
	}
	for _, candidate := range names {
		if n := distance(strings.ToLower(name), strings.ToLower(candidate)); n < least {
			best, least = candidate, n
		}
	}
	return best
}

// ByNearness are the names, the one that comes nearest to a name first: for lists of what there is instead of it.
func ByNearness(name string, names []string) []string {
	name = strings.ToLower(name[:min(len(name), 100)])
	out := slices.Sorted(slices.Values(names))
	slices.SortStableFunc(out, func(a, b string) int {
		return cmp.Compare(distance(name, strings.ToLower(a)), distance(name, strings.ToLower(b)))
	})
	return out
}

// distance is Levenshtein's, over bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
