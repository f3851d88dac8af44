package syncer

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
)

// TestNoWeekTakesMoreOfAViewThanItsLimit whatever is published, approved and announced when, however the clock is stepped, and over restarts. What was
// published unasked is added up here once more, by the time that has really passed.
func TestNoWeekTakesMoreOfAViewThanItsLimit(t *testing.T) {
	t.Parallel()
	shown := []View{{Client: "north", Filter: device.Filter{Sites: []string{"1"}}}}
	digest, g := shown[0].Filter.Digest(), config.DefaultGuard()
	type loss struct {
		at        time.Time
		count, of int
	}
	held := 0
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var r kindRecord
		var past []loss
		truly, wrong, devices := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Duration(0), 20+rng.IntN(400)
		for range 120 {
			truly = truly.Add(time.Duration(1+rng.IntN(40)) * time.Hour)
			if rng.IntN(20) == 0 { // back, again and again; a clock that goes forward lets a week end
				wrong -= time.Duration(rng.IntN(400*24)) * time.Hour
			}
			now := truly.Add(wrong)
			if r.ahead(now) {
				r.age(now)
			}
			gone, left := rng.IntN(1+devices/12), rng.IntN(1+devices/12)
			l := shrunk(devices, gone, left)
			l.filter, l.past = digest, r.Views["north"].Removals
			planned := rng.IntN(2) * gone
			v := weigh(g, less(10_000, gone, 0), []viewLoss{l}, nil, planned, now)
			person := rng.IntN(3) == 0
			if len(v.findings) > 0 && !person {
				held++
				continue
			}
			excused := gone > 0 && gone <= planned
			r.countViews(v.note(), excused, shown, now)
			n := left
			if !excused {
				n += gone
			}
			if n > 0 && len(v.findings) == 0 {
				past = append(past, loss{truly, n, devices})
				sum := 0
				for i := len(past) - 1; i >= 0 && truly.Sub(past[i].at) < 7*24*time.Hour; i-- {
					if sum += past[i].count; sum > g.SmallCount && sum*100 > g.WeekPercent*past[i].of {
						t.Fatalf("seed %d: %d of %d devices left the view within a week, unasked", seed, sum, past[i].of)
					}
				}
			}
			devices += rng.IntN(1+devices/6) - gone - left
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if r = (kindRecord{}); json.Unmarshal(text, &r) != nil {
				t.Fatalf("%s cannot be read", text)
			}
		}
	}
	if held < 300 {
		t.Errorf("%d are held: nothing is tried here", held)
	}
}

// TestAViewThatBeginsToShowAllIsNotBlamedForWhatLeftBefore: its client was not shown that, however many syncs come in between.
func TestAViewThatBeginsToShowAllIsNotBlamedForWhatLeftBefore(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	all := View{Client: "north"}
	r := kindRecord{Removals: []removal{{At: now.Add(-time.Hour), Count: 20, Of: 100}}}
	r.follow([]change{{old: View{Client: "north", Filter: device.Filter{Sites: []string{"1"}}}, shown: 80}}, now)
	for _, hours := range []time.Duration{24, 24, 100} {
		now = now.Add(hours * time.Hour)
		r.countViews(holdNote{}, false, nil, now)
		if past := r.removalsOf(all); len(past) != 0 {
			t.Fatalf("%v later it is blamed for %v", hours*time.Hour, past)
		}
	}
	back := r
	if before := now.Add(-365 * 24 * time.Hour); !(kindRecord{Views: back.Views}).ahead(before) {
		t.Error("a clock that was set back goes unnoticed")
	} else if back.age(before); len(back.removalsOf(all)) != 1 {
		t.Error("with a clock that was set back nothing has left the view for a year")
	}
	now = now.Add(24 * time.Hour)
	r.countViews(holdNote{}, false, nil, now)
	if len(r.Views) != 0 {
		t.Errorf("after a week %v is remembered", r.Views)
	}
}
