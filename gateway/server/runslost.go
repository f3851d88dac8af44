package server

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// forgotten is a start that does not know which walks were under way. It is written at once: the next start is to know it as well.
func (r *runs) forgotten(now time.Time) {
	r.unknown, r.moved = now, true
	r.save(context.Background(), false)
}

// strandedLocked tells that nobody knows any more what the earlier pages of a walk came from, or that it was another source. held is the run of
// the client, nil when there is none.
func (r *runs) strandedLocked(client string, q cache.Series, held *run, s step, now time.Time) bool {
	return r.elsewhereLocked(client, q, s, now) || r.unbegunLocked(held, q.Kind, s, now)
}

// unbegunLocked tells that another page is asked for of a list that may have been begun before such a start, from a generation that nobody knows
// any more: the rest of it would come from another one. Its first page begins it again. After two hours no walk of before goes on.
func (r *runs) unbegunLocked(held *run, k device.Kind, s step, now time.Time) bool {
	if s.ask != askMore || r.unknown.IsZero() {
		return false
	}
	if r.unknown.After(now) { // by a clock that has gone back since
		r.unknown, r.moved = now, true
	}
	if now.Sub(r.unknown) >= runLimit {
		r.unknown, r.moved = time.Time{}, true
		return false
	}
	return held == nil || !held.begun(k, s.list)
}

// begun tells that a list was asked for on a generation that is remembered.
func (held *run) begun(k device.Kind, list listID) bool {
	if p := held.pins[k]; p != nil {
		if _, ok := p.lists[list]; ok {
			return true
		}
	}
	return held.leftAt(k, list) != nil
}

// distrust removes a file that could not be written anew: it may name generations that walks have been begun again from since. A start that
// finds none lets them begin again. The caller holds saving.
func (r *runs) distrust() error {
	if r.foreign {
		return nil
	}
	if err := r.store.Disk().Remove(r.file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// clearWay sets a file aside that cannot be read: it may be of a newer release, which goes on with it. The caller holds saving, or is alone.
func (r *runs) clearWay() error {
	if !r.foreign {
		return nil
	}
	to, err := r.store.Disk().SetAside(r.file)
	if err != nil {
		return err
	}
	r.foreign = false
	r.log.Warn("the file of the client runs cannot be read and is set aside", "file", to)
	return nil
}
