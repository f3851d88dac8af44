package server

import (
	"errors"
	"fmt"
	"time"

	"jamf-gateway/cache"
)

// step opens the series by the caller's run. A run whose generation has become older than max_stale while a newer one is there has outlived
// itself: a first page begins another, a single device is answered from what is known now, and a walk that goes on is told to begin again.
func (s *Server) step(x *exchange, sc scope, st step, statuses statusIndex, now time.Time) (*series, error) {
	client := x.caller.id
	open := func(from func() (*cache.Generation, error)) (*series, error) {
		g, err := from()
		if err != nil && !errors.Is(err, cache.ErrNone) {
			return nil, err
		}
		return s.observe(x.rules, sc, g, statuses, now), nil
	}
	ofRun := func() (*cache.Generation, error) { return s.runs.generation(client, sc.Series, st) }
	sr, err := open(ofRun)
	if err != nil || !s.superseded(sr) {
		return sr, err
	}
	if st.ask == askMore {
		sr.behind = codeListExpired
		return sr, nil
	}
	sr.generation.Release()
	if st.ask == askFirst {
		s.runs.drop(client, sc.Series, sr.info.Number)
		return open(ofRun)
	}
	return open(func() (*cache.Generation, error) { return s.o.Store.Acquire(sc.Series) })
}

// superseded tells that the generation is older than max_stale and not the newest that there is.
func (s *Server) superseded(sr *series) bool {
	if !sr.overdue {
		return false
	}
	newest, _ := s.o.Store.Look(sr.Series) // of what cannot be opened, it has no number
	return newest.Number > sr.info.Number
}

// limitFault refuses data that is older than max_stale.
func (sr *series) limitFault(now time.Time) *fault {
	f := &fault{code: codeStaleLimit, source: sr.Source, retryAfter: retryAfter(now, sr.next)}
	if sr.behind != "" {
		f.reason, f.retryAfter = sr.behind, shortestRetryAfter
		f.detail = fmt.Sprintf("This list of %s %s was begun on data that is older than max_stale by now. There is newer data.", sr.Source, sr.Kind)
	}
	return f
}
