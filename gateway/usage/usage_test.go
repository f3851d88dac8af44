package usage_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/usage"
)

var start = time.Date(2026, 11, 27, 4, 12, 9, 0, time.UTC)

func recorder(t testing.TB, o usage.Options) *usage.Recorder {
	t.Helper()
	if o.Clients == nil {
		o.Clients = []string{"a", "b"}
	}
	o.Fields = append(o.Fields, strings.Fields("id general name os version userAndLocation username")...)
	if o.Now == nil {
		o.Now = func() time.Time { return start }
	}
	r, err := usage.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func of(t testing.TB, r *usage.Recorder, id string) usage.Record {
	t.Helper()
	rec, ok := r.Of(id)
	if !ok {
		t.Fatalf("there is no record of %s", id)
	}
	return rec
}

const inventory = "/api/v1/computers-inventory"

// page is a request for a page of a list.
func page(n, total int) *usage.Request {
	return &usage.Request{
		At: start, Method: "GET", Route: inventory, Query: []byte("page=1&page-size=100&section=GENERAL&section=HARDWARE"), Status: 200,
		UserAgent: []byte("Inventory360/4.8"), Accept: []byte("application/json"), AcceptEncoding: []byte("gzip"),
		AtOnce: 1, Token: 7, Size: 100, Asked: 0b101, Names: []string{"GENERAL", "STORAGE", "HARDWARE"},
		Walk: usage.Step{Series: "schule-a", Size: 100, Page: n, Total: total},
	}
}

func TestARecordTellsWhatAClientAskedForAndNoValue(t *testing.T) {
	r := recorder(t, usage.Options{})
	r.Record("a", &usage.Request{At: start, Method: "POST", Route: "/api/oauth/token", Status: 200, Issued: "body", AtOnce: 1})
	r.Record("a", page(0, 150))
	r.Record("a", page(1, 150))
	r.Record("a", &usage.Request{
		At: start.Add(time.Hour), Method: "GET", Path: []byte("/JSSResource/computers/name/canary"), Status: 404, Code: "not_found", AtOnce: 3, Token: 8,
		UserAgent: []byte("canary secret"),
	})
	r.Record("a", &usage.Request{
		At: start.Add(time.Hour), Method: "GET", Route: inventory, Query: []byte("filter=canary&sort=canary&Canary=canary"), Status: 400, Code: "hidden_field",
		Parameter: "filter", Filter: []usage.Comparison{{Selector: "userAndLocation.username", Op: "=="}}, Sort: "id:asc", Token: 8,
	})
	r.Refused("a", start)
	r.Refused("stranger", start)
	rec := of(t, r, "a")
	if text := marshalled(t, rec); strings.Contains(strings.ToLower(text), "canary") {
		t.Errorf("a value is kept:\n%s", text)
	}
	golden(t, "record.json", rec)
	if got := of(t, r, "b"); got.Requests != 0 || !got.FirstSeen.IsZero() {
		t.Errorf("of another client: %+v", got)
	}
	if _, ok := r.Of("stranger"); ok {
		t.Error("there is a record of who is no client")
	}
}

func marshalled(t testing.TB, v any) string {
	t.Helper()
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data) + "\n"
}

func TestRequestsWithoutALiveTokenAreNobodys(t *testing.T) {
	r := recorder(t, usage.Options{})
	r.Record("", &usage.Request{At: start, Method: "GET", Path: []byte("/api/v1/brand-new-thing"), Status: 401, Code: "unauthorized"})
	r.Record("gone", &usage.Request{
		At: start, Method: "POST", Path: []byte("/auth/token"), Query: []byte("annamuster=1&page=2&maxmuster"), Status: 401, Code: "unauthorized", Parameter: "annamuster",
	})
	rec := r.Nobody()
	if told := marshalled(t, rec); strings.Contains(told, "muster") || !strings.Contains(told, `"other"`) || !strings.Contains(told, `"page"`) {
		t.Errorf("what anybody can write is kept: %s", told)
	}
	if len(rec.Routes) != 2 || rec.Routes[0].Route != "/api/v1/{}" || rec.Routes[1].Route != "/auth/token" || rec.Routes[0].Served {
		t.Errorf("%+v", rec.Routes)
	}
}

