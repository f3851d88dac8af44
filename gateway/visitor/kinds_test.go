package visitor_test

import (
	"testing"
	"time"

	"jamf-gateway/gateway/visitor"
)

func TestTheListOfEachKindIsAskedForAndCounted(t *testing.T) {
	root := ca(t, nil, "Test Root")
	both := func(o *visitor.Options) { o.Computers = true }
	for name, tc := range map[string]struct {
		mobiles          int
		change           func(*visitor.Options)
		list, device     string
		german           string
		computers, total int // -1 = not asked for
	}{
		"both":                {7, both, "7 mobile devices, 5 computers", "mobile device 1", "7 Mobilgeräte, 5 Computer", 5, 7},
		"mobile devices only": {7, nil, "7 mobile devices", "mobile device 1", "7 Mobilgeräte", -1, 7},
		"computers only":      {7, func(o *visitor.Options) { o.Mobile = false }, "5 computers", "computer 1", "5 Computer", 5, -1},
		"one kind is empty":   {0, both, "0 mobile devices, 5 computers", "computer 1", "0 Mobilgeräte, 5 Computer", 5, 0},
	} {
		target := house(t, tc.mobiles)
		address := serveTLS(t, chain(leaf(t, root, host, time.Time{})), mangle(target, nil))
		r := visit(t, address, pool(root), tc.change)
		said := map[string]visitor.Words{}
		for _, s := range r.Steps {
			said[s.Name] = s.Detail
		}
		if !r.OK || said["visit_list"] != (visitor.Words{EN: tc.list, DE: tc.german}) || said["visit_detail"].EN != tc.device {
			t.Errorf("%s: %+v", name, r.Steps)
		}
		if count(r.Computers) != tc.computers || count(r.MobileDevices) != tc.total {
			t.Errorf("%s: %d computers and %d mobile devices", name, count(r.Computers), count(r.MobileDevices))
		}
	}
}

func count(n *int) int {
	if n == nil {
		return -1
	}
	return *n
}
