package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// score is the line of a row. Numbers that a row does not touch are 0.
type score struct {
	Case          string  `json:"case"`
	Seed          uint64  `json:"seed"`
	Expected      int     `json:"expected"` // devices that a complete list holds at the end
	Served        int     `json:"served"`   // of them, at the end
	Lost          int     `json:"lost"`     // alive all the time and not served at the end
	ShortLists    int     `json:"short_lists"`
	FalseEmpties  int     `json:"false_empties"`
	FailedReads   int     `json:"failed_reads"`
	Reads         int     `json:"reads"`
	StaleOK       int     `json:"stale_ok"`       // answers that said that they are stale, and why
	UpstreamCalls int     `json:"upstream_calls"` // requests to Jamf, with connections that were refused
	Peak          int     `json:"peak_concurrency"`
	RetryRatio    float64 `json:"retry_ratio"` // attempts / calls
	Recovered     float64 `json:"time_to_recover_s"`
	RSSPeak       int     `json:"rss_peak_mib"` // of the process: gateway, simulated Jamf and readers
	Goroutines    int     `json:"goroutine_delta"`
	FDs           int     `json:"fd_delta"`
	Took          float64 `json:"took_s"`
	Note          string  `json:"note,omitempty"`
	Reason        string  `json:"reason,omitempty"` // why it did not pass
	Pass          bool    `json:"pass"`
}

// play is how a row is run: in simulated time, or over real sockets. Without a way to run it there is a reason.
type play struct {
	simulated func(*board)
	sockets   func(*board)
	alone     func(*board) // afterwards, over sockets: the real binary by itself
	notRun    string
}

// plays are the rows that can be run; the table in testdata says which rows there are.
func plays() map[string]play {
	all := map[string]play{}
	for _, group := range []map[string]play{availabilityRows(), slowRows(), networkRows(), completeRows(), fleetRows(), contentRows(), ownRows(), binaryRows()} {
		maps.Copy(all, group)
	}
	for id, alone := range aloneRows() {
		p := all[id]
		p.alone = alone
		all[id] = p
	}
	return all
}

// quick are the rows of every run of the tests; SCOREBOARD names others: all, groups (A,B), rows (A1,B3).
func quick() []string {
	return []string{"A2", "A5", "A6", "A9", "B6", "B7", "B11", "B13", "B15", "H1", "H2", "H7"}
}

type matrixRow struct{ id, title string }

func matrix(t *testing.T) (rows []matrixRow) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "scoreboard.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		id, title, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			t.Fatalf("scoreboard.tsv: %q", line)
		}
		rows = append(rows, matrixRow{id, title})
	}
	return rows
}

// wantedRows are the rows that this run is for.
func wantedRows(t *testing.T, all []matrixRow) (rows []matrixRow) {
	t.Helper()
	words := quick()
	if text := os.Getenv("SCOREBOARD"); text != "" {
		words = strings.Split(text, ",")
	}
	for _, r := range all {
		if slices.Contains(words, "all") || slices.Contains(words, r.id) || slices.Contains(words, r.id[:1]) {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		t.Fatalf("SCOREBOARD=%s names no row", os.Getenv("SCOREBOARD"))
	}
	return rows
}

// The rows of the matrix, each in a process of its own: one that dies, hangs or says nothing has failed.
func TestScoreboard(t *testing.T) {
	if id := os.Getenv("SCOREBOARD_ROW"); id != "" {
		playRow(t, id)
		return
	}
	if raceEnabled {
		t.Skip("rows measure memory and calls, and their processes take minutes under the race detector")
	}
	t.Parallel()
	all := matrix(t)
	rows := wantedRows(t, all)
	known := plays()
	for id := range known {
		if !slices.ContainsFunc(all, func(r matrixRow) bool { return r.id == id }) {
			t.Errorf("%s is run and stands in no table", id)
		}
	}
	full := os.Getenv("SCOREBOARD") != ""
	scores := make([]score, len(rows))
	var wg sync.WaitGroup
	var said sync.Mutex
	places := make(chan struct{}, 3) // rows mostly wait
	for i, r := range rows {
		wg.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			scores[i] = childScore(t, r.id)
			line, err := json.Marshal(scores[i])
			said.Lock()
			defer said.Unlock()
			if err != nil || !scores[i].Pass {
				t.Errorf("%s %s: %s, %v", r.id, r.title, scores[i].Reason, err)
			}
			if full {
				fmt.Fprintln(os.Stdout, string(line))
			}
		})
	}
	wg.Wait()
	if !full {
		return
	}
	fmt.Fprint(os.Stdout, "\n", table(rows, scores))
	if file := os.Getenv("SCOREBOARD_DOC"); file != "" && len(rows) == len(all) {
		document := filepath.Join("..", "..", file)
		if err := keepTable(document, table(rows, scores)); err != nil {
			t.Error(err)
		}
	}
}

