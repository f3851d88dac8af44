// Package rsql reads filters in RSQL, as Jamf Pro takes them. It is the syntax alone: it knows neither devices nor
// which selectors exist, what their values mean, or how they compare.
package rsql

import "strconv"

// Limits of a filter. A text beyond one of them is a SyntaxError.
const (
	MaxText        = 8 << 10 // bytes, of the text and of its canonical spelling
	MaxDepth       = 20      // parentheses inside each other, those of lists not counted
	MaxComparisons = 200
	MaxValues      = 500 // in one list
)

// Op is the operator of a comparison.
type Op uint8

// The operators, with all their spellings; letters may stand in any case.
const (
	Equal          Op = iota + 1 // ==
	NotEqual                     // !=
	Less                         // < =lt=
	LessOrEqual                  // <= =le=
	Greater                      // > =gt=
	GreaterOrEqual               // >= =ge=
	In                           // =in=
	Out                          // =out=
)

// String is the canonical spelling.
func (o Op) String() string {
	switch o {
	case Equal:
		return "=="
	case NotEqual:
		return "!="
	case Less:
		return "=lt="
	case LessOrEqual:
		return "=le="
	case Greater:
		return "=gt="
	case GreaterOrEqual:
		return "=ge="
	case In:
		return "=in="
	case Out:
		return "=out="
	}
	return "Op(" + strconv.Itoa(int(o)) + ")"
}

// Expr is a filter: an And, an Or or a Comparison. Its texts share memory with the text that was parsed.
type Expr interface{ expr() }

// And holds when all its members hold. From Parse it has two members or more, none of which is an And.
type And []Expr

// Or holds when one of its members holds. From Parse it has two members or more, none of which is an Or.
type Or []Expr

// Comparison compares what a selector names with values: In and Out with one or more, the other operators with one.
type Comparison struct {
	Selector string // [A-Za-z][A-Za-z0-9_.]*, as written
	Op       Op
	Values   []Value
	At       int // byte offset of the selector
}

func (And) expr()        {}
func (Or) expr()         {}
func (Comparison) expr() {}

// Value is one argument. An unescaped star stands for any run of characters, in quotes as well; a star after a
// backslash is a star. Text is always Parts joined by stars.
type Value struct {
	Text  string   // without quotes and escapes, stars as written
	Parts []string // the texts between the unescaped stars; one part means that there is no such star
	At    int      // byte offset, of the quote if there is one
}

// SyntaxError tells where and why a text is not a filter.
type SyntaxError struct {
	At      int    // byte offset; the length of the text when something is missing at its end
	Problem string // an English fragment that quotes at most 32 printable characters of the text
}

func (e *SyntaxError) Error() string {
	return "filter, byte " + strconv.Itoa(e.At) + ": " + e.Problem
}

// Selectors lists the comparisons of a filter in the order of its text.
func Selectors(e Expr) []Comparison { return appendComparisons(nil, e) }

func appendComparisons(dst []Comparison, e Expr) []Comparison {
	switch e := e.(type) {
	case And:
		for _, member := range e {
			dst = appendComparisons(dst, member)
		}
	case Or:
		for _, member := range e {
			dst = appendComparisons(dst, member)
		}
	case Comparison:
		dst = append(dst, e)
	}
	return dst
}
