package server

import (
	"slices"
	"strings"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// blankReason begins the reason of a quarantine that names the section whose values are those of before.
const blankReason = "blank "

// rightMissing is the code of a step that found that a right is not there.
const rightMissing = "right_missing"

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

// hidden are the kinds that a source reads and the caller is not shown.
func (c *caller) hidden(st SourceStatus) (out []device.Kind) {
	for _, k := range st.Kinds {
		if _, shown := c.scope(st.Name, k.Kind); !shown {
			out = append(out, k.Kind)
		}
	}
	return out
}

// otherRights are the rights but those to read these kinds.
func otherRights(rights []string, kinds []device.Kind) []string {
	return slices.DeleteFunc(slices.Clone(rights), func(right string) bool {
		return right == rightComputers && slices.Contains(kinds, device.Computer) || right == rightMobiles && slices.Contains(kinds, device.Mobile)
	})
}

// without is the report for a client that is not shown these kinds: how many devices there are of them, and whether they can be read, is not
// its business, and what is wrong with them alone is no fault of what it asks for.
func (r TestReport) without(kinds []device.Kind) TestReport {
	if len(kinds) == 0 {
		return r
	}
	steps := r.Steps
	r.RightsPresent, r.RightsMissing, r.Steps, r.OK = otherRights(r.RightsPresent, kinds), otherRights(r.RightsMissing, kinds), nil, true
	if slices.Contains(kinds, device.Computer) {
		r.Computers = nil
	}
	if slices.Contains(kinds, device.Mobile) {
		r.MobileDevices = nil
	}
	for _, s := range steps {
		switch {
		case s.Name == "computers" && slices.Contains(kinds, device.Computer), s.Name == "mobile_devices" && slices.Contains(kinds, device.Mobile):
			continue
		case s.Name == "rights":
			if s.Detail = ""; s.Code == rightMissing && len(r.RightsMissing) == 0 {
				s.Result, s.Code, s.Action = "ok", "", ""
			}
		}
		r.OK = r.OK && s.Result != "failed"
		r.Steps = append(r.Steps, s)
	}
	return r
}
