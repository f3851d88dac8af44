package jamf

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// answer is what the body of a refusal is, without its text.
type answer struct {
	html     bool
	envelope bool // {"httpStatus": ..., "errors": [...]}: Jamf itself spoke
	empty    bool
	server   bool   // what the server of Jamf says of a path that it does not know, as far as that can be told
	oauth    string // the error of RFC 6749 §5.2, when it is one that the RFC knows
}

// readRefusal looks at a body that will not be shown to anybody.
func readRefusal(h http.Header, body io.Reader) answer {
	plain, err := inflated(h, &capped{r: body, left: maxErrorBytes})
	if err != nil {
		return answer{}
	}
	b, err := io.ReadAll(io.LimitReader(plain, maxErrorBytes))
	if err != nil && len(b) == 0 {
		return answer{}
	}
	a := answer{empty: len(b) == 0, html: contentKind(h) == contentHTML || startsLikeHTML(b)}
	if a.html {
		a.server = bytes.Contains(b, []byte("Status page")) || bytes.Contains(b, []byte("HTTP Status 404"))
		return a
	}
	a.server = a.empty
	if contentKind(h) == contentOther {
		return a
	}
	var said struct {
		HTTPStatus jsontext.Value `json:"httpStatus"`
		Error      jsontext.Value `json:"error"`
		Status     jsontext.Value `json:"status"` // of a page of Spring's: {"timestamp", "status": 404, "error", "path"}
		Path       jsontext.Value `json:"path"`
	}
	if json.Unmarshal(b, &said, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return a
	}
	a.envelope = said.HTTPStatus.Kind() == '0'
	a.server = a.server || a.envelope || said.Status.Kind() == '0' && said.Path.Kind() == '"'
	a.oauth = oauthError(said.Error)
	return a
}

// oauthError keeps the error codes of RFC 6749 §5.2 and nothing else, so that no free text gets any further.
func oauthError(v jsontext.Value) string {
	switch s := textOf(v); s {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope":
		return s
	case "":
		return ""
	default:
		return "another error"
	}
}

func textOf(v jsontext.Value) string {
	if v.Kind() != '"' {
		return ""
	}
	b, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return ""
	}
	return string(b)
}

// refusalOf turns every answer but 200 into an error. The body is looked at, never repeated.
func refusalOf(op string, resp *http.Response, body io.Reader) *Error {
	status := resp.StatusCode
	e := &Error{Op: op, Status: status, sent: true}
	said := "Jamf answered with HTTP " + strconv.Itoa(status)
	if status >= 300 && status < 400 {
		e.Kind, e.Code, e.Detail = ErrRedirect, codeRedirect, said+redirectTarget(resp)
		return e
	}
	a := readRefusal(resp.Header, body)
	e.envelope, e.server, e.html, e.oauth = a.envelope, a.server, a.html, a.oauth
	if status == http.StatusTooManyRequests || status >= 500 {
		if wait, ok := throttleOf(resp.Header, time.Now()); ok {
			e.RetryAfter = wait
		}
	}
	switch {
	case status < 300:
		e.Kind, e.Code, e.Detail = ErrSchema, codeUnexpected, said+" where 200 was due"
	case status == http.StatusUnauthorized:
		e.Kind, e.Code, e.Detail = ErrUnauthorized, codeTokenRefused, said
	case status == http.StatusTooManyRequests:
		e.Kind, e.Code, e.Detail = ErrThrottled, codeThrottled, said
	case status == http.StatusNotFound:
		e.Kind, e.Code, e.Detail = ErrNotFound, codeNotFound, said
	case status == http.StatusGatewayTimeout:
		e.Kind, e.Code, e.Detail = ErrTimeout, codeTimeout, said+": the edge gave up waiting"
	case status == http.StatusInternalServerError && a.envelope:
		e.Kind, e.Code, e.Detail = ErrServerError, codeCannotRender, said
	case status >= 500:
		e.Kind, e.Code, e.Detail = ErrUnavailable, codeUnavailable, said
	case a.html:
		e.Kind, e.Code, e.Detail = ErrUnavailable, codeHTML, said+" and HTML: something in front of Jamf answered"
	case status == http.StatusForbidden:
		e.Kind, e.Code, e.Detail = ErrForbidden, codeRightMissing, said
	default:
		e.Kind, e.Code, e.Detail = ErrBadRequest, codeBadRequest, said
	}
	return e
}

// redirectTarget names the host that a redirect points to, and nothing more of it.
func redirectTarget(resp *http.Response) string {
	const none = " and a redirect"
	to := resp.Header.Get("Location")
	if to == "" {
		return none
	}
	u, err := url.Parse(to)
	if err != nil {
		return none
	}
	host := u.Hostname()
	if host == "" && resp.Request != nil {
		host = resp.Request.URL.Hostname()
	}
	if host = printable(host, 253); host == "" {
		return none
	}
	return " and a redirect to " + host
}

// printable keeps what may stand in a log line and on a page: graphic ASCII without quotes and angle brackets.
func printable(s string, limit int) string {
	out := make([]byte, 0, min(len(s), limit))
	for i := 0; i < len(s) && len(out) < limit; i++ {
		if c := s[i]; c >= 0x20 && c < 0x7f && c != '<' && c != '>' && c != '"' && c != '\\' {
			out = append(out, c)
		}
	}
	return string(out)
}
