package simulate_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"jamf-gateway/cache"
)

// known is what the oracle knows of a series at a moment.
type known struct {
	newest                   uint64
	asOf                     time.Time
	result                   string
	held                     bool
	surelyFresh, surelyStale bool
}

func (o *oracle) knows(q cache.Series) known {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.of(q)
	k := known{newest: c.newest, result: c.result, held: len(c.held) > 0}
	if c.newest == 0 {
		return k
	}
	k.asOf = c.published[c.newest].ended
	age := o.w.now().Sub(k.asOf)
	overdue := age > o.w.plan.interval*5/4
	k.surelyStale = k.held || c.result == "failed" && !c.unsure || overdue
	k.surelyFresh = c.result == "ok" && !c.unsure && !overdue && !k.held
	return k
}

// candidates are the generations that a run which begins now may be given, the newest last: what is served, and what runs of
// before may still stand on.
func (o *oracle) candidates(q cache.Series) []*snapshot {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.of(q)
	var out []*snapshot
	for _, n := range slices.Sorted(maps.Keys(c.published)) {
		s := c.published[n]
		if s.until.IsZero() || time.Since(s.until) < 4*time.Hour+time.Minute {
			out = append(out, s)
		}
	}
	return out
}

// mayBeTooOld: what is served, or what a run that goes on stands on, is older than max_stale.
func (o *oracle) mayBeTooOld(q cache.Series) bool {
	return slices.ContainsFunc(o.candidates(q), func(s *snapshot) bool { return o.w.now().Sub(s.ended) >= o.w.plan.maxStale })
}

func anyOf(rows map[int64]row, rng *rand.Rand) int64 {
	ids := slices.Sorted(maps.Keys(rows))
	if len(ids) == 0 {
		return 0
	}
	return ids[rng.IntN(len(ids))]
}

func allHave(all []*snapshot, id int64) bool {
	for _, s := range all {
		if _, there := s.rows[id]; !there {
			return false
		}
	}
	return true
}
