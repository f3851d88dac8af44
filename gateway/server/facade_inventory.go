package server

import (
	"context"
	"fmt"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/usage"
)

// facadeList is one list of Jamf's API as the façade serves it.
type facadeList struct {
	kind          device.Kind
	shape         device.Shape
	sections      bool // takes section parameters
	ignoresFilter bool // Jamf's document knows no filter here, and Jamf ignores one
}

// facadeRecord is one way to ask Jamf's API for a single device.
type facadeRecord struct {
	kind     device.Kind
	shape    device.Shape
	sections bool // takes section parameters; otherwise all sections are shown
}

// facadePath is one path of the inventory: a list or a single device.
type facadePath struct {
	path       string // below a base
	list       *facadeList
	record     *facadeRecord
	deprecated string
}

// facadeInventory is every path under which the façade serves devices.
func facadeInventory() []facadePath {
	const computer, mobile = device.Computer, device.Mobile
	var out []facadePath
	for _, v := range computerVersions() {
		out = append(out,
			facadePath{v.path + "/computers-inventory", &facadeList{kind: computer, shape: v.shape, sections: true}, nil, v.deprecated},
			facadePath{v.path + "/computers-inventory/{id}", nil, &facadeRecord{kind: computer, shape: v.shape, sections: true}, v.deprecated},
			facadePath{v.path + "/computers-inventory-detail/{id}", nil, &facadeRecord{kind: computer, shape: v.shape}, v.deprecated})
	}
	return append(out,
		facadePath{path: "/v2/mobile-devices", list: &facadeList{kind: mobile, shape: device.MobileSummary, ignoresFilter: true}},
		facadePath{path: "/v2/mobile-devices/detail", list: &facadeList{kind: mobile, shape: device.MobileDetail, sections: true}},
		facadePath{path: "/v2/mobile-devices/{id}", record: &facadeRecord{kind: mobile, shape: device.MobileSummary}},
		facadePath{path: "/v2/mobile-devices/{id}/detail", record: &facadeRecord{kind: mobile, shape: device.MobileByID}})
}

// facadeSource is the source of a façade request: the one of the prefix or the host, or the default one at the root. A token is good
// below the sources that its client may see and nowhere else, as a token of another Jamf would be; which sources
// exist besides cannot be told apart.
func (s *Server) facadeSource(c *fiber.Ctx) (string, *fault) {
	x := exchangeOf(c)
	name := x.base.source
	if name == "" {
		return "", &fault{code: codeNotFound}
	}
	if !x.caller.sees(name) {
		return "", &fault{code: codeInvalidToken, asked: name}
	}
	x.source = name
	return name, nil
}

// facadeReading opens the one series of a façade request.
func (s *Server) facadeReading(c *fiber.Ctx, kind device.Kind, st step) (*reading, error) {
	name, f := s.facadeSource(c)
	if f != nil {
		return nil, f
	}
	x := exchangeOf(c)
	sc, ok := x.caller.scope(name, kind)
	if !ok {
		return nil, &fault{code: codeKindDisabled, source: name}
	}
	st.at = x.base.at
	r, err := s.read(x, []scope{sc}, st)
	if err != nil {
		return nil, err
	}
	if f := r.refuse(s.o.Now(), false); f != nil {
		r.release()
		return nil, f
	}
	return r, nil
}

