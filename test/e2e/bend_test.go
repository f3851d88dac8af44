package e2e_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// bender stands before a simulated Jamf and may answer in its stead.
type bender struct {
	next http.Handler

	mu    sync.Mutex
	bend  func(w http.ResponseWriter, r *http.Request) bool
	times []time.Time // of every request
	open  map[*http.Request]bool
	peak  int // most requests that somebody waited for at once

	tokens secrets // that came with requests
}

// ServeHTTP implements http.Handler.
func (b *bender) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost { // net/http looks whether the client is still there once the body has been read, and the simulated Jamf dawdles before
		if form, err := io.ReadAll(r.Body); err == nil {
			r.Body = io.NopCloser(bytes.NewReader(form))
		}
	}
	time.Sleep(time.Nanosecond) // in simulated time: until it has been noticed that the client gave up another request
	b.tokens.addBearer("token of Jamf", r.Header.Get("Authorization"))
	b.mu.Lock()
	bend := b.bend
	b.times = append(b.times, time.Now())
	if b.open == nil {
		b.open = map[*http.Request]bool{}
	}
	b.open[r] = true
	waited := 0
	for other := range b.open {
		if other.Context().Err() == nil {
			waited++
		}
	}
	b.peak = max(b.peak, waited)
	b.mu.Unlock()
	defer func() { b.mu.Lock(); delete(b.open, r); b.mu.Unlock() }()
	if bend == nil || !bend(w, r) {
		b.next.ServeHTTP(w, r)
	}
}

// to sets what answers in Jamf's stead where it returns true; nil = nothing.
func (b *bender) to(f func(w http.ResponseWriter, r *http.Request) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bend = f
}

// since counts the requests after a moment.
func (b *bender) since(t time.Time) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, at := range b.times {
		if at.After(t) {
			n++
		}
	}
	return n
}

// isList tells that a request asks for a page of the computers.
func isList(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/computers-inventory") }

// isPage tells that a request asks for a page of the computers with their sections, and not for a count alone.
func isPage(r *http.Request) bool { return isList(r) && r.URL.Query().Get("page-size") != "1" }

func isToken(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/oauth/token") }

// pages answers lists of computers as Jamf does and lets f change a page that is one.
func (b *bender) pages(f func(r *http.Request, page map[string]any)) {
	b.to(func(w http.ResponseWriter, r *http.Request) bool {
		if !isList(r) {
			return false
		}
		page, ok := b.page(w, r)
		if !ok {
			return true
		}
		f(r, page)
		_ = json.NewEncoder(w).Encode(page)
		return true
	})
}

// bytes is like pages, over the text of a page.
func (b *bender) bytes(f func(body []byte) []byte) {
	b.to(func(w http.ResponseWriter, r *http.Request) bool {
		if !isPage(r) {
			return false
		}
		rec := b.record(r)
		body := rec.Body.Bytes()
		if rec.Code == http.StatusOK && json.Valid(body) {
			body = f(body)
		}
		copyHeader(w, rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(body)
		return true
	})
}

func copyHeader(w http.ResponseWriter, from http.Header) {
	for k, v := range from {
		if k != "Content-Length" {
			w.Header()[k] = v
		}
	}
}

func (b *bender) record(r *http.Request) *httptest.ResponseRecorder {
	plain := r.Clone(r.Context())
	plain.Header.Del("Accept-Encoding")
	rec := httptest.NewRecorder()
	b.next.ServeHTTP(rec, plain)
	return rec
}

// page asks Jamf for a page. Where the answer is none it is passed on as it is.
func (b *bender) page(w http.ResponseWriter, r *http.Request) (page map[string]any, ok bool) {
	rec := b.record(r)
	copyHeader(w, rec.Header())
	d := json.NewDecoder(bytes.NewReader(rec.Body.Bytes()))
	d.UseNumber()
	if rec.Code != http.StatusOK || d.Decode(&page) != nil || page["results"] == nil {
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
		return nil, false
	}
	return page, true
}

// rowsOf are the records of a page.
func rowsOf(page map[string]any) (rows []map[string]any) {
	list, _ := page["results"].([]any)
	for _, r := range list {
		if m, ok := r.(map[string]any); ok {
			rows = append(rows, m)
		}
	}
	return rows
}

// raw writes bytes as they are and ends the connection: with a FIN, or over a socket with a reset.
func raw(w http.ResponseWriter, text string, reset bool) {
	c, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer func() { _ = c.Close() }()
	_, _ = buffered.WriteString(text)
	_ = buffered.Flush()
	if tcp, ok := c.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
}

// malformed are answers that are none, whole as they go over the wire.
func malformed(page string) map[string]string {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	long := strings.Repeat("X-Flood: "+strings.Repeat("f", 1000)+"\r\n", 200)
	return map[string]string{
		"length too long":      head + "Content-Length: 999999\r\n\r\n" + page,
		"length too short":     head + "Content-Length: 40\r\n\r\n" + page,
		"two lengths":          head + "Content-Length: 40\r\nContent-Length: 50\r\n\r\n" + page,
		"no number":            head + "Content-Length: many\r\n\r\n" + page,
		"chunks cut":           head + "Transfer-Encoding: chunked\r\n\r\nffff\r\n" + page[:len(page)/2],
		"chunks of nonsense":   head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + page + "\r\n0\r\n\r\n",
		"end without a length": head + "\r\n" + page[:len(page)/2],
		"two status lines":     "HTTP/1.1 200 OK\r\nHTTP/1.1 500 Oops\r\nContent-Type: application/json\r\n\r\n" + page,
		"flood of headers":     head + long + "\r\n" + page,
		"NUL in a header":      head + "X-Nul: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
		"NUL in the body":      head + "\r\n" + strings.Replace(page, "totalCount", "total\x00Count", 1),
		"flood of 1xx":         strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 5000) + head + "\r\n{}",
		"HTTP/0.9":             page,
		"garbage":              "\x16\x03\x01\x00\x00\xff\xfe" + strings.Repeat("\x80", 500),
		"nothing":              "",
		"half a head":          head[:20],
		"gzip truncated":       head + "Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xaa\x56",
	}
}
