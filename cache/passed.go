package cache

import (
	"context"
	"fmt"
	"time"
)

// Terms say how long an answer is kept that no generation holds.
type Terms struct {
	TTL   time.Duration    // it is fresh
	Grace time.Duration    // after that: it is given where a new one cannot be fetched
	Pause time.Duration    // after a failure: nothing is fetched
	Final func(error) bool // the failure is the answer, and what was there before is out of date
}

// Passed is an answer that no generation holds, as it was fetched. Never changed after it was returned.
type Passed struct {
	Answer
	At   time.Time // when it was fetched
	Late error     // why there is no newer one; nil: it is fresh
}

// term is what a kept answer has beside its bytes. Without a body it remembers a failure alone.
type term struct {
	at     time.Time // of the body
	failed time.Time // the last attempt since, zero = none
	err    error
	keep   time.Duration // from when it was made
}

// left is for how long ristretto keeps an entry; 0 = for ever.
func (t *term) left() time.Duration {
	if t == nil {
		return 0
	}
	return t.keep
}

// Passed returns the kept answer while it is fresh, or fetches it: one flight per key, on a context that outlives the
// first caller (60 s at most; each waiter obeys its own ctx). Where that fails, the last answer is given during its grace, with
// Late set, and no other attempt is made during the pause; without one, the error is. hit tells that nothing was fetched.
//
// It lives in ristretto and nowhere else: it may be gone at any moment, and is fetched again then. k.Encoding must be empty.
func (s *Store) Passed(ctx context.Context, k Key, t Terms, fetch func(context.Context) ([]byte, error)) (p Passed, hit bool, err error) {
	if k.Encoding != "" {
		return Passed{}, false, fmt.Errorf("passed answer in encoding %q: must be empty", k.Encoding)
	}
	if err := ctx.Err(); err != nil {
		return Passed{}, false, err
	}
	scope := string(classPassed) + k.scope()[1:]
	if p, err, ok := s.kept(scope, t); ok {
		s.hot.passed.hits.Add(1)
		return p, true, err
	}
	s.hot.passed.misses.Add(1)
	value, err := s.detached(ctx, scope, func(ctx context.Context) (any, error) {
		if p, err, ok := s.kept(scope, t); ok { // of the flight that landed a moment ago
			return p, err
		}
		return s.pass(ctx, scope, t, fetch)
	}, nil)
	if err != nil {
		return Passed{}, false, err
	}
	return value.(Passed), false, nil
}

// kept is what can be said without fetching.
func (s *Store) kept(scope string, t Terms) (p Passed, err error, ok bool) { //nolint:revive // the error is the answer that is kept
	e := s.hot.find(scope)
	if e == nil {
		return Passed{}, nil, false
	}
	now := s.now()
	p = Passed{Answer: Answer{e.body, e.etag}, At: e.term.at, Late: e.term.err}
	switch {
	case e.term.err == nil:
		return p, nil, now.Sub(e.term.at) < t.TTL
	case now.Sub(e.term.failed) >= t.Pause:
		return Passed{}, nil, false
	case e.body == nil:
		return Passed{}, e.term.err, true
	default:
		return p, nil, now.Sub(e.term.at) < t.TTL+t.Grace
	}
}

// pass fetches, and keeps what came of it.
func (s *Store) pass(ctx context.Context, scope string, t Terms, fetch func(context.Context) ([]byte, error)) (Passed, error) {
	body, err := fetch(ctx)
	now := s.now()
	e := &entry{scope: scope, term: &term{at: now, keep: t.TTL + t.Grace}}
	if err == nil {
		e.body, e.etag = body, etagOf(body)
	} else {
		e.term = &term{failed: now, err: err, keep: t.Pause}
		if old := s.hot.find(scope); old != nil && old.body != nil && !t.Final(err) {
			if left := t.TTL + t.Grace - now.Sub(old.term.at); left > 0 {
				e.body, e.etag, e.term.at, e.term.keep = old.body, old.etag, old.term.at, left
			}
		}
	}
	h := s.hot.session()
	h.keep(e)
	h.wait() // whoever comes when this flight has landed must find it
	h.close()
	if e.body == nil {
		return Passed{}, err
	}
	return Passed{Answer: Answer{e.body, e.etag}, At: e.term.at, Late: err}, nil
}
