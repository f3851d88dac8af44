package fakejamf

import (
	"maps"
	"net/http"
	"slices"
)

// Stats is what was asked of the server so far.
type Stats struct {
	Requests        map[string]int // method and path template -> requests: "GET /api/v4/computers-inventory/{id}"
	Statuses        map[int]int    // HTTP status -> answers
	Faults          map[string]int // fault -> times it struck
	PeakConcurrency int            // most requests open at one moment
	InFlight        int
	TokensIssued    int
	TokensRefused   int // refusals by the token endpoint
	PagesServed     int // list pages answered with rows or an empty list
	RowsServed      int
	Mutations       int // events in the ledger, direct controls included
	LastUserAgent   string
	LastCookieSent  string // the Cookie header of the last request that had one
	LastCookieSet   string // the last Set-Cookie that was sent
}

// Request is one request as it came, without its secrets: no body, no Authorization.
type Request struct {
	Method, Path, Query, Template, UserAgent, Cookie string
	Status                                           int
	Node                                             int
}

// kept is how many requests Requests remembers.
const kept = 4096

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats
	out.Requests, out.Statuses, out.Faults = maps.Clone(out.Requests), maps.Clone(out.Statuses), maps.Clone(out.Faults)
	out.Mutations = len(s.events)
	return out
}

// Requests returns the last requests, at most 4096, the oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *Server) enter(r *http.Request) (down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.InFlight++
	s.stats.PeakConcurrency = max(s.stats.PeakConcurrency, s.stats.InFlight)
	s.stats.LastUserAgent = r.UserAgent()
	if c := r.Header.Get("Cookie"); c != "" {
		s.stats.LastCookieSent = c
	}
	return s.down
}

func (s *Server) leave(r *http.Request, w *recorder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	template := r.Pattern
	if template == "" {
		template = "(none)"
	}
	s.stats.InFlight--
	s.stats.Requests[r.Method+" "+template]++
	s.stats.Statuses[w.status]++
	if len(s.requests) == kept {
		s.requests = slices.Delete(s.requests, 0, kept/4)
	}
	s.requests = append(s.requests, Request{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Template: template,
		UserAgent: r.UserAgent(), Cookie: r.Header.Get("Cookie"), Status: w.status, Node: w.node,
	})
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status, node int
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
