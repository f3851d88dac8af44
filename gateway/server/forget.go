package server

import (
	"context"

	"jamf-gateway/gateway/device"
)

// Forget lets go of every generation of a series that clients are reading, because they are gone from the store: another page of a list
// is refused (list_expired, cursor_expired), and what is begun comes from what is there now. A kind "" is all of them, and what is remembered of
// the source goes from the file too.
func (s *Server) Forget(ctx context.Context, source string, k device.Kind) {
	s.runs.forget(source, k)
	s.runs.save(ctx, true)
}

func (r *runs) forget(source string, k device.Kind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.purges.Add(1)
	r.moved = true // the file may name it though nobody reads it any more
	for key, held := range r.held {
		if key.source != source {
			continue
		}
		if k == "" {
			for p := range held.all() {
				p.letGo()
			}
			delete(r.held, key)
			continue
		}
		if p := held.pins[k]; p != nil {
			p.ended = true
			p.letGo()
		}
		for _, p := range held.left[k] {
			p.letGo()
		}
	}
}
