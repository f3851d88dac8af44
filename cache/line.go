package cache

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
)

// line is one series on disk and in memory.
type line struct {
	series Series
	dir    string

	// work serialises what changes the line: publish, falling back, opening a file. Taken before mu, never after.
	work sync.Mutex

	mu       sync.RWMutex
	kept     []keptFile             // newest first
	held     *heldFile              // waits for a person; not among kept
	current  uint64                 // what a draft must name as its parent; 0 = nothing published yet
	highest  uint64                 // no number up to this one is given again
	serving  *Generation            // what Acquire returns; the line holds one reference
	open     map[uint64]*Generation // generations with an open file, without a reference: retain before use
	pending  map[uint64]bool        // files that are being compared with their digest
	trouble  error                  // why nothing is served
	refused  error                  // why nothing may be written
	unlisted bool                   // its directory could not be read: which numbers were given is not known
	building bool
	purged   bool // no line of the store any more: nothing may be published into it
}

func newLine(dir string, q Series) *line {
	return &line{
		series: q, dir: filepath.Join(dir, q.Source, string(q.Kind)),
		open: make(map[uint64]*Generation), pending: make(map[uint64]bool), trouble: ErrNone,
	}
}

// serveLocked makes the newest usable generation the served one. Those that fail are set aside: said, counted and
// left where they are until the next publish. The caller holds l.work. Only a cancelled ctx is an error.
func (s *Store) serveLocked(ctx context.Context, l *line) error {
	l.mu.RLock()
	kept := l.kept
	l.mu.RUnlock()
	var first error
	for i := range kept {
		if kept[i].damaged {
			continue
		}
		g, err := s.openLocked(ctx, l, kept[i].Number)
		if ctx.Err() != nil {
			if g != nil {
				g.Release()
			}
			return ctx.Err()
		}
		if err != nil {
			first = errors.Join(first, err)
			continue
		}
		l.mu.Lock()
		l.serving, l.current, l.trouble = g, g.info.Number, nil
		l.mu.Unlock()
		if first != nil {
			s.log.ErrorContext(ctx, "an older generation is served", "jamf.source", l.series.Source, "kind", l.series.Kind,
				"generation", g.info.Number, "error", first)
		}
		return nil
	}
	if first == nil {
		first = fmt.Errorf("no kept generation is readable: %w", ErrCorrupt)
	}
	l.mu.Lock()
	l.serving, l.current = nil, l.highestKeptLocked()
	l.mu.Unlock()
	s.loseLocked(l, first)
	return nil
}

// followsLocked tells whether a generation with this parent may be published next: its parent is what Acquire returns, or what
// was published last. The two differ after a fall back, which must not cost a running walk its work. The caller holds l.mu.
func (l *line) followsLocked(parent uint64) bool {
	return !l.purged && (parent == l.current || len(l.kept) > 0 && parent == l.kept[0].Number)
}

func (l *line) highestKeptLocked() uint64 {
	if len(l.kept) > 0 {
		return l.kept[0].Number
	}
	return l.highest
}

// openLocked opens a kept file and returns it with one reference, the caller's. A file that fails is marked.
// The caller holds l.work.
func (s *Store) openLocked(ctx context.Context, l *line, number uint64) (*Generation, error) {
	l.mu.RLock()
	var k keptFile
	for _, each := range l.kept {
		if each.Number == number {
			k = each
		}
	}
	l.mu.RUnlock()
	if k.Number == 0 {
		return nil, ErrGone
	}
	path := filepath.Join(l.dir, k.File)
	g, err := openGeneration(ctx, path, s.identity, k, s.digestCheck(l, path, k))
	if ctx.Err() != nil {
		if g != nil {
			g.Release()
		}
		return nil, ctx.Err()
	}
	l.mark(number, err)
	if err != nil {
		s.counts.openErrors.Add(1)
		return nil, fmt.Errorf("open generation %d: %w", number, err)
	}
	s.adopt(l, g)
	return g, nil
}

