package syncer

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
)

// crew is all sources at one moment. Immutable: a change makes another one.
type crew struct {
	hands  []*hand // in the order of the settings
	lines  []*line
	hearts []*heart
	books  map[string]*book // source -> what is remembered
	named  map[string]*hand // the hands by their sources
}

// hand is one source with all that runs for it.
type hand struct {
	src   *Source
	book  *book
	lines []*line
	heart *heart // nil = none

	// Of begin and stop: Start and Prepare wait for Run.
	cancel context.CancelFunc // nil = nothing was begun
	ended  chan struct{}
}

// shown is what clients are shown of a source. It can change under a walk.
type shown struct {
	views    []View
	profiles []*device.Profile
}

func newCrew(hands []*hand) *crew {
	c := &crew{hands: hands, books: make(map[string]*book, len(hands)), named: make(map[string]*hand, len(hands))}
	for _, h := range hands {
		c.books[h.src.Name], c.named[h.src.Name] = h.book, h
		c.lines = append(c.lines, h.lines...)
		if h.heart != nil {
			c.hearts = append(c.hearts, h.heart)
		}
	}
	return c
}

// newHand takes a source on, with what is remembered of it. It starts nothing.
func (s *Syncer) newHand(src *Source, b *book) *hand {
	if src.Guard == (config.Guard{}) {
		src.Guard = config.DefaultGuard()
	}
	h := &hand{src: src, book: b}
	for _, k := range src.Kinds {
		l := &line{src: src, kind: k, book: b, wake: make(chan struct{}, 1)}
		l.shown.Store(&shown{src.Views, src.WarmProfiles})
		l.wide = slices.Contains(src.Unaligned, k)
		l.tried = !b.kind(k).LastAttempt.IsZero()
		l.nextSync = s.due(l)
		h.lines = append(h.lines, l)
	}
	if src.Heartbeat > 0 && !src.Disabled {
		h.heart = newHeart(src, b, s.journal(src.Name), s.now())
	}
	return h
}

// begin lets a source be kept in sync until ctx ends or stop is called.
func (s *Syncer) begin(ctx context.Context, g *errgroup.Group, h *hand, spread bool) {
	ctx, h.cancel = context.WithCancel(ctx)
	h.ended = make(chan struct{})
	ended := h.ended
	var own errgroup.Group
	if !h.src.Disabled {
		for _, l := range h.lines {
			own.Go(func() error { return s.keep(ctx, l, spread) })
		}
	}
	if h.heart != nil {
		own.Go(func() error { return s.beat(ctx, h.heart, spread) })
	}
	g.Go(func() error {
		defer close(ended)
		return own.Wait()
	})
}

// stop ends all that runs for the source and waits for it. It tells of which kinds a sync was under way or asked for.
func (h *hand) stop() (asked []device.Kind) {
	if h.cancel == nil {
		return nil
	}
	for _, l := range h.lines {
		if l.isRunning() || len(l.wake) > 0 {
			asked = append(asked, l.kind)
		}
	}
	h.cancel()
	<-h.ended
	return asked
}

// start is what Run is to begin, and how it says that it has.
type start struct {
	hands []*hand
	begun chan struct{}
}

// Change is another set of sources: Prepare, Apply, Start. One at a time, and only while Run runs.
type Change struct {
	s       *Syncer
	sources []Source
	books   map[string]*book
	fresh   []*hand
	asked   map[string][]device.Kind // of changed sources
}

// Prepare reads what is remembered of sources that are new. Nothing changes. A source whose Settings are the same is left alone: its walk
// and its heartbeats go on, and only what clients are shown of it is another. It waits until Run has begun.
func (s *Syncer) Prepare(ctx context.Context, sources []Source) (*Change, error) {
	select {
	case <-s.begun:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c := &Change{s: s, sources: sources, books: map[string]*book{}, asked: map[string][]device.Kind{}}
	now := s.crew.Load()
	for _, src := range sources {
		if b, known := now.books[src.Name]; known {
			c.books[src.Name] = b
			continue
		}
		b, err := openBook(s.o.Store.Disk(), s.o.Dir, src.Name)
		if err != nil {
			return nil, fmt.Errorf("read the schedule of source %s: %w", src.Name, err)
		}
		c.books[src.Name] = b
	}
	return c, nil
}

// Apply ends what runs for sources that are changed or gone, waits for it, and takes the others on. They stand still until Start.
func (c *Change) Apply() {
	before := c.s.crew.Load()
	var hands []*hand
	kept := map[*hand]bool{}
	for i := range c.sources {
		src := &c.sources[i]
		at := slices.IndexFunc(before.hands, func(h *hand) bool { return h.src.Name == src.Name })
		if at >= 0 && src.Settings != "" && before.hands[at].src.Settings == src.Settings {
			h := before.hands[at]
			for _, l := range h.lines {
				l.shown.Store(&shown{src.Views, src.WarmProfiles})
			}
			kept[h] = true
			hands = append(hands, h)
			continue
		}
		if at >= 0 {
			c.asked[src.Name] = before.hands[at].stop()
		}
		h := c.s.newHand(src, c.books[src.Name])
		c.fresh = append(c.fresh, h)
		hands = append(hands, h)
	}
	for _, h := range before.hands {
		if !kept[h] && !slices.ContainsFunc(c.sources, func(src Source) bool { return src.Name == h.src.Name }) {
			h.stop()
		}
	}
	c.s.crew.Store(newCrew(hands))
}

// Unaligned says of which kinds of a source the stored data could not be cut to its profile. Before Start.
func (c *Change) Unaligned(source string, kinds []device.Kind) {
	for _, h := range c.fresh {
		for _, l := range h.lines {
			if h.src.Name == source {
				l.mu.Lock()
				l.wide = slices.Contains(kinds, l.kind)
				l.mu.Unlock()
			}
		}
	}
}

// Start lets what Apply took on run. A sync that was under way or asked for begins again.
func (c *Change) Start() {
	for _, h := range c.fresh {
		for _, l := range h.lines {
			if slices.Contains(c.asked[h.src.Name], l.kind) && c.s.due(l).After(c.s.now()) {
				select {
				case l.wake <- struct{}{}:
				default: // already asked for
				}
			}
		}
	}
	begun := make(chan struct{})
	select {
	case c.s.starts <- start{c.fresh, begun}:
		<-begun
	case <-c.s.over:
	}
}
