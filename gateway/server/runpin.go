package server

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// maxRunLists bounds how many lists of one pin are told apart. The least telling go first: those of which only a first
// page was asked for, as by a client that looks devices up by a filter.
const maxRunLists = 64

// listID stands for the list that a walk reads: endpoint, page size, filter, sort and sections.
type listID string

// newListID makes a listID of everything that all pages of a walk have in common.
func newListID(endpoint, query string) listID {
	sum := sha256.Sum256([]byte(endpoint + "\x00" + query))
	return listID(hex.EncodeToString(sum[:8]))
}

// pin is the generation of one kind that a run stays on.
type pin struct {
	number     uint64
	view       string // digest of the filter of the client when it was made
	since      time.Time
	paged      time.Time         // last request for another page of a list
	ended      bool              // the run was idle: a first page moves on
	generation *cache.Generation // nil: let go of, or not opened since the start of the program
	lists      map[listID]listAt // that were asked for here
}

// listAt is how far the walk over a list is known.
type listAt struct {
	Asked time.Time `json:"asked"`           // last request
	Paged bool      `json:"paged,omitempty"` // one was no first page
	At    string    `json:"at,omitempty"`    // address of the last request; see step
}

func newRun(used, walked time.Time) *run {
	return &run{used: used, walked: walked, pins: map[device.Kind]*pin{}, left: map[device.Kind][]*pin{}}
}

func newPin(number uint64, view string, since time.Time) *pin {
	return &pin{number: number, view: view, since: since, lists: map[listID]listAt{}}
}

// letGo releases the generation and keeps its number.
func (p *pin) letGo() {
	if p.generation != nil {
		p.generation.Release()
		p.generation = nil
	}
}

// outdated tells that the generation was mapped by another release.
func (p *pin) outdated() bool {
	return p.generation != nil && p.generation.Info().MappingVersion != device.MappingVersion
}

// unfit tells that a first page wants another generation, or begins under another view.
func (p *pin) unfit(s step) bool { return s.columns && p.outdated() || p.view != s.view }

// step notes a request that is answered from the pin.
func (p *pin) step(s step, now time.Time) {
	if s.ask == askMore {
		p.paged, p.ended = now, false
	}
	if s.list == "" {
		return
	}
	if _, known := p.lists[s.list]; !known && len(p.lists) >= maxRunLists {
		p.evict()
	}
	p.lists[s.list] = listAt{Asked: now, Paged: s.ask == askMore, At: s.at}
}

// evict forgets one list.
func (p *pin) evict() {
	var worst listID
	for id, at := range p.lists {
		w, chosen := p.lists[worst]
		if !chosen || w.Paged && !at.Paged || w.Paged == at.Paged && at.Asked.Before(w.Asked) {
			worst = id
		}
	}
	delete(p.lists, worst)
}

// forget forgets lists that no walk can go on with.
func (p *pin) forget(now time.Time) {
	for id, at := range p.lists {
		if now.Sub(at.Asked) >= runLimit {
			delete(p.lists, id)
		}
	}
}

// idle tells that no list of the pin was asked for within 5 minutes.
func (p *pin) idle(now time.Time) bool {
	for _, at := range p.lists {
		if now.Sub(at.Asked) < runIdle {
			return false
		}
	}
	return true
}

// redate takes what a clock that has gone back since dated into the future for of now: a run would last until that day comes.
// It tells whether there was any.
func (held *run) redate(now time.Time) (moved bool) {
	fix := func(t *time.Time) {
		if t.After(now) {
			*t, moved = now, true
		}
	}
	fix(&held.used)
	fix(&held.walked)
	for p := range held.all() {
		fix(&p.since)
		fix(&p.paged)
		for id, at := range p.lists {
			if fix(&at.Asked); at.Asked.Equal(now) {
				p.lists[id] = at
			}
		}
	}
	return moved
}

// all is every pin of the run.
func (held *run) all() iter.Seq[*pin] {
	return func(yield func(*pin) bool) {
		for _, p := range held.pins {
			if !yield(p) {
				return
			}
		}
		for _, list := range held.left {
			for _, p := range list {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// leftAt is the pin that the run moved on from and that the list goes on from, nil when there is none.
func (held *run) leftAt(k device.Kind, list listID) *pin {
	for _, p := range held.left[k] {
		if _, ok := p.lists[list]; ok {
			return p
		}
	}
	return nil
}

// numbered is the pin of a generation, nil when there is none.
func (held *run) numbered(k device.Kind, n uint64) *pin {
	if p := held.pins[k]; p != nil && p.number == n {
		return p
	}
	for _, p := range held.left[k] {
		if p.number == n {
			return p
		}
	}
	return nil
}

// restart forgets where a list was: it is read from its first page again.
func (held *run) restart(k device.Kind, list listID) {
	if p := held.pins[k]; p != nil {
		delete(p.lists, list)
	}
	for _, p := range held.left[k] {
		delete(p.lists, list)
	}
}

// sweepLeft lets go of what no walk reads and forgets what none can go on with; it tells whether a pin went.
func (held *run) sweepLeft(now time.Time) (gone bool) {
	for k, list := range held.left {
		kept := slices.DeleteFunc(list, func(p *pin) bool {
			if p.idle(now) {
				p.letGo()
			}
			p.forget(now)
			return len(p.lists) == 0
		})
		gone = gone || len(kept) < len(list)
		if held.left[k] = kept; len(kept) == 0 {
			delete(held.left, k)
		}
	}
	return gone
}
