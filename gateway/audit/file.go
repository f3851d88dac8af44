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
	// maxDay is the largest file of a day for what is noted; acts have as much again, so that a flood of others keeps none away.
	maxDay  = 64 << 20
	maxLine = 64 << 10
	suffix  = ".jsonl"
)

// ErrFull means that the file of the day has reached its bound. It is over at midnight UTC.
var ErrFull = errors.New("the audit of this day is full")

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
	l.mu.Lock()
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
	l.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	slices.SortStableFunc(batch, func(a, b Entry) int { return a.Time.Compare(b.Time) })
	written, err := l.append(batch, maxDay)
	l.mu.Lock()
	defer l.mu.Unlock()
	if first := err != nil && !l.failed; first {
		l.o.Logger.Error("the audit cannot be written: admin acts are refused, reads go on", "error", err, "waiting", len(batch)-written)
	}
	l.failed = err != nil
	rest := append(batch[written:], l.queue...)
	if over := len(rest) - mostQueued; over > 0 {
		l.lost.Add(uint64(over))
		rest = rest[over:]
	}
	l.queue = rest
}

// append writes lines at the end of the file of today, and tells how many stand there whole. The caller holds writing.
func (l *Log) append(batch []Entry, most int64) (written int, err error) {
	now := l.o.Now().UTC()
	day := now.Format(time.DateOnly)
	path := filepath.Join(l.o.Dir, day+suffix)
	if err := l.o.Disk.MkdirAll(l.o.Dir); err != nil {
		return 0, fmt.Errorf("write the audit: %w", err)
	}
	if l.pruned != day {
		if err := l.prune(now); err != nil {
			l.o.Logger.Warn("old files of the audit stay", "error", err)
		} else {
			l.pruned = day
		}
	}
	end, err := endOf(l.o.Dir, day)
	if err != nil {
		return 0, fmt.Errorf("write the audit: %w", err)
	}
	var data []byte
	if end.broken {
		data = append(data, '\n')
	}
	ends := make([]int64, 0, len(batch)) // where each line ends in the file
	for _, e := range batch {
		e.Time, e.From, e.Prev = e.Time.UTC().Truncate(time.Millisecond), e.From.UTC().Truncate(time.Millisecond), end.digest
		line, err := json.Marshal(e)
		if err != nil {
			return 0, fmt.Errorf("write the audit: %w", err)
		}
		end.digest = digest(line)
		data = append(append(data, line...), '\n')
		ends = append(ends, end.size+int64(len(data)))
	}
	if end.size+int64(len(data)) > most {
		return 0, ErrFull
	}
	if err = l.o.Disk.Append(path, data); err == nil {
		return len(batch), nil
	}
	// A full disk may have taken a part: those lines stand and are not written again.
	if info, serr := os.Stat(path); serr == nil {
		for _, at := range ends {
			if at-1 <= info.Size() { // the next one is begun on a line of its own
				written++
			}
		}
	}
	return written, fmt.Errorf("write the audit: %w", err)
}

// prune removes the days that are too old. Files that are no days are left alone.
func (l *Log) prune(now time.Time) error {
	days, err := daysOf(l.o.Dir)
	oldest := now.Add(-l.o.Keep).Format(time.DateOnly)
	for _, day := range days {
		if day < oldest {
			err = errors.Join(err, l.o.Disk.Remove(filepath.Join(l.o.Dir, day+suffix)))
		}
	}
	return err
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

// Flaw is a place where the audit is not what was written.
type Flaw struct {
	File string
	Line int    // from 1
	What string // broken: no whole line, as a crash or a full disk leaves it; chain: the line before is another one, or gone
}

// Verify reads every file and tells how many lines there are and where something is missing or was changed. That the end was cut off or
// that whole files at the begin are gone cannot be told.
func Verify(dir string) (lines int, flaws []Flaw, err error) {
	prev, begun := "", false
	err = each(dir, func(file string, n int, line []byte) {
		lines++
		var e Entry
		switch {
		case json.Unmarshal(line, &e) != nil:
			flaws = append(flaws, Flaw{file, n, "broken"})
		case begun && e.Prev != prev:
			flaws = append(flaws, Flaw{file, n, "chain"})
		}
		prev, begun = digest(line), true
	})
	return lines, flaws, err
}

// Lines hands every line since a time to show, the oldest first; those that cannot be read are left out.
func Lines(dir string, since time.Time, show func(e Entry, line []byte)) error {
	return each(dir, func(_ string, _ int, line []byte) {
		var e Entry
		if json.Unmarshal(line, &e) == nil && !e.Time.Before(since) {
			show(e, line)
		}
	})
}

// each reads all files, line by line, without what ends a line.
func each(dir string, do func(file string, n int, line []byte)) error {
	days, err := daysOf(dir)
	if err != nil {
		return err
	}
	for _, day := range days {
		data, err := os.ReadFile(filepath.Join(dir, day+suffix))
		if err != nil {
			return err
		}
		n := 0
		for line := range bytes.Lines(data) {
			n++
			do(day+suffix, n, bytes.TrimSuffix(line, []byte{'\n'}))
		}
	}
	return nil
}
