package syncer

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"jamf-gateway/gateway/device"
)

// Forget makes a source one that was never read, as far as the schedule remembers, and removes the file. Of a source that is not in the
// settings nothing is remembered here.
func (s *Syncer) Forget(source string) error {
	b, ok := s.crew.Load().books[source]
	if !ok {
		return nil
	}
	if err := b.forget(); err != nil {
		return fmt.Errorf("forget the schedule of %s: %w", source, err)
	}
	for _, l := range s.crew.Load().lines {
		if l.book == b {
			l.mu.Lock()
			l.tried, l.hold, l.wide, l.mends = false, nil, false, 0
			l.mu.Unlock()
		}
	}
	return nil
}

// forget empties the page and removes the file.
func (b *book) forget() error {
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	b.page = bookPage{Format: bookFormat, Kinds: map[device.Kind]*kindRecord{}}
	b.mu.Unlock()
	return b.disk.RemoveAll(b.path)
}

// ForgetDevice takes a device out of what was approved of its source: the others stay approved.
func (s *Syncer) ForgetDevice(source string, k device.Kind, id int64) error {
	b, ok := s.crew.Load().books[source]
	if !ok {
		return nil
	}
	if a := b.kind(k).Approved; a == nil || !a.Evidence.knows(id) {
		return nil
	}
	err := b.update(func(p *bookPage) {
		r := p.kindOf(k)
		if r.Approved != nil {
			r.Approved = &approval{At: r.Approved.At, Evidence: r.Approved.Evidence.without(id)}
		}
	})
	if err != nil {
		return fmt.Errorf("forget a device of %s: %w", source, err)
	}
	return nil
}

// Prune drops the devices of approvals that are good for nothing any more. A sync does it as well; this is for sources that have none.
func (s *Syncer) Prune() error {
	var errs []error
	for name, b := range s.crew.Load().books {
		if !b.approvedLongAgo(s.now()) {
			continue
		}
		err := b.update(func(p *bookPage) {
			for _, r := range p.Kinds {
				if !r.Approved.good(s.now()) {
					r.Approved = nil
				}
			}
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("forget what was approved of %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// approvedLongAgo tells whether an approval of the source has ended.
func (b *book) approvedLongAgo(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.page.Kinds {
		if r.Approved != nil && !r.Approved.good(now) {
			return true
		}
	}
	return false
}

// knows tells whether a device is among those of the evidence.
func (e evidence) knows(id int64) bool {
	one := setOf([]int64{id})
	for _, lost := range e.Views {
		if lost.contains(one) {
			return true
		}
	}
	return e.Removed.contains(one) || e.Missing.contains(one) || e.Serial.contains(one)
}

// without is the evidence with one device fewer.
func (e evidence) without(id int64) evidence {
	e.Removed, e.Missing, e.Serial = e.Removed.without(id), e.Missing.without(id), e.Serial.without(id)
	if e.Views != nil {
		views := make(map[string]idSet, len(e.Views))
		for client, lost := range e.Views {
			views[client] = lost.without(id)
		}
		e.Views = views
	}
	return e
}

// without is the set with one id fewer.
func (s idSet) without(id int64) idSet {
	at := slices.IndexFunc(s, func(r idRange) bool { return r.first <= id && id <= r.last })
	if at < 0 {
		return s
	}
	out := slices.Clone(s[:at])
	if r := s[at]; r.first < id {
		out = append(out, idRange{r.first, id - 1})
	}
	if r := s[at]; id < r.last {
		out = append(out, idRange{id + 1, r.last})
	}
	return append(out, s[at+1:]...)
}
