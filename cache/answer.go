package cache

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
)

// Key names one answer. Every part is length-prefixed when encoded, so no two keys collide.
type Key struct {
	Generations []string // Generation.Ref() of each, in order
	State       string   // the state epoch of each source concerned
	Policy      string   // effective profile digest(s) of the client
	Endpoint    string   // route template
	Query       string   // canonical query
	Encoding    string   // "", EncodingGzip or EncodingZstd
}

func (k Key) scope() string {
	size := 16 + len(k.State) + len(k.Policy) + len(k.Endpoint) + len(k.Query) + len(k.Encoding)
	for _, g := range k.Generations {
		size += len(g) + 2
	}
	dst := append(make([]byte, 0, size), classAnswer)
	dst = binary.AppendUvarint(dst, uint64(len(k.Generations)))
	for _, g := range k.Generations {
		dst = appendPart(dst, g)
	}
	for _, part := range []string{k.State, k.Policy, k.Endpoint, k.Query, k.Encoding} {
		dst = appendPart(dst, part)
	}
	return string(dst)
}

func appendPart(dst []byte, part string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(part))), part...)
}

// Answer is one rendered body. ETag is strong and differs per encoding. Never changed after it was returned.
type Answer struct {
	Body []byte
	ETag string
}

// answerDeadline ends a rendering that nobody may be waiting for any more.
const answerDeadline = 60 * time.Second

// Answer returns the kept answer or renders it, one flight per key on a context that outlives the first caller
// (60 s at most; each waiter obeys its own ctx). hit tells whether ristretto had it. The full key is compared on a hit.
// For every Encoding render returns the identity body, which is kept. A compressed variant is kept from its second hit: a
// client that walks over many pages once would fill the cache with bytes that nobody asks for again.
//
// render may run on after Answer returned: a generation it reads must be retained by it, and ctx must not be one that is
// used again for another request. What it returns must not be changed afterwards.
func (s *Store) Answer(ctx context.Context, k Key, render func(context.Context) ([]byte, error)) (a Answer, hit bool, err error) {
	if !knownEncoding(k.Encoding) {
		return Answer{}, false, fmt.Errorf("answer in encoding %q: must be empty, gzip or zstd", k.Encoding)
	}
	if err := ctx.Err(); err != nil {
		return Answer{}, false, err
	}
	if e := s.hot.find(k.scope()); e != nil {
		s.hot.answers.hits.Add(1)
		return Answer{e.body, e.etag}, true, nil
	}
	s.hot.answers.misses.Add(1)
	a, err = s.fly(ctx, k, render)
	return a, false, err
}

// fly renders and keeps one answer, once for all who ask meanwhile.
func (s *Store) fly(ctx context.Context, k Key, render func(context.Context) ([]byte, error)) (Answer, error) {
	scope := k.scope()
	value, err := s.detached(ctx, scope, func(ctx context.Context) (any, error) {
		body, keep, err := s.render(ctx, k, render)
		if err != nil {
			return nil, err
		}
		a := Answer{body, etagOf(body)}
		if keep {
			s.hot.keep(&entry{scope: scope, body: a.Body, etag: a.ETag})
		}
		return a, nil
	}, nil)
	if err != nil {
		return Answer{}, err
	}
	return value.(Answer), nil
}

// render makes the body of one key, and tells whether it is worth keeping: a variant is when the identity body was
// there before.
func (s *Store) render(ctx context.Context, k Key, render func(context.Context) ([]byte, error)) (body []byte, keep bool, err error) {
	if k.Encoding == "" {
		body, err = render(ctx)
		return body, true, err
	}
	plain := k
	plain.Encoding = ""
	if e := s.hot.find(plain.scope()); e != nil {
		body, err = s.compress(e.body, k.Encoding)
		return body, true, err
	}
	a, err := s.fly(ctx, plain, render)
	if err != nil {
		return nil, false, err
	}
	body, err = s.compress(a.Body, k.Encoding)
	return body, false, err
}

// detached runs fn once for all who ask for the same name meanwhile, on a context that has the first caller's values
// and not its end. after, when given, runs when the flight is over, even if this caller has left.
func (s *Store) detached(ctx context.Context, name string, fn func(context.Context) (any, error), after func()) (any, error) {
	if after == nil {
		after = func() {}
	}
	if err := ctx.Err(); err != nil { // whoever has gone needs nothing
		after()
		return nil, err
	}
	flight := s.flights.DoChan(name, func() (value any, err error) {
		if !s.enter() {
			return nil, errClosed
		}
		defer s.running.Done()
		defer func() {
			if p := recover(); p != nil { // in a goroutine of its own it would end the process
				err = fmt.Errorf("render answer: %w", Recovered(p))
				s.log.ErrorContext(ctx, "rendering panicked", "error", err)
			}
		}()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerDeadline)
		defer cancel()
		return fn(ctx)
	})
	select {
	case result := <-flight:
		after()
		return result.Val, result.Err
	case <-ctx.Done():
		go func() {
			<-flight
			after()
		}()
		return nil, ctx.Err()
	}
}

// etagOf hashes the bytes that are sent, so that it is strong (RFC 9110 §8.8.1) whatever compressed them.
func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
}
