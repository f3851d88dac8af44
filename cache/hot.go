package cache

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/ristretto/v2"
)

// entry is one value in ristretto, with the whole key it was kept under: ristretto itself only knows two hashes of it.
// Immutable: keys name the generation, so a value never goes out of date; passed answers have a term.
type entry struct {
	scope string // class and everything of the key but the id
	id    int64  // of a device, 0 for an answer
	body  []byte
	etag  string
	term  *term // of a passed answer alone
}

// The first byte of a scope.
const (
	classDevice    = 'd'
	classAnswer    = 'a'
	classSelection = 's'
	classPassed    = 'p'
)

const (
	entryOverhead = 104  // bytes of an entry beside its texts; ristretto adds its own 56
	usualEntry    = 2048 // bytes, to guess how many entries fit
)

func (e *entry) cost() int64 {
	cost := int64(entryOverhead + len(e.body) + len(e.etag))
	if e.scope[0] != classDevice {
		cost += int64(len(e.scope)) // that of devices is shared by a whole generation
	}
	return cost
}

// hot is ristretto: it may forget anything at any moment, and nothing here depends on what it keeps.
type hot struct {
	maxBytes int64

	mu     sync.RWMutex // read: ristretto is in use; write: it is emptied or closed, which it cannot bear meanwhile
	cache  *ristretto.Cache[[]byte, *entry]
	closed bool
	past   hotCounts // of before the last Clear, which takes ristretto's own counters back to 0

	devices, answers, selections, passed lookups
}

// lookups counts what was found and what was not.
type lookups struct{ hits, misses atomic.Int64 }

// hotCounts are ristretto's losses, which it reports nowhere else.
type hotCounts struct{ dropped, rejected, evicted int64 }

// newHot makes the cache; hash nil = ristretto's own.
func newHot(maxBytes int64, hash func([]byte) (uint64, uint64)) (*hot, error) {
	expected := max(1000, maxBytes/usualEntry)
	cache, err := ristretto.NewCache(&ristretto.Config[[]byte, *entry]{
		NumCounters: 10 * expected, MaxCost: maxBytes, BufferItems: 64, Metrics: true, KeyToHash: hash,
	})
	if err != nil {
		return nil, fmt.Errorf("make cache: %w", err)
	}
	return &hot{maxBytes: maxBytes, cache: cache}, nil
}

// session looks several keys up under one lock. Not for concurrent use; close it.
type session struct {
	hot *hot
	key []byte
}

func (h *hot) session() *session {
	h.mu.RLock()
	return &session{hot: h}
}

func (t *session) close() { t.hot.mu.RUnlock() }

func (t *session) find(scope string, id int64) *entry {
	if t.hot.closed {
		return nil
	}
	t.key = binary.BigEndian.AppendUint64(append(t.key[:0], scope...), uint64(id))
	e, ok := t.hot.cache.Get(t.key)
	if !ok || e == nil || e.id != id || e.scope != scope {
		return nil
	}
	return e
}

// keep offers an entry; false when ristretto dropped it at once.
func (t *session) keep(e *entry) bool {
	if t.hot.closed {
		return false
	}
	t.key = binary.BigEndian.AppendUint64(append(t.key[:0], e.scope...), uint64(e.id))
	return t.hot.cache.SetWithTTL(t.key, e, e.cost(), e.term.left())
}

// wait returns when what was offered is kept or rejected.
func (t *session) wait() {
	if !t.hot.closed {
		t.hot.cache.Wait()
	}
}

func (h *hot) find(scope string) *entry {
	t := h.session()
	defer t.close()
	return t.find(scope, 0)
}

func (h *hot) keep(e *entry) {
	t := h.session()
	defer t.close()
	t.keep(e)
}

func (h *hot) counts() hotCounts {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.countsLocked()
}

func (h *hot) countsLocked() hotCounts {
	m := h.cache.Metrics
	return hotCounts{
		dropped:  h.past.dropped + int64(m.SetsDropped()),
		rejected: h.past.rejected + int64(m.SetsRejected()),
		evicted:  h.past.evicted + int64(m.KeysEvicted()),
	}
}

// bytes is what the entries cost now.
func (h *hot) bytes() int64 {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.closed {
		return 0
	}
	return h.maxBytes - h.cache.RemainingCost()
}

func (h *hot) clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.past = h.countsLocked()
	h.cache.Clear()
}

func (h *hot) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		h.past = h.countsLocked()
		h.cache.Close()
	}
}

// Flush empties ristretto; no answer changes.
func (s *Store) Flush() {
	s.hot.clear()
	s.warmth.reset()
}
