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

// Record asks for one record by id: computers by /vN/computers-inventory/{id}?section=..., mobile devices by the detail
// list with filter=mobileDeviceId==id (a documented selector; the by-id answers have another shape), mobile plain by
// /v2/mobile-devices/{id}. The answer is a strict JSON object that bears the id.
//
// ErrNotFound only when Jamf itself said 404 to the id: of computers while the list of that version is there; for the detail list, whose
// filter merely shows nothing, after /v2/mobile-devices/{id} said so too.
func (w *Walk) Record(ctx context.Context, l List, sections []string, id int64) ([]byte, error) {
	if !l.known() || id <= 0 {
		return nil, &Error{Kind: ErrBadRequest, Op: "record", Code: codeBadRequest, Detail: "a record needs a known list and a positive id"}
	}
	ctx, span := w.src.startCall(ctx, "jamf record", "record")
	raw, err := w.record(ctx, l, sections, id)
	endSpan(span, err)
	return raw, err
}

func (w *Walk) record(ctx context.Context, l List, sections []string, id int64) ([]byte, error) {
	switch l {
	case Computers:
		query := url.Values{}
		if len(sections) > 0 {
			query["section"] = sections
		}
		return w.computer(ctx, query, id)
	case MobileDetail:
		return w.filtered(ctx, sections, id)
	default:
		return w.recordAt(ctx, l.path(""), nil, id)
	}
}

// ofTheList makes sure that a list which is not there does not look like a device which is gone.
func ofTheList(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || !errors.Is(e, ErrNotFound) {
		return err
	}
	return &Error{Kind: ErrUnavailable, Op: "record", Status: e.Status, Code: codeNotFound, Detail: "the list that holds the record is not there"}
}

// recordAt reads {path}/{id}; the record calls its id "id".
func (w *Walk) recordAt(ctx context.Context, path string, query url.Values, id int64) ([]byte, error) {
	var raw []byte
	c := &call{
		op: opRecord, path: path + "/" + strconv.FormatInt(id, 10), template: path + "/{id}", query: query, limit: maxRecordBytes,
		read: func(r io.Reader) error {
			b, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			if !jsontext.Value(b).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
				return notAPage("the answer is truncated or no JSON")
			}
			if err := checkRecord(b); err != nil {
				return err
			}
			if got, ok := memberID(b, "id"); !ok || got != id {
				return notAPage("the answer does not bear the id that was asked for")
			}
			raw = b
			return nil
		},
	}
	err := w.ask(ctx, c)
	switch {
	case err == nil:
		return raw, nil
	case errors.Is(err, ErrNotFound) && !err.envelope:
		// A 404 that is not Jamf's own is no proof that a device is gone.
		return nil, &Error{
			Kind: ErrUnavailable, Op: "record", Status: err.Status, Code: codeUnexpected,
			Detail: "a 404 without Jamf's envelope: something in front of Jamf answered",
		}
	}
	return nil, err
}

// filtered reads one mobile device in the shape of the detail list.
func (w *Walk) filtered(ctx context.Context, sections []string, id int64) ([]byte, error) {
	const atMost = 2
	query := MobileDetail.query(sections, 0, atMost)
	query.Set("filter", "mobileDeviceId=="+strconv.FormatInt(id, 10))
	var p *Page
	c := &call{op: opRecord, path: MobileDetail.path(""), query: query, limit: 2*maxRecordBytes + maxErrorBytes, read: func(r io.Reader) error {
		var err error
		p, err = decodePage(r, atMost)
		return err
	}}
	if err := w.ask(ctx, c); err != nil {
		return nil, ofTheList(err)
	}
	for _, row := range p.Rows {
		if got, ok := memberID(row.Raw, "mobileDeviceId"); ok && got == id {
			return row.Raw, row.Err
		}
	}
	if len(p.Rows) > 0 {
		for _, row := range p.Rows {
			if row.Err != nil {
				return nil, row.Err // perhaps the one: its id cannot be read
			}
		}
		return nil, &Error{Kind: ErrSchema, Op: "record", Code: codeUnexpected, Detail: "a filter by id brought other records"}
	}
	if _, err := w.recordAt(ctx, MobilePlain.path(""), nil, id); err != nil {
		return nil, err
	}
	return nil, &Error{Kind: ErrSchema, Op: "record", Code: codeUnexpected, Detail: "a device that exists is not shown by the detail list"}
}

// memberID reads a top-level id, a decimal string or a number.
func memberID(raw []byte, name string) (int64, bool) {
	if raw == nil {
		return 0, false
	}
	var members map[string]jsontext.Value
	if json.Unmarshal(raw, &members, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return 0, false
	}
	v := members[name]
	text := string(v)
	if v.Kind() == '"' {
		text = textOf(v)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}
