package jamf_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/gateway/jamf"
)

func TestAFetchBringsTheBytesOfAPathOfTheSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const body = `{ "totalCount":1, "results":[{"id":"3","name":"K\u00fcche"}] }`
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) { giveJSON(w, 200, body) }}
		r := connect(t, u, fast, nil)
		got, err := r.src.Fetch(t.Context(), "/v1/computer-groups/{id}", 7, url.Values{"sort": {"name:asc"}})
		if err != nil || string(got) != body {
			t.Fatalf("%s, %v", got, err)
		}
		asked := u.requests()[1]
		if asked.path != "/api/v1/computer-groups/7" || asked.query != "sort=name%3Aasc" || asked.authorization != "Bearer "+tokenCanary+"1" {
			t.Errorf("asked %+v", asked)
		}
	})
}

func TestAFetchTakesOnlyAWholeDocument(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		good bool
	}{
		"array":            {`[{"id":"1"}]`, true},
		"empty array":      {`[]`, true},
		"object":           {`{"id":"1"}`, true},
		"empty list":       {`{"totalCount":0,"results":[]}`, true},
		"null":             {`null`, false},
		"empty object":     {`{}`, false},
		"text":             {`"x"`, false},
		"truncated":        {`{"totalCount":1,"results":[{"id":`, false},
		"more after it":    {`{"id":"1"} {}`, false},
		"no results":       {`{"totalCount":1}`, false},
		"results are null": {`{"totalCount":1,"results":null}`, false},
		"no count":         {`{"results":[]}`, false},
		"a name twice":     {`{"id":"1","id":"2"}`, false},
		"too deep":         {strings.Repeat("[", 65) + strings.Repeat("]", 65), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) { giveJSON(w, 200, c.body) }}
				got, err := connect(t, u, fast, nil).src.Fetch(t.Context(), "/v1/sites", 0, nil)
				if !c.good {
					must(t, err, jamf.ErrSchema, "unexpected_answer")
				} else if err != nil || string(got) != c.body {
					t.Errorf("%s, %v", got, err)
				}
			})
		})
	}
}

func TestARefusedFetchTellsJamfFromWhatStandsInFrontOfIt(t *testing.T) {
	for name, c := range map[string]struct {
		give func(http.ResponseWriter)
		kind error
		code string
	}{
		"404 of Jamf":       {func(w http.ResponseWriter) { giveEnvelope(w, 404) }, jamf.ErrNotFound, "not_found"},
		"400 of Jamf":       {func(w http.ResponseWriter) { giveEnvelope(w, 400) }, jamf.ErrBadRequest, "bad_request"},
		"404 of another":    {func(w http.ResponseWriter) { giveJSON(w, 404, `{}`) }, jamf.ErrUnavailable, "unexpected_answer"},
		"404 as a page":     {func(w http.ResponseWriter) { giveHTML(w, 404) }, jamf.ErrUnavailable, "unexpected_answer"},
		"HTML with 200":     {func(w http.ResponseWriter) { giveHTML(w, 200) }, jamf.ErrSchema, "html_instead_of_json"},
		"missing right":     {func(w http.ResponseWriter) { giveEnvelope(w, 403) }, jamf.ErrForbidden, "right_missing"},
		"larger than 4 MiB": {func(w http.ResponseWriter) { giveJSON(w, 200, `["`+strings.Repeat("x", 4<<20)+`"]`) }, jamf.ErrTooLarge, "answer_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) { c.give(w) }}
				_, err := connect(t, u, fast, nil).src.Fetch(t.Context(), "/v1/sites", 0, nil)
				must(t, err, c.kind, c.code)
			})
		})
	}
}

func TestFetchesNeverHoldAWalkUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const fetches, pages = 10, 20
		var mu sync.Mutex
		now, most := 0, 0
		u := &upstream{api: func(w http.ResponseWriter, r *http.Request, _ int) {
			if !strings.HasSuffix(r.URL.Path, "/sites") {
				givePage(w, 1)
				return
			}
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(10 * time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			giveJSON(w, 200, `[]`)
		}}
		r := connect(t, u, jamf.Limits{Connections: 2}, nil)
		var wg sync.WaitGroup
		began := time.Now()
		for range fetches {
			wg.Go(func() {
				if _, err := r.src.Fetch(t.Context(), "/v1/sites", 0, nil); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		w := r.src.NewWalk()
		for range pages {
			if _, err := page(t, w, jamf.Computers); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 5*time.Second { // 20 pages at 5 a second
			t.Errorf("the walk took %v", took)
		}
		wg.Wait()
		if took := time.Since(began); took < fetches*10*time.Second || most != 1 {
			t.Errorf("%d fetches in %v, %d at once", fetches, took, most)
		}
	})
}

func TestFetchesAreOneASecondAndAFifthOfASlowHost(t *testing.T) {
	for rps, gap := range map[float64]time.Duration{50: time.Second, 5: time.Second, 1: 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) { giveJSON(w, 200, `[]`) }}
			r := connect(t, u, jamf.Limits{RequestsPerSecond: rps}, nil)
			began := time.Now()
			for range 4 {
				if _, err := r.src.Fetch(t.Context(), "/v1/sites", 0, nil); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(began).Round(100 * time.Millisecond); took != 3*gap {
				t.Errorf("at %v a second 4 fetches took %v, want %v", rps, took, 3*gap)
			}
		})
	}
}

func TestAPathThatJamfServesBadlyStopsNoWalk(t *testing.T) {
	for name, give := range map[string]func(http.ResponseWriter){
		"401": func(w http.ResponseWriter) { giveEnvelope(w, 401) },
		"403": func(w http.ResponseWriter) { giveEnvelope(w, 403) },
		"502": func(w http.ResponseWriter) { giveHTML(w, 502) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := script(healthy(answers{"/api/v1/sites": func(w http.ResponseWriter, _ *http.Request) { give(w) }}))
				r := connect(t, u, fast, nil)
				for range 20 {
					if _, err := r.src.Fetch(t.Context(), "/v1/sites", 0, nil); err == nil {
						t.Fatal("no error")
					}
				}
				if st := r.src.Status(); st.Breaker != "closed" || st.Token != "valid" || st.LastError != nil {
					t.Errorf("status %+v", st)
				}
				if tokens, _, _ := u.counts(); tokens != 1 {
					t.Errorf("%d tokens", tokens)
				}
			})
		})
	}
}

func TestAnOpenBreakerKeepsFetchesIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) { giveHTML(w, 502) }}
		r := connect(t, u, fast, nil)
		for r.src.Status().Breaker == "closed" {
			r.src.Beat(t.Context())
		}
		_, before, _ := u.counts()
		for range 3 {
			_, err := r.src.Fetch(t.Context(), "/v1/sites", 0, nil)
			must(t, err, jamf.ErrBreakerOpen, "breaker_open")
			time.Sleep(40 * time.Second) // half-open by then: the heartbeat is the probe, not a client
		}
		if _, after, _ := u.counts(); after != before {
			t.Errorf("%d calls went out", after-before)
		}
	})
}
