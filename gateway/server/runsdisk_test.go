package server_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// Whichever operation of writing the runs fails, for once: the walk goes on, a kill before the next write never mixes it with another
// generation, and after that write a restart knows it.
func TestNoFailingWriteOfTheRunsMixesTwoGenerations(t *testing.T) {
	const page = "/jamf/schule-a/api/v1/computers-inventory?page-size=4&page="
	for n, more := 1, true; more; n++ {
		dir := t.TempDir()
		var left atomic.Int64 // 0 and below: it works
		disk := &cache.Disk{Fail: func(op cache.Op, path string) error {
			if (path == dir || filepath.Dir(path) == dir) && left.Add(-1) == 0 {
				return fmt.Errorf("%s: %w", op, syscall.ENOSPC)
			}
			return nil
		}}
		runs := func(o *server.Options) { o.RunsFile = filepath.Join(dir, "runs.json") }
		w := newWorldOn(t, disk, runs)
		w.publish("schule-a", device.Computer, computers("AC", 1, 10))
		w.total("only-a", "?page-size=4&page=0")
		w.total("only-a", "?page-size=4&page=1") // of a walk that is over: the file names its list
		w.clock.Add(6 * time.Minute)
		w.publish("schule-a", device.Computer, computers("AC", 3, 30))
		left.Store(int64(n))
		if got := w.total("only-a", "?page-size=4&page=0"); got != 28 {
			t.Errorf("operation %d: the walk begins with %d computers", n, got)
		}
		more = left.Load() <= 0
		left.Store(0)
		killed := w.restart(t, runs)
		if r := killed.get("only-a", page+"1"); r.status == http.StatusOK || !more {
			if got := killed.total("only-a", "?page-size=4&page=1"); got != 28 {
				t.Errorf("operation %d: after a kill the walk goes on with %d computers", n, got)
			}
		} else {
			killed.want(r, http.StatusServiceUnavailable, "list_expired")
		}
		w.publish("schule-a", device.Computer, computers("AC", 5, 50))
		if got := w.total("only-a", "?page-size=4&page=1"); got != 28 {
			t.Errorf("operation %d: the walk goes on with %d computers", n, got)
		}
		w.server.Sweep()
		if got := w.restart(t, runs).total("only-a", "?page-size=4&page=2"); got != 28 {
			t.Errorf("operation %d: after a restart the walk goes on with %d computers", n, got)
		}
		if n < 5 && !more {
			t.Errorf("a write has %d operations: this proves little", n-1)
		}
	}
}
