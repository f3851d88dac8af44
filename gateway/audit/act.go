package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	mostEnded   = 1000 // outcomes that wait for a disk that takes them
	outcomeMore = 256  // bytes that the line of an outcome is longer than that of its act at most
)

var errUnwritten = errors.New("too many outcomes of acts wait to be written")

// outcome is how an act ended, and the bytes that are kept for its line.
type outcome struct {
	Entry
	bytes int64
}

// Act writes a line before an act is done, and returns when it is on the disk. On an error the act must not be done: there is no room for
// its line or for that of its outcome (ErrFull), or the disk takes neither.
//
// ended writes how the act ended, once. Until then room is kept for its line, so that nothing else that is written can keep it away; where
// the disk does not take it, it waits and is never dropped.
func (l *Log) Act(e Entry) (ended func(outcome string), err error) {
	if l == nil {
		return func(string) {}, nil
	}
	e.Time, e.Outcome = l.o.Now(), Asked
	line, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("write the audit: %w", err)
	}
	bytes := int64(len(line) + outcomeMore)
	l.writing.Lock()
	defer l.writing.Unlock()
	if len(l.ended) >= mostEnded {
		return nil, fmt.Errorf("write the audit: %w", errUnwritten)
	}
	if _, err := l.append([]Entry{e}, l.roomBeside(l.reserved+bytes)); err != nil {
		return nil, err
	}
	l.reserved += bytes
	var once sync.Once
	return func(how string) {
		once.Do(func() {
			e.Outcome = how
			l.end(outcome{e, bytes})
		})
	}, nil
}

// end writes an outcome now, or has it wait.
func (l *Log) end(o outcome) {
	o.Time = l.o.Now()
	l.writing.Lock()
	defer l.writing.Unlock()
	l.ended = append(l.ended, o)
	l.writeEnded()
}

// writeEnded writes the outcomes that wait, in their order. The caller holds writing.
func (l *Log) writeEnded() {
	for len(l.ended) > 0 {
		o := l.ended[0]
		rest, err := l.append([]Entry{o.Entry}, l.roomBeside(l.reserved-o.bytes))
		if len(rest) > 0 {
			l.tell(err, len(l.ended))
			return
		}
		l.ended = l.ended[1:]
		l.reserved -= o.bytes
	}
}

// Bounds of what lies on the disk. A quarter of each is for what strangers cause, half for what clients do besides, the whole for acts,
// so that a flood keeps none of the others away.
const (
	mostDay     = 128 << 20 // the file of a day
	mostEach    = 16 << 20  // the directory, for each day that it is kept
	leastAll    = 256 << 20 // but no less
	ofStrangers = 4
	ofClients   = 2
)

// ErrFull means that the file of the day, or the directory, has reached its bound. The former is over at midnight UTC.
var ErrFull = errors.New("the audit is full")

// room is how long the file of today may get with a line.
type room func(Entry) int64

// strange tells of events that anybody can cause who reaches a door: token.refused, admin.refused and the like.
func (e Entry) strange() bool { return strings.HasSuffix(e.Event, ".refused") }

// room is that of lines which are no acts.
func (l *Log) room(e Entry) int64 {
	if e.strange() {
		return l.share(ofStrangers)
	}
	return l.share(ofClients)
}

// roomBeside is that of acts, beside what is kept for others.
func (l *Log) roomBeside(kept int64) room {
	return func(Entry) int64 { return l.share(1) - kept }
}

// share is how long the file of today may get, for what has one part of so many.
func (l *Log) share(parts int64) int64 {
	days := int64(l.o.Keep / (24 * time.Hour))
	return min(mostDay/parts, max(leastAll, days*mostEach)/parts-l.others)
}
