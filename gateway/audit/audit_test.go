package audit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/audit"
)

var errFull = errors.New("no space left on device")

// book is an audit on a disk that can be made full, at an hour that the test says.
type book struct {
	*audit.Log
	t    *testing.T
	dir  string
	now  time.Time
	full bool
	keep time.Duration
}

func newBook(t *testing.T) *book {
	t.Helper()
	b := &book{t: t, dir: filepath.Join(t.TempDir(), ".audit"), now: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)}
	b.open()
	return b
}

// open begins anew on what lies on the disk, as after a restart.
func (b *book) open() {
	disk := &cache.Disk{Fail: func(op cache.Op, _ string) error {
		if b.full && op == cache.OpWrite {
			return errFull
		}
		return nil
	}}
	b.Log = audit.New(audit.Options{Dir: b.dir, Keep: b.keep, Disk: disk, Now: func() time.Time { return b.now }})
}

// lines is what stands on the disk, told in short.
func (b *book) lines() []string {
	b.t.Helper()
	out := []string{}
	err := audit.Lines(b.dir, time.Time{}, func(e audit.Entry, _ []byte) {
		line := e.Event + " " + e.Actor
		for _, part := range []string{e.Address, e.Outcome, e.Source, e.Kind} {
			if part != "" {
				line += " " + part
			}
		}
		if e.Count > 0 {
			line += fmt.Sprintf(" x%d", e.Count)
		}
		if e.Event == "read" {
			line += fmt.Sprintf(" g%d %d requests %d rows complete %t", e.Generation, e.Requests, e.Rows, *e.Complete)
		}
		out = append(out, line)
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

func (b *book) want(want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.lines()); diff != "" {
		b.t.Errorf("(-want +got):\n%s", diff)
	}
}

func (b *book) intact(lines int, flaws ...audit.Flaw) {
	b.t.Helper()
	n, got, err := audit.Verify(b.dir)
	if diff := cmp.Diff(flaws, got); diff != "" || n != lines || err != nil {
		b.t.Errorf("%d lines, want %d, %v, flaws (-want +got):\n%s", n, lines, err, diff)
	}
}

func TestAnActStandsOnTheDiskBeforeItIsDone(t *testing.T) {
	b := newBook(t)
	if _, err := b.Act(audit.Entry{Event: "admin.approve", Actor: "admin", Source: "schule-a"}); err != nil {
		t.Fatal(err)
	}
	b.want("admin.approve admin asked schule-a")
	info, err := os.Stat(filepath.Join(b.dir, "2026-11-27.jsonl"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	b.full = true
	if _, err := b.Act(audit.Entry{Event: "admin.sync", Actor: "admin"}); !errors.Is(err, errFull) {
		t.Errorf("on a full disk: %v", err)
	}
	b.full = false
	if _, err := b.Act(audit.Entry{Event: "admin.sync", Actor: "admin"}); err != nil {
		t.Error(err)
	}
	b.want("admin.approve admin asked schule-a", "admin.sync admin asked")
	b.intact(3, audit.Flaw{File: "2026-11-27.jsonl", Line: 2, What: "broken"}) // what the full disk took
}

func TestEventsThatRepeatAreOneLineAMinute(t *testing.T) {
	b := newBook(t)
	issued := audit.Entry{Event: "token.issued", Actor: "inventory360", Address: "192.0.2.1", Outcome: audit.Done, Credential: "2bb80d53"}
	for i := range 1000 {
		issued.RequestID = fmt.Sprint(i)
		b.Fold(issued)
		b.now = b.now.Add(600 * time.Millisecond) // 10 minutes in all
		b.Flush(false)
	}
	b.Flush(true)
	if got := b.lines(); len(got) != 10 || got[0] != "token.issued inventory360 192.0.2.1 ok x100" {
		t.Errorf("%d lines: %v", len(got), got)
	}
	b.intact(10)
}

func TestAFloodOfDifferentEventsIsBoundedAndNoneIsForgotten(t *testing.T) {
	b := newBook(t)
	const came = 5000
	for i := range came {
		b.Fold(audit.Entry{Event: "token.refused", Address: fmt.Sprintf("192.0.%d.%d", i/256, i%256), Outcome: "invalid_client"})
	}
	b.Flush(true)
	n, lines := 0, 0
	_ = audit.Lines(b.dir, time.Time{}, func(e audit.Entry, _ []byte) { n += e.Count; lines++ })
	if n != came || lines > 202 || b.Lost() != 0 {
		t.Errorf("%d events of %d in %d lines, %d lost", n, came, lines, b.Lost())
	}
}

func TestAFloodOfRefusalsDoesNotTakeTheNameOfWhoWasLetIn(t *testing.T) {
	b := newBook(t)
	for i := range 2000 {
		b.Fold(audit.Entry{Event: "token.refused", Address: fmt.Sprintf("192.0.%d.%d", i/256, i%256), Outcome: "invalid_client"})
	}
	b.Fold(audit.Entry{Event: "token.issued", Actor: "inventory360", Address: "203.0.113.7", Outcome: audit.Done})
	b.Flush(true)
	if got := b.lines(); !slices.Contains(got, "token.issued inventory360 203.0.113.7 ok x1") {
		t.Errorf("the last of %d lines: %q", len(got), got[len(got)-3:])
	}
}

func TestARunOfAClientIsOneLineForEachSeries(t *testing.T) {
	b := newBook(t)
	page := func(kind string, generation uint64, from, rows int) {
		b.Read(audit.Read{Client: "inventory360", Source: "a", Kind: kind, Profile: "minimal", Generation: generation, Rows: rows, List: audit.List{ID: "l", From: from, Of: 250}})
		b.now = b.now.Add(time.Second)
		b.Flush(false)
	}
	page("computer", 7, 0, 100)
	page("computer", 7, 100, 100)
	page("mobile", 3, 0, 100)
	page("computer", 7, 200, 50)
	if got := b.lines(); len(got) > 0 {
		t.Errorf("before the run has ended: %v", got)
	}
	b.now = b.now.Add(5 * time.Minute)
	page("computer", 8, 0, 100) // of the next run
	b.want("read inventory360 a mobile g3 1 requests 100 rows complete false", "read inventory360 a computer g7 3 requests 250 rows complete true")
	b.Flush(true) // the end of the process
	b.want(
		"read inventory360 a mobile g3 1 requests 100 rows complete false", "read inventory360 a computer g7 3 requests 250 rows complete true",
		"read inventory360 a computer g8 1 requests 100 rows complete false",
	)
}

func TestOnlyTheLastPageIsNoCompleteRun(t *testing.T) {
	b := newBook(t)
	b.Read(audit.Read{Client: "c", Source: "a", Kind: "computer", Generation: 1, Rows: 50, List: audit.List{ID: "l", From: 200, Of: 250}})
	b.Flush(true)
	b.want("read c a computer g1 1 requests 50 rows complete false")
}

func TestWhatCannotBeWrittenWaitsAndIsWrittenOnce(t *testing.T) {
	b := newBook(t)
	b.Note(audit.Entry{Event: "one"})
	b.Flush(false)
	b.full = true
	for i := range 5 {
		b.Note(audit.Entry{Event: fmt.Sprintf("while-full-%d", i)})
		b.Flush(false) // half of what waits is written each time, as a full disk does
	}
	b.full = false
	b.Note(audit.Entry{Event: "after"})
	b.Flush(false)
	b.want("one ", "while-full-0 ", "while-full-1 ", "while-full-2 ", "while-full-3 ", "while-full-4 ", "after ")
	if b.Lost() != 0 {
		t.Errorf("%d lost", b.Lost())
	}
	_, flaws, err := audit.Verify(b.dir)
	for _, f := range flaws {
		if f.What != "broken" {
			t.Errorf("%+v", f)
		}
	}
	if err != nil || len(flaws) == 0 {
		t.Errorf("%v, %v: the disk was never full", flaws, err)
	}
}

func TestWhatDoesNotFitIntoMemoryIsCountedAsLost(t *testing.T) {
	b := newBook(t)
	b.full = true
	for range 10_050 {
		b.Note(audit.Entry{Event: "x"})
	}
	b.Flush(false)
	if b.Lost() != 50 {
		t.Errorf("%d lost, want 50", b.Lost())
	}
}

func TestABrokenLastLineDoesNotStopTheAudit(t *testing.T) {
	for name, tail := range map[string]string{"half a line": `{"time":"2026-11-2`, "bytes": "\x00\xff\xfe", "a long one": strings.Repeat("x", 100_000)} {
		b := newBook(t)
		b.Note(audit.Entry{Event: "before"})
		b.Flush(true)
		path := filepath.Join(b.dir, "2026-11-27.jsonl")
		raw, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, append(raw, tail...), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		b.open()
		if _, err := b.Act(audit.Entry{Event: "after"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := b.lines(); len(got) != 2 || got[1] != "after  asked" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEveryDayHasAFileAndTheChainRunsThroughThem(t *testing.T) {
	b := newBook(t)
	for day := range 100 {
		b.Note(audit.Entry{Event: fmt.Sprintf("day-%d", day)})
		b.Flush(true)
		b.open()
		b.now = b.now.AddDate(0, 0, 1)
	}
	files, err := os.ReadDir(b.dir)
	if err != nil || len(files) != 91 {
		t.Errorf("%d files are kept, want those of 90 days and today's: %v", len(files), err)
	}
	b.intact(91)
	if b.lines()[0] != "day-9 " {
		t.Errorf("the oldest is %s", b.lines()[0])
	}
}

func TestALineThatIsGoneOrChangedShows(t *testing.T) {
	write := func(t *testing.T) (*book, string, []string) {
		t.Helper()
		b := newBook(t)
		for i := range 5 {
			b.Note(audit.Entry{Event: "e", Source: fmt.Sprint(i)})
		}
		b.Flush(true)
		path := filepath.Join(b.dir, "2026-11-27.jsonl")
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b, path, strings.SplitAfter(string(raw), "\n")
	}
	for name, tc := range map[string]struct {
		change func(l []string) []string
		at     int
	}{
		"gone":      {func(l []string) []string { return append(l[:2:2], l[3:]...) }, 3},
		"changed":   {func(l []string) []string { l[2] = strings.Replace(l[2], `"2"`, `"9"`, 1); return l }, 4},
		"exchanged": {func(l []string) []string { l[1], l[2] = l[2], l[1]; return l }, 2},
		"added":     {func(l []string) []string { return append(append(l[:2:2], l[1]), l[2:]...) }, 3},
	} {
		b, path, l := write(t)
		b.intact(5)
		if err := os.WriteFile(path, []byte(strings.Join(tc.change(l), "")), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, flaws, err := audit.Verify(b.dir); err != nil || len(flaws) == 0 || flaws[0] != (audit.Flaw{File: "2026-11-27.jsonl", Line: tc.at, What: "chain"}) {
			t.Errorf("%s: %v, %v", name, flaws, err)
		}
	}
}

func TestNoTextBreaksOutOfItsLine(t *testing.T) {
	b := newBook(t)
	const bad = "a\nb\r\x1b[31m\x00\u2028{\"event\":\"forged\"}"
	if _, err := b.Act(audit.Entry{Event: "admin.approve", By: bad, Target: bad, Source: bad}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(b.dir, "2026-11-27.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range string(raw[:len(raw)-1]) {
		if c < 0x20 || c > 0x7e {
			t.Errorf("%q stands raw in %s", c, raw)
		}
	}
	var e audit.Entry
	if err := json.Unmarshal(raw, &e); err != nil || e.By != bad {
		t.Errorf("%v, %q", err, e.By)
	}
	b.intact(1)
}

func TestTheAuditWritesByItselfAndAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := audit.New(audit.Options{Dir: dir, Disk: (*cache.Disk)(nil)})
		var group sync.WaitGroup
		ctx, cancel := contextOf(t)
		group.Go(func() { _ = l.Run(ctx) })
		l.Note(audit.Entry{Event: "first"})
		time.Sleep(11 * time.Second)
		if n, _, _ := audit.Verify(dir); n != 1 {
			t.Errorf("%d lines after ten seconds", n)
		}
		l.Read(audit.Read{Client: "c", Source: "a", Kind: "computer", Rows: 1})
		cancel()
		group.Wait()
		if n, _, _ := audit.Verify(dir); n != 2 {
			t.Errorf("%d lines at the end", n)
		}
	})
}

func TestALogThatIsNotThereTakesEverything(t *testing.T) {
	var l *audit.Log
	l.Note(audit.Entry{})
	l.Fold(audit.Entry{})
	l.Read(audit.Read{})
	if _, err := l.Act(audit.Entry{}); err != nil || l.Lost() != 0 {
		t.Error(err)
	}
}

func TestManyWriteAtOnce(t *testing.T) {
	b := newBook(t)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 20 {
				b.Note(audit.Entry{Event: "note", Source: fmt.Sprint(i)})
				b.Fold(audit.Entry{Event: "fold"})
				b.Read(audit.Read{Client: "c", Generation: uint64(n % 3)})
				if n%10 == 0 {
					if _, err := b.Act(audit.Entry{Event: "act"}); err != nil {
						t.Error(err)
					}
				}
				b.Flush(false)
			}
		})
	}
	group.Wait()
	b.Flush(true)
	b.intact(8*20 + 8*2 + 1 + 3)
}
