package config

// Settings lists every setting that can be written, as patterns: "sources[].url", "profiles.NAME.fields".
func Settings(data []byte) []string {
	d := newDocument("settings", ".", nil)
	_, _ = d.config(data)
	return d.settings
}

// ParseDuration, ParseSize and VariableName are tested for themselves.
var (
	ParseDuration = parseDuration
	ShowDuration  = showDuration
	ParseSize     = parseSize
	ShowSize      = showSize
	VariableName  = variableName
)

// RefusedPath says why a path is never passed on.
func RefusedPath(path string) string { return refusedPath(path) }
