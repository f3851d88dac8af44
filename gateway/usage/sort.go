package usage

import "strings"

// orders are the names of a sort with their directions: "id asc".
func orders(sort string) []string {
	var out []string
	for item := range strings.SplitSeq(sort, ",") {
		name, direction, directed := strings.Cut(strings.TrimSpace(item), ":")
		if name == "" || len(out) == maxOthers {
			continue
		}
		order := selectorOrOther(name)
		switch direction = strings.ToLower(direction); {
		case direction == "asc" || direction == "desc":
			order += " " + direction
		case directed:
			order += " " + otherWord
		}
		out = append(out, order)
	}
	return out
}
