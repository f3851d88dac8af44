package syncer

import (
	"context"

	"jamf-gateway/gateway/jamf"
)

// maxDevices is five times the largest fleet that the gateway is made for: a list that counts more is not one of devices.
const maxDevices = 5_000_000

// sane refuses a list whose totalCount cannot be that of a fleet, at its first page: what answers there would be read for weeks.
type sane struct{ Walk }

// Page asks for one page.
func (s sane) Page(ctx context.Context, l jamf.List, sections []string, page, size int) (*jamf.Page, error) {
	out, err := s.Walk.Page(ctx, l, sections, page, size)
	if err == nil && out.Total > maxDevices {
		return nil, reject("too_many_devices", "Jamf counts %d devices, at most %d are read", out.Total, maxDevices)
	}
	return out, err
}
