package usage

import (
	"slices"
	"time"
)

// liveTokens is how many tokens of a client are told apart at once.
const liveTokens = 64

// tokens is how a client uses its access tokens.
type tokens struct {
	issued    [4]uint64 // by ways
	refused   uint64
	refusedAt time.Time
	spent     [5]uint64 // by spans of their requests; those that are no longer live
	live      [liveTokens]liveToken
	clock     uint64
}

// liveToken is one token that was used lately.
type liveToken struct {
	hash, requests, used uint64
}

// spans are the names of tokens.spent.
func spans() [5]string { return [5]string{"1", "2-9", "10-99", "100-999", "1000+"} }

func span(requests uint64) int {
	switch {
	case requests < 2:
		return 0
	case requests < 10:
		return 1
	case requests < 100:
		return 2
	case requests < 1000:
		return 3
	}
	return 4
}

// ways are how a client can prove itself for a token: with its secret in the body, in HTTP Basic, or in the login of a Jamf
// user, or with a token that lives.
func ways() [4]string { return [4]string{"basic", "body", "renewed", "user"} }

func (t *tokens) issue(by string) {
	names := ways()
	if i := slices.Index(names[:], by); i >= 0 {
		t.issued[i]++
	}
}

// use counts a request with a token. The one that was not used for longest makes room.
func (t *tokens) use(hash uint64) {
	if hash == 0 {
		return
	}
	t.clock++
	oldest := 0
	for i := range t.live {
		if t.live[i].hash == hash {
			t.live[i].requests++
			t.live[i].used = t.clock
			return
		}
		if t.live[i].used < t.live[oldest].used {
			oldest = i
		}
	}
	if out := t.live[oldest]; out.hash != 0 {
		t.spent[span(out.requests)]++
	}
	t.live[oldest] = liveToken{hash, 1, t.clock}
}

// bySpan is how many tokens served how many requests, the live ones with what they have served until now.
func (t *tokens) bySpan() [5]uint64 {
	out := t.spent
	for _, one := range t.live {
		if one.hash != 0 {
			out[span(one.requests)]++
		}
	}
	return out
}

// keptHours is how many hours with requests are told apart.
const keptHours = 48

// hours are the last hours in which a client asked, as a ring.
type hours struct {
	ring [keptHours]hour
	next int // where the next hour goes; the one before it is the last
}

// hour is one hour with requests.
type hour struct {
	at               int64 // hours since 1970; 0 = none
	requests, tokens uint64
}

// at returns the hour of a moment. A clock that goes back counts into the last hour.
func (h *hours) at(t time.Time) *hour {
	number := t.Unix() / 3600
	last := &h.ring[(h.next+keptHours-1)%keptHours]
	if last.at >= number {
		return last
	}
	fresh := &h.ring[h.next]
	*fresh = hour{at: number}
	h.next = (h.next + 1) % keptHours
	return fresh
}

func (h *hour) count(token bool) {
	if token {
		h.tokens++
	} else {
		h.requests++
	}
}
