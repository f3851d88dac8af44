package availability_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/availability"
)

// noon is a day that the tests stand on.
func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func up(at time.Time) availability.Entry {
	return availability.Entry{At: at, State: availability.Up, Next: 300, AuthMS: 80}
}

func down(at time.Time) availability.Entry {
	return availability.Entry{At: at, State: availability.Down, Code: "timeout", Next: 300}
}

func keep(t *testing.T, dir string, entries ...availability.Entry) {
	t.Helper()
	j := availability.NewJournal(dir, &cache.Disk{}, nil)
	for _, e := range entries {
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, dir string, from, to time.Time) (entries []availability.Entry, damaged int) {
	t.Helper()
	entries, damaged, err := availability.Read(dir, from, to)
	if err != nil {
		t.Fatal(err)
	}
	return entries, damaged
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range list {
		names = append(names, f.Name())
	}
	return names
}

// spoil appends raw bytes to the file of a day.
func spoil(t *testing.T, dir, day, raw string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, day+".jsonl"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(raw); err != nil {
		t.Fatal(err)
	}
}

func TestEachDayOfUTCHasAFileOfItsOwnThatOnlyTheGatewayReads(t *testing.T) {
	dir := availability.Dir(t.TempDir(), "a")
	vienna := time.FixedZone("CET", 3600)
	keep(t, dir, up(time.Date(2026, 11, 24, 0, 30, 0, 0, vienna)), up(time.Date(2026, 11, 24, 1, 30, 0, 0, vienna)))
	if got := files(t, dir); !slices.Equal(got, []string{"2026-11-23.jsonl", "2026-11-24.jsonl"}) {
		t.Errorf("files %v", got)
	}
	info, err := os.Stat(filepath.Join(dir, "2026-11-23.jsonl"))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, damaged := read(t, dir, noon(), noon().AddDate(0, 0, 1)); len(entries) != 2 || damaged != 0 {
		t.Errorf("%d entries, %d damaged", len(entries), damaged)
	}
}

func TestATornLastLineCostsOnlyItself(t *testing.T) {
	dir := t.TempDir()
	keep(t, dir, up(noon()))
	spoil(t, dir, "2026-11-23", `{"t":"2026-11-23T12:05:00Z","sta`)
	if entries, damaged := read(t, dir, noon(), noon().Add(time.Hour)); len(entries) != 1 || damaged != 0 {
		t.Errorf("while it is being written: %d entries, %d damaged; want 1, 0", len(entries), damaged)
	}
	keep(t, dir, up(noon().Add(10*time.Minute)))
	if entries, damaged := read(t, dir, noon(), noon().Add(time.Hour)); len(entries) != 2 || damaged != 1 {
		t.Errorf("after the restart: %d entries, %d damaged; want 2, 1", len(entries), damaged)
	}
}

func TestBadLinesAreCountedAndSkipped(t *testing.T) {
	dir := t.TempDir()
	keep(t, dir, up(noon()))
	spoil(t, dir, "2026-11-23", "\x00\x00\x00\n\nnull\n{\"state\":\"up\"}\n"+strings.Repeat("x", availability.MaxLine+1)+"\n")
	keep(t, dir, down(noon().Add(time.Minute)))
	entries, damaged := read(t, dir, noon(), noon().Add(time.Hour))
	if len(entries) != 2 || damaged != 4 {
		t.Errorf("%d entries, %d damaged; want 2, 4 (an empty line is none)", len(entries), damaged)
	}
	if r := availability.Make(entries, noon(), noon().Add(2*time.Minute), time.UTC); len(r.Outages) != 1 {
		t.Errorf("outages %v", r.Outages)
	}
}

func TestDaysGoAfterNinetyDaysAndOtherFilesStay(t *testing.T) {
	dir := t.TempDir()
	old, kept := noon().AddDate(0, 0, -91), noon().AddDate(0, 0, -90)
	keep(t, dir, up(old), up(kept))
	spoil(t, dir, "notes", "mine\n")
	keep(t, dir, up(noon()))
	want := []string{kept.Format(time.DateOnly) + ".jsonl", "2026-11-23.jsonl", "notes.jsonl"}
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

func TestTheFileOfADayHasABoundAndTheNextDayGoesOn(t *testing.T) {
	dir := t.TempDir()
	keep(t, dir, up(noon()))
	spoil(t, dir, "2026-11-23", strings.Repeat(" ", availability.MaxDay-300)+"\n")
	j := availability.NewJournal(dir, &cache.Disk{}, nil)
	var err error
	for i := 0; i < 10 && err == nil; i++ {
		err = j.Append(up(noon().Add(time.Minute)))
	}
	if !errors.Is(err, availability.ErrFull) {
		t.Errorf("error %v, want ErrFull", err)
	}
	info, err := os.Stat(filepath.Join(dir, "2026-11-23.jsonl"))
	if err != nil || info.Size() > availability.MaxDay {
		t.Errorf("%v, %d bytes, bound %d", err, info.Size(), availability.MaxDay)
	}
	if err := j.Append(up(noon().AddDate(0, 0, 1))); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

func TestALargerFileThanAnyGatewayWritesIsNotReadWhole(t *testing.T) {
	dir := t.TempDir()
	keep(t, dir, up(noon()))
	spoil(t, dir, "2026-11-23", strings.Repeat("\n", 2*availability.MaxDay))
	keepAfter := fmt.Sprintf(`{"t":%q,"state":"up"}`+"\n", noon().Add(time.Minute).Format(time.RFC3339))
	spoil(t, dir, "2026-11-23", keepAfter)
	if entries, _ := read(t, dir, noon(), noon().Add(time.Hour)); len(entries) != 1 {
		t.Errorf("%d entries: what lies behind the bound was read", len(entries))
	}
}

func TestWhatWasTrueBeforeTheSpanIsReadHoweverLongAgo(t *testing.T) {
	dir := t.TempDir()
	stop := availability.Entry{At: noon().AddDate(0, 0, -20), Event: availability.Stopped}
	keep(t, dir, up(noon().AddDate(0, 0, -40)), stop, up(noon()))
	from := noon().AddDate(0, 0, -3)
	entries, _ := read(t, dir, from, noon().Add(5*time.Minute))
	if len(entries) != 2 || !entries[0].At.Equal(stop.At) {
		t.Fatalf("entries %v, want the stop and today's heartbeat", entries)
	}
	r := availability.Make(entries, from, noon().Add(5*time.Minute), time.UTC)
	if len(r.Gaps) != 1 || !r.Gaps[0].Start.Equal(from) || r.GapSeconds != 3*24*60*60 || r.DownSeconds != 0 {
		t.Errorf("gaps %v, %d s; want three days", r.Gaps, r.GapSeconds)
	}
}

func TestASourceWithoutHistoryHasNoEntries(t *testing.T) {
	dir := t.TempDir()
	if entries, damaged := read(t, availability.Dir(dir, "none"), noon(), noon()); len(entries) != 0 || damaged != 0 {
		t.Errorf("%v, %d", entries, damaged)
	}
	if names, err := availability.Sources(dir); err != nil || len(names) != 0 {
		t.Errorf("sources %v, %v", names, err)
	}
	keep(t, availability.Dir(dir, "b"), up(noon()))
	keep(t, availability.Dir(dir, "a"), up(noon()))
	if names, err := availability.Sources(dir); err != nil || !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("sources %v, %v", names, err)
	}
}

func TestADirectoryThatCannotBeReadIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := availability.Read(file, noon(), noon()); err == nil {
		t.Error("a file was read as a directory")
	}
	if err := availability.NewJournal(file, &cache.Disk{}, nil).Append(up(noon())); err == nil {
		t.Error("a line was written into a directory that is none")
	}
}

// Whichever write of the history fails, it costs the line that was written, and a part of it is no other line's.
func TestAFailingWriteCostsOneLineOfTheHistory(t *testing.T) {
	for n := 1; ; n++ {
		dir := availability.Dir(t.TempDir(), "a")
		keep(t, dir, up(noon().AddDate(0, -6, 0))) // a day that goes
		left := n
		j := availability.NewJournal(dir, &cache.Disk{Fail: func(op cache.Op, _ string) error {
			if left--; left == 0 {
				return fmt.Errorf("%s: %w", op, syscall.ENOSPC)
			}
			return nil
		}}, nil)
		said := 0
		for minute := range 4 {
			if err := j.Append(up(noon().Add(time.Duration(minute) * time.Minute))); err == nil {
				said++
			}
		}
		entries, damaged := read(t, dir, noon(), noon().Add(time.Hour))
		entries = slices.DeleteFunc(entries, func(e availability.Entry) bool { return e.At.Before(noon()) })
		if len(entries) < said || len(entries) > 4 || damaged > 1 {
			t.Errorf("operation %d: %d lines, %d said to be written, %d damaged", n, len(entries), said, damaged)
		}
		if left > 0 {
			if said != 4 || n < 14 {
				t.Errorf("%d operations, %d lines", n-1, said)
			}
			return
		}
	}
}
