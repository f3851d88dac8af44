package cache_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"

	"jamf-gateway/cache"
)

func fixed(body string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return []byte(body), nil }
}

func refuse(t *testing.T) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		t.Error("rendered although it was kept")
		return nil, nil
	}
}

func answer(t *testing.T, s *cache.Store, k cache.Key, render func(context.Context) ([]byte, error)) (cache.Answer, bool) {
	t.Helper()
	a, hit, err := s.Answer(context.Background(), k, render)
	if err != nil {
		t.Fatalf("answer: %v", err)
	}
	s.Settle()
	return a, hit
}

func TestAnswersAreKeptByTheirWholeKey(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	k := cache.Key{Generations: []string{"a", "b"}, State: "1", Policy: "p", Endpoint: "/v1/devices", Query: "limit=1"}
	first, hit := answer(t, s, k, fixed("body"))
	if hit {
		t.Error("the first answer is a hit")
	}
	again, hit := answer(t, s, k, refuse(t))
	if !hit || string(again.Body) != "body" || again.ETag != first.ETag {
		t.Errorf("again: %q %s hit %v", again.Body, again.ETag, hit)
	}
	for _, other := range []cache.Key{
		{Generations: []string{"ab"}, State: "1", Policy: "p", Endpoint: "/v1/devices", Query: "limit=1"},
		{Generations: []string{"a", "b"}, State: "2", Policy: "p", Endpoint: "/v1/devices", Query: "limit=1"},
		{Generations: []string{"a", "b"}, State: "1", Policy: "q", Endpoint: "/v1/devices", Query: "limit=1"},
		{Generations: []string{"a", "b"}, State: "1", Policy: "p", Endpoint: "/v1/devices", Query: "limit=2"},
		{Generations: []string{"a", "b"}, State: "1", Policy: "p", Endpoint: "/v1/device", Query: "slimit=1"},
		{Generations: []string{"b", "a"}, State: "1", Policy: "p", Endpoint: "/v1/devices", Query: "limit=1"},
		{Generations: []string{"a"}, State: "b1", Policy: "p", Endpoint: "/v1/devices", Query: "limit=1"},
	} {
		got, hit := answer(t, s, other, fixed("other"))
		if hit || string(got.Body) != "other" {
			t.Errorf("%+v: %q, hit %v", other, got.Body, hit)
		}
	}
}

func TestVariantsAreKeptFromTheSecondHitAndHaveTheirOwnETags(t *testing.T) {
	body := strings.Repeat(`{"id":"1"},`, 500)
	etags := map[string]string{}
	for encoding, inflate := range map[string]func([]byte) ([]byte, error){
		cache.EncodingGzip: func(b []byte) ([]byte, error) {
			r, err := gzip.NewReader(bytes.NewReader(b))
			if err != nil {
				return nil, err
			}
			return io.ReadAll(r)
		},
		cache.EncodingZstd: func(b []byte) ([]byte, error) {
			r, err := zstd.NewReader(nil, zstd.WithDecoderMaxWindow(8<<20))
			if err != nil {
				return nil, err
			}
			defer r.Close()
			return r.DecodeAll(b, nil)
		},
	} {
		s := openStore(t, options(t.TempDir()))
		var renders atomic.Int64
		render := func(context.Context) ([]byte, error) {
			renders.Add(1)
			return []byte(body), nil
		}
		k := cache.Key{Endpoint: "e", Encoding: encoding}
		first, hit := answer(t, s, k, render)
		if hit {
			t.Errorf("%s: the first answer is a hit", encoding)
		}
		// The identity body was kept, the variant was not: it is compressed once more, and kept now.
		second, hit := answer(t, s, k, refuse(t))
		if hit || renders.Load() != 1 {
			t.Errorf("%s: hit %v after %d renderings: a variant is kept from the first answer on, or the identity body is not", encoding, hit, renders.Load())
		}
		third, hit := answer(t, s, k, refuse(t))
		if !hit || !bytes.Equal(third.Body, first.Body) || third.ETag != first.ETag || second.ETag != first.ETag {
			t.Errorf("%s: hit %v, ETags %s %s %s", encoding, hit, first.ETag, second.ETag, third.ETag)
		}
		plain, hit := answer(t, s, cache.Key{Endpoint: "e"}, refuse(t))
		if !hit || string(plain.Body) != body {
			t.Errorf("%s: the identity body: hit %v", encoding, hit)
		}
		if inflated, err := inflate(third.Body); err != nil || string(inflated) != body || len(third.Body) > len(body)/10 {
			t.Errorf("%s: %d bytes inflate to %d, %v", encoding, len(third.Body), len(inflated), err)
		}
		etags[""], etags[encoding] = plain.ETag, third.ETag
		if _, _, err := s.Answer(context.Background(), cache.Key{Encoding: "br"}, render); err == nil {
			t.Error("an unknown encoding is no error")
		}
	}
	if etags[""] == etags["gzip"] || etags["gzip"] == etags["zstd"] || etags[""] == etags["zstd"] {
		t.Errorf("ETags %v", etags)
	}
}

