package jamf

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of a page.
const (
	maxTotal = 1_000_000_000
	maxDepth = 64
)

// List is one of the lists that a sync reads.
type List uint8

// Lists; Computers falls back from v4 over v3 and v2 to v1 on 404.
const (
	Computers    List = iota + 1 // /v4|v3|v2|v1/computers-inventory, sort=id:asc
	MobileDetail                 // /v2/mobile-devices/detail, sort=mobileDeviceId:asc, exception-handling=LENIENT
	MobilePlain                  // /v2/mobile-devices, sort=id:asc
)

// Row is one element of results: exact bytes. Err is set when the element is no strict JSON object (duplicate names,
// invalid UTF-8, deeper than 64) or is larger than 4 MiB; Raw is nil only in the last case.
type Row struct {
	Raw []byte
	Err error
}

// Page is one answer. Total is totalCount.
type Page struct {
	Total   int
	Rows    []Row
	Version string        // of the path that answered: "v4" to "v1" for computers, "v2" for mobile devices
	Elapsed time.Duration // of the successful attempt
	Bytes   int64         // after inflation
}

func (l List) op() string {
	switch l {
	case Computers:
		return "computers"
	case MobileDetail:
		return "mobile_detail"
	default:
		return "mobile_list"
	}
}

// path of a list; version counts for computers only.
func (l List) path(version string) string {
	switch l {
	case Computers:
		return "/" + version + "/computers-inventory"
	case MobileDetail:
		return "/v2/mobile-devices/detail"
	default:
		return "/v2/mobile-devices"
	}
}

func (l List) query(sections []string, page, size int) url.Values {
	q := url.Values{"page": {strconv.Itoa(page)}, "page-size": {strconv.Itoa(size)}}
	switch l {
	case Computers:
		q.Set("sort", "id:asc")
	case MobileDetail:
		q.Set("sort", "mobileDeviceId:asc")
		q.Set("exception-handling", "LENIENT") // STRICT fails the page over one bad device
	default:
		q.Set("sort", "id:asc")
		return q // this list knows no sections
	}
	if len(sections) > 0 {
		q["section"] = sections
	}
	return q
}

func (l List) known() bool { return l >= Computers && l <= MobilePlain }

// Page asks for one page (0-based), with retries within the budget; a timed-out page (ErrTimeout) is not repeated and a
// 500 with Jamf's envelope (ErrServerError) is not repeated either: the caller changes the size. It waits for an open breaker
// up to 15 min. More rows than asked for are ErrSchema, a totalCount that contradicts them is for the caller to judge.
func (w *Walk) Page(ctx context.Context, l List, sections []string, page, size int) (*Page, error) {
	if !l.known() || page < 0 || size <= 0 {
		return nil, &Error{Kind: ErrBadRequest, Op: l.op(), Code: codeBadRequest, Detail: "a page needs a known list, a page from 0 and a size from 1"}
	}
	ctx, span := w.src.startCall(ctx, "jamf page", l.op())
	p, err := w.page(ctx, l, sections, page, size)
	if err != nil {
		endSpan(span, err)
		return nil, err
	}
	endSpan(span, nil)
	return p, nil
}

func (w *Walk) page(ctx context.Context, l List, sections []string, page, size int) (*Page, error) {
	query := l.query(sections, page, size)
	if l != Computers {
		return w.pageAt(ctx, l, "v2", query, size)
	}
	return w.computers(ctx, query, size)
}

func (w *Walk) pageAt(ctx context.Context, l List, version string, query url.Values, size int) (*Page, error) {
	var p *Page
	c := &call{op: l.op(), path: l.path(version), query: query, limit: maxPageBytes, read: func(r io.Reader) error {
		var err error
		p, err = decodePage(r, size)
		return err
	}}
	if err := w.ask(ctx, c); err != nil {
		return nil, err
	}
	p.Version, p.Elapsed = version, c.elapsed
	return p, nil
}

// counter counts what passes.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func notAPage(detail string) *Error {
	return &Error{Kind: ErrSchema, Code: codeUnexpected, Detail: detail}
}

