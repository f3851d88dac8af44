package usage_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/usage"
)

// Whichever operation of a write fails, for once: what is counted goes on, the file holds the counts of before or of now, whole, and five minutes
// later it holds those of now by itself.
func TestNoFailingWriteCostsACount(t *testing.T) {
	for n, more := 1, true; more; n++ {
		synctest.Test(t, func(t *testing.T) {
			var left atomic.Int64 // 0 and below: it works
			disk := &cache.Disk{Fail: func(op cache.Op, _ string) error {
				if left.Add(-1) == 0 {
					return fmt.Errorf("%s: %w", op, syscall.ENOSPC)
				}
				return nil
			}}
			file := filepath.Join(t.TempDir(), "usage.json")
			r := recorder(t, usage.Options{File: file, Aside: disk.SetAside, Write: disk.ReplaceFile})
			end, done := make(chan struct{}), make(chan error)
			ctx := contextUntil(t, end)
			go func() { done <- r.Run(ctx) }()
			synctest.Wait()
			onDisk := func() (count uint64) {
				t.Helper()
				clients, _, err := usage.Read(file)
				if err != nil {
					t.Errorf("operation %d: %v", n, err)
				}
				for _, c := range clients {
					count += c.Requests
				}
				return count
			}
			r.Record("a", page(0, 1))
			time.Sleep(5*time.Minute + time.Second)
			synctest.Wait()
			if got := onDisk(); got != 1 {
				t.Errorf("%d requests are on disk, want 1", got)
			}
			left.Store(int64(n))
			r.Record("a", page(0, 1))
			time.Sleep(5*time.Minute + time.Second)
			synctest.Wait()
			more = left.Load() <= 0
			if got := onDisk(); got != 1 && got != 2 || !more && got != 2 {
				t.Errorf("operation %d: %d requests are on disk", n, got)
			}
			left.Store(0)
			time.Sleep(5*time.Minute + time.Second)
			synctest.Wait()
			if got := onDisk(); got != 2 || of(t, r, "a").Requests != 2 {
				t.Errorf("operation %d: %d requests are on disk later, %d in memory; want 2", n, got, of(t, r, "a").Requests)
			}
			close(end)
			if err := <-done; err != nil {
				t.Error(err)
			}
			if files, err := os.ReadDir(filepath.Dir(file)); err != nil || len(files) != 1 {
				t.Errorf("operation %d: left behind are %v, %v", n, files, err)
			}
		})
		if n < 4 && !more {
			t.Errorf("a write has %d operations: this proves little", n-1)
		}
	}
}
