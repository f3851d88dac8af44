package fakejamf_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"jamf-gateway/test/fakejamf"
)

// A plain offset walk over a living fleet loses devices that lived all the while: that is why the overlap walk exists.
func TestPlainOffsetWalkLosesDevicesOfALivingFleet(t *testing.T) {
	lost := 0
	for seed := range uint64(5) {
		s := fakejamf.New(fakejamf.Options{Computers: 1000, Seed: seed, Mutate: true, MutateRate: 1})
		c := newClient(t, s)
		from := s.Mark()
		held := c.walk(byID, 50)
		for _, id := range s.Ledger().AliveThroughout(fakejamf.Computer, from, s.Mark()) {
			if held[id] == nil {
				lost++
			}
		}
	}
	if lost == 0 {
		t.Error("five walks over changing fleets lost nobody: the oracle cannot tell a good walk from a bad one")
	}
}

func TestWalkOverAStillFleetHoldsExactlyTheLedger(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{Computers: 530, Mobiles: 270, Seed: 3, Nodes: 2})
	c := newClient(t, s)
	for kind, path := range map[fakejamf.Kind]string{fakejamf.Computer: byID, fakejamf.Mobile: detailByID} {
		held := c.walk(path, 70)
		var got []int64
		for id := range held {
			got = append(got, id)
		}
		slices.Sort(got)
		if want := s.Ledger().Alive(kind); !slices.Equal(got, want) {
			t.Errorf("%s: %d devices, want %d", kind, len(got), len(want))
		}
	}
}

// What is served is judged by the ledger: whatever a page showed lived in the window, under a version valid in it.
func TestEveryServedRowIsInTheLedger(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		s := fakejamf.New(fakejamf.Options{Computers: 400, Seed: 6, Mutate: true, MutateRate: 2, Nodes: nodes, NodeLagMutations: 7})
		c := newClient(t, s)
		ledger := s.Ledger()
		for page := range 40 {
			c.cookie = "" // another node each time
			from := ledger.Mark()
			l := c.list(fmt.Sprintf("%s&page-size=20&page=%d", byID, page%20))
			to := ledger.Mark()
			for _, r := range l.Results {
				id := r.id(t)
				name, _ := r.section("general")["name"].(string)
				if !ledger.EverExisted(fakejamf.Computer, id) || !ledger.AliveDuring(fakejamf.Computer, id, from, to) {
					t.Fatalf("%d nodes: computer %d was served and did not live", nodes, id)
				}
				versions := ledger.VersionsIn(fakejamf.Computer, id, from, to)
				if !slices.ContainsFunc(versions, func(v fakejamf.Version) bool { return v.Name == name }) {
					t.Fatalf("%d nodes: computer %d was served as %q, which is none of %+v", nodes, id, name, versions)
				}
			}
		}
	}
}

func TestLedgerTellsTheLifeOfADevice(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	s := fakejamf.New(fakejamf.Options{Computers: 10, Now: func() time.Time { return now }})
	l := s.Ledger()
	start := l.Mark()
	id := s.Add(fakejamf.Computer)
	born := l.Mark()
	if !s.Rename(fakejamf.Computer, id, "eins") || !s.Rename(fakejamf.Computer, id, "zwei") || !s.Reserial(fakejamf.Computer, id, "SERIAL0001") || !s.Touch(fakejamf.Computer, id) {
		t.Fatal("a living device cannot be changed")
	}
	renamed := l.Mark()
	if !s.Delete(fakejamf.Computer, id) || s.Delete(fakejamf.Computer, id) || s.Rename(fakejamf.Computer, id, "drei") {
		t.Error("a device dies once and is not renamed after")
	}
	end := l.Mark()

	if slices.Contains(l.AliveThroughout(fakejamf.Computer, start, renamed), id) || slices.Contains(l.AliveThroughout(fakejamf.Computer, born, end), id) {
		t.Error("alive throughout a window that its birth or death lies in")
	}
	if !slices.Contains(l.AliveThroughout(fakejamf.Computer, born, renamed), id) {
		t.Error("not alive between birth and death")
	}
	if got := len(l.AliveThroughout(fakejamf.Computer, start, end)); got != 10 {
		t.Errorf("%d of the 10 others are alive throughout", got)
	}
	if !l.EverExisted(fakejamf.Computer, id) || l.EverExisted(fakejamf.Mobile, id) || l.EverExisted(fakejamf.Computer, id+1) {
		t.Error("existence is wrong")
	}
	var names []string
	for _, v := range l.VersionsIn(fakejamf.Computer, id, born, renamed) {
		names = append(names, fmt.Sprint(v.Name == "eins", v.Name == "zwei", v.SerialNumber == "SERIAL0001"))
	}
	if want := []string{"false false false", "true false false", "false true false", "false true true", "false true true"}; !slices.Equal(names, want) {
		t.Errorf("versions %v", names)
	}
	if got := l.VersionsIn(fakejamf.Computer, id, start, born); len(got) != 1 {
		t.Errorf("versions until birth: %v, want the first alone", got)
	}
	if got := l.VersionsIn(fakejamf.Computer, id, end, end); got != nil {
		t.Errorf("versions after death: %v", got)
	}
	if s.Record(fakejamf.Computer, id) != nil {
		t.Error("a dead device has a record")
	}
}

