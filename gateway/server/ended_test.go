package server_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/server"
)

const invalidatePath = "/api/v1/auth/invalidate-token"

// alive is the status of a request with a token.
func (w *world) alive(token string) int {
	w.t.Helper()
	return w.do(http.MethodGet, w.base+"/v1/sources", "", "Authorization", "Bearer "+token).status
}

func TestATokenThatWasGivenBackHasEndedForGood(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ended")
	w := newWorld(t, func(o *server.Options) { o.EndedFile = file })
	given, kept := w.token("only-a"), w.token("only-a")
	for _, path := range []string{"/jamf/schule-b" + invalidatePath, "/jamf/nowhere" + invalidatePath} { // not his
		w.want(w.do(http.MethodPost, w.base+path, "", "Authorization", "Bearer "+given), http.StatusUnauthorized, "INVALID_TOKEN")
	}
	if got := w.alive(given); got != http.StatusOK {
		t.Fatalf("refused, and the token ended: %d", got)
	}
	if r := w.do(http.MethodPost, w.base+invalidatePath, "", "Authorization", "Bearer "+given); r.status != http.StatusNoContent {
		t.Fatalf("invalidate: %s", r)
	}
	raw, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(raw), given) || len(raw) < 32 {
		t.Errorf("the file: %q, %v", raw, err)
	}
	for name, world := range map[string]*world{"now": w, "after a restart": w.restart(t, func(*server.Options) {})} {
		if a, b := world.alive(given), world.alive(kept); a != http.StatusUnauthorized || b != http.StatusOK {
			t.Errorf("%s: the given token %d, the other one %d", name, a, b)
		}
		for _, path := range []string{invalidatePath, "/api/v1/auth/keep-alive"} {
			world.want(world.do(http.MethodPost, world.base+path, "", "Authorization", "Bearer "+given), http.StatusUnauthorized, "INVALID_TOKEN")
		}
	}
}

// A client is told that its token has ended when that is true, and only then.
func TestATokenThatCannotBeRememberedIsNotSaidToHaveEnded(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.EndedFile = filepath.Join(t.TempDir(), "nowhere", "ended") })
	token := w.token("all")
	w.want(w.do(http.MethodPost, w.base+invalidatePath, "", "Authorization", "Bearer "+token), http.StatusInternalServerError, "internal")
	if got := w.alive(token); got != http.StatusUnauthorized {
		t.Errorf("in this process it has ended all the same: %d", got)
	}
}

// Where the file cannot be read, any token that is out may have ended.
func TestNoOldTokenHoldsWhenNobodyKnowsWhichHaveEnded(t *testing.T) {
	w := newWorld(t)
	old := w.token("all")
	w.clock.Add(time.Minute)
	again := w.restart(t, func(o *server.Options) { o.EndedFile = t.TempDir() }) // a directory
	if got := again.alive(old); got != http.StatusUnauthorized {
		t.Errorf("a token of before: %d", got)
	}
	if got := again.alive(again.token("all")); got != http.StatusOK {
		t.Errorf("a new token: %d", got)
	}
}