func TestARecordIsBounded(t *testing.T) {
	word := func(n int) string {
		return "x" + strings.NewReplacer("0", "a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6", "g", "7", "h", "8", "i", "9", "j").Replace(fmt.Sprint(n))
	}
	var o usage.Options
	for i := range 20_000 {
		o.Fields = append(o.Fields, word(i))
	}
	r := recorder(t, o)
	for i := range 20_000 {
		r.Record("a", &usage.Request{
			At: start, Method: "GET", Route: "/r" + fmt.Sprint(i%300), Query: []byte(word(i%3) + "=1"), Status: 400, Code: word(i), Parameter: word(i), Size: i, Token: uint64(i + 1),
			UserAgent: []byte(word(i) + "/1"), Filter: []usage.Comparison{{Selector: word(i), Op: "=="}}, Sort: word(i) + ":asc", Fields: []string{word(i)},
			Accept: []byte("text/html"),
		})
		r.Record("a", &usage.Request{At: start, Method: "GET", Route: inventory, Status: 200, Walk: usage.Step{Series: word(i), Size: 1, Total: 3}})
	}
	rec := of(t, r, "a")
	if len(rec.Routes) != usage.MaxRoutes || len(rec.Walks) > usage.MaxWalks+1 || len(rec.UserAgents) > 17 || rec.Requests != 40_000 || rec.OtherRequests == 0 {
		t.Errorf("%d routes, %d walks, %d user agents, %d requests, %d others", len(rec.Routes), len(rec.Walks), len(rec.UserAgents), rec.Requests, rec.OtherRequests)
	}
	if n := r.Distinct("a"); n > usage.MaxDistinct+7*usage.MaxRoutes { // one "other" for each map
		t.Errorf("%d different names and numbers", n)
	}
	if size := len(marshalled(t, rec)); size > 2<<20 {
		t.Errorf("the record takes %d bytes", size)
	}
	var lines uint64
	for _, l := range rec.Routes {
		lines += l.Requests
	}
	if lines+rec.OtherRequests != rec.Requests {
		t.Errorf("%d requests in lines, %d others, %d in all", lines, rec.OtherRequests, rec.Requests)
	}
}

func TestTokensAreToldApart(t *testing.T) {
	r := recorder(t, usage.Options{})
	for i := range 3 * usage.LiveTokens { // one for each request, beside one that is used all the time
		r.Record("a", &usage.Request{At: start, Method: "GET", Route: inventory, Status: 200, Token: uint64(i + 2)})
		r.Record("a", &usage.Request{At: start, Method: "GET", Route: inventory, Status: 200, Token: 1})
	}
	want := []usage.Counted[string]{{Value: "1", Count: 3 * usage.LiveTokens}, {Value: "100-999", Count: 1}}
	if diff := cmp.Diff(want, of(t, r, "a").Tokens.PerRequests); diff != "" {
		t.Error(diff)
	}
	if a, b := r.Hash("x"), r.Hash("y"); a == b || a != r.Hash("x") || a == 0 {
		t.Errorf("hashes %d and %d", a, b)
	}
}

func TestWalksAreCountedByTheirPages(t *testing.T) {
	for name, tc := range map[string]struct {
		pages   []int // of a list of 5 rows, 2 a page
		total   int
		cursor  bool
		want    string // begun complete left ended unfinished
		lengths string
	}{
		"whole":               {[]int{0, 1, 2}, 5, false, "1 1 0 0 0", "3:1"},
		"pages at once":       {[]int{0, 2, 1}, 5, false, "1 1 0 0 0", "3:1"},
		"a page again":        {[]int{0, 1, 1, 1}, 5, false, "1 0 0 0 2", ""},
		"and one too many":    {[]int{0, 1, 2, 3}, 5, false, "1 1 0 0 0", "3:1"},
		"beyond the end":      {[]int{0, 7, 8}, 5, false, "1 0 0 0 1", ""},
		"left":                {[]int{0, 1, 0, 1, 2}, 5, false, "2 1 1 0 0", "3:1"},
		"two":                 {[]int{0, 1, 2, 0, 1, 2}, 5, false, "2 2 0 0 0", "3:2"},
		"not from the start":  {[]int{1, 2}, 5, false, "", ""},
		"empty":               {[]int{0}, 0, false, "1 1 0 0 0", "1:1"},
		"cursors":             {[]int{0, 1, 1}, 5, true, "1 1 0 0 0", "3:1"},
		"of unknown length":   {[]int{0, 1, 1, 0}, -1, true, "2 0 0 1 1", "3:1"},
		"refused in between":  {[]int{0, -1, 2}, 5, false, "1 0 0 0 2", ""},
		"very many and whole": {[]int{0, 4999, 5000, 1}, 3, false, "1 1 0 0 0", "2:1"},
	} {
		r := recorder(t, usage.Options{})
		for _, p := range tc.pages {
			rq := page(p, tc.total)
			rq.Walk.Size, rq.Walk.Cursor = 2, tc.cursor
			if p < 0 {
				rq.Status, rq.Walk.Page = 503, 1
			}
			r.Record("a", rq)
		}
		walks := of(t, r, "a").Walks
		if tc.want == "" && len(walks) == 0 {
			continue
		}
		w := walks[0]
		lengths := ""
		for _, l := range w.Lengths {
			lengths += fmt.Sprintf("%d:%d", l.Value, l.Count)
		}
		if got := fmt.Sprint(w.Begun, w.Complete, w.Left, w.Ended, w.Unfinished); got != tc.want || lengths != tc.lengths {
			t.Errorf("%s: %s with lengths %q, want %s and %q", name, got, lengths, tc.want, tc.lengths)
		}
	}
}

