package gateway

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/jamf"
	"jamf-gateway/gateway/server"
)

// failing is a report that fails at one step.
func failing(code string) server.TestReport {
	return server.TestReport{Steps: []server.TestStep{{Name: "url", Result: "ok"}, {Name: "token", Result: "failed", Code: code}}}
}

func TestAReportIsGivenAgainAndLongerWhileNothingChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tests tested
		runs := 0
		say := func(r server.TestReport) func(context.Context) server.TestReport {
			return func(context.Context) server.TestReport { runs++; return r }
		}
		bad, good := failing("auth_failed"), server.TestReport{OK: true}
		for i, step := range []struct {
			say   server.TestReport
			reuse time.Duration
		}{
			{good, 30 * time.Second},
			{good, 30 * time.Second},
			{bad, 30 * time.Second},
			{bad, time.Minute},
			{bad, 2 * time.Minute},
			{bad, 4 * time.Minute},
			{bad, 5 * time.Minute},
			{bad, 5 * time.Minute},
			{failing("dns_failed"), 30 * time.Second},
			{bad, 30 * time.Second},
			{good, 30 * time.Second},
		} {
			got, err := tests.do(t.Context(), time.Now, say(step.say))
			if err != nil || runs != i+1 || got.ReusedUntil == nil || time.Until(*got.ReusedUntil) != step.reuse {
				t.Errorf("test %d: %+v, %v, after %d runs; want it to be good for %v", i, got, err, runs, step.reuse)
			}
			time.Sleep(step.reuse - time.Millisecond)
			again, err := tests.do(t.Context(), time.Now, say(failing("timeout")))
			if err != nil || runs != i+1 || failureOf(again) != failureOf(step.say) {
				t.Errorf("test %d once more: %+v, %v, after %d runs", i, again, err, runs)
			}
			time.Sleep(time.Millisecond)
		}
	})
}

func TestTestsAtOnceAreOneAndNobodyWaitsBeyondHisTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tests tested
		runs := 0
		slow := func(context.Context) server.TestReport {
			runs++
			time.Sleep(time.Minute)
			return server.TestReport{OK: true}
		}
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if r, err := tests.do(t.Context(), time.Now, slow); err != nil || !r.OK {
					t.Errorf("%+v, %v", r, err)
				}
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := tests.do(ctx, time.Now, slow); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who waits a second: %v", err)
		}
		group.Wait()
		if runs != 1 {
			t.Errorf("%d tests ran, want 1", runs)
		}
	})
}

func TestATestThatWasCutOffOrBrokeIsNotGivenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tests tested
		ctx, cancel := context.WithCancel(t.Context())
		_, _ = tests.do(ctx, time.Now, func(context.Context) server.TestReport { cancel(); return failing("canceled") })
		func() {
			defer func() { _ = recover() }()
			_, _ = tests.do(t.Context(), time.Now, func(context.Context) server.TestReport { panic("on purpose") })
		}()
		got, err := tests.do(t.Context(), time.Now, func(context.Context) server.TestReport { return server.TestReport{OK: true} })
		if err != nil || !got.OK {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestADisabledSourceIsNotTested(t *testing.T) {
	c := &control{sources: map[string]config.Source{"a": {Disabled: true}}, tests: map[string]*tested{"a": {}}} // no way to Jamf at all
	if _, err := c.Test(t.Context(), "a"); !errors.Is(err, server.ErrDisabled) {
		t.Error(err)
	}
	if _, err := c.Test(t.Context(), "b"); !errors.Is(err, server.ErrUnknownSource) {
		t.Error(err)
	}
}

func TestTheLastErrorOfASourceGoesWithALaterSuccess(t *testing.T) {
	at := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	st := jamf.Status{LastError: &jamf.Error{Code: "timeout"}, LastErrorAt: at, LastSuccessAt: at.Add(-time.Hour)}
	if code, when := lastError(st); code != "timeout" || !when.Equal(at) {
		t.Errorf("%s at %v", code, when)
	}
	st.LastSuccessAt = at.Add(time.Second)
	if code, when := lastError(st); code != "" || !when.IsZero() {
		t.Errorf("after a success: %s at %v", code, when)
	}
}
