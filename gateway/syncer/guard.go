package syncer

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
)

// The guards of DESIGN.md, by the names that people read.
const (
	GuardRemoved     = "removed"     // deletions that Jamf confirmed
	GuardUnconfirmed = "unconfirmed" // devices that Jamf neither lists nor confirms as deleted
	GuardSmall       = "small"       // both of them, in a kind with few devices
	GuardWeek        = "week"        // confirmed deletions of 7 days
	GuardEmpty       = "empty"       // no device is left
	GuardSerial      = "serial"      // devices whose serial number is another one
	GuardInstance    = "instance"    // another Jamf behind the same URL
	GuardBlanked     = "blanked"     // a field or section that lost its values
	GuardLost        = "lost"        // after a loss of the store: far fewer devices than there were
	GuardGrown       = "grown"       // a warning, never a hold
	smallFleet       = 50            // below it GuardSmall stands in for the first two
	instanceFleet    = 10            // from it on GuardInstance is asked
	leastBlanked     = 3             // devices that lose a value before GuardBlanked is asked
	week             = 7 * 24 * time.Hour
)

// Finding is one guard that a generation trips, with its numbers: Count of Of are more than Limit (for GuardInstance: fewer).
type Finding struct {
	Guard string   `json:"guard"`
	Count int      `json:"count"`
	Of    int      `json:"of"`
	Limit int      `json:"limit"`
	Names []string `json:"names,omitempty"` // fields and sections of GuardBlanked

	Client string `json:"client,omitempty"` // whose view loses as much; "" = the generation does
}

// removal is what one publish took away, remembered for a week.
type removal struct {
	At    time.Time `json:"at"`
	Count int       `json:"count"`
	Of    int       `json:"of"` // devices before
}

// evidence is what a person approves: the devices and fields behind the findings.
type evidence struct {
	Removed  idSet    `json:"removed,omitzero"`
	Missing  idSet    `json:"missing,omitzero"`
	Serial   idSet    `json:"serial,omitzero"`
	Blanked  []string `json:"blanked,omitempty"` // sorted
	Instance bool     `json:"instance,omitempty"`

	Hardware string      `json:"hardware,omitempty"` // behind Serial and Instance: what the devices are now
	Kind     device.Kind `json:"kind,omitempty"`
	Short    int         `json:"short,omitempty"` // devices fewer than before a loss; nobody knows which

	ShortViews map[string]int `json:"shortViews,omitempty"` // client -> Short of its view

	Views map[string]idSet `json:"views,omitempty"` // client -> devices that its view loses
}

// ofTheWeek tells whether a removal still counts. One that was written down by a clock that was ahead does: it may be of yesterday.
func (r removal) ofTheWeek(now time.Time) bool { return now.Sub(r.At) < week }

// verdict is what the guards say of a difference.
type verdict struct {
	findings []Finding // why it is held; none: it may be published
	warnings []Finding
	evidence evidence

	removed, before int // confirmed deletions, and the devices that they are of

	counts []viewCount // of views: what is to be remembered of them once it is published
}

// weigh holds a difference against the limits. past are the removals of the week before now; planned is how many confirmed
// deletions were announced; losses are what the views of clients lose. It is a pure function.
func weigh(g config.Guard, d cache.Difference, losses []viewLoss, past []removal, planned int, now time.Time) verdict {
	v := verdict{removed: len(d.Removed), before: d.Before}
	v.removals(g, d, past, planned, now)
	v.identity(g, d)
	v.blanked(g, d)
	v.views(g, losses, planned, now)
	if grown := d.After - d.Before; d.Before > 0 && grown > instanceFleet && above(grown, g.GrownPercent, 0, d.Before) {
		v.warnings = append(v.warnings, Finding{Guard: GuardGrown, Count: grown, Of: d.Before, Limit: limit(g.GrownPercent, 0, d.Before)})
	}
	return v
}

// above tells whether n is more than the percentage of all and more than the number.
func above(n, percent, number, all int) bool { return n > number && n*100 > percent*all }

// describe says the findings in one sentence without a name of a device.
func describe(findings []Finding) string { return Describe(findings) }

