package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/test/fakejamf"
)

// rowAuditDiskFull: the disk of the audit is full. Approvals and syncs are refused, reads go on, and all of it is made up for.
func rowAuditDiskFull(b *board) {
	h := b.prepare(fakejamf.Options{Computers: 200, Mobiles: 60}, nil)
	var full atomic.Bool
	h.disk = &cache.Disk{Fail: func(_ cache.Op, path string) error {
		if full.Load() && strings.Contains(path, "/.audit") {
			return syscall.ENOSPC
		}
		return nil
	}}
	h.start()
	h.waitSynced()
	b.settled(h)
	b.watch(h)
	h.remove(fakejamf.Computer, 80)
	b.nextSync(h)
	digest, _ := h.heldDigest()
	full.Store(true)
	post := func(path string) int {
		return h.call(http.MethodPost, h.admin+"/v1/admin/sources/schule-a/"+path, nil).status
	}
	for _, path := range []string{"approve?digest=" + digest, "sync", "expect-removals?count=0"} {
		if status := post(path); status != http.StatusServiceUnavailable {
			b.wrong("%s is answered %d while it cannot be written down", path, status)
		}
	}
	b.sleep(3 * time.Hour) // the syncs by the clock go on, and so do reads
	if still, _ := h.heldDigest(); still != digest {
		b.wrong("%q is held, %q was: an act was done unseen", still, digest)
	}
	full.Store(false)
	b.healed()
	h.devices[fakejamf.Computer] = 120
	if r := h.approve(digest); r.status != http.StatusOK {
		b.wrong("with room again: %d %.200s", r.status, r.body)
	}
	b.recovered(h, time.Minute)
	b.sleep(time.Minute) // what waits in memory is written by then
	var acts []string
	rows := 0
	dir := h.settings.Audit.Dir
	if dir == "" {
		dir = audit.Dir(h.settings.DataDir)
	}
	if err := audit.Lines(dir, time.Time{}, func(e audit.Entry, _ []byte) {
		if e.Event == "admin.approve" {
			acts = append(acts, e.Outcome)
		}
		rows += e.Rows
	}); err != nil {
		b.Fatal(err)
	}
	_, flaws, err := audit.Verify(dir)
	if !slices.Equal(acts, []string{audit.Asked, audit.Done}) || rows == 0 || len(flaws) > 0 || err != nil {
		b.wrong("the audit has approvals %v, %d rows, flaws %v, %v", acts, rows, flaws, err)
	}
	b.unwatch() // its run would go on with the generation of before for two hours
	b.judge(h)
}
