package server

import (
	"time"

	"jamf-gateway/cache"
)

// walk is a list that a client reads at an address, whichever source is there.
type walk struct {
	client, at string
	list       listID
}

// elsewhereLocked tells that a walk goes on at an address where it began with another source: a restart with other settings has put this one
// there, and to the client the devices of one and the rest of the other would be a list. A first page is the begin of another walk.
func (r *runs) elsewhereLocked(client string, q cache.Series, s step, now time.Time) bool {
	if s.at == "" || s.list == "" || s.ask != askFirst && s.ask != askMore {
		return false
	}
	this := walk{client, s.at, s.list}
	if s.ask == askMore {
		if held := r.held[runKey{client, q.Source}]; held != nil && held.reads(this) {
			return false // as nearly always
		}
		if at, lost := r.lost[this]; lost && now.Sub(at) < runLimit {
			return true
		}
	}
	delete(r.lost, this)
	for key, other := range r.held {
		if key.client != client || key.source == q.Source || !other.reads(this) {
			continue
		}
		if s.ask == askMore {
			return now.Sub(other.used) < runLimit
		}
		for p := range other.all() {
			delete(p.lists, s.list)
		}
		r.moved = true
	}
	return false
}

// reads tells that a walk is known here.
func (held *run) reads(w walk) bool {
	for p := range held.all() {
		if at, known := p.lists[w.list]; known && at.At == w.at {
			return true
		}
	}
	return false
}

// loseLocked remembers the walks of a pin that its client may no longer read.
func (r *runs) loseLocked(client string, p pinLine, now time.Time) {
	for list, at := range p.Lists {
		if at.At != "" && now.Sub(at.Asked) < runLimit {
			r.lost[walk{client, at.At, list}] = at.Asked
		}
	}
}
