package audit_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"jamf-gateway/gateway/audit"
)

func TestARunIsCompleteWhenEveryRowOfOneListWasSent(t *testing.T) {
	const other = "other"
	type page struct {
		list     string
		from, to int
	}
	for name, tc := range map[string]struct {
		pages []page
		want  bool
	}{
		"in order":                       {[]page{{"l", 0, 100}, {"l", 100, 200}, {"l", 200, 250}}, true},
		"backwards":                      {[]page{{"l", 200, 250}, {"l", 100, 200}, {"l", 0, 100}}, true},
		"overlapping":                    {[]page{{"l", 0, 150}, {"l", 100, 250}}, true},
		"one inside another":             {[]page{{"l", 0, 250}, {"l", 100, 200}}, true},
		"a page again, one left out":     {[]page{{"l", 0, 100}, {"l", 0, 100}, {"l", 200, 250}}, false},
		"the last one again and again":   {[]page{{"l", 200, 250}, {"l", 200, 250}, {"l", 200, 250}, {"l", 200, 250}, {"l", 200, 250}}, false},
		"not from the begin":             {[]page{{"l", 1, 100}, {"l", 100, 250}}, false},
		"not to the end":                 {[]page{{"l", 0, 100}, {"l", 100, 249}}, false},
		"halves of two lists":            {[]page{{"l", 0, 125}, {other, 125, 250}}, false},
		"one of two lists":               {[]page{{other, 0, 10}, {"l", 0, 250}}, true},
		"devices one by one, all of one": {[]page{{"", 0, 1}, {"", 0, 250}}, false},
	} {
		b := newBook(t)
		for _, p := range tc.pages {
			b.Read(audit.Read{Client: "c", Source: "a", Kind: "computer", Generation: 1, Rows: p.to - p.from, List: audit.List{ID: p.list, From: p.from, Of: 250}})
		}
		if got := complete(b); got != tc.want {
			t.Errorf("%s: complete %t, want %t", name, got, tc.want)
		}
	}
}

// complete is what the audit says of the one run there is.
func complete(b *book) bool {
	b.t.Helper()
	b.Flush(true)
	var got []bool
	if err := audit.Lines(b.dir, time.Time{}, func(e audit.Entry, _ []byte) { got = append(got, *e.Complete) }); err != nil || len(got) != 1 {
		b.t.Fatalf("%d runs, %v", len(got), err)
	}
	return got[0]
}

func TestAnEmptyListIsRead(t *testing.T) {
	b := newBook(t)
	b.Read(audit.Read{Client: "c", Source: "a", List: audit.List{ID: "l"}})
	if !complete(b) {
		t.Error("a list of nothing is not complete")
	}
}

// Pages in any order, some of them twice: complete is what an array of rows says.
func TestWhatIsCompleteAgreesWithCountingEveryRow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	b := newBook(t)
	want, both := map[uint64]bool{}, map[bool]int{}
	for run := range uint64(500) {
		of := 1 + r.IntN(40)
		seen := make([]bool, of)
		for range 1 + r.IntN(12) {
			from := r.IntN(of)
			rows := 1 + r.IntN(min(of-from, 12))
			for i := range rows {
				seen[from+i] = true
			}
			b.Read(audit.Read{Client: "c", Source: "a", Generation: run, Rows: rows, List: audit.List{ID: "l", From: from, Of: of}})
		}
		want[run] = !slices.Contains(seen, false)
		both[want[run]]++
	}
	b.Flush(true)
	_ = audit.Lines(b.dir, time.Time{}, func(e audit.Entry, _ []byte) {
		if *e.Complete != want[e.Generation] {
			t.Errorf("run %d: complete %t, want %t", e.Generation, *e.Complete, want[e.Generation])
		}
	})
	if both[true] < 30 || both[false] < 30 {
		t.Errorf("%v: one of them was hardly tried", both)
	}
}

func TestAPathThatIsPassedOnIsALineOfItsOwn(t *testing.T) {
	b := newBook(t)
	for range 3 {
		b.Read(audit.Read{Client: "c", Source: "a", Passed: "/v1/computer-groups/{id}"})
	}
	b.Read(audit.Read{Client: "c", Source: "a", Passed: "/v1/departments"})
	b.Flush(true)
	n := map[string]int{}
	_ = audit.Lines(b.dir, time.Time{}, func(e audit.Entry, _ []byte) {
		if e.Event != "passthrough" || e.Complete != nil || e.Source != "a" || e.Actor != "c" {
			t.Errorf("%+v", e)
		}
		n[e.Target] = e.Requests
	})
	if len(n) != 2 || n["/v1/computer-groups/{id}"] != 3 || n["/v1/departments"] != 1 {
		t.Errorf("%v", n)
	}
}
