package jamf

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Bounds of what a server may ask us to wait.
const (
	minThrottle = time.Second
	maxThrottle = 15 * time.Minute
)

// throttleOf reads how long the server asks us to stay away: Retry-After (seconds or a date, RFC 9110 §10.2.3) and
// x-ratelimit-reset (unix seconds); the later of the two, clamped to 1 s - 15 min. ok is false when neither says
// anything that can be understood. Moments are counted from the server's own Date where it says it: neither clock need be right.
func throttleOf(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	if d, good := parseRetryAfter(h.Get("Retry-After"), now); good {
		wait, ok = d, true
	}
	if at, good := parseUnix(h.Get("X-Ratelimit-Reset")); good {
		wait, ok = max(wait, clampThrottle(at.Sub(now))), true
	}
	return wait, ok
}

func parseRetryAfter(v string, now time.Time) (time.Duration, bool) {
	v = strings.TrimSpace(v)
	if v == "" {
		return 0, false
	}
	if isDigits(v) {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n > int64(maxThrottle/time.Second) {
			return maxThrottle, true // more digits than fit are a very long time
		}
		return clampThrottle(time.Duration(n) * time.Second), true
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0, false
	}
	return clampThrottle(at.Sub(now)), true
}

func parseUnix(v string) (time.Time, bool) {
	v = strings.TrimSpace(v)
	if !isDigits(v) || len(v) > 12 {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n == 0 {
		return time.Time{}, false
	}
	return time.Unix(n, 0), true
}

func isDigits(v string) bool {
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return false
		}
	}
	return v != ""
}

func clampThrottle(d time.Duration) time.Duration { return min(max(d, minThrottle), maxThrottle) }
