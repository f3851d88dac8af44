package server

import (
	"math"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
)

// Fields of draft-ietf-httpapi-ratelimit-headers-11, for the one limit that a client alone can keep: how many of its requests
// are under way at once (clientRequests). The other ways to be busy - no room for a large answer, a test that took too long -
// are shared with other clients and no quota of anyone's.
//
// The policy stands on every answer to a known client: it is constant, so it costs one header and is still true when it is
// read, and a client can keep it before it is refused. What is left of it stands on the refusal alone: on any other answer it
// would be the count of a moment that is over, and one that asks page by page would always be told of a place that it gives back by reading.
const (
	rateLimitPolicyHeader = "RateLimit-Policy"
	rateLimitHeader       = "RateLimit"
	inFlight              = `"in-flight"`
	inFlightPolicy        = inFlight + `;q=64;qu="concurrent-requests"`
)

// setLimitPolicy says how many requests may be under way. fasthttp's Set would write Ratelimit-Policy.
func setLimitPolicy(rc *fasthttp.RequestCtx) {
	rc.Response.Header.SetCanonical([]byte(rateLimitPolicyHeader), []byte(inFlightPolicy))
}

// setLimitReached says that nothing is left and when to ask again. The draft wants t not to be later than Retry-After: it is the same wait.
func setLimitReached(rc *fasthttp.RequestCtx, wait time.Duration) {
	rc.Response.Header.SetCanonical([]byte(rateLimitHeader), []byte(inFlight+";r=0;t="+wholeSeconds(wait)))
}

// wholeSeconds is a wait as header fields have it.
func wholeSeconds(wait time.Duration) string {
	return strconv.Itoa(int(math.Ceil(wait.Seconds())))
}