// bubble runs a test on fake time with a store of its own, which is closed inside.
func bubble(t *testing.T, test func(t *testing.T, s *cache.Store)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, options(dir))
		test(t, s)
	})
}

func TestOneFlightRendersForAllWhoWait(t *testing.T) {
	bubble(t, func(t *testing.T, s *cache.Store) {
		var renders atomic.Int64
		render := func(ctx context.Context) ([]byte, error) {
			renders.Add(1)
			time.Sleep(5 * time.Second)
			return []byte("body"), ctx.Err()
		}
		first, cancel := context.WithCancel(context.Background())
		left := make(chan error, 1)
		go func() {
			_, _, err := s.Answer(first, cache.Key{Endpoint: "e"}, render)
			left <- err
		}()
		synctest.Wait()
		var waiters sync.WaitGroup
		for range 20 {
			waiters.Go(func() {
				a, _, err := s.Answer(context.Background(), cache.Key{Endpoint: "e"}, render)
				if err != nil || string(a.Body) != "body" {
					t.Errorf("waiter got %q, %v", a.Body, err)
				}
			})
		}
		synctest.Wait()
		short, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		_, _, err := s.Answer(short, cache.Key{Endpoint: "e"}, render)
		wantError(t, err, context.DeadlineExceeded)
		cancel() // the first caller leaves; the flight goes on
		wantError(t, <-left, context.Canceled)
		waiters.Wait()
		if n := renders.Load(); n != 1 {
			t.Errorf("rendered %d times for 22 callers", n)
		}
	})
}

