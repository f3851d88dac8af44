package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"jamf-gateway/cache"
)

const (
	maxEnded   = 10_000 // of one client at once; each is forgotten when it would have died by itself
	endedSlack = 1_000  // dead ones that are borne in memory, and lines of them in the file
)

var errTooManyEnded = errors.New("too many ended tokens")

// tokenName tells tokens apart and is none: the first half of the SHA-256.
type tokenName [sha256.Size / 2]byte

func nameOf(token string) tokenName {
	sum := sha256.Sum256([]byte(token))
	return tokenName(sum[:])
}

// ended are the tokens that clients have given back before their time. They are the only tokens of which anything is kept, one line each
// in a file, written before the client is told.
type ended struct {
	disk *cache.Disk
	file string // "" = they live again after a restart
	now  func() time.Time
	log  *slog.Logger

	mu       sync.RWMutex
	tokens   map[tokenName]endedToken
	byClient map[string]int
	sweepAt  int // so many are looked through for dead ones

	// before (unix seconds, 0 = none): what was issued before is refused, because a part of the file could not be read.
	before atomic.Int64

	writing sync.Mutex
	lines   int  // in the file
	torn    bool // it may end in half a line, or hold what cannot be read: it is written anew before anything is appended
}

type endedToken struct {
	client  string
	expires int64 // in seconds
}

// newEnded reads what was ended before the restart. Where any of it cannot be read, nobody knows which of the tokens that are out still
// hold: none does.
func newEnded(disk *cache.Disk, file string, now func() time.Time, log *slog.Logger) *ended {
	e := &ended{disk: disk, file: file, now: now, log: log, tokens: map[tokenName]endedToken{}, byClient: map[string]int{}, sweepAt: endedSlack}
	if file == "" {
		return e
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return e
	}
	if err == nil {
		err = e.read(data)
	}
	if err != nil {
		log.Error("not all ended tokens are known: every token that is out is refused", "file", file, "error", err)
		e.before.Store(now().Unix()) // as exact as a token
	}
	if err := e.rewrite(); err != nil {
		log.Warn("write the ended tokens anew", "error", err) // a full disk: what is known is known all the same
		e.torn = true
	}
	return e
}

func (e *ended) put(name tokenName, t endedToken) {
	if _, known := e.tokens[name]; !known {
		e.byClient[t.client]++
	}
	e.tokens[name] = t
}

// has tells whether a token was ended.
func (e *ended) has(token string, expires time.Time) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if expires.Add(-tokenLife).Unix() < e.refusedBefore() {
		return true
	}
	if len(e.tokens) == 0 {
		return false
	}
	_, is := e.tokens[nameOf(token)]
	return is
}

// refusedBefore is the moment before which every token was refused. One that lies ahead, by a clock that was set back, moves back with it: new
// tokens would be refused until that day comes.
func (e *ended) refusedBefore() int64 {
	before := e.before.Load()
	if before == 0 {
		return 0
	}
	if now := e.now().Unix(); before > now {
		e.before.CompareAndSwap(before, now)
		return now
	}
	return before
}

// end ends a token of a client at once, and for good when it returns nil.
func (e *ended) end(ctx context.Context, client, token string, expires time.Time) error {
	t := endedToken{client, expires.Unix()}
	if err := e.remember(nameOf(token), t); err != nil {
		return err
	}
	if e.file == "" {
		return nil
	}
	e.writing.Lock()
	defer e.writing.Unlock()
	if first := e.lines == 0; first || e.torn || e.lines >= 2*e.size()+endedSlack {
		err := e.rewrite() // with this one
		if err == nil {
			return nil
		}
		if first || e.torn {
			return fmt.Errorf("write the ended tokens anew: %w", err)
		}
		e.log.WarnContext(ctx, "write the ended tokens anew", "error", err)
	}
	return e.append(nameOf(token), t)
}

// remember refuses a client that has too many, and forgets the dead now and then.
func (e *ended) remember(name tokenName, t endedToken) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.tokens) >= e.sweepAt || e.byClient[t.client] >= maxEnded {
		e.sweepLocked()
	}
	if e.byClient[t.client] >= maxEnded {
		return errTooManyEnded
	}
	e.put(name, t)
	return nil
}

func (e *ended) sweepLocked() {
	now := e.now().Unix()
	for name, t := range e.tokens {
		if t.expires > now {
			continue
		}
		delete(e.tokens, name)
		if e.byClient[t.client]--; e.byClient[t.client] == 0 {
			delete(e.byClient, t.client)
		}
	}
	e.sweepAt = 2*len(e.tokens) + endedSlack
}

func (e *ended) size() int {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return len(e.tokens)
}
