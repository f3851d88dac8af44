package availability

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// KeptDays is how long the history is kept.
	KeptDays = 90
	// maxDay is the largest file of a day; 90 of them are the bound of a source's history. At one heartbeat a minute a
	// day has a quarter of it.
	maxDay  = 2 << 20
	suffix  = ".jsonl"
	dayForm = time.DateOnly
)

// ErrFull means that the file of the day has reached its bound. It is over at midnight UTC.
var ErrFull = errors.New("the history of this day is full")

// Dir is where the history of a source lies below the data directory. No source has a name with a dot.
func Dir(dataDir, source string) string { return filepath.Join(dataDir, ".availability", source) }

// Journal appends to the history of one source. Safe for concurrent use; others may read the files meanwhile.
type Journal struct {
	dir  string
	disk disk
	date func() time.Time

	mu     sync.Mutex
	pruned string // the day on which old files were last looked for
}

// disk is how the history changes the file system; *cache.Disk is one.
type disk interface {
	MkdirAll(path string) error
	Append(path string, data []byte) error
	Remove(path string) error
}

// NewJournal opens nothing: each line opens, appends, syncs and closes. The date is that by which old days go, where the clock is not believed;
// nil: that of each line.
func NewJournal(dir string, d disk, date func() time.Time) *Journal {
	return &Journal{dir: dir, disk: d, date: date}
}

// Read is Read of this history.
func (j *Journal) Read(from, to time.Time) (entries []Entry, damaged int, err error) {
	return Read(j.dir, from, to)
}

// Append writes one line into the file of its day (UTC), which begins on a line of its own even when the program died in
// the middle of the last one. Days older than KeptDays go.
func (j *Journal) Append(e Entry) error {
	e.At, e.Since = e.At.UTC().Truncate(time.Millisecond), e.Since.UTC().Truncate(time.Millisecond)
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("append to the history: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.disk.MkdirAll(j.dir); err != nil {
		return fmt.Errorf("append to the history: %w", err)
	}
	day := e.At.Format(dayForm)
	err = j.appendLine(filepath.Join(j.dir, day+suffix), line)
	if j.pruned != day {
		j.pruned = day
		date := e.At
		if j.date != nil {
			date = j.date().UTC()
		}
		err = errors.Join(err, j.prune(date))
	}
	if err != nil {
		return fmt.Errorf("append to the history: %w", err)
	}
	return nil
}

func (j *Journal) appendLine(path string, line []byte) error {
	size, last, err := endOf(path)
	if err != nil {
		return err
	}
	if size+int64(len(line)) > maxDay {
		return ErrFull
	}
	if size > 0 && last != '\n' {
		line = append([]byte{'\n'}, line...)
	}
	return j.disk.Append(path, append(line, '\n'))
}

// endOf tells how large a file is, and its last byte. One that is not there is empty.
func endOf(path string) (size int64, last byte, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if size, err = f.Seek(0, io.SeekEnd); err != nil || size == 0 {
		return 0, 0, err
	}
	end := make([]byte, 1)
	if _, err := f.ReadAt(end, size-1); err != nil {
		return 0, 0, err
	}
	return size, end[0], nil
}

// prune removes the days that are too old. Files that are no days are left alone.
func (j *Journal) prune(now time.Time) error {
	days, err := daysOf(j.dir)
	oldest := now.AddDate(0, 0, -KeptDays).Format(dayForm)
	for _, day := range days {
		if day < oldest {
			err = errors.Join(err, j.disk.Remove(filepath.Join(j.dir, day+suffix)))
		}
	}
	return err
}

// daysOf lists the days that have a file, oldest first. A directory that is not there has none.
func daysOf(dir string) ([]string, error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var days []string
	for _, f := range files {
		day, ok := strings.CutSuffix(f.Name(), suffix)
		if _, bad := time.Parse(dayForm, day); ok && bad == nil && f.Type().IsRegular() {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	return days, err
}

// Sources lists the sources that have a history below the data directory, sorted.
func Sources(dataDir string) ([]string, error) {
	dirs, err := os.ReadDir(filepath.Dir(Dir(dataDir, "any")))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	var names []string
	for _, d := range dirs {
		if d.IsDir() {
			names = append(names, d.Name())
		}
	}
	return names, nil
}

// Read returns the entries until to, oldest first, from the last recorded day before from on, so that what was true at
// from is among them. It also returns how many lines could not be read: a gateway that died while it wrote leaves one.
// It needs no running gateway and does not disturb one.
func Read(dir string, from, to time.Time) (entries []Entry, damaged int, err error) {
	days, err := daysOf(dir)
	if err != nil {
		return nil, 0, fmt.Errorf("read the history: %w", err)
	}
	first, last := from.UTC().Format(dayForm), to.UTC().Format(dayForm)
	if i, _ := slices.BinarySearch(days, first); i > 0 {
		first = days[i-1]
	}
	for _, day := range days {
		if day < first || day > last {
			continue
		}
		data, err := readDay(filepath.Join(dir, day+suffix))
		if errors.Is(err, fs.ErrNotExist) {
			continue // too old since a moment ago
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read the history: %w", err)
		}
		whole := strings.HasSuffix(string(data), "\n")
		lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		for i, line := range lines {
			e, ok := parse([]byte(line))
			switch {
			case ok && !e.At.After(to):
				entries = append(entries, e)
			case !ok && (whole || i < len(lines)-1) && strings.TrimSpace(line) != "":
				damaged++ // the last line without an end is being written just now
			}
		}
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.At.Compare(b.At) })
	return entries, damaged, nil
}

func readDay(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxDay+maxLine))
	return data, errors.Join(err, f.Close())
}
