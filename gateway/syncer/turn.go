package syncer

import (
	"context"
	"sync"

	"jamf-gateway/gateway/jamf"
)

// yielding gives the turn of a walk away while Jamf is asked: the stretches of a list wait for Jamf side by side, and
// nothing else of a walk ever runs twice at once. Its caller holds the turn.
type yielding struct {
	Walk
	turn *sync.Mutex
}

// Page asks for one page.
func (y yielding) Page(ctx context.Context, l jamf.List, sections []string, page, size int) (*jamf.Page, error) {
	y.turn.Unlock()
	defer y.turn.Lock()
	return y.Walk.Page(ctx, l, sections, page, size)
}

// Record asks for one record.
func (y yielding) Record(ctx context.Context, l jamf.List, sections []string, id int64) ([]byte, error) {
	y.turn.Unlock()
	defer y.turn.Lock()
	return y.Walk.Record(ctx, l, sections, id)
}
