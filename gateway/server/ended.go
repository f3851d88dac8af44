package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"jamf-gateway/cache"
)

const (
	maxEnded    = 10_000 // of one client at once; each is forgotten when it would have died by itself
	endedSlack  = 1_000  // dead ones that are borne in memory, and lines of them in the file
	endedFields = 3      // of a line: digest, expiry in seconds, client
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
	sweepAt  int       // so many are looked through for dead ones
	before   time.Time // what was issued before is refused: the file could not be read

	writing sync.Mutex
	lines   int // in the file
}

type endedToken struct {
	client  string
	expires int64 // in seconds
}

// newEnded reads what was ended before the restart. Where that cannot be read, nobody knows which of the tokens that are out still hold:
// none does.
func newEnded(disk *cache.Disk, file string, now func() time.Time, log *slog.Logger) *ended {
	e := &ended{disk: disk, file: file, now: now, log: log, tokens: map[tokenName]endedToken{}, byClient: map[string]int{}, sweepAt: endedSlack}
	if file == "" {
		return e
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return e
	}
	if err != nil {
		log.Error("the ended tokens are not known: every token that is out is refused", "error", err)
		e.before = now().Truncate(time.Second) // as exact as a token
		return e
	}
	e.read(data)
	if err := e.rewrite(); err != nil {
		log.Warn("write the ended tokens anew", "error", err) // a full disk: they are known all the same
		e.lines = bytes.Count(data, []byte("\n"))
	}
	return e
}

// read takes up the lines of tokens that would live. A line without its end was never confirmed to anybody.
func (e *ended) read(data []byte) {
	now, odd := e.now().Unix(), 0
	for one := range bytes.Lines(data) { // however long: what a crash left of one line must not end the reading
		part := strings.Fields(string(one))
		if len(part) == 0 {
			continue
		}
		var name tokenName
		if len(part) != endedFields || hex.DecodedLen(len(part[0])) != len(name) {
			odd++
			continue
		}
		_, bad := hex.Decode(name[:], []byte(part[0]))
		expires, err := strconv.ParseInt(part[1], 10, 64)
		if bad != nil || err != nil {
			odd++
			continue
		}
		if expires > now {
			e.put(name, endedToken{part[2], expires})
		}
	}
	if odd > 0 {
		e.log.Warn("lines of ended tokens cannot be read", "file", e.file, "lines", odd)
	}
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
	if !e.before.IsZero() && expires.Add(-tokenLife).Before(e.before) {
		return true
	}
	if len(e.tokens) == 0 {
		return false
	}
	_, is := e.tokens[nameOf(token)]
	return is
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
	if e.lines >= 2*e.size()+endedSlack {
		err := e.rewrite() // with this one
		if err == nil {
			return nil
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

// append adds a line, and an empty one before it: what a full disk left of the last one is not mixed up with it.
func (e *ended) append(name tokenName, t endedToken) error {
	if err := e.disk.Append(e.file, []byte("\n"+line(name, t))); err != nil {
		return fmt.Errorf("write an ended token: %w", err)
	}
	e.lines++
	return nil
}

// rewrite leaves the lines of tokens that would live.
func (e *ended) rewrite() error {
	var out strings.Builder
	lines, now := 0, e.now().Unix()
	e.mu.RLock()
	for name, t := range e.tokens {
		if t.expires > now {
			out.WriteString(line(name, t))
			lines++
		}
	}
	e.mu.RUnlock()
	if err := e.disk.ReplaceFile(e.file, []byte(out.String())); err != nil {
		return err
	}
	e.lines = lines
	return nil
}

func line(name tokenName, t endedToken) string {
	return hex.EncodeToString(name[:]) + " " + strconv.FormatInt(t.expires, 10) + " " + t.client + "\n"
}