// facadeList serves one page of a list, in its order, from the caller's run.
func (s *Server) facadeList(l facadeList) fiber.Handler {
	return func(c *fiber.Ctx) error {
		q, f := parseJamfQuery(rawQuery(c), l)
		x := exchangeOf(c)
		x.sees(l.kind, q.asked.size, q.asked.sections, q.question)
		if f != nil {
			return f
		}
		endpoint := "facade list " + strconv.Itoa(int(l.shape))
		list := fmt.Sprintf("sections=%x %s", uint64(q.sections), q.question.canonical())
		r, err := s.facadeReading(c, l.kind, q.step(newListID(endpoint, list+" size="+strconv.Itoa(q.size))))
		if err != nil {
			return err
		}
		defer r.release()
		sr := r.concerned[0]
		ctx, cancel := x.deadline()
		defer cancel()
		rows, f := s.rows(ctx, q.question, sr)
		switch {
		case f != nil && f.code == codeRemapping && q.page > 0:
			return &fault{code: codeListExpired, source: sr.Source} // the walk was begun by another release
		case f != nil:
			return f
		}
		x.seen.Walk = usage.Step{Series: sr.Source, Size: q.size, Page: q.page, Total: rows.count}
		offset, shown, tooLarge := pageWindow(rows.count, q.page, q.size, x.rules.maxPageSize)
		if tooLarge {
			return &fault{code: codePageSize, field: "page-size", detail: fmt.Sprintf("page-size can be %d at most.", x.rules.maxPageSize)}
		}
		r.rows, x.reads = shown, sr.pageOf(shown, audit.List{ID: string(newListID("", q.question.canonical())), From: offset, Of: rows.count})
		key := cache.Key{
			Generations: r.refs(), Policy: sr.scope.view(), Endpoint: endpoint,
			Query: fmt.Sprintf("offset=%d rows=%d %s", offset, shown, list),
		}
		return s.answer(c, r, key, func(ctx context.Context) ([]byte, error) {
			return renderJamfPage(ctx, sr, rows, l.shape, q.sections, offset, shown)
		})
	}
}

// renderJamfPage is {"totalCount": N, "results": [...]}. Fewer rows than the generation has there is an error, not a
// short page.
func renderJamfPage(ctx context.Context, sr *series, list rows, shape device.Shape, sections device.Sections, offset, rows int) ([]byte, error) {
	body := append([]byte(nil), `{"totalCount":`...)
	body = strconv.AppendInt(body, int64(list.count), 10)
	body = append(body, `,"results":[`...)
	if rows == 0 {
		return append(body, `]}`...), nil
	}
	records, err := list.records(ctx, sr.generation, offset, rows)
	if err != nil {
		return nil, fmt.Errorf("read page of %s %s: %w", sr.Source, sr.Kind, err)
	}
	if len(records) != rows {
		return nil, fmt.Errorf("read page of %s %s: %d of %d rows: %w", sr.Source, sr.Kind, len(records), rows, cache.ErrCorrupt)
	}
	for i, record := range records {
		if i > 0 {
			body = append(body, ',')
		}
		if body, err = device.AppendJamf(body, shape, sections, sr.profile, record.Body); err != nil {
			return nil, fmt.Errorf("render device of %s %s: %w", sr.Source, sr.Kind, err)
		}
	}
	return append(body, `]}`...), nil
}

// facadeRecord serves one device by id.
func (s *Server) facadeRecord(fr facadeRecord) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id, f := jamfID(c.Params("id"))
		if f != nil {
			return f
		}
		sections := device.AllSections(fr.shape)
		if fr.sections {
			values, f := queryValues(rawQuery(c), maxJamfValue)
			if f != nil {
				return f
			}
			if sections, f = jamfSections(fr.shape, values["section"]); f != nil {
				return f
			}
			if values.Has("section") {
				exchangeOf(c).sees(fr.kind, 0, sections, question{})
			}
		}
		r, err := s.facadeReading(c, fr.kind, step{ask: askOne})
		if err != nil {
			return err
		}
		defer r.release()
		sr := r.concerned[0]
		key := cache.Key{
			Generations: r.refs(), Policy: sr.scope.view(), Endpoint: "facade record " + strconv.Itoa(int(fr.shape)),
			Query: fmt.Sprintf("sections=%x id=%d", uint64(sections), id),
		}
		exchangeOf(c).reads = []audit.Read{sr.readOf(1)}
		err = s.answer(c, r, key, func(ctx context.Context) ([]byte, error) {
			record, err := sr.record(ctx, id)
			if err != nil {
				return nil, fmt.Errorf("read device of %s %s: %w", sr.Source, sr.Kind, err)
			}
			return device.AppendJamf(nil, fr.shape, sections, sr.profile, record.Body)
		})
		return r.unknownWhileStale(err, s)
	}
}
