package gateway

import (
	"context"
	"errors"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
	"jamf-gateway/gateway/server"
	"jamf-gateway/gateway/syncer"
)

// control is what the server may ask of the house.
type control struct {
	syncer    *syncer.Syncer
	upstreams map[string]*jamf.Source
	sources   map[string]config.Source
	names     map[string][]string // source -> rights that give names to ids which it keeps
	now       func() time.Time
	tests     map[string]*tested
	purger    *purger
	reload    func(context.Context) (server.Taken, error)
	remove    func(ctx context.Context, source string) (server.Removed, error)
}

func newControl(c *config.Config, ps profiles, s *syncer.Syncer, upstreams map[string]*jamf.Source, p *purger, now func() time.Time) *control {
	out := &control{syncer: s, upstreams: upstreams, sources: map[string]config.Source{}, names: map[string][]string{}, now: now, tests: map[string]*tested{}, purger: p}
	for _, src := range c.Sources {
		out.sources[src.Name] = src
		out.names[src.Name] = nameRights(src, ps.named[src.Profile], termsOf(c, src.Name))
		out.tests[src.Name] = &tested{}
	}
	return out
}

// Status implements server.Control.
func (c *control) Status(names ...string) []server.SourceStatus {
	all := c.syncer.Status(names...)
	out := make([]server.SourceStatus, 0, len(all))
	for _, s := range all {
		if _, own := c.sources[s.Source]; !own {
			continue // of settings that a reload is bringing
		}
		up := c.upstreams[s.Source].Status()
		st := server.SourceStatus{
			Name: s.Source, Disabled: s.Disabled, Default: c.sources[s.Source].Default,
			Token: up.Token, TokenExpires: up.TokenExpires, Breaker: up.Breaker, NotBefore: up.NotBefore,
			CredentialsRefused: s.CredentialsRefused || up.Token == "auth_failed", Rights: s.Rights, JamfVersion: s.JamfVersion,
		}
		st.Heartbeat = heartbeatOf(s.Heartbeat)
		for _, l := range up.Logins {
			st.Logins = append(st.Logins, server.LoginStatus{ID: l.ID, InUse: l.InUse, Refused: l.Refused, Proved: l.Proved})
		}
		if e := s.Expected; e != nil {
			st.Expected = &server.Expected{Left: e.Left, Until: e.Until}
		}
		st.LastErrorCode, st.LastErrorAt = lastError(up)
		for _, k := range s.Kinds {
			st.Kinds = append(st.Kinds, server.KindStatus{
				Kind: k.Kind, State: k.State, Reason: k.Reason, Syncing: k.Syncing, Tried: k.Tried, Held: k.Held, Total: k.Total,
				LastAttempt: k.LastAttempt, LastSuccess: k.LastSuccess, NextSync: k.NextSync,
				LastResult: k.LastResult, LastErrorCode: k.ErrorCode, LastErrorDetail: k.ErrorDetail, LastErrorAt: k.ErrorAt,
				Hold: holdOf(k.Hold),
			})
		}
		out = append(out, st)
	}
	return out
}

// lastError is the last call that failed, until one after it succeeded.
func lastError(up jamf.Status) (code string, at time.Time) {
	if up.LastError == nil || up.LastSuccessAt.After(up.LastErrorAt) {
		return "", time.Time{}
	}
	return up.LastError.Code, up.LastErrorAt
}

// heartbeatOf is what the server shows of a heartbeat.
func heartbeatOf(h syncer.HeartbeatStatus) server.HeartbeatStatus {
	return server.HeartbeatStatus{
		Every: h.Every, At: h.At, State: string(h.State), Code: h.Code, Latency: h.Latency, DownSince: h.DownSince, Next: h.Next,
	}
}

// SyncNow implements server.Control.
func (c *control) SyncNow(source string, kinds ...device.Kind) error {
	return acted(c.syncer.SyncNow(source, kinds...))
}

// Test implements server.Control.
func (c *control) Test(ctx context.Context, source string) (server.TestReport, error) {
	t, ok := c.tests[source]
	switch {
	case !ok:
		return server.TestReport{}, server.ErrUnknownSource
	case c.sources[source].Disabled:
		return server.TestReport{}, server.ErrDisabled
	}
	return t.do(ctx, c.now, func(ctx context.Context) server.TestReport {
		return Report(source, c.upstreams[source].Test(ctx, wantedRights(c.sources[source]), c.names[source]...), "en")
	})
}

// Report turns the outcome of a connection test into what people and programs read, with its sentences and the
// catalogue's in English, or in German for lang "de".
func Report(source string, r jamf.Report, lang string) server.TestReport {
	out := server.TestReport{
		OK: r.OK, Source: source, StartedAt: r.Started.UTC().Truncate(time.Millisecond),
		RightsPresent: notNil(r.Present), RightsMissing: notNil(r.Missing), RightsSurplus: notNil(r.Surplus),
		RightsNames: r.ForNames, RightsUnnamed: r.Nameless,
	}
	count := func(n int) *int {
		if n < 0 {
			return nil
		}
		return &n
	}
	out.Computers, out.MobileDevices = count(r.Computers), count(r.Mobiles)
	if r.JamfVersion != "" {
		out.JamfVersion = &r.JamfVersion
	}
	for _, s := range r.Steps {
		step := server.TestStep{Name: s.Name, Result: s.Result, Code: s.Code, Detail: s.Detail, LatencyMS: float64(s.Latency.Microseconds()) / 1000}
		if lang == string(catalogue.DE) {
			step.Detail = jamf.German(s.Detail)
		}
		if e, ok := catalogue.Lookup(s.Code); ok {
			step.Action = e.Action.In(catalogue.Language(lang))
		}
		out.Steps = append(out.Steps, step)
	}
	return out
}

func notNil(in []string) []string {
	if in == nil {
		return []string{}
	}
	return in
}

// holdOf is what the server shows of a generation that is held.
func holdOf(h *syncer.HoldStatus) *server.Hold {
	if h == nil {
		return nil
	}
	out := &server.Hold{
		Digest: h.Digest, Since: h.Since, Generation: h.Generation, Count: h.Count, Removed: h.RemovedAll, First: h.Removed,
	}
	for _, f := range h.Findings {
		out.Findings = append(out.Findings, server.Finding(f))
	}
	return out
}

// Approve implements server.Control.
func (c *control) Approve(ctx context.Context, source, digest, by string) error {
	return acted(c.syncer.Approve(ctx, source, digest, by))
}

// Expect implements server.Control.
func (c *control) Expect(ctx context.Context, source string, removals int, until time.Time, by string) error {
	return acted(c.syncer.Expect(ctx, source, removals, until, by))
}

// acted names a refusal of the syncer as the server knows it.
func acted(err error) error {
	switch {
	case errors.Is(err, syncer.ErrUnknownSource):
		return server.ErrUnknownSource
	case errors.Is(err, syncer.ErrDisabled):
		return server.ErrDisabled
	case errors.Is(err, syncer.ErrRunning):
		return server.ErrSyncRunning
	case errors.Is(err, syncer.ErrNotHeld):
		return server.ErrNotHeld
	}
	return err
}
