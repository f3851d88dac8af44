package main

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// awaited is an output that tells when a text stands in it.
type awaited struct {
	text string
	seen chan struct{}

	mu  sync.Mutex
	out bytes.Buffer
}

// Write implements io.Writer.
func (a *awaited) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := strings.Contains(a.out.String(), a.text)
	n, err := a.out.Write(p)
	if !before && strings.Contains(a.out.String(), a.text) {
		close(a.seen)
	}
	return n, err
}

// demonstrate runs a demo until it has printed everything, and ends it.
func demonstrate(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out := &awaited{text: "Ctrl-C ends the demo", seen: make(chan struct{})}
	var errs bytes.Buffer
	ended := make(chan int, 1)
	args = append([]string{"demo", "--listen", unused(t), "--admin-listen", unused(t), "--jamf-listen", unused(t), "--computers", "12", "--mobiles", "7"}, args...)
	go func() { ended <- run(ctx, args, streams{out: out, err: &errs}) }()
	select {
	case <-out.seen:
		cancel()
		if code := <-ended; code != exitGood {
			t.Errorf("exit code %d\n%s", code, errs.String())
		}
	case code := <-ended:
		t.Fatalf("the demo ended early with %d\n%s%s", code, out.out.String(), errs.String())
	}
	return out.out.String()
}

func TestASecondDemoServesWhatTheFirstHasKept(t *testing.T) {
	dir := t.TempDir()
	first := demonstrate(t, "--data-dir", dir)
	if !strings.Contains(first, "Read 12 computers from Jamf") || !strings.Contains(first, "Read 7 mobile devices from Jamf") || strings.Contains(first, "\nKept ") {
		t.Errorf("first:\n%s", first)
	}
	second := demonstrate(t, "--data-dir", dir)
	for _, want := range []string{
		`Kept 12 computers, read at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n`, `Kept 7 mobile devices, read at `,
		`Read again at once: jamf-gateway sync demo --admin http://127[.0-9]+:\d+ --admin-token-file \S+/admin\.token\n`, `/v1/devices/demo:computer:\d+'`,
	} {
		if !regexp.MustCompile(want).MatchString(second) {
			t.Errorf("no %s in\n%s", want, second)
		}
	}
	if strings.Contains(second, "from Jamf in") {
		t.Errorf("the second demo claims to have read:\n%s", second)
	}
}