// Describe tells in words what guards found.
func Describe(findings []Finding) string {
	parts := make([]string, len(findings))
	for i, f := range findings {
		switch f.Guard {
		case GuardEmpty:
			parts[i] = fmt.Sprintf("empty: none of %d devices is left", f.Of)
		case GuardLost:
			parts[i] = fmt.Sprintf("lost: %d of the %d devices before the loss are missing, at most %d are published unasked", f.Count, f.Of, f.Limit)
		case GuardInstance:
			parts[i] = fmt.Sprintf("instance: %d of %d devices keep their serial number or UDID, at least %d are asked for", f.Count, f.Of, f.Limit)
		case GuardBlanked:
			parts[i] = fmt.Sprintf("blanked: %s lost their values, in up to %d of %d devices", strings.Join(f.Names, ", "), f.Count, f.Of)
		default:
			parts[i] = fmt.Sprintf("%s: %d of %d devices, at most %d are published unasked", f.Guard, f.Count, f.Of, f.Limit)
		}
		if f.Client != "" {
			parts[i] = "view of client " + f.Client + ", " + parts[i]
		}
	}
	return strings.Join(parts, "; ")
}

// limit is the largest n that is not above.
func limit(percent, number, all int) int { return max(number, percent*all/100) }

func (v *verdict) hold(f Finding) { v.findings = append(v.findings, f) }

func (v *verdict) removals(g config.Guard, d cache.Difference, past []removal, planned int, now time.Time) {
	removed, missing := len(d.Removed), len(d.Missing)
	if d.Before > 0 && d.After == 0 {
		v.hold(Finding{Guard: GuardEmpty, Count: d.Before, Of: d.Before})
		v.evidence.Removed = setOf(d.Removed)
	}
	announced := removed <= planned
	if announced {
		removed = 0
	}
	switch {
	case d.Before < smallFleet:
		if above(removed+missing, g.SmallPercent, g.SmallCount, d.Before) {
			v.hold(Finding{Guard: GuardSmall, Count: removed + missing, Of: d.Before, Limit: limit(g.SmallPercent, g.SmallCount, d.Before)})
			v.evidence.Removed, v.evidence.Missing = setOf(d.Removed), setOf(d.Missing)
		}
	default:
		if above(removed, g.RemovedPercent, g.RemovedCount, d.Before) {
			v.hold(Finding{Guard: GuardRemoved, Count: removed, Of: d.Before, Limit: limit(g.RemovedPercent, g.RemovedCount, d.Before)})
			v.evidence.Removed = setOf(d.Removed)
		}
		if above(missing, g.UnconfirmedPercent, g.UnconfirmedCount, d.Before) {
			v.hold(Finding{Guard: GuardUnconfirmed, Count: missing, Of: d.Before, Limit: limit(g.UnconfirmedPercent, g.UnconfirmedCount, d.Before)})
			v.evidence.Missing = setOf(d.Missing)
		}
	}
	if removed == 0 {
		return
	}
	if f, over := overWeek(g, past, removed, d.Before, now); over {
		v.hold(f)
		v.evidence.Removed = setOf(d.Removed)
	}
}

// overWeek adds removals of before devices to those of the 7 days before. It is over the limit where in any stretch of these days until now more
// went than WeekPercent of what there was at its begin; the longest one is told.
func overWeek(g config.Guard, past []removal, removed, before int, now time.Time) (f Finding, over bool) {
	sum, of := removed, before
	look := func() {
		if above(sum, g.WeekPercent, g.SmallCount, of) {
			f, over = Finding{Guard: GuardWeek, Count: sum, Of: of, Limit: limit(g.WeekPercent, g.SmallCount, of)}, true
		}
	}
	look()
	for _, r := range slices.Backward(past) {
		if r.ofTheWeek(now) {
			sum, of = sum+r.Count, r.Of
			look()
		}
	}
	return f, over
}

// anotherInstance tells whether GuardInstance is tripped.
func anotherInstance(g config.Guard, d cache.Difference) bool {
	var v verdict
	v.identity(g, d)
	return v.evidence.Instance
}

// identity: the devices are others than they were.
func (v *verdict) identity(g config.Guard, d cache.Difference) {
	if n := len(d.NewSerial); above(n, g.SerialPercent, g.SerialCount, d.Both) {
		v.hold(Finding{Guard: GuardSerial, Count: n, Of: d.Both, Limit: limit(g.SerialPercent, g.SerialCount, d.Both)})
		v.evidence.Serial, v.evidence.Hardware = setOf(d.NewSerial), d.NewHardware
	}
	if d.Before < instanceFleet || d.After == 0 {
		return
	}
	// Where no id of before is left, none kept its device.
	if d.Both == 0 || d.Hardware > 0 && d.Same*100 < g.HardwarePercent*d.Hardware {
		v.hold(Finding{Guard: GuardInstance, Count: d.Same, Of: d.Hardware, Limit: (g.HardwarePercent*d.Hardware + 99) / 100})
		v.evidence.Instance, v.evidence.Hardware = true, d.NewHardware
	}
}

