package cache_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jamf-gateway/cache"
)

var errDown, errGone = errors.New("down"), errors.New("gone")

func terms() cache.Terms {
	return cache.Terms{
		TTL: time.Hour, Grace: 24 * time.Hour, Pause: 30 * time.Second, Final: func(err error) bool { return errors.Is(err, errGone) },
	}
}

func passedKey(query string) cache.Key { return cache.Key{Endpoint: "/v1/departments", Query: query} }

// giver counts how often it is asked.
type giver struct {
	asked atomic.Int64
	body  string
	err   error
}

func (g *giver) fetch(context.Context) ([]byte, error) {
	g.asked.Add(1)
	if g.err != nil {
		return nil, g.err
	}
	return []byte(g.body), nil
}

func TestAPassedAnswerIsKeptForItsTimeAndThenForWhereJamfIsAway(t *testing.T) {
	c := newClock()
	o := options(t.TempDir())
	o.Now = c.Now
	s := openStore(t, o)
	g := &giver{body: "[1]"}
	steps := []struct {
		name  string
		after time.Duration
		body  string // that can be fetched
		err   error  // of fetching
		want  string // "" = the error
		late  error
		asked int64
	}{
		{"the first time", 0, "[1]", nil, "[1]", nil, 1},
		{"fresh", 59 * time.Minute, "[2]", nil, "[1]", nil, 1},
		{"out of date", time.Minute, "[2]", nil, "[2]", nil, 2},
		{"out of date, Jamf is away", time.Hour, "", errDown, "[2]", errDown, 3},
		{"nobody asks again at once", 29 * time.Second, "[3]", nil, "[2]", errDown, 3},
		{"but soon", time.Second, "", errDown, "[2]", errDown, 4},
		{"a day later", 24*time.Hour - 31*time.Second, "", errDown, "[2]", errDown, 5},
		{"grace is over", time.Minute, "", errDown, "", nil, 6},
		{"no answer is remembered too", 29 * time.Second, "[3]", nil, "", nil, 6},
		{"back", time.Second, "[3]", nil, "[3]", nil, 7},
		{"gone", time.Hour, "", errGone, "", nil, 8},
	}
	for _, step := range steps {
		c.advance(step.after)
		g.body, g.err = step.body, step.err
		p, _, err := s.Passed(t.Context(), passedKey(""), terms(), g.fetch)
		if string(p.Body) != step.want || (step.want == "") != (err != nil) || !errors.Is(p.Late, step.late) || g.asked.Load() != step.asked {
			t.Fatalf("%s: %q, late %v, error %v, asked %d times", step.name, p.Body, p.Late, err, g.asked.Load())
		}
	}
}

func TestAHundredWhoAskAtOnceAreOneCall(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	g := &giver{body: "[1]"}
	open := make(chan struct{})
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			p, _, err := s.Passed(t.Context(), passedKey(""), terms(), func(ctx context.Context) ([]byte, error) {
				<-open
				return g.fetch(ctx)
			})
			if err != nil || string(p.Body) != "[1]" {
				t.Errorf("%s, %v", p.Body, err)
			}
		})
	}
	close(open)
	wg.Wait()
	if n := g.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestPassedAnswersOfTwoQuestionsAreTwo(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	for _, q := range []string{"page=0", "page=1"} {
		g := &giver{body: `["` + q + `"]`}
		for _, hit := range []bool{false, true} {
			p, got, err := s.Passed(t.Context(), passedKey(q), terms(), g.fetch)
			if err != nil || string(p.Body) != g.body || got != hit || p.ETag == "" {
				t.Errorf("%s: %s, hit %v, %v", q, p.Body, got, err)
			}
		}
	}
	s.Flush()
	g := &giver{body: "[]"}
	if _, hit, err := s.Passed(t.Context(), passedKey("page=0"), terms(), g.fetch); hit || err != nil {
		t.Errorf("after it was emptied: hit %v, %v", hit, err)
	}
}
