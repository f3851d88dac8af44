package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/test/fakejamf"
)

// heldDigest is what the admin door says is held of the computers, "" = nothing.
func (h *house) heldDigest() (digest string, guards []string) {
	h.t.Helper()
	var held struct {
		Items []struct {
			Kind, Digest string
			Guards       []struct{ Guard string }
			Devices      []struct{ Name string }
		}
	}
	h.call(http.MethodGet, h.admin+"/v1/admin/sources/schule-a/held", nil).decode(h.t, &held)
	for _, k := range held.Items {
		if k.Kind != string(device.Computer) {
			h.t.Errorf("%s is held", k.Kind)
		}
		for _, g := range k.Guards {
			guards = append(guards, g.Guard)
		}
		if len(k.Devices) == 0 || k.Devices[0].Name == "" {
			h.t.Errorf("no device is named: %+v", k.Devices)
		}
		digest = k.Digest
	}
	return digest, guards
}

// A third of the computers is deleted in Jamf: clients go on to see them until a person approves it, also over a restart, and a day
// later; nothing about it is an error.
func TestAMassDeletionWaitsForApproval(t *testing.T) {
	t.Parallel()
	days := &calendar{}
	h := newHouse(t, fakejamf.Options{Computers: 150, Mobiles: 60, Seed: 5, Now: days.now}, nil)
	h.now = days.now
	h.start()
	h.waitSynced()
	v := h.inventory360(h.base + "/api")
	before := namesIn(t, h.jamf, fakejamf.Computer)
	for i, id := range h.jamf.Ledger().Alive(fakejamf.Computer) {
		if i%3 == 0 {
			h.jamf.Delete(fakejamf.Computer, id)
		}
	}
	h.syncNow()
	digest, guards := h.heldDigest()
	if digest == "" || strings.Join(guards, " ") != "removed week" {
		t.Fatalf("held under %q by %v", digest, guards)
	}
	v.synced(computerBooks(), before, "stale; reason=held", nil)
	v.synced(mobileBooks(), namesIn(t, h.jamf, fakejamf.Mobile), "", nil)
	if n := h.metric("jamf_sync_held", nil); n != 1 {
		t.Errorf("jamf_sync_held is %v", n)
	}

	h.stop()
	h.start()
	v.url = h.base + "/api"
	days.pass(24 * time.Hour)
	h.syncNow()
	if again, _ := h.heldDigest(); again != digest {
		t.Fatalf("the same deletions are held under %q, and were under %q", again, digest)
	}
	v.synced(computerBooks(), before, "stale; reason=held", nil)
	if r := h.call(http.MethodPost, h.admin+"/v1/admin/sources/schule-a/approve?digest=ffff", nil); r.status != http.StatusConflict {
		t.Errorf("another digest: %d %s", r.status, r.body)
	}
	approve := url.Values{"digest": {digest}, "by": {"anna"}}
	if r := h.call(http.MethodPost, h.admin+"/v1/admin/sources/schule-a/approve?"+approve.Encode(), nil); r.status != http.StatusOK {
		t.Fatalf("approve: %d %s", r.status, r.body)
	}
	if left, _ := h.heldDigest(); left != "" {
		t.Errorf("%s is held", left)
	}
	if !strings.Contains(h.logs.String(), `"by":"anna"`) {
		t.Error("the log does not say who approved")
	}
	days.pass(10 * time.Minute) // the client's run ends
	v.synced(computerBooks(), namesIn(t, h.jamf, fakejamf.Computer), "", nil)
}
