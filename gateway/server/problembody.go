package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/valyala/fasthttp"

	"jamf-gateway/gateway/catalogue"
)

// problem is RFC 9457 with a stable code and the catalogue's sentences.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	Action    string `json:"action"`
	Parameter string `json:"parameter,omitempty"`
	Source    string `json:"source,omitempty"`
	Reason    string `json:"reason,omitempty"`

	Refused *Warning `json:"refused,omitempty"` // of settings_refused

	RequestID string `json:"requestId"`
	TraceID   string `json:"traceId,omitempty"`
}

// sentences is what the catalogue says of a code: title, cause, action.
func sentences(code string) (title, cause, action string) {
	e, ok := catalogue.Lookup(code)
	if !ok {
		return strings.ReplaceAll(code, "_", " "), "", ""
	}
	return e.Title.EN, e.Cause.EN, e.Action.EN
}

func (f *fault) text(cause string) string {
	if f.detail != "" {
		return f.detail
	}
	return cause
}

func writeProblem(rc *fasthttp.RequestCtx, x *exchange, status int, f *fault) {
	title, cause, _ := sentences(f.code)
	body, err := marshal(problem{
		Type: "urn:jamf-gateway:problem:" + f.code, Title: title, Status: status, Detail: f.text(cause), Code: f.code,
		Action: f.action(), Parameter: f.field, Source: f.source, Reason: f.reason, Refused: f.refused, RequestID: x.id, TraceID: x.traceID(),
	})
	if err != nil {
		body = []byte(`{"type":"about:blank","status":500,"code":"internal"}`)
	}
	rc.Response.Header.SetContentType("application/problem+json")
	rc.Response.SetBodyRaw(body)
}

// envelope is the error body of the Jamf Pro API.
type envelope struct {
	HTTPStatus int             `json:"httpStatus"`
	Errors     []envelopeCause `json:"errors"`
}

type envelopeCause struct {
	Code        string  `json:"code"`
	Description string  `json:"description"`
	ID          string  `json:"id"`
	Field       *string `json:"field"`
}

func writeEnvelope(rc *fasthttp.RequestCtx, status int, f *fault) {
	cause := envelopeCause{Code: jamfCode(status), Description: jamfDescription(f), ID: "0"}
	if f.field != "" {
		cause.Field = &f.field
	}
	body, err := marshal(envelope{HTTPStatus: status, Errors: []envelopeCause{cause}})
	if err != nil {
		body = []byte(`{"httpStatus":500,"errors":[]}`)
	}
	rc.Response.Header.SetContentType("application/json")
	rc.Response.SetBodyRaw(body)
}

// jamfCode is the word that Jamf uses for a status where one was seen, and the name of the status elsewhere.
func jamfCode(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "INVALID_TOKEN"
	case http.StatusForbidden:
		return "INVALID_PRIVILEGE"
	case http.StatusBadRequest:
		return "INVALID_FIELD"
	}
	return strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
}

// jamfDescription carries the sentence on what to do and the code. A 401 says exactly what Jamf says, for clients that compare it.
func jamfDescription(f *fault) string {
	if statusOf(f.code) == http.StatusUnauthorized {
		return "Unauthorized"
	}
	title, cause, _ := sentences(f.code)
	parts := make([]string, 0, 3)
	if f.detail == "" {
		parts = append(parts, ending(title))
	}
	for _, text := range []string{f.text(cause), f.action()} {
		if text != "" {
			parts = append(parts, ending(text))
		}
	}
	return fmt.Sprintf("%s [%s]", strings.Join(parts, " "), f.code)
}

func ending(s string) string {
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// writeStatusPage is what the Classic API answers: a page, not JSON.
func writeStatusPage(rc *fasthttp.RequestCtx, status int) {
	text := "The server has not found anything matching the request URI"
	if status != http.StatusNotFound {
		text = "The server understood the request, but is refusing to fulfill it"
	}
	rc.Response.Header.SetContentType("text/html;charset=UTF-8")
	rc.Response.SetBodyString("<html>\n<head>\n   <title>Status page</title>\n</head>\n<body>\n<p>" + http.StatusText(status) +
		"</p>\n<p>" + text + "</p>\n</body>\n</html>\n")
}

// marshal is JSON as it is read by people too: < and > stay what they are, no page ever embeds these bodies.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("render answer: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte{'\n'}), nil
}
