package syncer

import "jamf-gateway/gateway/device"

// DueNow tells whether the schedule has a sync of a kind begin at once.
func (s *Syncer) DueNow(source string, kind device.Kind) bool {
	for _, l := range s.crew.Load().lines {
		if l.src.Name == source && l.kind == kind {
			return !s.due(l).After(s.now())
		}
	}
	return false
}
