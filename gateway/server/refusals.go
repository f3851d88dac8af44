package server

import (
	"hash/maphash"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"
)

// Refusals (401) that are answered at once. What comes above is answered just the same, later.
const (
	usualPatience    = time.Second
	refusalAddresses = 1024 // buckets; addresses that share one share its refusals too
	addressRefusals  = 10   // a second, of one bucket
	addressBurst     = 100
	allRefusals      = 100 // a second, of everybody
	allBurst         = 1000
	patienceStep     = 512 // refusals held at once after which each is held for one patience more
	mostPatience     = 8
)

// refusals slows down who guesses tokens and secrets. Credentials are looked at first, always: right ones are never held or
// refused for what others do behind the same address, and wrong ones get the answer that they would have got. A connection that
// guesses has one answer a second or fewer, and one address a share of the connections, so that guessing takes a bounded part of the processor.
type refusals struct {
	patience time.Duration
	seed     maphash.Seed
	one      [refusalAddresses]*rate.Limiter
	all      *rate.Limiter
	held     atomic.Int64
}

// newRefusals holds for a second by default, and not at all where patience is negative.
func newRefusals(patience time.Duration) *refusals {
	if patience == 0 {
		patience = usualPatience
	}
	r := &refusals{patience: patience, seed: maphash.MakeSeed(), all: rate.NewLimiter(allRefusals, allBurst)}
	for i := range r.one {
		r.one[i] = rate.NewLimiter(addressRefusals, addressBurst)
	}
	return r
}

// hold waits before a refusal is written, when there were too many. Which of id, secret and token was wrong makes no difference.
// The admin door counts wrong tokens itself.
func (r *refusals) hold(rc *fasthttp.RequestCtx, x *exchange, now func() time.Time) {
	if r.patience < 0 || !x.public || rc.Response.StatusCode() != http.StatusUnauthorized {
		return
	}
	at := now()
	bucket := maphash.Comparable(r.seed, customer(x.peer)) % refusalAddresses
	if one, all := r.one[bucket].AllowN(at, 1), r.all.AllowN(at, 1); !one || !all {
		paid, there := guestOf(rc).pay()
		if !there {
			return
		}
		defer paid()
		<-time.After(r.patience * r.pressure(r.held.Add(1)))
		r.held.Add(-1)
	}
}

// pressure is for how many patiences a refusal is held. A guesser that opens a connection for each guess has us shake hands for it, which
// costs more than the guess: with the door full of them, a thousand are answered in a second.
func (r *refusals) pressure(held int64) time.Duration {
	return time.Duration(min(1+held/patienceStep, mostPatience))
}
