package simulate_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// journal is what happened in a life: one list of lines for each who acts. Lines of different actors at the same moment have no
// order, so the digest of a life is made of the lists one after the other.
type journal struct {
	mu     sync.Mutex
	lines  map[string][]string // actor -> what it did
	wrongs []string            // what must not happen and did
	tally  map[string]int
}

func newJournal() *journal { return &journal{lines: map[string][]string{}, tally: map[string]int{}} }

func (j *journal) note(actor, format string, args ...any) {
	line := time.Now().UTC().Format("01-02 15:04:05.000000000 ") + fmt.Sprintf(format, args...)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines[actor] = append(j.lines[actor], line)
}

// wrong is a violation: the life has failed.
func (j *journal) wrong(actor, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	j.note(actor, "WRONG %s", text)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.wrongs = append(j.wrongs, time.Now().UTC().Format("01-02 15:04:05 ")+actor+": "+text)
}

func (j *journal) count(what string, n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tally[what] += n
}

// digest names a life: equal for equal lives.
func (j *journal) digest() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	h := sha256.New()
	for _, actor := range slices.Sorted(maps.Keys(j.lines)) {
		fmt.Fprintf(h, "%s\n%s\n", actor, strings.Join(j.lines[actor], "\n"))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// text is the whole journal by time, for who looks into a failing seed.
func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []string
	for actor, lines := range j.lines {
		for _, l := range lines {
			all = append(all, fmt.Sprintf("%s  %-22s %s", l[:24], actor, l[25:]))
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return strings.Compare(a[:46], b[:46]) })
	return strings.Join(all, "\n") + "\n"
}
