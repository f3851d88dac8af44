package fakejamf

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shapes writes records: a world and the tables of sections.
type shapes struct {
	world    *world
	computer []computerSection
	mobile   []mobileSection
}

func newShapes(w *world) *shapes {
	return &shapes{world: w, computer: computerSections(), mobile: mobileSections()}
}

// badRequest is a query that Jamf answers with 400.
type badRequest struct{ code, description string }

func bad(code, format string, args ...any) *badRequest {
	return &badRequest{code, fmt.Sprintf(format, args...)}
}

// query is what a list was asked for.
type query struct {
	page, size int
	sorted     bool // the client sent a sort
	sort       []sortKey
	filter     *expr
	version    int
	kind       Kind
}

// window is the part of n rows that the page shows.
func (q *query) window(n int) (from, to int) {
	if q.page > n/q.size {
		return n, n
	}
	from = min(q.page*q.size, n)
	return from, min(from+q.size, n)
}

func (s *Server) readPaging(r *http.Request) (*query, *badRequest) {
	v := r.URL.Query()
	q := &query{}
	for _, p := range [...]struct {
		name    string
		into    *int
		initial int
		least   int
	}{{"page", &q.page, 0, 0}, {"page-size", &q.size, 100, 1}} {
		*p.into = p.initial
		if !v.Has(p.name) {
			continue
		}
		n, err := strconv.Atoi(v.Get(p.name))
		if err != nil || n < p.least {
			return nil, bad("INVALID_REQUEST_PARAMETER_TYPE", "%s must be a number of at least %d", p.name, p.least)
		}
		*p.into = n
	}
	q.size = min(q.size, maxPageSize)
	return q, nil
}

