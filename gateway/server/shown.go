package server

import (
	"slices"
	"strings"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// blankReason begins the reason of a quarantine that names the section whose values are those of before.
const blankReason = "blank "

// shownTo takes out what is said of fields that the profile hides: guards that count their values, the same in words, and sections that came
// back blank. That something is held, or quarantined, is said to everybody.
func (h *kindHealth) shownTo(client string, p *device.Profile) {
	if h.Hold != nil {
		all := h.Hold.Guards
		h.Hold.Guards = slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return f.Client != "" && f.Client != client || !f.shownTo(h.Kind, p) })
		if len(h.Hold.Guards) < len(all) && h.LastError != nil {
			h.LastError.Detail = nil
		}
	}
	h.flagged = slices.Clone(h.flagged)
	for i, f := range h.flagged {
		if section, named := strings.CutPrefix(f.Reason, blankReason); named && !p.Shows(h.Kind, section) {
			h.flagged[i] = cache.Quarantine{ID: f.ID, Reason: "blank", Kept: f.Kept}
		}
	}
}

// shownTo tells whether the profile shows every field that the finding is about.
func (f Finding) shownTo(k device.Kind, p *device.Profile) bool {
	hardware := p.Allows(k, fieldSerial) && p.Allows(k, fieldUDID)
	if !hardware && (f.Guard == "serial" || f.Guard == "instance") {
		return false
	}
	return !slices.ContainsFunc(f.Names, func(name string) bool { return !p.Shows(k, name) })
}
