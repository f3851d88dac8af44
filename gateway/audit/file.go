package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	maxLine = 64 << 10
	suffix  = ".jsonl"
)

// Run writes what waits, until ctx ends, and then the rest.
func (l *Log) Run(ctx context.Context) error {
	tick := time.NewTicker(flushTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			l.Flush(true)
			return nil
		case <-tick.C:
			l.Flush(false)
		}
	}
}

// Flush writes what waits; all of it, or what has waited its time. What cannot be written waits on.
func (l *Log) Flush(all bool) {
	now := l.o.Now()
	l.writing.Lock()
	defer l.writing.Unlock()
	l.sweep(now)
	l.writeEnded()
	batch := l.take(now, all)
	if len(batch) == 0 {
		return
	}
	rest, err := l.append(batch, l.room)
	l.tell(err, len(rest))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = l.boundLocked(append(rest, l.queue...))
}

// take empties what waits, in the order of time.
func (l *Log) take(now time.Time, all bool) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, f := range l.folded {
		if all || now.Sub(f.since) >= window || now.Before(f.since) {
			delete(l.folded, key)
			key.Time, key.From, key.Count = f.last, f.since, f.count
			l.queueLocked(key)
		}
	}
	for key, r := range l.reads {
		if all || r.over(now) {
			l.endLocked(key, r)
		}
	}
	batch := l.queue
	l.queue = nil
	if lost := l.lost.Load(); lost > l.told { // whoever reads the audit must know that there was more
		batch = append(batch, Entry{Time: now, Event: "audit.lost", Count: int(lost - l.told)})
		l.told = lost
	}
	slices.SortStableFunc(batch, func(a, b Entry) int { return a.Time.Compare(b.Time) })
	return batch
}

// boundLocked drops what is too much of what waits: first what strangers caused, then the oldest.
func (l *Log) boundLocked(waiting []Entry) []Entry {
	over := len(waiting) - mostQueued
	if over <= 0 {
		return waiting
	}
	l.lost.Add(uint64(over))
	waiting = slices.DeleteFunc(waiting, func(e Entry) bool {
		drop := over > 0 && e.strange()
		if drop {
			over--
		}
		return drop
	})
	return waiting[over:]
}

// tell logs once what keeps lines from the disk.
func (l *Log) tell(err error, waiting int) {
	trouble := ""
	switch {
	case errors.Is(err, ErrFull):
		trouble = "the audit is full: admin acts are still written, what clients do waits in memory and is lost beyond that"
	case err != nil:
		trouble = "the audit cannot be written: admin acts are refused, reads go on"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if trouble != "" && trouble != l.failed {
		l.o.Logger.Error(trouble, "error", err, "waiting", waiting)
	}
	l.failed = trouble
}

// append writes lines at the end of the file of today, each one for which there is room, and returns those that do not stand there whole.
// The caller holds writing.
func (l *Log) append(batch []Entry, room room) (rest []Entry, err error) {
	now := l.o.Now().UTC()
	day := now.Format(time.DateOnly)
	path := filepath.Join(l.o.Dir, day+suffix)
	if err := l.o.Disk.MkdirAll(l.o.Dir); err != nil {
		return batch, fmt.Errorf("write the audit: %w", err)
	}
	l.sweep(now)
	end, err := endOf(l.o.Dir, day)
	if err != nil {
		return batch, fmt.Errorf("write the audit: %w", err)
	}
	var data []byte
	if end.broken {
		data = append(data, '\n')
	}
	var taken []Entry
	var ends []int64 // where each of them ends in the file
	for _, e := range batch {
		e.Time, e.From, e.Prev = e.Time.UTC().Truncate(time.Millisecond), e.From.UTC().Truncate(time.Millisecond), end.digest
		line, err := json.Marshal(e)
		if err != nil {
			return batch, fmt.Errorf("write the audit: %w", err)
		}
		if end.size+int64(len(data)+len(line)+1) > room(e) {
			rest = append(rest, e)
			continue
		}
		end.digest = digest(line)
		data = append(append(data, line...), '\n')
		taken, ends = append(taken, e), append(ends, end.size+int64(len(data)))
	}
	if len(rest) > 0 {
		l.pruned = "" // somebody may have made room by the next time
		err = ErrFull
	}
	if len(taken) == 0 {
		return rest, err
	}
	if failed := l.o.Disk.Append(path, data); failed != nil {
		// A full disk may have taken a part: those lines stand and are not written again.
		if info, serr := os.Stat(path); serr == nil {
			whole := 0
			for _, at := range ends {
				if at-1 <= info.Size() { // the next one is begun on a line of its own
					whole++
				}
			}
			taken = taken[whole:]
		}
		return append(taken, rest...), fmt.Errorf("write the audit: %w", failed)
	}
	return rest, err
}

// end is how the file of a day ends, and the digest of the line before the next one.
type end struct {
	size   int64
	broken bool // in the middle of a line
	digest string
}

// endOf reads the end of the file of a day, and of the one before where it has none yet.
func endOf(dir, day string) (end, error) {
	last, size, err := lastLine(filepath.Join(dir, day+suffix))
	if err != nil {
		return end{}, err
	}
	e := end{size: size, broken: size > 0 && !bytes.HasSuffix(last, []byte{'\n'})}
	if size == 0 {
		days, err := daysOf(dir)
		if err != nil {
			return end{}, err
		}
		days = slices.DeleteFunc(days, func(d string) bool { return d >= day })
		if len(days) == 0 {
			return e, nil
		}
		if last, _, err = lastLine(filepath.Join(dir, days[len(days)-1]+suffix)); err != nil {
			return end{}, err
		}
	}
	e.digest = digest(bytes.TrimSuffix(last, []byte{'\n'}))
	return e, nil
}

// lastLine is the last line of a file with what ends it. A file that is not there is empty.
func lastLine(path string) (line []byte, size int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if size, err = f.Seek(0, io.SeekEnd); err != nil || size == 0 {
		return nil, 0, err
	}
	tail := make([]byte, min(size, maxLine))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
		return nil, 0, err
	}
	if i := bytes.LastIndexByte(tail[:len(tail)-1], '\n'); i >= 0 {
		tail = tail[i+1:]
	}
	return tail, size, nil
}

func digest(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:16])
}

// daysOf lists the days that have a file, the oldest first.
func daysOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var days []string
	for _, e := range entries {
		day, ok := strings.CutSuffix(e.Name(), suffix)
		if _, bad := time.Parse(time.DateOnly, day); ok && bad == nil {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	return days, err
}
