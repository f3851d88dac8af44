package syncer

import (
	"errors"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// Status is what is known of one source. Rights are those last proved upstream, at most the two.
type Status struct {
	Source             string
	Disabled           bool
	CredentialsRefused bool
	Rights             []string
	JamfVersion        string
	Heartbeat          HeartbeatStatus
	Expected           *Expected // the open window of announced removals, nil = none
	Kinds              []KindStatus
}

// KindStatus is what is known of one kind. Held and Total are the progress of the running walk.
type KindStatus struct {
	Kind                               device.Kind
	State                              string // fresh, stale, never_synced, disabled
	Reason                             string // catalogue code when stale or never_synced
	Syncing                            bool
	Tried                              bool // a first sync has ended, well or not
	Held, Total                        int
	LastAttempt, LastSuccess, NextSync time.Time // zero = never
	LastResult                         string    // "", ok, failed, held
	ErrorCode, ErrorDetail             string
	ErrorAt                            time.Time
	Hold                               *HoldStatus // nil: nothing is held
}

// Expected are removals that were announced: so many are left, until then.
type Expected struct {
	Left  int
	Until time.Time
}

// Status tells the state of the sources of these names, of every one without any; names that are no source are left out. It does no I/O and
// waits neither for a sync nor for a file. What one source costs does not depend on how many there are.
func (s *Syncer) Status(names ...string) []Status {
	now := s.crew.Load()
	if len(names) == 0 {
		out := make([]Status, len(now.hands))
		for i, h := range now.hands {
			out[i] = s.status(h)
		}
		return out
	}
	out := make([]Status, 0, len(names))
	for _, name := range names {
		if h := now.named[name]; h != nil {
			out = append(out, s.status(h))
		}
	}
	return out
}

func (s *Syncer) status(h *hand) Status {
	st := Status{Source: h.src.Name, Disabled: h.src.Disabled, Expected: h.book.window(s.now())}
	st.Rights, st.CredentialsRefused, st.JamfVersion = h.book.source()
	if h.heart != nil {
		st.Heartbeat = h.heart.status()
	}
	for _, l := range h.lines {
		st.Kinds = append(st.Kinds, s.kindStatus(l))
	}
	return st
}

func (s *Syncer) kindStatus(l *line) KindStatus {
	r := l.book.kind(l.kind)
	l.mu.Lock()
	st := KindStatus{
		Kind: l.kind, Syncing: l.isRunning(), Tried: l.tried, Held: l.held, Total: l.total, NextSync: l.nextSync,
		LastAttempt: r.LastAttempt, LastSuccess: r.LastSuccess, LastResult: r.LastResult,
		ErrorCode: r.ErrorCode, ErrorDetail: r.ErrorDetail, ErrorAt: r.ErrorAt,
	}
	if st.ErrorCode != "" && st.ErrorAt.IsZero() {
		st.ErrorAt = r.LastAttempt
	}
	l.mu.Unlock()
	if h, held := s.heldOf(l); held {
		st.Hold = &h
	}
	st.State, st.Reason = s.state(l, r)
	if l.src.Disabled {
		st.NextSync = time.Time{}
	}
	return st
}

// state follows the table in DESIGN.md, "What is answered in which state".
func (s *Syncer) state(l *line, r kindRecord) (state, reason string) {
	info, err := s.o.Store.Look(l.series())
	if err != nil && info.Number == 0 {
		reason = storeCode(err)
		if errors.Is(err, cache.ErrNone) && r.ErrorCode != "" {
			reason = r.ErrorCode // why nothing came; that what was there is lost says more than any failed sync
		}
		switch {
		case r.Short != nil:
			reason = resultHeld
		case errors.Is(err, cache.ErrNone) && r.Devices > 0:
			reason = "store_lost" // its whole directory is gone
		}
		if l.src.Disabled {
			reason = "source_disabled"
		}
		return "never_synced", reason
	}
	switch {
	case l.src.Disabled:
		return "disabled", "source_disabled"
	case err != nil:
		return "stale", storeCode(err)
	case s.o.Store.FellBack(l.series()):
		return "stale", "store_corrupt" // the newest file is damaged, the one before serves
	case l.isWide():
		return "stale", "store_error"
	case s.isHeld(l), r.LastResult == resultHeld: // also where what was held is gone: a walk is due that tells again
		return "stale", resultHeld
	case r.Failures > 0:
		return "stale", r.ErrorCode
	case overdue(s.now().Sub(info.Ended), l.src.Interval):
		return "stale", "overdue"
	}
	return "fresh", ""
}