// decodePage reads {"totalCount": N, "results": [...]}: strict outside, so that an answer that is no list is never an
// empty one; lenient inside, so that one bad element costs one element. It stops at the first row beyond size: what is
// small on the wire may unfold to millions of rows.
func decodePage(r io.Reader, size int) (*Page, error) {
	in := &counter{r: r}
	d := jsontext.NewDecoder(newSieve(in, maxRecordBytes), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	p := &Page{}
	if err := readEnvelope(d, p, size); err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		if errors.Is(err, errCap) {
			return nil, err
		}
		return nil, notAPage("the answer goes on after its end")
	}
	p.Bytes = in.n
	return p, nil
}

// readEnvelope reads the outer object; both totalCount and results must be there, once.
func readEnvelope(d *jsontext.Decoder, p *Page, size int) error {
	if d.PeekKind() != '{' {
		return notAnObject(d)
	}
	if _, err := d.ReadToken(); err != nil {
		return syntaxFault(err)
	}
	var total, results bool
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return syntaxFault(err)
		}
		switch name.String() {
		case "totalCount":
			err = once(&total, "totalCount")
			if err == nil {
				p.Total, err = readTotal(d)
			}
		case "results":
			err = once(&results, "results")
			if err == nil {
				p.Rows, err = readRows(d, size)
			}
		default:
			err = d.SkipValue()
		}
		if err != nil {
			return syntaxFault(err)
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return syntaxFault(err)
	}
	if !total || !results {
		return notAPage("the answer lacks totalCount or results: it is no list")
	}
	return nil
}

// notAnObject tells HTML from other things that are no JSON object.
func notAnObject(d *jsontext.Decoder) error {
	_, err := d.ReadToken()
	if errors.Is(err, errCap) {
		return err
	}
	if startsLikeHTML(d.UnreadBuffer()) {
		return &Error{Kind: ErrSchema, Code: codeHTML, Detail: "HTML came where JSON was due: something in front of Jamf answered"}
	}
	return notAPage("the answer is no JSON object")
}

func once(seen *bool, name string) error {
	if *seen {
		return notAPage(name + " stands there twice")
	}
	*seen = true
	return nil
}

// syntaxFault keeps the errors of our own and hides the parser's, which may quote the answer.
func syntaxFault(err error) error {
	if errors.Is(err, errCap) {
		return err
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return notAPage("the answer is truncated or no JSON")
}

func readTotal(d *jsontext.Decoder) (int, error) {
	v, err := d.ReadValue()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	if v.Kind() != '0' || err != nil || n < 0 || n > maxTotal || bytes.HasPrefix(v, []byte("-")) {
		return 0, notAPage("totalCount is no count")
	}
	return int(n), nil
}

func readRows(d *jsontext.Decoder, size int) ([]Row, error) {
	if d.PeekKind() != '[' {
		if err := d.SkipValue(); err != nil {
			return nil, err
		}
		return nil, notAPage("results is no array")
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	rows := []Row{}
	for d.PeekKind() != ']' {
		if len(rows) == size {
			return nil, notAPage("more rows than the page was asked for")
		}
		v, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		rows = append(rows, newRow(v))
	}
	_, err := d.ReadToken()
	return rows, err
}

func newRow(v jsontext.Value) Row {
	if string(v) == oversized {
		return Row{Err: &Error{Kind: ErrTooLarge, Op: "record", Code: codeTooLarge, Detail: "the record is larger than 4 MiB"}}
	}
	return Row{Raw: bytes.Clone(v), Err: checkRecord(v)}
}

// checkRecord tells whether v, which is JSON, is also a strict JSON object that may be kept.
func checkRecord(v jsontext.Value) error {
	fault := func(detail string) error {
		return &Error{Kind: ErrSchema, Op: "record", Code: codeUnexpected, Detail: detail}
	}
	switch {
	case v.Kind() != '{':
		return fault("the record is no JSON object")
	case deeper(v, maxDepth):
		return fault("the record is nested deeper than 64")
	case !v.IsValid():
		return fault("the record has a name twice or invalid UTF-8")
	}
	return nil
}

// deeper tells whether valid JSON is nested deeper than limit.
func deeper(v []byte, limit int) bool {
	depth, inString := 0, false
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
