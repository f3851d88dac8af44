package gateway_test

import (
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
)

// size is what a program holds that could grow.
type size struct{ goroutines, files, heap int }

func sizeNow(t *testing.T) (s size) {
	t.Helper()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.goroutines, s.heap = runtime.NumGoroutine(), int(m.HeapAlloc)
	open, err := os.ReadDir("/proc/self/fd")
	if err == nil { // elsewhere nobody counts them
		s.files = len(open)
	}
	return s
}

// reading lets each client read a or b at each turn. Of a every answer is whole; of b it may be told, once b is removed, that the client has
// nothing there.
func reading(t *testing.T, readers []*reader, turns <-chan struct{}) (stop func() (reads, refused int64)) {
	t.Helper()
	over := make(chan struct{})
	end := sync.OnceFunc(func() { close(over) })
	var reads, refused atomic.Int64
	var group sync.WaitGroup
	for i, r := range readers {
		group.Go(func() {
			for n := i; ; n++ {
				select {
				case <-over:
					return
				case <-turns:
				}
				source := []string{"a", "b"}[n%2]
				path := []string{"/v1/devices?kind=computer&source=" + source, "/jamf/" + source + "/api/v1/computers-inventory"}[n/2%2]
				status, body, err := r.do(http.MethodGet, path, "")
				reads.Add(1)
				gone := status == http.StatusNotFound && strings.Contains(body, "unknown_source") || status == http.StatusUnauthorized && strings.Contains(body, "INVALID_TOKEN")
				switch {
				case err != nil:
					t.Errorf("%s is dropped: %v", path, err)
					end()
				case status == http.StatusOK && strings.Contains(body, `"3"`):
				case source == "b" && gone:
					refused.Add(1)
				default:
					t.Errorf("%s: %d %.300s", path, status, body)
					end()
				}
			}
		})
	}
	stop = func() (int64, int64) {
		end()
		group.Wait()
		return reads.Load(), refused.Load()
	}
	t.Cleanup(func() { stop() })
	return stop
}

// TestManyReloadsUnderLoadDropNothingAndGrowNothing: 200 in a row, or RELOADS=500, of which some remove a source or bring it back, while clients read.
func TestManyReloadsUnderLoadDropNothingAndGrowNothing(t *testing.T) {
	many := 200
	if n, err := strconv.Atoi(os.Getenv("RELOADS")); err == nil {
		many = n
	} else if raceEnabled {
		many = 40
	}
	c := quiet(t)
	c.Sources[0].Default = true
	c.MaxStale = 30 * 24 * time.Hour
	var now atomic.Int64
	now.Store(time.Now().UnixNano())
	f := &file{}
	g, ctx := runningWith(t, gateway.Options{Config: c, Follower: f, Now: func() time.Time { return time.Unix(0, now.Load()) }})
	var readers []*reader
	for range 4 {
		readers = append(readers, readerOf(t, g, "x", "s"))
	}
	there := true
	turns := make(chan struct{}, 2*len(readers)) // of what the readers leave there is no more
	reload := func(n int) {
		t.Helper()
		for range readers {
			select {
			case turns <- struct{}{}:
			default:
			}
		}
		now.Add(int64(10 * time.Second)) // clients of Jamf that nothing uses any more are closed by it
		next := but(c, func(next *config.Config) {
			next.Clients[1].RequestsPerSecond = float64(100 + n)
			if n%3 == 0 {
				next.Sources[0].Sync.PageSize = 100 + n
				next.Sources[0].ClientSecret = config.NewSecret("another")
			}
		})
		if n%50 == 5 && there {
			f.settings = without(next, "b")
			if _, err := g.Remove(ctx, "b"); err != nil {
				t.Fatal(err)
			}
			there = false
		} else {
			if !there && n%50 != 9 {
				next = without(next, "b")
			}
			if _, err := g.Reload(ctx, "test", next); err != nil {
				t.Fatal(err)
			}
			there = slices.ContainsFunc(next.Sources, func(s config.Source) bool { return s.Name == "b" })
		}
		g.CloseRetired()
	}
	rest := func() size {
		now.Add(int64(10 * time.Minute)) // what was retired is closed
		reload(5)
		reload(9)
		for _, r := range readers {
			r.http.CloseIdleConnections()
		}
		return sizeNow(t)
	}
	stop := reading(t, readers, turns)
	for n := range 20 {
		reload(n)
	}
	stop()
	before := rest()
	stop = reading(t, readers, turns)
	for n := range many {
		reload(n)
	}
	reads, refused := stop()
	after := rest()
	t.Logf("%d reads, %d of them refused; before %+v, after %+v", reads, refused, before, after)
	if reads < 100 || refused == 0 || reads == refused {
		t.Errorf("%d reads, %d of them refused: this proves little", reads, refused)
	}
	if after.goroutines > before.goroutines+20 || after.files > before.files+20 || after.heap > before.heap+256<<10 {
		t.Errorf("%d reloads grow %+v to %+v", many, before, after)
	}
}
