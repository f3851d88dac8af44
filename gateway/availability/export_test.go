package availability

// Bounds and the parser of lines, for tests.
const (
	MaxDay  = maxDay
	MaxLine = maxLine
)

// Parse reads one line.
func Parse(line []byte) (Entry, bool) { return parse(line) }