// childScore runs one row in a process of its own and reads its line.
func childScore(t *testing.T, id string) (s score) {
	t.Helper()
	began := time.Now()
	file := filepath.Join(t.TempDir(), "line.json")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestScoreboard$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), "SCOREBOARD_ROW="+id, "SCOREBOARD_LINE="+file)
	if dir, err := os.Stat("/dev/shm"); err == nil && dir.IsDir() {
		cmd.Env = append(cmd.Env, "TMPDIR=/dev/shm") // the disk of a busy machine is no part of a row
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 5 * time.Second
	ended := cmd.Run()
	s = score{Case: id}
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		s.Reason = fmt.Sprintf("no line: the process ended with %v", ended)
	}
	if s.Pass && ended != nil {
		s.Pass, s.Reason = false, fmt.Sprintf("the process ended with %v", ended)
	}
	if !s.Pass {
		t.Logf("%s:\n%s", id, tail(out.String(), 3000))
		if s.Reason == "" {
			s.Reason = firstFailure(out.String())
		}
	}
	s.Took = float64(time.Since(began).Round(100*time.Millisecond)) / float64(time.Second)
	return s
}

// firstFailure is the first line that a test helper said.
func firstFailure(out string) string {
	said := regexp.MustCompile(`(?m)^\s+\w+_test\.go:\d+: (.{1,160})`).FindStringSubmatch(out)
	if said == nil {
		return "failed without a word"
	}
	return said[1]
}

// playRow runs one row in this process and writes its line, whatever becomes of it.
func playRow(t *testing.T, id string) {
	t.Helper()
	b := &board{T: t, score: score{Case: id, Seed: seedOf(t)}, connections: 2, rss: 512}
	t.Cleanup(func() {
		b.score.Pass = !b.Failed() && !t.Failed() && b.score.Reason == ""
		line, err := json.Marshal(b.score)
		if err == nil {
			err = os.WriteFile(os.Getenv("SCOREBOARD_LINE"), line, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	})
	p := plays()[id]
	switch {
	case p.simulated != nil:
		inBubble(t, func(t *testing.T) {
			b.T, b.net = t, newMemory()
			p.simulated(b)
			b.end()
		})
		if p.alone != nil {
			b.T, b.net = t, nil
			p.alone(b)
		}
	case p.sockets != nil:
		p.sockets(b)
		b.end()
	case p.notRun != "":
		b.score.Reason = "not run: " + p.notRun
	default:
		b.score.Reason = "not run: nobody has written it"
	}
}

func seedOf(t *testing.T) uint64 { t.Helper(); return uint64(fromEnvironment(t, "SCOREBOARD_SEED", 1)) }

// fromEnvironment is a number that a make target sets.
func fromEnvironment(t *testing.T, name string, fallback int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s is no number", name, text)
	}
	return n
}

// table shows the scores to people.
func table(rows []matrixRow, scores []score) string {
	var b strings.Builder
	passed := 0
	fmt.Fprint(&b, "| row | case | devices | lost | short | false empty | reads | failed | stale, told | calls | peak | retries | back after | RSS MiB | Δ goroutines | Δ fds | took | result |\n",
		"|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n")
	for i, s := range scores {
		result := "pass"
		if !s.Pass {
			result = "**FAIL** " + s.Reason
		} else {
			passed++
		}
		if s.Note != "" {
			result += ": " + s.Note
		}
		fmt.Fprintf(&b, "| %s | %s | %d/%d | %d | %d | %d | %d | %d | %d | %d | %d | %.1f %% | %.1f s | %d | %d | %d | %.1f s | %s |\n",
			s.Case, rows[i].title, s.Served, s.Expected, s.Lost, s.ShortLists, s.FalseEmpties, s.Reads, s.FailedReads, s.StaleOK, s.UpstreamCalls,
			s.Peak, 100*max(0, s.RetryRatio-1), s.Recovered, s.RSSPeak, s.Goroutines, s.FDs, s.Took, strings.ReplaceAll(result, "|", "/"))
	}
	fmt.Fprintf(&b, "\n%d of %d rows pass.\n", passed, len(rows))
	return b.String()
}

const (
	tableBegins = "<!-- scoreboard: written by make scoreboard -->\n"
	tableEnds   = "<!-- end of scoreboard -->\n"
)

// keepTable puts the table, with its date, into a document.
func keepTable(file, text string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(data), tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the table", file)
	}
	date := "`make scoreboard` of " + time.Now().UTC().Format("2006-01-02 15:04") + " UTC:\n\n"
	return os.WriteFile(file, []byte(before+tableBegins+date+text+tableEnds+after), 0o644)
}

// The table that people read has a line for every row of the matrix.
func TestTheDocumentHoldsEveryRowOfTheScoreboard(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "docs", "reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range matrix(t) {
		if !strings.Contains(string(text), fmt.Sprintf("| %s | %s |", r.id, r.title)) {
			t.Errorf("docs/reliability.md has no line for %s %s", r.id, r.title)
		}
	}
}
