package cache

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Quarantine names one record that could not be read as usual.
type Quarantine struct {
	ID     int64  `json:"id"` // 0 = unknown
	Reason string `json:"reason"`
	Kept   string `json:"kept"` // "previous", "skeleton"

	Since time.Time `json:"since,omitzero"` // of a device that is kept although it is no longer listed: when that began
}

// maxReason is how many bytes of a reason are kept: it is a word or two, whatever Jamf says.
const maxReason = 128

// describable sorts by id, keeps one entry a device - the last that was said of it - and bounds the text.
func describable(all []Quarantine) []Quarantine {
	if len(all) == 0 {
		return nil
	}
	out := make([]Quarantine, 0, len(all))
	for _, q := range slices.Backward(all) {
		q.Reason, q.Kept = shorten(q.Reason), shorten(q.Kept)
		out = append(out, q)
	}
	slices.SortStableFunc(out, func(x, y Quarantine) int { return cmp.Compare(x.ID, y.ID) })
	return slices.CompactFunc(out, func(x, y Quarantine) bool { return x.ID == y.ID && x.ID != 0 })
}

func shorten(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= maxReason {
		return s
	}
	end := maxReason
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
