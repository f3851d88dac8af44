package cache

import (
	"database/sql/driver"
	"errors"
	"strings"
	"sync"

	"modernc.org/sqlite"
)

// matchFunction compares a folded text with a pattern: LIKE of SQLite ends at a NUL of the value, and needs time without
// bound where a pattern of many stars almost fits a long text.
const matchFunction = "gateway_matches"

// partEnd stands between the parts of a pattern; no filter can hold it.
const partEnd = "\x01"

// registerFunctions makes matchFunction known to every connection that is opened afterwards.
var registerFunctions = sync.OnceValue(func() error { //nolint:gochecknoglobals // the driver keeps one list for the program
	return sqlite.RegisterDeterministicScalarFunction(matchFunction, 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		value, ok := args[0].(string)
		pattern, also := args[1].(string)
		if !ok || !also {
			return nil, errors.New(matchFunction + " compares two texts")
		}
		return matches(value, pattern), nil
	})
})

// matches tells whether the parts of a pattern stand in the value in their order, the first at its beginning and the last at its end.
// Each part is taken where it first fits, so that the time is that of one search through the value.
func matches(value, pattern string) bool {
	first, rest, more := strings.Cut(pattern, partEnd)
	if !more {
		return value == pattern
	}
	value, ok := strings.CutPrefix(value, first)
	if !ok {
		return false
	}
	for {
		part, next, more := strings.Cut(rest, partEnd)
		if !more {
			return strings.HasSuffix(value, part)
		}
		at := strings.Index(value, part)
		if at < 0 {
			return false
		}
		value, rest = value[at+len(part):], next
	}
}