// readList reads what a list was asked for; fallback is the endpoint's own default sort.
func (s *Server) readList(r *http.Request, k Kind, version int, fallback string, filters bool) (*query, *badRequest) {
	q, err := s.readPaging(r)
	if err != nil {
		return nil, err
	}
	v := r.URL.Query()
	q.kind, q.version = k, version
	q.sorted = v.Has("sort") && strings.Join(v["sort"], "") != ""
	asked := []string{fallback}
	if q.sorted {
		asked = v["sort"]
	}
	fields := s.shapes.fields(k, version, filters)
	if q.sort, err = readSort(asked, fields); err != nil {
		return nil, err
	}
	if text := v.Get("filter"); filters && text != "" {
		if q.filter, err = parseFilter(text, fields); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// readSections reads section parameters: repeated or joined by commas, in any case.
func readSections(v url.Values, index func(string) int, general sections) (sections, *badRequest) {
	var want sections
	for _, list := range v["section"] {
		for one := range strings.SplitSeq(list, ",") {
			one = strings.ToUpper(strings.TrimSpace(one))
			if one == "" {
				continue
			}
			i := index(one)
			if i < 0 {
				return 0, bad("INVALID_REQUEST_PARAMETER_TYPE", "section %s is not known", one)
			}
			want |= 1 << i
		}
	}
	if want == 0 {
		want = general
	}
	return want, nil
}

func (s *shapes) computerIndex(version int) func(string) int {
	return func(name string) int {
		return slices.IndexFunc(s.computer, func(c computerSection) bool { return c.name == name && version <= c.to })
	}
}

func (s *shapes) mobileIndex(name string) int {
	return slices.IndexFunc(s.mobile, func(m mobileSection) bool { return m.name == name })
}

const generalOfComputer sections = 1 // GENERAL stands first

func (s *Server) computerList(version int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if d := retired(version); d != "" {
			w.Header().Set("Deprecation", d)
		}
		if s.disturb(w, r, true) {
			return
		}
		want, err := readSections(r.URL.Query(), s.shapes.computerIndex(version), generalOfComputer)
		var q *query
		if err == nil {
			q, err = s.readList(r, Computer, version, "general.name:asc", true)
		}
		if err != nil {
			s.refuse(w, r, http.StatusBadRequest, err.code, err.description)
			return
		}
		s.serveList(w, r, q,
			func(rw row) string {
				if want != generalOfComputer && s.isPoisoned(rw.id) {
					return "-"
				}
				return ""
			},
			func(o *writer, rw row) { s.shapes.computerRecord(o, rw, want, version) })
	}
}

func (s *Server) mobileList(w http.ResponseWriter, r *http.Request) {
	if s.disturb(w, r, true) {
		return
	}
	q, err := s.readList(r, Mobile, 2, "id:asc", false)
	if err != nil {
		s.refuse(w, r, http.StatusBadRequest, err.code, err.description)
		return
	}
	s.serveList(w, r, q, func(row) string { return "" }, s.shapes.mobileSummary)
}

func (s *Server) mobileDetailList(w http.ResponseWriter, r *http.Request) {
	if s.disturb(w, r, true) {
		return
	}
	v := r.URL.Query()
	general := sections(1) << s.shapes.mobileIndex("GENERAL")
	want, err := readSections(v, s.shapes.mobileIndex, general)
	handling := strings.ToUpper(v.Get("exception-handling"))
	if err == nil && handling != "" && handling != "STRICT" && handling != "LENIENT" {
		err = bad("INVALID_REQUEST_PARAMETER_TYPE", "exception-handling must be STRICT or LENIENT")
	}
	var q *query
	if err == nil {
		q, err = s.readList(r, Mobile, 0, "displayName:asc", true)
	}
	if err != nil {
		s.refuse(w, r, http.StatusBadRequest, err.code, err.description)
		return
	}
	breaks := want&(1<<s.shapes.mobileIndex(brokenSection)) != 0
	s.serveList(w, r, q,
		func(rw row) string {
			if breaks && handling != "LENIENT" && s.isBroken(rw.id) {
				return fmt.Sprintf("Unable to process mobile device with id %d", rw.id)
			}
			return ""
		},
		func(o *writer, rw row) { s.shapes.mobileDetail(o, rw, want, s.isBroken(rw.id)) })
}

func (s *Server) isPoisoned(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.poisoned[id]
}

func (s *Server) isBroken(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken[id]
}

// serveList answers one page. fails names what keeps a row from being rendered ("-" for no reason given), write renders it.
func (s *Server) serveList(w http.ResponseWriter, r *http.Request, q *query, fails func(row) string, write func(*writer, row)) {
	n := s.ingress(w, r)
	if rec, ok := w.(*recorder); ok {
		rec.node = n
	}
	rows, total := s.page(n, q)
	if !sleep(r.Context(), time.Duration(len(rows)*s.o.ServerMillisPerRow)*time.Millisecond) {
		return
	}
	for _, rw := range rows {
		switch why := fails(rw); why {
		case "":
		case "-":
			s.refuse(w, r, http.StatusInternalServerError, "", "")
			return
		default:
			s.refuse(w, r, http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", why)
			return
		}
	}
	s.writeList(w, r, rows, total, write)
	s.served(q.kind, len(rows))
}

// flushAt is when the rows written so far go out: memory holds one such piece, however large the page.
const flushAt = 64 << 10

func (s *Server) writeList(w http.ResponseWriter, r *http.Request, rows []row, total int, write func(*writer, row)) {
	body, done := s.open(w, r, http.StatusOK)
	defer done()
	o := &writer{b: make([]byte, 0, flushAt+flushAt/2)}
	o.openObject()
	o.num("totalCount", total)
	o.array("results")
	for _, rw := range rows {
		write(o, rw)
		if len(o.b) < flushAt {
			continue
		}
		if _, err := body.Write(o.b); err != nil {
			return
		}
		o.b = o.b[:0]
	}
	o.closeArray()
	o.closeObject()
	_, _ = body.Write(o.b)
}

// served counts a page and lets the fleet live on.
func (s *Server) served(k Kind, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.PagesServed++
	s.stats.RowsServed += rows
	if !s.o.Mutate {
		return
	}
	for left := s.o.MutateRate; left > 0; left-- {
		if s.dice.chance(left) {
			s.mutateLocked(k)
		}
	}
}

func (s *Server) computerOne(version int, detail bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if d := retired(version); d != "" {
			w.Header().Set("Deprecation", d)
		}
		if s.disturb(w, r, false) {
			return
		}
		want, err := allSections, (*badRequest)(nil)
		if !detail {
			want, err = readSections(r.URL.Query(), s.shapes.computerIndex(version), generalOfComputer)
		}
		if err != nil {
			s.refuse(w, r, http.StatusBadRequest, err.code, err.description)
			return
		}
		rw, ok := s.one(w, r, Computer)
		if !ok {
			return
		}
		if want != generalOfComputer && s.isPoisoned(rw.id) {
			s.refuse(w, r, http.StatusInternalServerError, "", "")
			return
		}
		s.send(w, r, http.StatusOK, func(o *writer) { s.shapes.computerRecord(o, rw, want, version) })
	}
}

func (s *Server) mobileOne(write func(*writer, row)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.disturb(w, r, false) {
			return
		}
		if rw, ok := s.one(w, r, Mobile); ok {
			s.send(w, r, http.StatusOK, func(o *writer) { write(o, rw) })
		}
	}
}

// one finds the device of the path on the request's node, or answers 400 or 404.
func (s *Server) one(w http.ResponseWriter, r *http.Request, k Kind) (row, bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		s.refuse(w, r, http.StatusBadRequest, "INVALID_ID", "id field must be string of positive numeric value or -1")
		return row{}, false
	}
	n := s.ingress(w, r)
	if rec, ok := w.(*recorder); ok {
		rec.node = n
	}
	s.mu.Lock()
	s.settleLocked()
	nd := s.nodes[n]
	_, found := slices.BinarySearch(nd.views[k].ids, id)
	rw := s.kinds[k].at(id, nd.position)
	s.mu.Unlock()
	if !found {
		s.refuse(w, r, http.StatusNotFound, "INVALID_ID", "Resource not found")
	}
	return rw, found
}
