package gateway

import (
	"context"
	"strings"
	"sync"
	"time"

	"jamf-gateway/gateway/server"
)

// How long a report is given again instead of asking Jamf: doubled with each test that fails as the one before did.
const (
	reportReuse    = 30 * time.Second
	maxReportReuse = 5 * time.Minute
)

// tested runs the connection tests of one source, one at a time, and keeps the last report, so that clients cannot turn
// tests into Jamf traffic. The zero value is ready. No lock is held while a test runs.
type tested struct {
	mu      sync.Mutex
	running chan struct{} // closed when the test under way has ended; nil = none is
	report  server.TestReport
	until   time.Time // until then the report is given again
	same    int       // tests in a row that failed like the one before them
}

// do gives the last report again while it is young, joins a test under way, or runs one. One that was cut off by the end of
// ctx is not given to anybody else.
func (t *tested) do(ctx context.Context, now func() time.Time, run func(context.Context) server.TestReport) (server.TestReport, error) {
	for {
		report, running, done := t.begin(now())
		switch {
		case done != nil:
			return t.run(ctx, now, run, done), nil
		case running == nil:
			return report, nil
		}
		select {
		case <-running:
		case <-ctx.Done():
			return server.TestReport{}, ctx.Err()
		}
	}
}

// begin gives a report, or what to wait for, or the right to run a test, which ends with closing done.
func (t *tested) begin(now time.Time) (report server.TestReport, running <-chan struct{}, done chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.running != nil:
		return report, t.running, nil
	case now.Before(t.until):
		return t.report, nil, nil
	}
	t.running = make(chan struct{})
	return report, nil, t.running
}

func (t *tested) run(ctx context.Context, now func() time.Time, run func(context.Context) server.TestReport, done chan struct{}) (report server.TestReport) {
	ended := false
	defer func() { // also of a panic
		t.mu.Lock()
		if ended && ctx.Err() == nil {
			report = t.keepLocked(report, now())
		}
		t.running = nil
		t.mu.Unlock()
		close(done)
	}()
	report = run(ctx)
	ended = true
	return report
}

func (t *tested) keepLocked(r server.TestReport, now time.Time) server.TestReport {
	if !r.OK && failureOf(r) == failureOf(t.report) {
		t.same++
	} else {
		t.same = 0
	}
	t.until = now.Add(min(reportReuse<<min(t.same, 8), maxReportReuse))
	until := t.until.UTC().Truncate(time.Millisecond)
	r.ReusedUntil = &until
	t.report = r
	return r
}

// failureOf names the steps that failed; "" when none did.
func failureOf(r server.TestReport) string {
	var failed []string
	for _, s := range r.Steps {
		if s.Result == "failed" {
			failed = append(failed, s.Name+"="+s.Code)
		}
	}
	return strings.Join(failed, " ")
}
