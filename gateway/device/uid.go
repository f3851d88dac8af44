package device

import (
	"fmt"
	"strconv"
	"strings"
)

// maxSourceName is the longest name of a source.
const maxSourceName = 32

// UID is source:kind:jamfId.
func UID(source string, k Kind, id int64) string {
	return source + ":" + string(k) + ":" + strconv.FormatInt(id, 10)
}

// ParseUID is the inverse of UID: it accepts exactly what UID writes for a source
// name ([a-z0-9][a-z0-9-]{0,31}) and a positive id.
func ParseUID(uid string) (source string, k Kind, id int64, err error) {
	source, rest, found := strings.Cut(uid, ":")
	kind, number, found2 := strings.Cut(rest, ":")
	if !found || !found2 {
		return "", "", 0, fmt.Errorf("read uid: want source:kind:id")
	}
	if !validSourceName(source) {
		return "", "", 0, fmt.Errorf("read uid: the source is not a source name")
	}
	k = Kind(kind)
	if k != Computer && k != Mobile {
		return "", "", 0, fmt.Errorf("read uid: the kind is neither %s nor %s", Computer, Mobile)
	}
	id, ok := parseID(number)
	if !ok {
		return "", "", 0, fmt.Errorf("read uid: the id is not a positive decimal number")
	}
	return source, k, id, nil
}

func validSourceName(s string) bool {
	if s == "" || len(s) > maxSourceName || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// parseID reads a positive decimal number without sign or leading zero, so that
// every id has one spelling.
func parseID(s string) (int64, bool) {
	if s == "" || s[0] < '1' || s[0] > '9' {
		return 0, false
	}
	id, err := strconv.ParseInt(s, 10, 64)
	return id, err == nil
}
