package usage

import (
	"maps"
	"slices"
	"time"
)

// Bounds of the walks of one client.
const (
	maxWalks   = 32
	maxLengths = 16
	maxPages   = 4096 // pages of one walk that are told apart
)

// walkKey is what one list is, asked for in one way.
type walkKey struct {
	route, series string
	size          int
	known         uint64 // parameters, without those that say which page
}

// walks are the lists that a client reads page by page.
type walks map[walkKey]*walk

// walk is one list.
type walk struct {
	begun, complete, left uint64 // left: another one began before its last page
	ended                 uint64 // the same of lists whose length is not known
	total                 int    // rows, when it was last begun; -1 = not known
	lengths               map[int]uint64
	last                  time.Time

	open   bool
	pages  int // different ones of the open walk
	needed int // pages of the whole list, -1 = not known
	seen   []uint64
}

// step enters an answered page.
func (w walks) step(key walkKey, s Step, at time.Time) {
	one, ok := w[key]
	if !ok {
		if s.Page != 0 {
			return
		}
		if len(w) >= maxWalks {
			key = walkKey{route: otherWord}
		}
		if one, ok = w[key]; !ok {
			one = &walk{lengths: map[int]uint64{}}
			w[key] = one
		}
	}
	one.last = at
	switch {
	case s.Page == 0:
		one.begin(s)
	case !one.open, one.needed >= 0 && s.Page >= one.needed && !s.Cursor, !s.Cursor && one.twice(s.Page):
		return
	}
	if one.pages++; one.pages == one.needed {
		one.complete++
		one.end()
	}
}

func (w *walk) begin(s Step) {
	switch {
	case w.open && w.needed >= 0:
		w.left++
	case w.open:
		w.ended++
		w.end()
	}
	w.begun++
	w.open, w.pages, w.total, w.needed = true, 0, s.Total, -1
	clear(w.seen)
	if s.Total >= 0 {
		w.needed = max(1, (s.Total+s.Size-1)/s.Size)
	}
}

// end counts the length of the open walk.
func (w *walk) end() {
	length := w.pages
	if _, there := w.lengths[length]; !there && len(w.lengths) >= maxLengths {
		length = 0
	}
	w.lengths[length]++
	w.open = false
}

// twice tells that the open walk has the page already, and remembers it.
func (w *walk) twice(page int) bool {
	if page >= maxPages {
		return false
	}
	for len(w.seen) <= page/64 {
		w.seen = append(w.seen, 0)
	}
	bit := uint64(1) << (page % 64)
	before := w.seen[page/64]&bit != 0
	w.seen[page/64] |= bit
	return before
}

// Forget removes what is counted of the lists of a source, from the file too. Other counts name no source.
func (r *Recorder) Forget(source string) error {
	for _, c := range append([]*client{r.nobody}, slices.Collect(maps.Values(r.all()))...) {
		c.mu.Lock()
		for key := range c.walks {
			if key.series == source {
				delete(c.walks, key)
			}
		}
		c.mu.Unlock()
	}
	if r.o.File == "" {
		return nil
	}
	return r.save()
}