func TestEmptyKillsAKindAndLaterBirthsLive(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{Computers: 30, Mobiles: 20})
	c := newClient(t, s)
	from := s.Mark()
	s.Empty(fakejamf.Computer)
	if l := c.list(byID); l.Total != 0 {
		t.Errorf("%d computers", l.Total)
	}
	id := s.Add(fakejamf.Computer)
	if got := c.list(byID).ids(t); !slices.Equal(got, []int64{id}) {
		t.Errorf("after a birth: %v", got)
	}
	if got := s.Ledger().AliveThroughout(fakejamf.Computer, from, s.Mark()); len(got) != 0 {
		t.Errorf("alive throughout: %v", got)
	}
	if got := c.list(detailByID).Total; got != 20 {
		t.Errorf("%d mobile devices", got)
	}
}

func TestSecondNodeLagsByMutations(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{Computers: 20, Nodes: 2, NodeLagMutations: 2})
	nodes := twoNodes(t, s)
	gone := s.Ledger().Alive(fakejamf.Computer)[0]
	s.Delete(fakejamf.Computer, gone)
	path := fmt.Sprintf("/api/v4/computers-inventory/%d", gone)
	if a, b := nodes[0].status(path), nodes[1].status(path); a != 404 || b != 200 {
		t.Errorf("after one change: %d and %d, want 404 and 200", a, b)
	}
	s.Add(fakejamf.Computer)
	s.Add(fakejamf.Computer)
	if got := nodes[1].status(path); got != 404 {
		t.Errorf("two changes later: %d", got)
	}
	if a, b := nodes[0].list(byID).Total, nodes[1].list(byID).Total; a != 21 || b != 19 {
		t.Errorf("totals %d and %d, want 21 and 19", a, b)
	}
	s.Settle()
	if got := nodes[1].list(byID).Total; got != 21 {
		t.Errorf("settled: %d", got)
	}
}

func TestSecondNodeLagsByTime(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	s := fakejamf.New(fakejamf.Options{Computers: 20, Nodes: 2, NodeLag: time.Minute, Now: func() time.Time { return now }})
	nodes := twoNodes(t, s)
	id := s.Add(fakejamf.Computer)
	m := s.Mark()
	if slices.Contains(s.Ledger().AliveThroughout(fakejamf.Computer, m, m), id) {
		t.Error("alive throughout although one node does not show it")
	}
	now = now.Add(59 * time.Second)
	if got := nodes[1].list(byID).Total; got != 20 {
		t.Errorf("after 59 s: %d", got)
	}
	now = now.Add(2 * time.Second)
	if got := nodes[1].list(byID).Total; got != 21 {
		t.Errorf("after 61 s: %d", got)
	}
	m = s.Mark()
	if !slices.Contains(s.Ledger().AliveThroughout(fakejamf.Computer, m, m), id) {
		t.Error("not alive although both nodes show it")
	}
}

// twoNodes are two clients with one token, each held by its cookie to another node.
func twoNodes(t *testing.T, s *fakejamf.Server) [2]*client {
	t.Helper()
	first := newClient(t, s)
	var nodes [2]*client
	for range 50 {
		c := &client{t: t, server: s, token: first.token}
		c.list(byID + "&page-size=1")
		asked := s.Requests()
		nodes[asked[len(asked)-1].Node] = c
	}
	if nodes[0] == nil || nodes[1] == nil {
		t.Fatal("fifty new clients met one node only")
	}
	return nodes
}

func TestDefaultSortMovesRowsWhenDevicesAreRenamed(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{Computers: 50, Seed: 2})
	c := newClient(t, s)
	first := c.list("/api/v4/computers-inventory?page-size=50").ids(t)
	s.Rename(fakejamf.Computer, first[49], "\x01 zuerst")
	next := c.list("/api/v4/computers-inventory?page-size=50").ids(t)
	if next[49] == first[49] {
		t.Error("a renamed device kept its place in the order of names")
	}
	name := c.list("/api/v4/computers-inventory?filter=" + url.QueryEscape(fmt.Sprintf("id==%d", first[49]))).Results[0].section("general")["name"]
	if name != "\x01 zuerst" {
		t.Errorf("name %q", name)
	}
}
