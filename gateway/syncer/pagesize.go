package syncer

import "time"

// Page sizes, in rows; docs/adr/0016.
const (
	floorSize   = 50
	startSize   = 100  // of the first page: how long Jamf takes is not known yet
	climbAfter  = 4    // good pages in a row, where a larger page failed before
	defaultSize = 800  // the top of the ladder of DESIGN.md
	jamfClamp   = 2000 // Jamf answers larger pages with 2000 rows, silently (jamf-api.md 6)
)

// A page shall take from quickPage to slowPage. Jamf's time grows with the rows, so that a page of twice as many rows
// as a quick one is no slow one.
const (
	quickPage = 2 * time.Second
	slowPage  = 5 * time.Second
)

// pace is how many rows are asked for at a time. Make it with newPace.
type pace struct {
	target  int
	ceiling int  // of the settings, or what Jamf was found to give
	limit   int  // no page above it is asked for; Jamf would clamp it
	shy     bool // a larger page timed out or did not render: only climbAfter good pages in a row make the target climb
	good    int
	short   int // length of the last short page
}

func newPace(ceiling int) pace {
	return pace{target: min(startSize, ceiling), ceiling: ceiling, limit: jamfClamp}
}

// atFloor tells that a page of size rows is not made smaller.
func (p *pace) atFloor(size int) bool { return p.target <= floorSize && size <= floorSize+floorSize/8 }

// failed halves after a page of size rows that came to nothing: the next page is smaller than it, whatever the target was.
func (p *pace) failed(size int) {
	p.target = min(p.target, max(floorSize, min(p.target, size)/2))
	p.shy, p.good = true, 0
}

// full learns from a page that gave all the rows asked for. A slow one halves the target, a quick one - at the rate of
// the whole target - doubles it, any other leaves it. took is Jamf's own time, not that of waiting for a turn.
func (p *pace) full(size int, took time.Duration) {
	switch {
	case took > slowPage:
		p.target = min(p.target, max(floorSize, p.target/2))
		p.good = 0
	case took*time.Duration(p.target)/time.Duration(size) < quickPage:
		p.good++
		if p.good >= climbAfter || !p.shy {
			p.target, p.good = min(p.ceiling, p.target*2), 0
		}
	}
}

// clamped learns from a page that was short although the list goes on: what Jamf gave is its page size. Twice the same
// length is a limit and no accident.
func (p *pace) clamped(rows int) {
	p.target = max(2, min(p.target, rows))
	if p.short == rows {
		p.ceiling, p.limit = min(p.ceiling, p.target), p.target
	}
	p.short, p.good = rows, 0
}

// window names one page: rows page*size ... page*size+size-1 of the list.
type window struct{ page, size int }

func (w window) first() int { return w.page * w.size }

// overlapping chooses the window of about target rows that holds row next-1, the last one read, and as many
// unread rows as can be had. Offset paging only offers windows that start at a multiple of their size, so the size
// is bent until the overlap is small: any size from half of the target to an eighth above it may be asked for
// (docs/adr/0002), but none above limit, where Jamf clamps.
// Windows that start at or before avoid, a row that Jamf cannot render, are taken only when there is no other; -1 avoids none.
func overlapping(next, target, limit, avoid int) window {
	if next <= 0 {
		return window{0, target}
	}
	for ; ; target *= 2 { // a tiny target may have no window with anything new; one twice as large has
		if w, ok := widest(next, target, limit, avoid); ok {
			return w
		}
	}
}

func widest(next, target, limit, avoid int) (best window, found bool) {
	bestGain := 0
	for size := max(min(target+target/8, limit), target); size > target/2 && size >= 2; size-- {
		w := window{(next - 1) / size, size}
		gain := w.first() + size - next
		if gain <= 0 {
			continue
		}
		if avoid >= 0 && w.first() <= avoid {
			gain -= 2 * target
		}
		if !found || gain > bestGain {
			best, bestGain, found = w, gain, true
		}
	}
	return best, found
}
