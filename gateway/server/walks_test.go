package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
)

// walkLength is how many devices are walked: 2,000, or WALKS of them (make walks).
func walkLength(t *testing.T) int {
	t.Helper()
	n := os.Getenv("WALKS")
	if n == "" {
		return 2000
	}
	count, err := strconv.Atoi(n)
	if err != nil || count < 2000 {
		t.Fatalf("WALKS=%s is no number from 2000 on", n)
	}
	return count
}

// A walk finds each device exactly once, in the same order at every page size: in the list's own order, by id and filtered.
func TestAWalkYieldsEachDeviceOnceAtEveryPageSize(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine, and slow under the race detector")
	}
	n := walkLength(t)
	w := newWorld(t)
	f := make(fleet, n)
	for id := 1; id <= n; id++ {
		f[id] = computer(id, fmt.Sprintf("S%06d", id), fmt.Sprintf("mac %d", id*7919%(n/3))) // three devices of each name
	}
	w.publish("schule-a", device.Computer, f)
	filter := fmt.Sprintf("id=gt=%d;general.name==*1*", n/10)
	filtered := 0
	for id := n/10 + 1; id <= n; id++ {
		if slices.Contains([]byte(strconv.Itoa(id*7919%(n/3))), '1') {
			filtered++
		}
	}
	sizes := []int{7, 100, 2000}
	if n > 2000 {
		sizes = append(sizes, 5000)
	}
	for name, walk := range map[string]struct {
		query url.Values
		want  int
	}{
		"by name":  {url.Values{}, n},
		"by id":    {url.Values{"sort": {"id"}}, n},
		"filtered": {url.Values{"filter": {filter}}, filtered},
	} {
		var first []int
		for _, size := range sizes {
			ids := w.wholeWalk(t, name, walk.query, size, walk.want)
			if first == nil {
				first = ids
				isEachOnce(t, name, ids, walk.want, n)
			}
			if !slices.Equal(ids, first) {
				t.Errorf("%s by %d: not the order by %d", name, size, sizes[0])
			}
		}
	}
}

// TestAWalkByOneYieldsEachDeviceOnce walks 5,000 devices in make walks, else 300.
func TestAWalkByOneYieldsEachDeviceOnce(t *testing.T) {
	n := 300
	if walkLength(t) > 2000 {
		n = 5000
	}
	w := newWorld(t)
	f := make(fleet, n)
	for id := 1; id <= n; id++ {
		f[id] = computer(id, fmt.Sprintf("S%06d", id), fmt.Sprintf("mac %d", id*7919%(n/3)))
	}
	w.publish("schule-a", device.Computer, f)
	isEachOnce(t, "by one", w.wholeWalk(t, "by one", url.Values{}, 1, n), n, n)
}

// isEachOnce tells that there are so many ids, none twice, and none beyond the highest.
func isEachOnce(t *testing.T, name string, ids []int, count, highest int) {
	t.Helper()
	seen := make([]bool, highest+1)
	for _, id := range ids {
		if id < 1 || id > highest || seen[id] {
			t.Fatalf("%s: device %d comes twice or does not exist", name, id)
		}
		seen[id] = true
	}
	if len(ids) != count {
		t.Errorf("%s: %d devices, want %d", name, len(ids), count)
	}
}

// wholeWalk reads a list page by page through the public door, until totalCount is reached, as Jamf's clients do.
func (w *world) wholeWalk(t *testing.T, name string, query url.Values, size, want int) []int {
	t.Helper()
	token := "Bearer " + w.token("all")
	begin := time.Now()
	var ids []int
	requests := 0
	for page := 0; page*size < want || page == 0; page++ {
		status, body := w.plainGet(t, fmt.Sprintf("/api/v4/computers-inventory?page=%d&page-size=%d&%s", page, size, query.Encode()), token)
		requests++
		var p struct {
			TotalCount int
			Results    []struct {
				ID int `json:"id,string"`
			}
		}
		if err := json.Unmarshal(body, &p); err != nil || status != http.StatusOK {
			t.Fatalf("%s by %d, page %d: %d %.300s", name, size, page, status, body)
		}
		if p.TotalCount != want || len(p.Results) != min(size, want-page*size) {
			t.Fatalf("%s by %d, page %d: %d rows of %d, want %d of %d", name, size, page, len(p.Results), p.TotalCount, min(size, want-page*size), want)
		}
		for _, r := range p.Results {
			ids = append(ids, r.ID)
		}
	}
	t.Logf("%s by %d: %d devices in %d requests, %s", name, size, len(ids), requests, time.Since(begin).Round(time.Millisecond))
	return ids
}

// plainGet asks and holds the answer against no description: this is timed.
func (w *world) plainGet(t *testing.T, path, token string) (status int, body []byte) {
	t.Helper()
	rq, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	rq.Header.Set("Authorization", token)
	rs, err := w.http.Do(rq)
	if err != nil {
		t.Fatal(err)
	}
	defer rs.Body.Close()
	if body, err = io.ReadAll(rs.Body); err != nil {
		t.Fatal(err)
	}
	return rs.StatusCode, body
}
