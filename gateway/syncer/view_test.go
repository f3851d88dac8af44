package syncer_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
	"jamf-gateway/gateway/syncer"
)

// grouped is a Mac with a site and groups: the even ones are of the site North and teachers.
func grouped(k device.Kind, id int64) []byte {
	site, group := `{"id":"2","name":"South"}`, `{"groupId":"5","groupName":"Pupils of class 7b"}`
	if id%2 == 0 {
		site, group = `{"id":"1","name":"North"}`, `{"groupId":"4","groupName":"Teachers on sick leave"}`
	}
	if k == device.Mobile {
		return fmt.Appendf(nil, `{"mobileDeviceId":"%d","deviceType":"iOS","general":{"displayName":"pad-%d","udid":"M%d","siteId":"%d"},"hardware":{"serialNumber":"S%d"},"groups":[%s]}`,
			id, id, id, 2-(id+1)%2, id, group)
	}
	return fmt.Appendf(nil, `{"id":"%d","udid":"U%d","general":{"name":"mac-%d","site":%s},"hardware":{"serialNumber":"C%d"},"groupMemberships":[%s]}`, id, id, id, site, id, group)
}

// viewOf is what a filter shows of the generation that is served.
func (h *house) viewOf(k device.Kind, f device.Filter) *cache.View {
	h.t.Helper()
	g, err := h.store.Acquire(cache.Series{Source: "a", Kind: k})
	if err != nil {
		h.t.Fatal(err)
	}
	defer g.Release()
	v, err := g.View(h.t.Context(), f)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func TestAFilterIsAnsweredByWhatTheProfileDoesNotKeep(t *testing.T) {
	j := fleet(20, 20)
	j.body = grouped
	f := device.Filter{Groups: []string{"teachers on sick leave"}, Sites: []string{"1"}}
	var sections []string
	bubble(t, j, []device.Kind{device.Computer, device.Mobile}, func(h *house) {
		h.source.Views = []syncer.View{{Client: "north", Filter: f}}
		h.source.NewWalk = func() syncer.Walk { return noting{j, &sections} }
		h.start()
		h.mustBe(device.Computer, "fresh", "ok", "")
		h.mustBe(device.Mobile, "fresh", "ok", "")
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			if v := h.viewOf(k, f); v.Count() != 10 || v.Has(1) || !v.Has(2) {
				t.Errorf("%s: %d devices are shown, want 10", k, v.Count())
			}
			if body := h.kept(k, 2).Body; bytes.Contains(body, []byte("Teachers")) || bytes.Contains(body, []byte("ite")) {
				t.Errorf("kept: %s", body)
			}
		}
		if diff := cmp.Diff(true, bytes.Contains([]byte(fmt.Sprint(sections)), []byte("GROUP_MEMBERSHIPS"))); diff != "" {
			t.Errorf("asked for %v", sections)
		}
		// Jamf stops to send groups: who was a teacher stays one.
		j.mu.Lock()
		j.body = func(k device.Kind, id int64) []byte {
			return bytes.ReplaceAll(bytes.ReplaceAll(grouped(k, id), []byte(`"groups":[`), []byte(`"groups":null,"x":[`)), []byte(`"groupMemberships":[`), []byte(`"groupMemberships":null,"x":[`))
		}
		j.mu.Unlock()
		h.sync()
		h.mustBe(device.Computer, "fresh", "ok", "")
		if v := h.viewOf(device.Computer, f); v.Count() != 10 {
			t.Errorf("%d devices after groups were not sent", v.Count())
		}
		h.stop()
		err := filepath.WalkDir(h.dir, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if bytes.Contains(data, []byte("7b")) && bytes.Contains(data, []byte("Pupils")) {
				t.Errorf("%s holds a group that no filter names", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestANewFilterBringsTheNextSyncForward(t *testing.T) {
	j := fleet(20, 0)
	j.body = grouped
	bubble(t, j, []device.Kind{device.Computer}, func(h *house) {
		h.start()
		first := h.served(device.Computer).Number
		h.stop()
		h.source.Views = []syncer.View{{Client: "north", Filter: device.Filter{Groups: []string{"4"}}}}
		h.start()
		if got := h.served(device.Computer); got.Number == first || h.viewOf(device.Computer, h.source.Views[0].Filter).Count() != 10 {
			t.Errorf("generation %d is served, with %v", got.Number, got.Terms)
		}
	})
}

// noting remembers the sections that are asked for.
type noting struct {
	*script
	sections *[]string
}

func (n noting) Page(ctx context.Context, l jamf.List, sections []string, page, size int) (*jamf.Page, error) {
	n.mu.Lock()
	*n.sections = append(*n.sections, sections...)
	n.mu.Unlock()
	return n.script.Page(ctx, l, sections, page, size)
}

// What a client is not shown of a kind at all is none of its loss.
func TestAViewIsWeighedInTheKindsOfItsClientAlone(t *testing.T) {
	for kind, result := range map[device.Kind]string{device.Mobile: "ok", device.Computer: "held"} {
		j := fleet(40, 0)
		j.body = grouped
		bubble(t, j, []device.Kind{device.Computer}, func(h *house) {
			h.source.Views = []syncer.View{{Client: "north", Filter: device.Filter{Sites: []string{"North"}}, Kinds: []device.Kind{kind}}}
			h.start()
			j.mu.Lock()
			j.body = func(k device.Kind, id int64) []byte {
				return bytes.Replace(grouped(k, id), []byte("North"), []byte("N0rth"), 1)
			}
			j.mu.Unlock()
			h.sync()
			if got := h.status(device.Computer).LastResult; got != result {
				t.Errorf("a client of kind %s: the sync of computers is %q, want %q", kind, got, result)
			}
		})
	}
}

func TestARenamedSiteIsHeldForTheClientThatWouldLoseItsDevices(t *testing.T) {
	j := fleet(40, 0)
	j.body = grouped
	bubble(t, j, []device.Kind{device.Computer}, func(h *house) {
		north := device.Filter{Sites: []string{"North"}}
		h.source.Views = []syncer.View{{Client: "north", Filter: north}, {Client: "south", Filter: device.Filter{Sites: []string{"South"}}}}
		h.start()
		j.mu.Lock()
		j.body = func(k device.Kind, id int64) []byte {
			return bytes.Replace(grouped(k, id), []byte("North"), []byte("N0rth"), 1)
		}
		j.mu.Unlock()
		h.sync()
		h.mustBe(device.Computer, "stale", "held", "held")
		if got := h.viewOf(device.Computer, north).Count(); got != 20 {
			t.Errorf("%d devices are shown while it is held", got)
		}
		hold := h.status(device.Computer).Hold
		if diff := cmp.Diff([]syncer.Finding{{Guard: syncer.GuardEmpty, Count: 20, Of: 20, Client: "north"}}, hold.Findings); diff != "" {
			t.Error(diff)
		}
		if detail := h.status(device.Computer).ErrorDetail; detail != "view of client north, empty: none of 20 devices is left" {
			t.Errorf("detail %q", detail)
		}
		h.sync() // the same change keeps its digest
		if again := h.status(device.Computer).Hold; again.Digest != hold.Digest {
			t.Errorf("digest %s, then %s", hold.Digest, again.Digest)
		}
		if err := h.syncer.Approve(t.Context(), "a", h.status(device.Computer).Hold.Digest, "admin"); err != nil {
			t.Fatal(err)
		}
		h.mustBe(device.Computer, "fresh", "ok", "")
		if got := h.viewOf(device.Computer, north).Count(); got != 0 {
			t.Errorf("%d devices are shown after it was approved", got)
		}
		h.sync()
		h.mustBe(device.Computer, "fresh", "ok", "")
	})
}
