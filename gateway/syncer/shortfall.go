package syncer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
)

// shortfall is a list that was read after a loss and has far fewer devices than were known: nothing of it is kept, and once it is approved
// Jamf is read again (docs/adr/0040-guard-after-a-loss.md).
type shortfall struct {
	Digest   string    `json:"digest"`
	Since    time.Time `json:"since"`
	Count    int       `json:"count"` // devices that Jamf listed
	Findings []Finding `json:"findings"`
	Evidence evidence  `json:"evidence"`
}

// known is how many devices a kind had when it was last published, where nothing of that can be compared with any more: the book says
// so, else what the store still knows. 0: it was never read, or by a release that did not write it down.
func (s *Syncer) known(l *line) int {
	if _, err := s.o.Store.Look(l.series()); err == nil {
		return 0
	}
	n := l.book.kind(l.kind).Devices
	if kept := s.o.Store.Kept(l.series()); n == 0 && len(kept) > 0 {
		n = kept[0].Count
	}
	return n
}

// weighKnown is weigh where only the number of devices of before is known. planned deletions may be missing.
func weighKnown(g config.Guard, known, count, planned int) verdict {
	missing := known - count
	v := verdict{before: known, removed: max(missing, 0)}
	percent, number := g.RemovedPercent, g.RemovedCount
	if known < smallFleet {
		percent, number = g.SmallPercent, g.SmallCount
	}
	switch {
	case missing <= 0:
	case count == 0, missing > planned && above(missing, percent, number, known):
		v.findings = []Finding{{Guard: GuardLost, Count: missing, Of: known, Limit: limit(percent, number, known)}}
		v.evidence.Short = missing
	}
	return v
}

// holdShort remembers what is waited for. The same shortfall keeps its date.
func (s *Syncer) holdShort(ctx context.Context, l *line, c *cache.Candidate, v verdict) error {
	hold := &shortfall{Digest: v.evidence.digest(), Since: s.now().UTC(), Count: c.Info().Count, Findings: v.findings, Evidence: v.evidence}
	if was := l.book.kind(l.kind).Short; was != nil && was.Digest == hold.Digest {
		hold.Since = was.Since
	}
	s.learn(ctx, l, func(p *bookPage) { p.kindOf(l.kind).Short = hold })
	return &failure{Code: resultHeld, Detail: describe(v.findings), Err: errHeld}
}

// short is the shortfall that waits for a person, nil = none. Where something is served again, by whatever hand, it is over.
func (s *Syncer) short(l *line) *shortfall {
	hold := l.book.kind(l.kind).Short
	if hold == nil {
		return nil
	}
	if _, err := s.o.Store.Look(l.series()); err == nil {
		return nil
	}
	return hold
}

// approveShort lets the next sync publish as few devices, and asks for it.
func (s *Syncer) approveShort(ctx context.Context, l *line, hold *shortfall, by string) error {
	err := l.book.update(func(p *bookPage) {
		r := p.kindOf(l.kind)
		r.Approved, r.Short = &approval{At: s.now().UTC(), Evidence: hold.Evidence}, nil
	})
	if err != nil {
		return storeFailure("the approval could not be written down", err)
	}
	s.log.WarnContext(ctx, "fewer devices than before the loss approved", "audit", true, "by", by, "source", l.src.Name, "kind", l.kind,
		"digest", hold.Digest, "count", hold.Count, "guards", hold.Findings)
	if err := s.SyncNow(l.src.Name, l.kind); err != nil && !errors.Is(err, ErrRunning) {
		return fmt.Errorf("read again what was approved: %w", err)
	}
	return nil
}