// blanked: a field is empty for so many more devices than before, or a section is for so many of those that had it.
func (v *verdict) blanked(g config.Guard, d cache.Difference) {
	f := Finding{Guard: GuardBlanked, Of: d.Both, Limit: g.BlankedPoints * d.Both / 100}
	for _, b := range d.Blanked {
		if b.Lost >= leastBlanked && b.Lost*100 >= g.BlankedPoints*d.Both {
			f.Names, f.Count = append(f.Names, b.Name), max(f.Count, b.Lost)
		}
	}
	for _, b := range d.Sections {
		least := leastBlanked
		if d.Both >= smallFleet {
			least = max(10, d.Both/100)
		}
		if b.Lost >= least && b.Lost*100 >= g.BlankedPoints*b.Had && !slices.Contains(f.Names, b.Name) {
			f.Names, f.Count = append(f.Names, b.Name), max(f.Count, b.Lost)
		}
	}
	if len(f.Names) == 0 {
		return
	}
	slices.Sort(f.Names)
	v.hold(f)
	v.evidence.Blanked = f.Names
}

// digest names the evidence: 24 hex digits of a SHA-256. The same devices and fields have the same one, whichever walk
// found them.
func (e evidence) digest() string {
	h := sha256.New()
	for _, part := range []struct{ name, value string }{
		{"removed", e.Removed.String()},
		{"missing", e.Missing.String()},
		{"serial", e.Serial.String()},
		{"blanked", fmt.Sprintf("%q", e.Blanked)},
		{"instance", fmt.Sprint(e.Instance)},
		{"hardware", e.Hardware},
		{"kind", string(e.Kind)},
		{"short", shortText(e.Short)},
	} {
		if part.name == "short" && part.value == "" {
			continue // the digests of all other evidence stay what they were
		}
		_, _ = io.WriteString(h, part.name+" "+part.value+"\n") // it never fails
	}
	_, _ = io.WriteString(h, e.viewsText())
	return hex.EncodeToString(h.Sum(nil)[:12])
}

func shortText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// covers tells whether what was approved includes all of this. Other hardware is approved as what it is now, and as nothing else.
func (e evidence) covers(other evidence) bool {
	for client, lost := range other.Views {
		if !e.Views[client].contains(lost) {
			return false
		}
	}
	for client, short := range other.ShortViews {
		if short > e.ShortViews[client] {
			return false
		}
	}
	return other.Short <= e.Short && e.Removed.contains(other.Removed) && e.Missing.contains(other.Missing) && e.Serial.contains(other.Serial) &&
		(e.Instance || !other.Instance) && (other.Hardware == "" || e.Hardware == other.Hardware) &&
		!slices.ContainsFunc(other.Blanked, func(name string) bool { _, found := slices.BinarySearch(e.Blanked, name); return !found })
}

// ahead tells that removals were written down by a clock that was ahead of now.
func ahead(past []removal, now time.Time) bool {
	return slices.ContainsFunc(past, func(r removal) bool { return r.At.After(now) })
}

// Parts of a week: removals of the same one are remembered as one, so that an operator's many syncs do not pile up.
const (
	weekParts     = 200
	viewWeekParts = 28 // there are as many books as clients
)

// weekOf drops what is older than a week, lets what was written down by a clock that was ahead be of now, so that it counts for a week and
// not until that day is over, and makes one of what was removed in the same part of the week: of the devices of the first and the date of the last.
func weekOf(past []removal, now time.Time, parts int) []removal {
	past = slices.DeleteFunc(slices.Clone(past), func(r removal) bool { return !r.ofTheWeek(now) })
	for i := range past {
		if past[i].At.After(now) {
			past[i].At = now
		}
	}
	slices.SortStableFunc(past, func(a, b removal) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
	if len(past) <= parts {
		return past
	}
	part := func(r removal) int64 { return r.At.UnixNano() / (int64(week) / int64(parts-1)) }
	out := past[:1]
	for _, r := range past[1:] {
		if last := &out[len(out)-1]; part(*last) == part(r) {
			last.At, last.Count = r.At, last.Count+r.Count
		} else {
			out = append(out, r)
		}
	}
	return out
}
