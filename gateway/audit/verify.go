package audit

import (
	"bytes"
	"encoding/json"
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
