package syncer

import "jamf-gateway/cache"

// guard looks at a finished generation that nobody sees yet, beside its parent (nil on the first sync), and refuses it
// when a person should look first. The thresholds of DESIGN.md, holds and approval join here; what can never be right
// is refused already: a list that became empty.
func (s *Syncer) guard(parent *cache.Generation, c cache.Info) error {
	if parent != nil && parent.Info().Count > 0 && c.Count == 0 {
		return reject("empty_unconfirmed", "Jamf lists no devices where there were %d", parent.Info().Count)
	}
	return nil
}