// adopt lets AcquireNumber find an open generation until its last reader releases it.
func (s *Store) adopt(l *line, g *Generation) {
	g.readErrors = &s.counts.readErrors
	g.onClose = func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.open[g.info.Number] == g {
			delete(l.open, g.info.Number)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[g.info.Number] = g
}

// mark remembers how opening a file went. The list is copied: snapshots of it stay as they are.
func (l *line) mark(number uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := append([]keptFile(nil), l.kept...)
	for i := range kept {
		if kept[i].Number == number {
			kept[i].verified = kept[i].verified || err == nil && !l.pending[number]
			kept[i].damaged = err != nil
		}
	}
	l.kept = kept
}

// fallBack replaces a served generation that turned out to be damaged.
func (s *Store) fallBack(l *line, bad *Generation) {
	l.work.Lock()
	defer l.work.Unlock()
	l.mu.RLock()
	current := l.serving
	l.mu.RUnlock()
	if current != bad {
		return // somebody else did it, or a publish came
	}
	l.mark(bad.info.Number, ErrCorrupt)
	s.log.Error("generation is damaged", "jamf.source", l.series.Source, "kind", l.series.Kind, "generation", bad.info.Number)
	_ = s.serveLocked(context.Background(), l) // its only error is a cancelled context
	bad.Release()
}

// detach takes the served generation out at Close.
func (l *line) detach() *Generation {
	l.work.Lock()
	defer l.work.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.serving
	l.serving, l.trouble = nil, errClosed
	return g
}

// Acquire returns the current generation. ErrNone, ErrLost, ErrCorrupt.
// A generation whose file turned out to be damaged is replaced by the one before it.
func (s *Store) Acquire(q Series) (*Generation, error) {
	l, err := s.find(q)
	if err != nil {
		return nil, err
	}
	if l == nil {
		return nil, ErrNone
	}
	for {
		l.mu.RLock()
		g, trouble := l.serving, l.trouble
		usable := g != nil && !g.damaged.Load()
		if usable {
			g.refs.Add(1) // the line holds one, so it is not 0
		}
		l.mu.RUnlock()
		switch {
		case usable:
			return g, nil
		case g == nil:
			return nil, trouble
		}
		s.fallBack(l, g)
	}
}

// Look describes the current generation without opening anything: it never waits for the disk. Errors as of Acquire; with
// ErrCorrupt and a description, the generation was just found damaged, and the next Acquire will serve the one before.
func (s *Store) Look(q Series) (Info, error) {
	l, err := s.find(q)
	if err != nil {
		return Info{}, err
	}
	if l == nil {
		return Info{}, ErrNone
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	switch {
	case l.serving == nil:
		return Info{}, l.trouble
	case l.serving.damaged.Load():
		return l.serving.info, fmt.Errorf("generation %d: %w", l.serving.info.Number, ErrCorrupt)
	}
	return l.serving.info, nil
}

// AcquireNumber returns a kept generation by its number. ErrGone.
// One that no reader holds is opened again, and verified if it was not since the program started: ErrLost, ErrCorrupt.
func (s *Store) AcquireNumber(q Series, n uint64) (*Generation, error) {
	l, err := s.find(q)
	if err != nil {
		return nil, err
	}
	if l == nil {
		return nil, ErrGone
	}
	if g, err := l.retain(n); g != nil || err != nil {
		return g, err
	}
	l.work.Lock()
	defer l.work.Unlock()
	if g, err := l.retain(n); g != nil || err != nil {
		return g, err
	}
	return s.openLocked(context.Background(), l, n)
}

// retain returns an open, kept generation with a reference; nil and no error when its file must be opened.
func (l *line) retain(n uint64) (*Generation, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, k := range l.kept {
		if k.Number != n {
			continue
		}
		g := l.open[n]
		if k.damaged || g != nil && g.damaged.Load() {
			return nil, fmt.Errorf("generation %d: %w", n, ErrCorrupt)
		}
		if g != nil && g.tryRetain() {
			return g, nil
		}
		return nil, nil
	}
	return nil, ErrGone
}

// Kept describes the kept generations, newest first, without their quarantined records. Damaged ones are among them
// until the next publish.
func (s *Store) Kept(q Series) []Info {
	l, err := s.find(q)
	if err != nil || l == nil {
		return nil
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	infos := make([]Info, 0, len(l.kept))
	for _, k := range l.kept {
		info := k.Info
		info.Bytes = k.Bytes
		infos = append(infos, info)
	}
	return infos
}

// LastNumber is the number that a Draft must name as its parent: that of the generation Acquire returns, the last one known
// when the series is lost, 0 when it was never synced.
func (s *Store) LastNumber(q Series) uint64 {
	l, err := s.find(q)
	if err != nil || l == nil {
		return 0
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.current
}

// FellBack tells that the newest published generation cannot be read and an older one is served until the next publish.
func (s *Store) FellBack(q Series) bool {
	l, err := s.find(q)
	if err != nil || l == nil {
		return false
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.serving != nil && l.highestKeptLocked() > l.serving.info.Number
}