func TestARenderingNobodyEndsIsEndedAfterAMinute(t *testing.T) {
	bubble(t, func(t *testing.T, s *cache.Store) {
		start := time.Now()
		_, _, err := s.Answer(context.Background(), cache.Key{Endpoint: "e"}, func(ctx context.Context) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		wantError(t, err, context.DeadlineExceeded)
		if took := time.Since(start); took != time.Minute {
			t.Errorf("ended after %v, want one minute", took)
		}
	})
}

func TestCloseWaitsForRenderings(t *testing.T) {
	bubble(t, func(t *testing.T, s *cache.Store) {
		var done atomic.Bool
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, _, err := s.Answer(ctx, cache.Key{Endpoint: "e"}, func(context.Context) ([]byte, error) {
			time.Sleep(10 * time.Second)
			done.Store(true)
			return nil, nil
		})
		wantError(t, err, context.DeadlineExceeded)
		closeStore(t, s)
		if !done.Load() {
			t.Error("closed while a rendering ran")
		}
	})
}

func TestFailedAndPanickingRenderingsAreNotKept(t *testing.T) {
	var log strings.Builder
	o := options(t.TempDir())
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s := openStore(t, o)
	k := cache.Key{Endpoint: "e"}
	broken := errors.New("broken")
	_, _, err := s.Answer(context.Background(), k, func(context.Context) ([]byte, error) { return nil, broken })
	wantError(t, err, broken)
	_, _, err = s.Answer(context.Background(), k, func(context.Context) ([]byte, error) { panic("the iPad of Anna") })
	if told := fmt.Sprint(err, log.String()); err == nil || strings.Contains(told, "Anna") || strings.Count(told, "panic: string") != 2 || !strings.Contains(told, "answer_test.go") {
		t.Errorf("a panic is told as %s", told)
	}
	_, _, err = s.Answer(context.Background(), cache.Key{Endpoint: "e", Encoding: "gzip"}, func(context.Context) ([]byte, error) { return nil, broken })
	wantError(t, err, broken)
	if got, hit := answer(t, s, k, fixed("good")); hit || string(got.Body) != "good" {
		t.Errorf("then %q, hit %v", got.Body, hit)
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, err = s.Answer(done, k, refuse(t))
	wantError(t, err, context.Canceled)
	closeStore(t, s)
	if _, _, err := s.Answer(context.Background(), cache.Key{Endpoint: "f"}, fixed("x")); err == nil {
		t.Error("a closed store still renders")
	}
}

// Ristretto knows two hashes of a key. When both are equal for all keys, an answer is still that of its own key.
func TestEqualHashesNeverMixAnswers(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	if err := s.Collide(); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	hits := 0
	for range 2000 {
		name := fmt.Sprintf("k%d", random.IntN(3))
		got, hit := answer(t, s, cache.Key{Query: name}, fixed("body of "+name))
		if string(got.Body) != "body of "+name {
			t.Fatalf("%s answered %q", name, got.Body)
		}
		if hit {
			hits++
		}
	}
	if hits == 0 {
		t.Error("never a hit: the test tests nothing")
	}
}

// FuzzKey: two keys are compared as equal only when all their parts are equal.
func FuzzKey(f *testing.F) {
	f.Add("a", "b", "s", "p", "e", "q")
	f.Add("", "", "", "", "", "")
	f.Add("a\x00b", "|", "ü", "1:a", "\x01a", strings.Repeat("x", 300))
	f.Fuzz(func(t *testing.T, a, b, state, policy, endpoint, query string) {
		k := cache.Key{Generations: []string{a, b}, State: state, Policy: policy, Endpoint: endpoint, Query: query}
		parts := []string{a, b, state, policy, endpoint, query}
		if k.Scope() != (cache.Key{Generations: []string{a, b}, State: state, Policy: policy, Endpoint: endpoint, Query: query}).Scope() {
			t.Error("equal keys differ")
		}
		others := []cache.Key{
			{Generations: []string{a + b}, State: state, Policy: policy, Endpoint: endpoint, Query: query},
			{Generations: []string{a}, State: b, Policy: state, Endpoint: policy, Query: endpoint, Encoding: query},
			{Generations: []string{a, b, state}, State: policy, Policy: endpoint, Endpoint: query},
			{Generations: []string{a, b}, State: state + policy, Endpoint: endpoint, Query: query},
			{Generations: []string{a, b}, State: state, Policy: policy + endpoint, Query: query},
			{Generations: []string{a, b}, State: state, Policy: policy, Endpoint: endpoint + query},
			{Generations: []string{a, b}, State: state, Policy: policy, Endpoint: endpoint, Query: query, Encoding: "gzip"},
			{Generations: []string{b, a}, State: state, Policy: policy, Endpoint: endpoint, Query: query},
		}
		for i, o := range others {
			same := len(o.Generations) == 2 && o.Encoding == "" &&
				strings.Join([]string{o.Generations[0], o.Generations[1], o.State, o.Policy, o.Endpoint, o.Query}, "\xff\x00") == strings.Join(parts, "\xff\x00") &&
				o.Generations[0] == a && o.State == state && o.Policy == policy && o.Endpoint == endpoint
			if (o.Scope() == k.Scope()) != same {
				t.Errorf("other %d: equal is %v, want %v", i, !same, same)
			}
		}
	})
}

func TestFlushChangesNoAnswer(t *testing.T) {
	o := options(t.TempDir())
	o.MaxBytes = 1 << 20 // a flush costs what the budget's bookkeeping costs
	s := openStore(t, o)
	stop := make(chan struct{})
	var flusher, callers sync.WaitGroup
	flusher.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				s.Flush()
			}
		}
	})
	for n := range 4 {
		callers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 9))
			for range 100 {
				name := fmt.Sprintf("q%d", random.IntN(40))
				k := cache.Key{Query: name}
				if random.IntN(2) == 0 {
					k.Encoding = "gzip"
				}
				a, _, err := s.Answer(context.Background(), k, fixed("body of "+name))
				if err != nil {
					t.Error(err)
					return
				}
				if k.Encoding == "" && string(a.Body) != "body of "+name {
					t.Errorf("%s answered %q", name, a.Body)
				}
			}
		})
	}
	callers.Wait()
	close(stop)
	flusher.Wait()
	k := cache.Key{Query: "after"}
	answer(t, s, k, fixed("x"))
	if _, hit := answer(t, s, k, fixed("x")); !hit {
		t.Error("nothing is kept after flushes")
	}
	s.Flush()
	if _, hit := answer(t, s, k, fixed("x")); hit {
		t.Error("a flush kept an answer")
	}
}