func TestTheLastHoursAreTold(t *testing.T) {
	r := recorder(t, usage.Options{})
	for i := range 100 {
		r.Record("a", &usage.Request{At: start.Add(time.Duration(i) * time.Hour), Method: "GET", Route: inventory, Status: 200})
	}
	r.Record("a", &usage.Request{At: start, Method: "POST", Route: "/oauth/token", Status: 200, Issued: "basic"}) // the clock went back
	hours := of(t, r, "a").Hours
	last := hours[len(hours)-1]
	if len(hours) != 48 || !last.At.Equal(start.Truncate(time.Hour).Add(99*time.Hour)) || last.Requests != 1 || last.Tokens != 1 {
		t.Errorf("%d hours, the last %+v", len(hours), last)
	}
}

// writer counts the files that are written.
type writer struct {
	mu     sync.Mutex
	times  int
	broken error
}

func (w *writer) write(path string, data []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.broken
	}
	w.times++
	return os.WriteFile(path, data, 0o600)
}

func TestRecordsOutliveARestartWithoutThoseOfClientsThatAreGone(t *testing.T) {
	w := &writer{}
	o := usage.Options{File: filepath.Join(t.TempDir(), "usage.json"), Aside: aside, Write: w.write}
	r := recorder(t, o)
	for _, id := range []string{"a", "b", ""} {
		r.Record(id, page(0, 150))
		r.Record(id, page(1, 150))
		r.Record(id, &usage.Request{
			At: start, Method: "GET", Route: inventory, Query: []byte("filter=x&colour=y&sort=z"), Status: 400, Code: "hidden_field", Parameter: "filter",
			Filter: []usage.Comparison{{Selector: "general.name", Op: "=="}}, Sort: "id:asc", Fields: []string{"os.version"}, Issued: "basic", UserAgent: []byte("?"),
		})
	}
	r.Refused("a", start)
	if err := r.Save(); err != nil {
		t.Fatal(err)
	}
	o.Clients = []string{"a", "new"}
	again := recorder(t, o)
	for _, id := range []string{"a"} {
		if diff := cmp.Diff(marshalled(t, of(t, r, id)), marshalled(t, of(t, again, id))); diff != "" {
			t.Errorf("%s:\n%s", id, diff)
		}
	}
	if diff := cmp.Diff(marshalled(t, r.Nobody()), marshalled(t, again.Nobody())); diff != "" {
		t.Error(diff)
	}
	if got := of(t, again, "new"); got.Requests != 0 {
		t.Errorf("of a new client: %+v", got)
	}
	if err := again.Save(); err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(o.File); err != nil || strings.Contains(string(raw), `"client":"b"`) {
		t.Errorf("the record of a client that is gone: %s %v", raw, err)
	}
	again.Record("a", page(0, 150))
	if got := of(t, again, "a"); got.Requests != 4 || got.Walks[0].Begun != 2 {
		t.Errorf("counting goes on: %+v", got)
	}
}

