package server

import (
	"bytes"
	"net/url"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Limits of a head beside its size.
const (
	maxQueryParameters = 100
	maxTarget          = 12 << 10 // a filter of 8 KiB and what is encoded of it
	maxHeaders         = 100
)

// gate refuses what is malformed, ambiguous or encoded before anything reads it. What passes has one meaning
// only: an origin-form target of a canonical path, one framing, an identity body, one set of credentials.
// It looks at the bytes of the wire, because fasthttp has already settled the ambiguities in its parsed form.
func gate(rc *fasthttp.RequestCtx) *fault {
	if f := gateMethod(rc.Method()); f != nil {
		return f
	}
	switch string(rc.Request.Header.Protocol()) {
	case "HTTP/1.1", "HTTP/1.0":
	default:
		return &fault{code: codeHTTPVersion, close: true}
	}
	target := rc.Request.Header.RequestURI()
	if len(target) > maxTarget {
		return &fault{code: codeHeadersTooLarge, close: true}
	}
	if reason := gateTarget(target); reason != "" {
		return malformed(reason)
	}
	return gateHeaders(rc.Request.Header.RawHeaders())
}

func malformed(reason string) *fault {
	return &fault{code: codeMalformed, detail: reason, close: true}
}

func gateMethod(method []byte) *fault {
	switch string(method) {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodPost, fiber.MethodPut, fiber.MethodPatch, fiber.MethodDelete, fiber.MethodOptions:
		return nil
	case fiber.MethodTrace, fiber.MethodConnect:
		return &fault{code: codeMethod, allow: "GET, HEAD, POST, OPTIONS", close: true}
	}
	return &fault{code: codeUnknownMethod, close: true}
}

// gateTarget tells what is wrong with a request target, "" when nothing is.
func gateTarget(target []byte) string {
	if len(target) == 0 || target[0] != '/' {
		return "The request target must be a path."
	}
	path, parameters, odd := target, 0, false
	for i, b := range target {
		switch {
		case b <= 0x20 || b >= 0x7f || b == '#':
			return "The request target holds a byte that must be percent-encoded."
		case len(path) < len(target):
			if b == '&' {
				parameters++
			}
		case b == '?':
			path = target[:i]
		case b == '%' || b == '\\' || b == ';':
			odd = true
		case b == '/' || b == '.':
			odd = odd || i > 0 && target[i-1] == '/'
		}
	}
	if parameters >= maxQueryParameters {
		return "The query has too many parameters."
	}
	if odd {
		return gatePath(path)
	}
	return ""
}

// gatePath looks closer at a path that is not letters and single slashes alone.
func gatePath(path []byte) string {
	if bytes.ContainsAny(path, `\;`) {
		return "The path holds a backslash or a semicolon."
	}
	if bytes.Contains(path, []byte("//")) {
		return "The path holds an empty segment."
	}
	if reason := gateEscapes(path); reason != "" {
		return reason
	}
	for segment := range bytes.SplitSeq(path, []byte{'/'}) {
		if s := string(segment); s == "." || s == ".." {
			return "The path holds a dot segment."
		}
	}
	return ""
}

// gateEscapes refuses percent-encodings that would change the meaning of a path for whoever decodes it, or twice.
func gateEscapes(path []byte) string {
	wide := false
	for i := 0; i < len(path); i++ {
		if path[i] != '%' {
			continue
		}
		if i+2 >= len(path) || !isHex(path[i+1]) || !isHex(path[i+2]) {
			return "The path holds a broken percent-encoding."
		}
		switch b := unhex(path[i+1])<<4 | unhex(path[i+2]); {
		case b == '.', b == '/', b == '\\', b == '%', b == ';', b == '?', b == '#':
			return "The path holds an encoded character of its own syntax."
		case b <= 0x20 || b == 0x7f:
			return "The path holds an encoded control character."
		case b > 0x7f:
			wide = true
		}
		i += 2
	}
	if wide {
		if text, err := url.PathUnescape(string(path)); err != nil || !utf8.ValidString(text) {
			return "The path holds encoded bytes that are no UTF-8." // an overlong dot is a dot to some
		}
	}
	return ""
}

func isHex(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}

func unhex(b byte) byte {
	switch {
	case b >= 'a':
		return b - 'a' + 10
	case b >= 'A':
		return b - 'A' + 10
	}
	return b - '0'
}

// headers is what gateHeaders has met.
type headers struct {
	count, authorizations      int
	length, transfer, encoding bool
}

// gateHeaders reads the header block as it came over the wire.
func gateHeaders(raw []byte) *fault {
	var h headers
	for len(raw) > 0 {
		end := bytes.IndexByte(raw, '\n')
		if end < 0 {
			break
		}
		if end == 0 || raw[end-1] != '\r' {
			return malformed("A header line does not end with CRLF.")
		}
		line := raw[:end-1]
		raw = raw[end+1:]
		if len(line) == 0 {
			continue
		}
		if reason := h.take(line); reason != "" {
			return malformed(reason)
		}
	}
	switch {
	case h.count > maxHeaders:
		return &fault{code: codeHeadersTooLarge, close: true}
	case h.length && h.transfer:
		return malformed("Content-Length and Transfer-Encoding stand together.")
	case h.authorizations > 1:
		return malformed("There is more than one Authorization header.")
	case h.encoding:
		return &fault{code: codeContentEncoding, close: true}
	}
	return nil
}

// take reads one line, and tells what is wrong with it by itself; "" is nothing.
func (h *headers) take(line []byte) string {
	if line[0] == ' ' || line[0] == '\t' {
		return "A header line is folded."
	}
	h.count++
	name, value, _ := bytes.Cut(line, []byte{':'})
	if !isToken(name) {
		return "The name of a header holds a character that it must not."
	}
	switch len(name) { // most names need no comparison
	case len("host"):
		if equalFold(name, "host") && !isHost(bytes.Trim(value, " \t")) {
			return "Host holds a character that no host name has."
		}
	case len("authorization"):
		if equalFold(name, "authorization") {
			h.authorizations++
		}
	case len("content-length"):
		h.length = h.length || equalFold(name, "content-length")
	case len("content-encoding"):
		h.encoding = h.encoding || equalFold(name, "content-encoding") && len(bytes.TrimSpace(value)) > 0
	case len("transfer-encoding"):
		if equalFold(name, "transfer-encoding") {
			h.transfer = true
			if !equalFold(bytes.Trim(value, " \t"), "chunked") {
				return "Transfer-Encoding is not chunked and nothing else."
			}
		}
	}
	return ""
}

// isToken tells whether a name is a token (RFC 9110, 5.6.2).
func isToken(name []byte) bool {
	const ( // a bit for each allowed character: !#$%&'*+-. and digits; letters, ^_`|~
		low  = 0x03ff6cfa << 32
		high = 0x57ffffffc7fffffe
	)
	for _, b := range name {
		switch {
		case b < 64:
			if uint64(low)>>b&1 == 0 {
				return false
			}
		case b >= 128 || uint64(high)>>(b-64)&1 == 0:
			return false
		}
	}
	return len(name) > 0
}

// isHost tells whether a Host holds what names, addresses and ports are made of and nothing else. Whose name it is, is not
// asked here.
func isHost(host []byte) bool {
	for _, b := range host {
		switch {
		case b >= 'a' && b <= 'z', b >= '0' && b <= '9', b >= 'A' && b <= 'Z':
		case b == '.', b == '-', b == '_', b == ':', b == '[', b == ']':
		default:
			return false
		}
	}
	return true
}

// equalFold compares a header name with a lower-case ASCII word, without allocating.
func equalFold(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, b := range name {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		if b != lower[i] {
			return false
		}
	}
	return true
}
