package jamf_test

import (
	"net/http"
	"testing"
	"time"

	"jamf-gateway/gateway/jamf"
)

func TestRetryAfterAndRateLimitResetAreObeyedWithinBounds(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		retryAfter, reset string
		want              time.Duration
		ok                bool
	}{
		"seconds":               {"120", "", 2 * time.Minute, true},
		"zero":                  {"0", "", time.Second, true},
		"ten years":             {"315360000", "", 15 * time.Minute, true},
		"too many digits":       {"99999999999999999999999", "", 15 * time.Minute, true},
		"date":                  {"Mon, 23 Nov 2026 12:00:30 GMT", "", 30 * time.Second, true},
		"date in the past":      {"Mon, 23 Nov 2020 12:00:30 GMT", "", time.Second, true},
		"date in ten years":     {"Sun, 23 Nov 2036 12:00:30 GMT", "", 15 * time.Minute, true},
		"garbage":               {"soon", "", 0, false},
		"negative":              {"-5", "", 0, false},
		"fraction":              {"1.5", "", 0, false},
		"nothing":               {"", "", 0, false},
		"reset":                 {"", "1795435260", time.Minute, true},
		"reset in the past":     {"", "1595435260", time.Second, true},
		"reset in milliseconds": {"", "1795435260000", 0, false},
		"reset of zero":         {"", "0", 0, false},
		"the later of both":     {"10", "1795435260", time.Minute, true},
		"garbage and a reset":   {"soon", "1795435260", time.Minute, true},
	} {
		h := http.Header{}
		h.Set("Retry-After", c.retryAfter)
		h.Set("X-RateLimit-Reset", c.reset)
		if got, ok := jamf.ThrottleOf(h, now); got != c.want || ok != c.ok {
			t.Errorf("%s: %v, %v, want %v, %v", name, got, ok, c.want, c.ok)
		}
	}
}

// What a server names as a moment is counted from its own clock: a gateway whose clock is a year off waits as long as one whose clock is right.
func TestAMomentOfTheServerIsCountedFromTheServersClock(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, off := range map[string]time.Duration{"right": 0, "an hour ahead": time.Hour, "an hour behind": -time.Hour, "a year ahead": 365 * 24 * time.Hour, "a year behind": -365 * 24 * time.Hour} {
		for header, value := range map[string]string{"Retry-After": "Mon, 23 Nov 2026 12:01:00 GMT", "X-RateLimit-Reset": "1795435260"} {
			h := http.Header{}
			h.Set("Date", now.Format(http.TimeFormat))
			h.Set(header, value)
			if got, ok := jamf.ThrottleOf(h, now.Add(off)); got != time.Minute || !ok {
				t.Errorf("%s, a clock that is %s: %v, %t", header, name, got, ok)
			}
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"120", "Mon, 23 Nov 2026 12:00:30 GMT", "-1", "1e9", "soon", "00000000000000000000001"} {
		f.Add(s, s)
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, a, b string) {
		wait, ok := jamf.ThrottleOf(http.Header{"Retry-After": {a}, "X-Ratelimit-Reset": {b}}, now)
		if ok && (wait < time.Second || wait > 15*time.Minute) || !ok && wait != 0 {
			t.Errorf("Retry-After %q, reset %q: %v, %v", a, b, wait, ok)
		}
	})
}
