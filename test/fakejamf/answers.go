package fakejamf

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// headers sets what a Jamf Cloud node sends with every answer.
func (s *Server) headers(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Server", "Jamf Cloud Node")
	h.Set("Cache-Control", "no-cache, no-store, must-revalidate")
	h.Set("Expires", "0")
	h.Set("Strict-Transport-Security", "max-age=31536000 ; includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
}

// html answers as something in front of Jamf does: no envelope, no JSON.
func html(w http.ResponseWriter, status int, title string) {
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n</body>\r\n</html>\r\n", title, title)
}

// refuse answers with Jamf's error envelope; without a code the list of errors is empty, as Jamf's sometimes is.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, code, description string) {
	s.send(w, r, status, func(o *writer) {
		o.openObject()
		o.num("httpStatus", status)
		o.array("errors")
		if code != "" {
			o.openObject()
			o.str("code", code)
			o.str("description", description)
			o.str("id", "0")
			o.null("field")
			o.closeObject()
		}
		o.closeArray()
		o.closeObject()
	})
}

// send answers with JSON of one piece.
func (s *Server) send(w http.ResponseWriter, r *http.Request, status int, fill func(*writer)) {
	o := &writer{}
	fill(o)
	body, done := s.open(w, r, status)
	_, _ = body.Write(o.b)
	done()
}

// open begins a JSON answer, compressed where the client takes gzip. done ends it.
func (s *Server) open(w http.ResponseWriter, r *http.Request, status int) (body io.Writer, done func()) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Vary", "Accept-Encoding")
	if !acceptsGzip(r) {
		w.WriteHeader(status)
		return w, func() {}
	}
	h.Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	z, ok := s.gzips.Get().(*gzip.Writer)
	if !ok {
		z, _ = gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is valid
	}
	z.Reset(w)
	return z, func() {
		_ = z.Close()
		s.gzips.Put(z)
	}
}

func acceptsGzip(r *http.Request) bool {
	for _, v := range r.Header.Values("Accept-Encoding") {
		for one := range strings.SplitSeq(v, ",") {
			coding, q, _ := strings.Cut(strings.TrimSpace(one), ";")
			if strings.EqualFold(strings.TrimSpace(coding), "gzip") && strings.ReplaceAll(q, " ", "") != "q=0" {
				return true
			}
		}
	}
	return false
}
