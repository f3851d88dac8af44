package report_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/report"
)

// Whichever operation of writing a policy down fails, for once: it is told, every policy of before stays as it was, and the next start writes
// what is in force.
func TestNoFailingWriteHurtsTheHistoryOfPolicies(t *testing.T) {
	for _, before := range []int{0, 1} {
		for n, more := 1, true; more; n++ {
			left := n
			disk := &cache.Disk{Fail: func(op cache.Op, _ string) error {
				if left--; left == 0 {
					return fmt.Errorf("%s: %w", op, syscall.ENOSPC)
				}
				return nil
			}}
			dir := t.TempDir() + "/data"
			narrow, wide := policyOf("id"), policyOf("id", "general.name")
			var want []string
			if before > 0 {
				record(t, dir, began, narrow, true)
				want = append(want, narrow.Digest())
			}
			done, err := report.Record(disk, dir, began.Add(time.Hour), "1.0", wide)
			more = left <= 0
			if (err != nil) != more || done == more {
				t.Errorf("operation %d of a history of %d: began %v, %v", n, before, done, err)
			}
			h, err := report.ReadHistory(dir)
			if err != nil || len(h.Entries) < before || len(h.Entries) > before+1 || h.Damaged > 1 {
				t.Errorf("operation %d of a history of %d: %+v, %v", n, before, h, err)
			}
			_, err = report.Record(&cache.Disk{}, dir, began.Add(2*time.Hour), "1.0", wide)
			after, readErr := report.ReadHistory(dir)
			var got []string
			for _, e := range after.Entries {
				got = append(got, e.Digest)
			}
			if diff := cmp.Diff(append(want, wide.Digest()), got); diff != "" || err != nil || readErr != nil {
				t.Errorf("operation %d of a history of %d, the start after: %v, %v (-want +got):\n%s", n, before, err, readErr, diff)
			}
			if n < 3 && !more {
				t.Errorf("a write has %d operations: this proves little", n-1)
			}
		}
	}
}
