package server

import (
	"bytes"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

const maxQueryParameters = 100

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
	if reason := gateTarget(rc.Request.Header.RequestURI()); reason != "" {
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
	path, query, _ := bytes.Cut(target, []byte{'?'})
	for _, b := range target {
		if b <= 0x20 || b >= 0x7f || b == '#' {
			return "The request target holds a byte that must be percent-encoded."
		}
	}
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
	if bytes.Count(query, []byte{'&'}) >= maxQueryParameters {
		return "The query has too many parameters."
	}
	return ""
}

// gateEscapes refuses percent-encodings that would change the meaning of a path for whoever decodes it, or twice.
func gateEscapes(path []byte) string {
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
		}
		i += 2
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

// gateHeaders reads the header block as it came over the wire.
func gateHeaders(raw []byte) *fault {
	var length, transfer, encoding bool
	authorizations := 0
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
		if line[0] == ' ' || line[0] == '\t' {
			return malformed("A header line is folded.")
		}
		name, value, _ := bytes.Cut(line, []byte{':'})
		switch {
		case equalFold(name, "content-length"):
			length = true
		case equalFold(name, "transfer-encoding"):
			transfer = true
		case equalFold(name, "content-encoding"):
			encoding = encoding || len(bytes.TrimSpace(value)) > 0
		case equalFold(name, "authorization"):
			authorizations++
		}
	}
	switch {
	case length && transfer:
		return malformed("Content-Length and Transfer-Encoding stand together.")
	case authorizations > 1:
		return malformed("There is more than one Authorization header.")
	case encoding:
		return &fault{code: codeContentEncoding, close: true}
	}
	return nil
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
