package audit

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// sweep removes the days that are too old, once a day, written or not, and counts what is left. The caller holds writing.
func (l *Log) sweep(now time.Time) {
	now = now.UTC()
	day := now.Format(time.DateOnly)
	if l.pruned == day {
		return
	}
	others, err := l.prune(day)
	l.others = others
	if err != nil {
		l.o.Logger.Warn("old files of the audit stay", "error", err)
		return
	}
	l.pruned = day
}

// prune removes days and returns the bytes of those that stay beside today. Files that are no days are left alone.
func (l *Log) prune(today string) (others int64, err error) {
	days, err := daysOf(l.o.Dir)
	oldest := l.o.Date().UTC().Add(-l.o.Keep).Format(time.DateOnly)
	for _, day := range days {
		path := filepath.Join(l.o.Dir, day+suffix)
		if day < oldest {
			gone := l.o.Disk.Remove(path)
			if err = errors.Join(err, gone); gone == nil {
				continue
			}
		}
		if info, serr := os.Stat(path); serr == nil && day != today {
			others += info.Size()
		}
	}
	return others, err
}
