package jamf

import (
	"bytes"
	"io"
)

// Bounds of what a parser is given at once: it keeps a value, a name and the space between two tokens whole in memory.
const (
	maxSpace  = 4 << 10 // of one run of white space outside of strings; more says nothing more
	maxNested = 10_000  // as the parser has it
)

// oversized stands in a page for an element of a list that is larger than a record may be.
const oversized = `"record larger than 4 MiB"`

// sieve hands JSON on as it is, under a bound of memory: an element two levels down (a record in results) that is larger than
// limit bytes comes out as oversized, anything else of that length is errCap, and long white space is cut. What is no JSON stays
// none.
type sieve struct {
	r     io.Reader
	limit int
	err   error // of r; io.EOF too
	in    []byte
	out   bytes.Buffer

	open     []byte // brackets
	inString bool
	escaped  bool
	space    int  // of the run
	outside  int  // bytes since the last bracket or comma, outside of an element
	element  bool // the bytes go to held
	tooLarge bool // and no longer
	held     []byte
}

func newSieve(r io.Reader, limit int) *sieve {
	return &sieve{r: r, limit: limit, in: make([]byte, 32<<10)}
}

// Read implements io.Reader.
func (s *sieve) Read(p []byte) (int, error) {
	for s.out.Len() == 0 {
		if s.err != nil {
			return 0, s.err
		}
		n, err := s.r.Read(s.in)
		for rest := s.in[:n]; len(rest) > 0 && s.err == nil; {
			rest = s.sift(rest)
		}
		if s.err == nil && err != nil {
			s.err = err
			if !s.tooLarge { // what is cut off is shown, so that it is seen
				s.out.Write(s.held)
			}
			s.held = nil
		}
	}
	return s.out.Read(p)
}

// sift takes bytes up to the next place where they go elsewhere, and gives back the rest.
func (s *sieve) sift(in []byte) []byte {
	mark := 0 // behind the last bracket or comma
	for i := 0; i < len(in); {
		if s.inString {
			i += s.siftString(in[i:])
			continue
		}
		c := in[i]
		i++
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			if s.space++; s.space > maxSpace {
				s.put(in[:i-1], mark)
				return in[i:]
			}
			continue
		}
		s.space = 0
		switch c {
		case '"':
			s.inString = true
		case '{', '[':
			if len(s.open) == 2 {
				s.put(in[:i-1], mark)
				in, i, s.element = in[i-1:], 1, true
			}
			s.push(c)
			mark = i
		case '}', ']':
			s.pop(c)
			if mark = i; s.element && len(s.open) == 2 {
				s.put(in[:i], mark)
				s.release()
				return in[i:]
			}
		case ',':
			mark = i
		}
	}
	s.put(in, mark)
	return nil
}

// siftString tells how many of the bytes belong to a string.
func (s *sieve) siftString(in []byte) int {
	switch {
	case s.escaped:
		s.escaped = false
	case in[0] == '\\':
		s.escaped = true
	case in[0] == '"':
		s.inString = false
	default:
		for n, c := range in {
			if c == '"' || c == '\\' {
				return n
			}
		}
		return len(in)
	}
	return 1
}

func (s *sieve) push(c byte) {
	if s.open = append(s.open, c); len(s.open) > maxNested {
		s.fail(notAPage("the answer is truncated or no JSON"))
	}
}

func (s *sieve) pop(c byte) {
	n := len(s.open)
	if n == 0 || s.open[n-1] != c-2 { // ']' is '[' + 2, '}' is '{' + 2
		s.fail(notAPage("the answer is truncated or no JSON"))
		return
	}
	s.open = s.open[:n-1]
}

func (s *sieve) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// release lets an element go on that is whole.
func (s *sieve) release() {
	if s.tooLarge {
		s.out.WriteString(oversized)
	}
	s.out.Write(s.held)
	s.element, s.tooLarge, s.held, s.outside = false, false, s.held[:0], 0
}

// put takes bytes in which the last bracket or comma ends before mark.
func (s *sieve) put(b []byte, mark int) {
	switch {
	case s.tooLarge:
	case s.element && len(s.held)+len(b) > s.limit:
		s.tooLarge, s.held = true, nil
	case s.element:
		s.held = append(s.held, b...)
	default:
		if mark > 0 {
			s.outside = 0
		}
		if s.outside += len(b) - mark; s.outside > s.limit {
			s.fail(errCap)
			return
		}
		s.out.Write(b)
	}
}
