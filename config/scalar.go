package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// text reads a text, with its default.
func (m *mapping) text(key, fallback string) value {
	v := m.scalar(key)
	if !v.set {
		v.text = fallback
	}
	return v
}

// required reads a text that must be there.
func (m *mapping) required(key string) value {
	v := m.scalar(key)
	if v.text == "" && !m.doc.blamed(v.origin.setting) {
		m.doc.problem(v.origin, "is missing")
	}
	return v
}

// blamed tells that the setting has a problem already.
func (d *document) blamed(setting string) bool {
	return slices.ContainsFunc(d.problems, func(p Problem) bool { return p.Setting == setting })
}

// choice reads one of a few words.
func (m *mapping) choice(key, fallback string, words ...string) string {
	v := m.text(key, fallback)
	if v.set && !slices.Contains(words, v.text) {
		m.doc.problem(v.origin, "must be one of %s, not %q", strings.Join(words, ", "), clip(v.text))
		return fallback
	}
	return v.text
}

// flag reads true or false, false when it is not set.
func (m *mapping) flag(key string) bool { return m.flagOr(key, false) }

// flagOr reads true or false, with its default.
func (m *mapping) flagOr(key string, fallback bool) bool {
	v := m.text(key, strconv.FormatBool(fallback))
	switch v.text {
	case "true":
		return true
	case "false":
		return false
	default:
		m.doc.problem(v.origin, "must be true or false, not %q", clip(v.text))
	}
	return fallback
}

// number reads a whole number.
func (m *mapping) number(key string, fallback, least, most int) int {
	v := m.scalar(key)
	if !v.set {
		return fallback
	}
	n, err := strconv.Atoi(v.text)
	if err != nil || n < least || n > most {
		m.doc.problem(v.origin, "must be a whole number from %d to %d, not %q", least, most, clip(v.text))
		return fallback
	}
	return n
}

// rate reads a number of requests a second.
func (m *mapping) rate(key string, fallback, least, most float64) float64 {
	v := m.scalar(key)
	if !v.set {
		return fallback
	}
	n, err := strconv.ParseFloat(v.text, 64)
	if err != nil || !(n >= least && n <= most) {
		m.doc.problem(v.origin, "must be a number from %v to %v, not %q", least, most, clip(v.text))
		return fallback
	}
	return n
}

// duration reads a span of time.
func (m *mapping) duration(key string, fallback, least, most time.Duration) time.Duration {
	v := m.scalar(key)
	if !v.set {
		return fallback
	}
	d, ok := parseDuration(v.text)
	if !ok || d < least || d > most {
		m.doc.problem(v.origin, "must be a time from %s to %s like 15m, 24h or 30d, not %q", showDuration(least), showDuration(most), clip(v.text))
		return fallback
	}
	return d
}

// size reads a number of bytes.
func (m *mapping) size(key string, fallback, least, most int64) int64 {
	v := m.scalar(key)
	if !v.set {
		return fallback
	}
	n, ok := parseSize(v.text)
	if !ok || n < least || n > most {
		m.doc.problem(v.origin, "must be a size from %s to %s like 256MiB, not %q", showSize(least), showSize(most), clip(v.text))
		return fallback
	}
	return n
}

var spanOfTime = regexp.MustCompile(`^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$`)

// parseDuration reads days, hours, minutes and seconds in this order: 30d, 1h30m, 45s. Each number has at most
// six digits, which keeps the sum within a time.Duration.
func parseDuration(s string) (time.Duration, bool) {
	parts := spanOfTime.FindStringSubmatch(s)
	if s == "" || parts == nil {
		return 0, false
	}
	var d time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if parts[i+1] == "" {
			continue
		}
		n, err := strconv.Atoi(parts[i+1])
		if err != nil || (unit == 24*time.Hour && n > 36500) {
			return 0, false
		}
		d += time.Duration(n) * unit
	}
	return d, true
}

// showDuration writes what parseDuration reads.
func showDuration(d time.Duration) string {
	var b strings.Builder
	for _, u := range []struct {
		span time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / u.span; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.span
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

// sizeUnits are the units of a size, the largest first.
func sizeUnits() []sizeUnit {
	return []sizeUnit{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}
}

type sizeUnit struct {
	name  string
	bytes int64
}

func parseSize(s string) (int64, bool) {
	for _, u := range sizeUnits() {
		digits, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 63)
		if err != nil || int64(n) > (1<<62)/u.bytes {
			return 0, false
		}
		return int64(n) * u.bytes, true
	}
	return 0, false
}

func showSize(n int64) string {
	for _, u := range sizeUnits() {
		if n >= u.bytes && n%u.bytes == 0 {
			return fmt.Sprintf("%d%s", n/u.bytes, u.name)
		}
	}
	return fmt.Sprintf("%dB", n)
}