func TestWhatWasNotAskedForNinetyDaysIsForgotten(t *testing.T) {
	now := start
	o := usage.Options{File: filepath.Join(t.TempDir(), "usage.json"), Aside: aside, Write: (&writer{}).write, Now: func() time.Time { return now }}
	r := recorder(t, o)
	r.Record("a", page(0, 1))
	old := page(0, 1)
	old.Route, old.At = "/api/v1/auth", start.Add(-91*24*time.Hour)
	r.Record("a", old)
	if err := r.Save(); err != nil {
		t.Fatal(err)
	}
	if got := of(t, r, "a").Routes; len(got) != 1 || got[0].Route != inventory {
		t.Errorf("%+v", got)
	}
	now = start.Add(91 * 24 * time.Hour)
	o.Date = func() time.Time { return start }
	if got := of(t, recorder(t, o), "a").Routes; len(got) != 1 {
		t.Errorf("by a clock that is not believed: %+v", got)
	}
	o.Date = nil
	if got := of(t, recorder(t, o), "a").Routes; len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestAFileThatCannotBeReadCostsTheCountsAndNotTheStart(t *testing.T) {
	for name, text := range map[string]string{"torn": `{"format":1,"clients":[{"cli`, "newer": `{"format":2}`, "empty": ``, "nonsense": `{"format":1,"clients":[{"client":"a","firstSeenAt":"x"}]}`} {
		file := filepath.Join(t.TempDir(), "usage.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r := recorder(t, usage.Options{File: file, Aside: aside, Write: (&writer{}).write})
		if got := of(t, r, "a"); got.Requests != 0 || !got.Since.Equal(start) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, err := usage.New(usage.Options{File: "x"}); err == nil {
		t.Error("a file without a way to write it")
	}
}

func TestTheFileIsWrittenSeldomAndAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writer{}
		r := recorder(t, usage.Options{File: filepath.Join(t.TempDir(), "usage.json"), Aside: aside, Write: w.write})
		end := make(chan struct{})
		done := make(chan error)
		ctx := contextUntil(t, end)
		go func() { done <- r.Run(ctx) }()
		times := func(want int, when string) {
			t.Helper()
			synctest.Wait()
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.times != want {
				t.Errorf("%s: written %d times, want %d", when, w.times, want)
			}
		}
		time.Sleep(time.Hour)
		times(0, "nothing was counted")
		for range 240 { // an hour
			r.Record("a", page(0, 1))
			time.Sleep(15 * time.Second)
		}
		times(12, "a request every 15 s for an hour")
		w.mu.Lock()
		w.broken = os.ErrPermission
		w.mu.Unlock()
		r.Record("a", page(0, 1))
		time.Sleep(6 * time.Minute)
		w.mu.Lock()
		w.broken = nil
		w.mu.Unlock()
		time.Sleep(6 * time.Minute)
		times(13, "after a disk that was full")
		r.Refused("a", start)
		close(end)
		if err := <-done; err != nil {
			t.Error(err)
		}
		times(14, "at the end")
	})
}

func TestManyRequestsAtOnceAreAllCounted(t *testing.T) {
	r := recorder(t, usage.Options{})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 500 {
				r.Record("a", page(0, 1))
				r.Refused("a", start)
				r.All()
			}
		})
	}
	group.Wait()
	if got := of(t, r, "a"); got.Requests != 4000 || got.Tokens.Refused != 4000 {
		t.Errorf("%d requests, %d refused", got.Requests, got.Tokens.Refused)
	}
}

func TestRecordingARequestLikeTheOneBeforeAllocatesNothing(t *testing.T) {
	r := recorder(t, usage.Options{})
	rq := page(0, 1000)
	r.Record("a", rq)
	if n := testing.AllocsPerRun(100, func() { r.Record("a", rq) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	r := recorder(b, usage.Options{})
	rq := page(0, 1000)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.Record("a", rq)
		}
	})
}

func TestTheLastUseOfEachSecretIsKeptOverARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".usage.json")
	o := usage.Options{File: file, Aside: aside, Write: func(path string, data []byte) error { return os.WriteFile(path, data, 0o600) }}
	r := recorder(t, o)
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	r.Record("a", &usage.Request{At: at(1), Method: "POST", Status: 200, Issued: "body", Secret: "old"})
	r.Record("a", &usage.Request{At: at(2), Method: "GET", Status: 200, Token: 1, Secret: "old"})
	r.Record("a", &usage.Request{At: at(3), Method: "POST", Status: 200, Issued: "body", Secret: "new"})
	r.Record("", &usage.Request{At: at(9), Method: "GET", Status: 401, Secret: "new"})
	want := []usage.Secret{{Name: "new", LastToken: usage.Moment{Time: at(3)}}, {Name: "old", LastToken: usage.Moment{Time: at(1)}, LastRequest: usage.Moment{Time: at(2)}}}
	if err := r.Save(); err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]*usage.Recorder{"before": r, "after": recorder(t, o)} {
		rec := of(t, one, "a")
		if !rec.LastToken.Equal(at(3)) || !rec.LastRequest.Equal(at(2)) {
			t.Errorf("%s the restart: last token %v, last request %v", name, rec.LastToken, rec.LastRequest)
		}
		if diff := cmp.Diff(marshalled(t, want), marshalled(t, rec.Secrets)); diff != "" {
			t.Errorf("%s the restart (-want +got):\n%s", name, diff)
		}
	}
	for i := range 30 {
		r.Record("a", &usage.Request{At: at(10 + i), Method: "GET", Status: 200, Secret: fmt.Sprintf("s%02d", i)})
	}
	if got := of(t, r, "a").Secrets; len(got) != 8 || got[0].Name != "s22" {
		t.Errorf("of many the last ones: %v", got)
	}
}
