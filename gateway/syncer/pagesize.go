package syncer

// Page sizes, in rows. A page that times out is halved down to the floor; good pages climb again to the ceiling of the settings.
const (
	floorSize   = 50
	climbAfter  = 4 // good pages in a row at a reduced size
	defaultSize = 200
	jamfClamp   = 2000 // Jamf answers larger pages with 2000 rows, silently (jamf-api.md 6)
)

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
