package syncer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
)

func TestADeviceLeavesASetOfIdsAndNothingElseDoes(t *testing.T) {
	for _, c := range []struct {
		set  string
		id   int64
		want string
	}{
		{"1-40,42,77-79", 42, "1-40,77-79"},
		{"1-40,42,77-79", 1, "2-40,42,77-79"},
		{"1-40,42,77-79", 40, "1-39,42,77-79"},
		{"1-40,42,77-79", 78, "1-40,42,77,79"},
		{"1-40,42,77-79", 41, "1-40,42,77-79"},
		{"42", 42, ""},
		{"", 42, ""},
	} {
		var s idSet
		if err := s.UnmarshalText([]byte(c.set)); err != nil {
			t.Fatal(err)
		}
		if got := s.without(c.id).String(); got != c.want || s.String() != c.set {
			t.Errorf("%s without %d is %s, want %s; it is %s now", c.set, c.id, got, c.want, s)
		}
	}
}

func TestWhatIsRememberedOfADeviceAndOfASourceIsForgotten(t *testing.T) {
	b, err := openBook(nil, t.TempDir(), "a")
	if err != nil {
		t.Fatal(err)
	}
	src := &Source{Name: "a"}
	s := &Syncer{}
	s.crew.Store(newCrew([]*hand{{src: src, book: b, lines: []*line{{src: src, kind: device.Computer, book: b, tried: true}}}}))
	put := func() {
		err := b.update(func(p *bookPage) {
			r := p.kindOf(device.Computer)
			r.Devices, r.LastSuccess = 9, time.Unix(1, 0)
			r.Approved = &approval{At: time.Unix(2, 0), Evidence: evidence{
				Removed: setOf([]int64{41, 42, 43}), Serial: setOf([]int64{42}), Views: map[string]idSet{"c": setOf([]int64{42, 50})},
			}}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put()
	before := b.kind(device.Computer)
	if err := s.ForgetDevice("a", device.Computer, 42); err != nil {
		t.Fatal(err)
	}
	again, err := openBook(nil, filepath.Dir(b.path), "a")
	if err != nil {
		t.Fatal(err)
	}
	if e := again.kind(device.Computer).Approved.Evidence; e.knows(42) || e.Removed.String() != "41,43" || e.Views["c"].String() != "50" {
		t.Errorf("approved is %+v", e)
	}
	if !before.Approved.Evidence.knows(42) {
		t.Error("what somebody reads was changed under him")
	}
	for _, err := range []error{s.ForgetDevice("a", device.Mobile, 42), s.ForgetDevice("a", device.Computer, 42), s.ForgetDevice("b", device.Computer, 42), s.Forget("b")} {
		if err != nil {
			t.Error(err)
		}
	}
	if err := s.Forget("a"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(b.path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the file is there:", err)
	}
	if r := b.kind(device.Computer); r.Devices != 0 || !r.LastSuccess.IsZero() || s.crew.Load().lines[0].tried {
		t.Errorf("remembered is %+v", r)
	}
}

func TestTheDevicesOfAnApprovalAreForgottenWhenItEnds(t *testing.T) {
	b, err := openBook(nil, t.TempDir(), "a")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_790_000_000, 0)
	s := &Syncer{now: func() time.Time { return now }}
	s.crew.Store(&crew{books: map[string]*book{"a": b}})
	approve := approval{At: now, Evidence: evidence{Removed: setOf([]int64{42})}}
	if err := b.update(func(p *bookPage) { p.kindOf(device.Computer).Approved = &approve }); err != nil {
		t.Fatal(err)
	}
	now = now.Add(approvalLife)
	if err := s.Prune(); err != nil || b.kind(device.Computer).Approved == nil {
		t.Errorf("a good approval is forgotten: %v", err)
	}
	now = now.Add(1)
	if err := s.Prune(); err != nil || b.kind(device.Computer).Approved != nil {
		t.Errorf("it is still there: %v", err)
	}
	again, err := openBook(nil, filepath.Dir(b.path), "a")
	if err != nil || again.kind(device.Computer).Approved != nil {
		t.Errorf("it is still on the disk: %v", err)
	}
}
