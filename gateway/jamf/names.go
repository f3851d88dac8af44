package jamf

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// NameList is a list that gives ids names.
type NameList string

// The lists of names.
const (
	Departments NameList = "departments" // /v1/departments
	Buildings   NameList = "buildings"   // /v1/buildings
	Sites       NameList = "sites"       // /v1/sites, an array without pages
)

// Rights that give ids names and nothing else.
const (
	ReadDepartments = "Read Departments"
	ReadBuildings   = "Read Buildings"
	ReadSites       = "Read Sites"
)

// Right is what the list needs, "" for one that is none.
func (l NameList) Right() string {
	switch l {
	case Departments:
		return ReadDepartments
	case Buildings:
		return ReadBuildings
	case Sites:
		return ReadSites
	default:
		return ""
	}
}

// namesOnly tells whether a right is useful for names and nothing else.
func namesOnly(right string) bool {
	return right == ReadDepartments || right == ReadBuildings || right == ReadSites
}

// Bounds of a list of names.
const (
	namesPage    = 1000
	maxNames     = 100_000
	maxNameBytes = 1024
	namesRounds  = 2 // a list that changes while it is read is read once more
)

// Names reads a whole list: id -> name. Entries without a positive id or a name of at most 1 KiB are left out. A missing
// right is ErrForbidden, and no failure of the source: nothing is remembered of it.
func (w *Walk) Names(ctx context.Context, l NameList) (map[int64]string, error) {
	if l.Right() == "" {
		return nil, &Error{Kind: ErrBadRequest, Op: "names", Code: codeBadRequest, Detail: "no such list of names"}
	}
	ctx, span := w.src.startCall(ctx, "jamf names", string(l))
	out, err := w.names(ctx, l)
	if err != nil {
		endSpan(span, err)
		return nil, err
	}
	endSpan(span, nil)
	return out, nil
}

func (w *Walk) names(ctx context.Context, l NameList) (map[int64]string, error) {
	if l == Sites {
		var out map[int64]string
		err := w.nameRows(ctx, l, nil, func(r io.Reader) (err error) {
			out, err = decodeNames(r)
			return err
		})
		return out, err
	}
	for range namesRounds {
		out, whole, err := w.pagedNames(ctx, l)
		if err != nil || whole {
			return out, err
		}
	}
	return nil, &Error{Kind: ErrSchema, Op: string(l), Code: codeUnexpected, Detail: "the list has other entries than it counts"}
}

// pagedNames reads a list once. whole tells that it holds as many entries as the last page counts.
func (w *Walk) pagedNames(ctx context.Context, l NameList) (out map[int64]string, whole bool, err error) {
	out = map[int64]string{}
	seen := map[int64]bool{}
	odd := 0 // rows without a readable id
	for page := 0; page*namesPage <= maxNames; page++ {
		var p *Page
		query := url.Values{"page": {strconv.Itoa(page)}, "page-size": {strconv.Itoa(namesPage)}, "sort": {"id:asc"}}
		err := w.nameRows(ctx, l, query, func(r io.Reader) (err error) {
			p, err = decodePage(r, namesPage)
			return err
		})
		if err != nil {
			return nil, false, err
		}
		for _, row := range p.Rows {
			id, name, ok := nameOf(row.Raw)
			switch {
			case !ok:
				odd++
			default:
				seen[id] = true
				addName(out, id, name)
			}
		}
		if len(p.Rows) == 0 || len(seen)+odd >= p.Total {
			return out, len(seen)+odd == p.Total, nil
		}
	}
	return nil, false, tooManyNames(string(l))
}

func tooManyNames(op string) *Error {
	return &Error{Kind: ErrTooLarge, Op: op, Code: codeTooLarge, Detail: "the list has more than 100,000 names"}
}

// nameRows sends one request for a list of names.
func (w *Walk) nameRows(ctx context.Context, l NameList, query url.Values, read func(io.Reader) error) error {
	err := w.ask(ctx, &call{op: string(l), path: "/v1/" + string(l), query: query, limit: maxPageBytes, read: read, optional: true})
	if err != nil {
		return err
	}
	return nil
}

// decodeNames reads an array of objects with id and name.
func decodeNames(r io.Reader) (map[int64]string, error) {
	out := map[int64]string{}
	d := jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if d.PeekKind() != '[' {
		return nil, notAnArray(d)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, syntaxFault(err)
	}
	for n := 0; d.PeekKind() != ']'; n++ {
		v, err := d.ReadValue()
		if err != nil {
			return nil, syntaxFault(err)
		}
		if n == maxNames {
			return nil, tooManyNames(string(Sites))
		}
		if id, name, ok := nameOf(v); ok {
			addName(out, id, name)
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, syntaxFault(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, notAPage("the answer goes on after its end")
	}
	return out, nil
}

func notAnArray(d *jsontext.Decoder) error {
	if err := notAnObject(d); !errors.Is(err, ErrSchema) || asError("", err).Code == codeHTML {
		return err
	}
	return notAPage("the answer is no array")
}

func addName(out map[int64]string, id int64, name string) {
	if name != "" && len(name) <= maxNameBytes {
		out[id] = name
	}
}

// nameOf reads id and name of one entry; ok tells that it has an id. The entry must be strict JSON.
func nameOf(raw []byte) (id int64, name string, ok bool) {
	var e struct {
		ID   jsontext.Value `json:"id"`
		Name jsontext.Value `json:"name"`
	}
	if raw == nil || json.Unmarshal(raw, &e) != nil {
		return 0, "", false
	}
	text := string(e.ID)
	if e.ID.Kind() == '"' {
		text = textOf(e.ID)
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != text {
		return 0, "", false
	}
	return id, textOf(e.Name), true
}
