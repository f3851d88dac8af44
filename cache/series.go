package cache

import (
	"fmt"

	"jamf-gateway/gateway/device"
)

// Series is the line of generations of one kind of one source.
type Series struct {
	Source string      `json:"source"`
	Kind   device.Kind `json:"kind"`
}

const maxSourceName = 32

// check refuses what is not a series: both parts become directory names.
func (q Series) check() error {
	if q.Kind != device.Computer && q.Kind != device.Mobile {
		return fmt.Errorf("kind %q: must be %s or %s", q.Kind, device.Computer, device.Mobile)
	}
	if len(q.Source) == 0 || len(q.Source) > maxSourceName {
		return fmt.Errorf("source name %q: must have 1 to %d characters", q.Source, maxSourceName)
	}
	for i, c := range []byte(q.Source) {
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '-') {
			return fmt.Errorf("source name %q: must match [a-z0-9][a-z0-9-]{0,31}", q.Source)
		}
	}
	return nil
}
