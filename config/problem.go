package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with the settings. It never holds a secret.
type Problem struct {
	File     string // as given to Load or Parse
	Line     int    // 0 = the problem has no line of its own
	Variable string // the environment variable that set the value, "" = the file did
	Setting  string // "sources.schule-a.url"; "" = the file as a whole
	Text     string
}

// String is "gateway.yaml:12: listen: text", or "JAMF_GATEWAY_LISTEN: listen: text" for a value of the environment.
func (p Problem) String() string {
	var b strings.Builder
	switch {
	case p.Variable != "":
		b.WriteString(p.Variable)
	case p.Line > 0:
		fmt.Fprintf(&b, "%s:%d", p.File, p.Line)
	default:
		b.WriteString(p.File)
	}
	b.WriteString(": ")
	if p.Setting != "" {
		b.WriteString(p.Setting + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// InvalidError is every problem of the settings, in the order of their lines. Retrying does not help.
type InvalidError struct{ Problems []Problem }

// Error lists the problems, one a line.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// UnreadableError says that there are no settings to look at: the file is absent, closed to this user, or too large.
type UnreadableError struct {
	Path string
	Err  error
}

// errTooLarge is the Err of a file that no person has written.
var errTooLarge = errors.New("the file is larger than 1 MiB")

// Error names the file and what is the matter with it.
func (e *UnreadableError) Error() string {
	if errors.Is(e.Err, errTooLarge) {
		return "read the settings: " + e.Path + " is larger than 1 MiB"
	}
	return "read the settings: " + e.Err.Error()
}

// German is Error in German; a reason of the operating system that has no German sentence stays as it is.
func (e *UnreadableError) German() string {
	why := ": " + e.Err.Error()
	switch {
	case errors.Is(e.Err, fs.ErrNotExist):
		why = " gibt es nicht"
	case errors.Is(e.Err, fs.ErrPermission):
		why = " darf dieser Benutzer nicht lesen"
	case errors.Is(e.Err, errTooLarge):
		why = " ist größer als 1 MiB"
	}
	return "Einstellungen lesen: " + e.Path + why
}

// Unwrap is the reason.
func (e *UnreadableError) Unwrap() error { return e.Err }

// origin is where a value comes from.
type origin struct {
	line     int
	variable string
	setting  string
}

func (d *document) describe(o origin, format string, args ...any) Problem {
	return Problem{File: d.name, Line: o.line, Variable: o.variable, Setting: o.setting, Text: fmt.Sprintf(format, args...)}
}

func (d *document) problem(o origin, format string, args ...any) {
	d.problems = append(d.problems, d.describe(o, format, args...))
}

func (d *document) warn(o origin, format string, args ...any) {
	d.warnings = append(d.warnings, d.describe(o, format, args...))
}

// inOrder sorts by line; what has none follows, by name.
func inOrder(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(
			compareBool(a.Line == 0, b.Line == 0),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Variable, b.Variable),
		)
	})
	return ps
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
