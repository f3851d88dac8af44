package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
)

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
	err = each(dir, "", func(file string, n int, line []byte) error {
		lines++
		var e Entry
		switch {
		case json.Unmarshal(line, &e) != nil:
			flaws = append(flaws, Flaw{file, n, "broken"})
		case begun && e.Prev != prev:
			flaws = append(flaws, Flaw{file, n, "chain"})
		}
		prev, begun = digest(line), true
		return nil
	})
	return lines, flaws, err
}

// Lines hands every line since a time to show, the oldest first; those that cannot be read are left out.
func Lines(dir string, since time.Time, show func(e Entry, line []byte)) error {
	return Each(dir, since, func(e Entry, line []byte) error { show(e, line); return nil }, func(Flaw) {})
}

// Each hands every line since a time to show, the oldest first, and those that cannot be read to broken, until show returns an error.
func Each(dir string, since time.Time, show func(e Entry, line []byte) error, broken func(Flaw)) error {
	return each(dir, since.UTC().Format(time.DateOnly), func(file string, n int, line []byte) error {
		var e Entry
		switch {
		case json.Unmarshal(line, &e) != nil:
			broken(Flaw{file, n, "broken"})
		case !e.Time.Before(since):
			return show(e, line)
		}
		return nil
	})
}

// each reads the files since a day, line by line, without what ends a line. A line stands in the file of the day on which it was
// written, which is never before its time. Of one that no gateway has written, because it is too long, it hands out the end.
func each(dir, since string, do func(file string, n int, line []byte) error) error {
	days, err := daysOf(dir)
	if err != nil {
		return err
	}
	for _, day := range days {
		if day < since {
			continue
		}
		if err := eachOf(filepath.Join(dir, day+suffix), func(n int, line []byte) error { return do(day+suffix, n, line) }); err != nil {
			return err
		}
	}
	return nil
}

func eachOf(path string, do func(n int, line []byte) error) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := bufio.NewReaderSize(f, maxLine)
	var long []byte // what was read of a line that does not fit
	for n := 1; ; {
		part, err := r.ReadSlice('\n')
		line := part
		if len(long) > 0 || errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			long = long[max(0, len(long)-maxLine):]
			line = long
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return err
		}
		if len(line) > 0 {
			if err := do(n, bytes.TrimSuffix(line, []byte{'\n'})); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
		n, long = n+1, nil
	}
}
