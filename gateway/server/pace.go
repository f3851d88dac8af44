package server

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// longestTurn is how long a request waits for its turn at most. A client has 64 requests under way: one that may ask 32 times
// a second or more is slowed down and never refused.
const longestTurn = 2 * time.Second

// pace is the rate of one client, in which tokens and everything else count alike.
type pace struct{ limiter *rate.Limiter }

// newPace lets so many requests a second pass, and those of one second at once; nil, which lets all pass, for 0.
func newPace(perSecond float64) *pace {
	if perSecond <= 0 {
		return nil
	}
	return &pace{rate.NewLimiter(rate.Limit(perSecond), max(1, int(math.Ceil(perSecond))))}
}

// turn waits until a request may go on, and returns 0. Where that would take longer than longestTurn it returns at once, with the
// time that the client should wait.
func (p *pace) turn(now time.Time) time.Duration {
	if p == nil {
		return 0
	}
	place := p.limiter.ReserveN(now, 1)
	wait := place.DelayFrom(now)
	if wait > longestTurn {
		place.CancelAt(now)
		return wait
	}
	if wait > 0 {
		<-time.After(wait)
	}
	return 0
}