func TestTheFileOfEndedTokensForgetsTheDeadAndSurvivesATornLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ended")
	now := start
	clock := func() time.Time { return now }
	e := server.NewEnded(file, clock)
	for i := range 300 {
		if err := e.End("a", fmt.Sprint("short", i), now.Add(time.Duration(i)*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(time.Minute)
	for _, token := range []string{"one", "two"} {
		if err := e.End("a", token, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(raw, "\n0123456789abcdef"...), 0o600); err != nil { // a full disk
		t.Fatal(err)
	}
	e = server.NewEnded(file, clock)
	if err := e.End("b", "three", now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	e = server.NewEnded(file, clock)
	for _, token := range []string{"one", "two", "three"} {
		if !e.Has(token, now.Add(time.Hour)) {
			t.Errorf("%s lives", token)
		}
	}
	if e.Has("four", now.Add(time.Hour)) {
		t.Error("four was never ended")
	}
	if raw, err := os.ReadFile(file); err != nil || strings.Count(string(raw), "\n") != 4 {
		t.Errorf("%d lines, want a head and 3 (%v)", strings.Count(string(raw), "\n"), err)
	}
}

// A crash of the machine can leave zeros in the middle of a file, in a line as long as it likes.
func TestNoLongLineOfNonsenseBringsEndedTokensBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ended")
	clock := func() time.Time { return start }
	if err := os.WriteFile(file, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	disk, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(t.TempDir(), "whole")
	if err := server.NewEnded(whole, clock).End("a", "one", start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	line, err := os.ReadFile(whole)
	if err == nil {
		_, err = disk.Write(line)
	}
	if err := errors.Join(err, disk.Close()); err != nil {
		t.Fatal(err)
	}
	if !server.NewEnded(file, clock).Has("one", start.Add(time.Hour)) {
		t.Error("the token lives")
	}
}

// The file is written anew while it runs, too: dead lines do not pile up.
func TestTheFileOfEndedTokensStaysSmallWithoutARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ended")
	now := start
	e := server.NewEnded(file, func() time.Time { return now })
	for i := range 2500 {
		if err := e.End("a", fmt.Sprint(i), now.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		now = now.Add(10 * time.Millisecond) // a hundred live at a time
	}
	if raw, err := os.ReadFile(file); err != nil || strings.Count(string(raw), " a ") > 1500 || strings.Count(string(raw), " a ") < 90 {
		t.Errorf("%d lines (%v)", strings.Count(string(raw), " a "), err)
	}
}

func TestOneClientCannotFillTheMemoryWithEndedTokens(t *testing.T) {
	e := server.NewEnded("", func() time.Time { return start })
	for i := range server.MaxEnded {
		if err := e.End("a", fmt.Sprint(i), start.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.End("a", "more", start.Add(time.Hour)); err == nil {
		t.Error("one more was taken")
	}
	if err := e.End("b", "other", start.Add(time.Hour)); err != nil {
		t.Errorf("another client: %v", err)
	}
}

// Whichever write of a token that is given back fails: the client is told so, or the token has ended for good; and the next one goes
// through by itself, over whatever half a line was left.
func TestNoFailingWriteBringsAnEndedTokenBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ended")
	clock := func() time.Time { return start }
	given := map[string]bool{} // token -> the client was told that it has ended
	for n := 1; ; n++ {
		left := n
		disk := &cache.Disk{Fail: func(op cache.Op, _ string) error {
			if left--; left == 0 {
				return fmt.Errorf("%s: %w", op, syscall.ENOSPC)
			}
			return nil
		}}
		e := server.NewEndedOn(disk, file, clock) // reads, and writes the file anew
		if e.Has("never ended", start.Add(time.Hour)) {
			t.Errorf("operation %d: a start on a full disk refuses every token that is out", n)
		}
		var failed bool
		for i := range 3 {
			token := fmt.Sprint(n, "/", i)
			err := e.End("a", token, start.Add(time.Hour))
			given[token] = err == nil
			failed = failed || err != nil
		}
		for token, told := range given {
			if told && !e.Has(token, start.Add(time.Hour)) {
				t.Errorf("operation %d: %s lives", n, token)
			}
		}
		after := server.NewEnded(file, clock)
		for token, told := range given {
			if told && !after.Has(token, start.Add(time.Hour)) {
				t.Errorf("operation %d: %s lives after a restart", n, token)
			}
		}
		if left > 0 {
			if failed || n < 10 {
				t.Errorf("%d operations, failed %t", n, failed)
			}
			break
		}
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Whichever byte of the file is flipped, whatever it becomes: no token that has ended comes back, now or after another restart. Either it is
// still known, or every token that is out is refused; one that is issued after that holds.
func TestNoFlippedByteBringsAnEndedTokenBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ended")
	now := start
	clock := func() time.Time { return now }
	e := server.NewEnded(file, clock)
	expires := start.Add(2 * time.Hour)
	tokens := []string{"one", "two", "three"}
	for _, token := range tokens {
		if err := e.End("client-a", token, expires); err != nil {
			t.Fatal(err)
		}
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	now = start.Add(time.Minute)
	refusedAll := 0
	for at := range good {
		for _, to := range []byte{good[at] ^ 1, good[at] ^ 0x80, '\n', ' ', 0} {
			if to == good[at] {
				continue
			}
			bad := append([]byte{}, good...)
			bad[at] = to
			if err := os.WriteFile(file, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, start := range []string{"a start", "the start after it"} {
				e := server.NewEnded(file, clock)
				for _, token := range tokens {
					if !e.Has(token, expires) {
						t.Fatalf("byte %d %q became %q: %s lives at %s", at, good[at], to, token, start)
					}
				}
				if e.Has("never ended", expires) {
					refusedAll++
				}
				if e.Has("of now", now.Add(2*time.Hour)) {
					t.Fatalf("byte %d %q became %q: a new token is refused", at, good[at], to)
				}
			}
		}
	}
	if refusedAll == 0 {
		t.Error("no byte mattered")
	}
}

// A file of the release before has neither head nor checksums; one of a release to come is not understood, and no token of before holds.
func TestFilesOfEndedTokensOfOtherReleases(t *testing.T) {
	sum := sha256.Sum256([]byte("one"))
	old := fmt.Sprintf("\n%x %d a\n", sum[:16], start.Add(time.Hour).Unix())
	issued := start.Add(time.Hour) // an hour before the start
	for name, tc := range map[string]struct {
		content string
		all     bool // every token that is out is refused
	}{
		"none":                     {"", false},
		"of before":                {old, false},
		"of before, half a line":   {old + "\n0123456789", false},
		"of before, a damaged one": {old + "\n0123456789 x a\n", true},
		"of a release to come":     {"ended-tokens 3 0 13b3d9a3\n{}\n", true},
	} {
		file := filepath.Join(t.TempDir(), "ended")
		if err := os.WriteFile(file, []byte(tc.content), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			e := server.NewEnded(file, func() time.Time { return start })
			if got := e.Has("another", issued); got != tc.all {
				t.Errorf("%s: all are refused: %t", name, got)
			}
			if !e.Has("one", issued) && tc.content != "" {
				t.Errorf("%s: the token lives", name)
			}
		}
	}
}

// A damaged file that was read while the clock was ahead must not refuse every token until that day comes.
func TestTokensHoldAgainAfterADamagedFileWasReadByAWrongClock(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ended")
	if err := os.WriteFile(file, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	now := start.Add(365 * 24 * time.Hour)
	clock := func() time.Time { return now }
	e := server.NewEnded(file, clock)
	now = start
	if !e.Has("of before", now.Add(time.Hour)) {
		t.Error("a token of before holds")
	}
	for _, e := range []*server.Ended{e, server.NewEnded(file, clock)} {
		issued := now
		for range 3 {
			if e.Has("of now", issued.Add(2*time.Hour)) {
				t.Errorf("a token of %v is refused at %v", issued, now)
			}
			now = now.Add(time.Minute)
		}
	}
}
