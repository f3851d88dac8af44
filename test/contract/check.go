package contract

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Check tells everything in which an answer differs from the document; nil when it is as described.
func (d *Document) Check(a Answer) error {
	op, described, known := d.find(a.Method, a.Target)
	status := strconv.Itoa(a.Status)
	r, ok := described[status]
	if !ok {
		status = "default"
		if r, ok = described[status]; !ok {
			return fmt.Errorf("%s %s: the status %d is not documented", a.Method, a.Target, a.Status)
		}
	}
	if known && a.Method != http.MethodHead {
		d.see(op, status)
	}
	err := errors.Join(d.checkHeaders(r, a.Header), checkBody(r, a))
	if err != nil {
		return fmt.Errorf("%s %s: %d is not as documented: %w", a.Method, a.Target, a.Status, err)
	}
	return nil
}

// CheckAs holds a JSON body against one schema of the components.
func (d *Document) CheckAs(name string, body []byte) error {
	schema, err := d.schema("/components/schemas/" + escape(name))
	if err != nil {
		return err
	}
	return checkJSON(schema, body)
}

// find chooses the operation of a request; one with fewer parameters in its path is nearer. HEAD is answered as GET.
func (d *Document) find(method, target string) (Operation, operation, bool) {
	path, _, _ := strings.Cut(target, "?")
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var best Operation
	for op := range d.operations {
		if op.Method == method && matches(op.Path, path) &&
			(best.Path == "" || strings.Count(op.Path, "{") < strings.Count(best.Path, "{")) {
			best = op
		}
	}
	if best.Path == "" {
		return Operation{}, d.other, false
	}
	return best, d.operations[best], true
}

func matches(template, path string) bool {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i, w := range want {
		if parameter := strings.HasPrefix(w, "{") && have[i] != ""; !parameter && w != have[i] {
			return false
		}
	}
	return true
}

// transport are the headers that belong to the connection or to the framing and to the content.
func transport(name string) bool {
	return slices.Contains([]string{"Date", "Connection", "Content-Length", "Transfer-Encoding", "Content-Type"}, name)
}

func (d *Document) checkHeaders(r response, have http.Header) error {
	var wrong []error
	documented := map[string]header{}
	for _, list := range []map[string]header{d.everywhere, r.headers} {
		for name, h := range list {
			documented[name] = h
			if h.required && have.Get(name) == "" {
				wrong = append(wrong, fmt.Errorf("the header %s is missing", name))
			}
		}
	}
	for name, values := range have {
		h, ok := documented[name]
		switch {
		case !ok && !transport(name):
			wrong = append(wrong, fmt.Errorf("the header %s is not documented", name))
		case ok && len(values) > 1:
			wrong = append(wrong, fmt.Errorf("the header %s stands %d times", name, len(values)))
		case ok:
			if err := h.check(values[0]); err != nil {
				wrong = append(wrong, fmt.Errorf("the header %s: %w", name, err))
			}
		}
	}
	return errors.Join(wrong...)
}

func (h header) check(value string) error {
	var v any = value
	if n, err := strconv.ParseInt(value, 10, 64); h.number && err == nil {
		v = n
	}
	return valid(h.schema.Validate(v))
}

func checkBody(r response, a Answer) error {
	contentType := a.Header.Get("Content-Type")
	if len(r.content) == 0 {
		if contentType != "" || len(a.Body) > 0 {
			return fmt.Errorf("no content is documented, %d bytes of %q came", len(a.Body), contentType)
		}
		return nil
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("the media type %q: %w", contentType, err)
	}
	schema, ok := r.content[media]
	if !ok {
		schema, ok = r.content[contentType]
	}
	switch {
	case !ok:
		return fmt.Errorf("the media type %s is not documented", contentType)
	case a.Method == http.MethodHead && len(a.Body) > 0:
		return fmt.Errorf("an answer to HEAD has %d bytes", len(a.Body))
	case a.Method == http.MethodHead:
		return nil
	}
	body, err := decoded(a.Header.Get("Content-Encoding"), a.Body)
	if err != nil {
		return err
	}
	if media != "application/json" && !strings.HasSuffix(media, "+json") {
		return valid(schema.Validate(string(body)))
	}
	if err := checkJSON(schema, body); err != nil {
		return err
	}
	if media == "application/problem+json" {
		return sameStatus(body, a.Status)
	}
	return nil
}

func decoded(encoding string, body []byte) ([]byte, error) {
	var r io.Reader
	var err error
	switch encoding {
	case "":
		return body, nil
	case "gzip":
		r, err = gzip.NewReader(bytes.NewReader(body))
	case "zstd":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(bytes.NewReader(body)); err == nil {
			defer d.Close()
		}
		r = d
	default:
		return nil, fmt.Errorf("the encoding %q is unknown", encoding)
	}
	if err == nil {
		body, err = io.ReadAll(r)
	}
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", encoding, err)
	}
	return body, nil
}

func checkJSON(schema *jsonschema.Schema, body []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the body is no JSON: %w", err)
	}
	return valid(schema.Validate(value))
}

// sameStatus holds the status in a problem against that of the answer (RFC 9457, 3.1.2).
func sameStatus(body []byte, status int) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the body is no JSON: %w", err)
	}
	if said := fmt.Sprint(mapping(value)["status"]); said != strconv.Itoa(status) {
		return fmt.Errorf("the problem says status %s", said)
	}
	return nil
}

// valid names the places in which a value is not as its schema wants it.
func valid(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("validate: %w", err)
}
