package syncer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	nooptrace "go.opentelemetry.io/otel/trace/noop"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

// inventory is a Walk over computers with rising ids; the hooks bend its answers.
type inventory struct {
	ids    []int64 // ascending
	page   func(l jamf.List, page, size int) (*jamf.Page, error)
	record func(id int64) ([]byte, error)
	bend   func(id int64, r jamf.Row) jamf.Row
	asked  []int64 // by id
}

func computer(id int64) []byte {
	return fmt.Appendf(nil, `{"id":"%d","udid":"U%d","general":{"name":"mac-%d"},"hardware":{"serialNumber":"C%d"}}`, id, id, id, id)
}

func fleet(n int) *inventory {
	inv := &inventory{}
	for id := range int64(n) {
		inv.ids = append(inv.ids, id+1)
	}
	return inv
}

func (inv *inventory) Rights(context.Context) (jamf.Rights, error) { return jamf.Rights{}, nil }
func (inv *inventory) Version(context.Context) (string, error)     { return "11.0.0", nil }
func (inv *inventory) Names(context.Context, jamf.NameList) (map[int64]string, error) {
	return map[int64]string{}, nil
}

func (inv *inventory) Page(_ context.Context, l jamf.List, _ []string, page, size int) (*jamf.Page, error) {
	if inv.page != nil {
		if p, err := inv.page(l, page, size); p != nil || err != nil {
			return p, err
		}
	}
	p := &jamf.Page{Total: len(inv.ids), Version: "v4", Rows: []jamf.Row{}}
	for _, id := range inv.ids[min(page*size, len(inv.ids)):min((page+1)*size, len(inv.ids))] {
		r := jamf.Row{Raw: computer(id)}
		if inv.bend != nil {
			r = inv.bend(id, r)
		}
		p.Rows = append(p.Rows, r)
	}
	return p, nil
}

func (inv *inventory) Record(_ context.Context, _ jamf.List, _ []string, id int64) ([]byte, error) {
	inv.asked = append(inv.asked, id)
	if inv.record != nil {
		if raw, err := inv.record(id); raw != nil || err != nil {
			return raw, err
		}
	}
	if slices.Contains(inv.ids, id) {
		return computer(id), nil
	}
	return nil, &jamf.Error{Kind: jamf.ErrNotFound}
}

// pump is a syncer of the computers of one source over inv, with a store of its own.
type pump struct {
	*Syncer
	t     *testing.T
	store *cache.Store
	line  *line
}

func newPump(t *testing.T, inv *inventory) *pump {
	t.Helper()
	dir := t.TempDir()
	store, err := cache.Open(t.Context(), cache.Options{Dir: dir, MaxBytes: 1 << 20, Keep: 3, MeterProvider: noop.NewMeterProvider()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	profile, _ := device.BuiltinProfile("minimal")
	s, err := New(Options{
		Store: store, Dir: filepath.Join(dir, ".schedule"), StartJitter: -1, Logger: slog.New(slog.DiscardHandler),
		TracerProvider: nooptrace.NewTracerProvider(), MeterProvider: noop.NewMeterProvider(),
		Sources: []Source{{
			Name: "a", Kinds: []device.Kind{device.Computer}, Profile: profile, Interval: 24 * time.Hour, PageSize: 60,
			NewWalk: func() Walk { return inv },
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &pump{Syncer: s, t: t, store: store, line: s.crew.Load().lines[0]}
}

// sync runs one due sync and returns the state after it.
func (p *pump) sync() KindStatus {
	p.t.Helper()
	p.syncOnce(p.t.Context(), p.line, true)
	return p.Status()[0].Kinds[0]
}

// good runs a sync that must succeed and returns the generation.
func (p *pump) good() cache.Info {
	p.t.Helper()
	if st := p.sync(); st.LastResult != "ok" {
		p.t.Fatalf("the sync failed: %s: %s", st.ErrorCode, st.ErrorDetail)
	}
	g, err := p.store.Acquire(p.line.series())
	if err != nil {
		p.t.Fatal(err)
	}
	defer g.Release()
	return g.Info()
}

func TestEmptyFirstPageThatCountsDevicesIsRejected(t *testing.T) {
	t.Parallel()
	inv := fleet(60)
	empty := 0
	inv.page = func(_ jamf.List, page, size int) (*jamf.Page, error) {
		if page == 0 && size > 1 && empty > 0 {
			empty--
			return &jamf.Page{Total: 60, Rows: []jamf.Row{}}, nil
		}
		return nil, nil
	}
	p := newPump(t, inv)
	empty = 1
	if info := p.good(); info.Count != 60 {
		t.Errorf("one empty answer of two nodes that disagree: %d devices", info.Count)
	}
	empty = 1 << 30
	if st := p.sync(); st.ErrorCode != "count_mismatch" || st.State != "stale" {
		t.Errorf("an empty list that counts 60: state %s, code %q", st.State, st.ErrorCode)
	}
}

func TestPanicInAWalkIsAFailedSyncAndIsBooked(t *testing.T) {
	t.Parallel()
	inv := fleet(10)
	inv.page = func(jamf.List, int, int) (*jamf.Page, error) { panic("a fault") }
	p := newPump(t, inv)
	st := p.sync()
	if st.LastResult != "failed" || st.ErrorCode != "internal" || st.Syncing {
		t.Errorf("after a panic: %+v", st)
	}
	if r := p.line.book.kind(device.Computer); r.Failures != 1 {
		t.Errorf("%d failures are booked: the next attempt has no pause", r.Failures)
	}
	inv.page = nil
	if info := p.good(); info.Count != 10 {
		t.Errorf("%d devices after the fault", info.Count)
	}
}

func TestAPanicOfAWalkTellsItsPlaceAndNoValue(t *testing.T) {
	for kind, v := range map[string]any{"panic: string": "CANARY", "panic: *errors.errorString": errors.New("CANARY"), "panic: map[string]int": map[string]int{"CANARY": 1}} {
		err := contained(func() error { panic(v) })
		f, ok := errors.AsType[*failure](err)
		if !ok || f.Code != "internal" || !strings.Contains(f.Err.Error(), kind) || !strings.Contains(f.Err.Error(), "simulated_internal_test.go") {
			t.Errorf("%s: %v", kind, err)
		}
		if said := fmt.Sprintf("%v %+v", err, f.Err); strings.Contains(said, "CANARY") {
			t.Errorf("%s: %s", kind, said)
		}
	}
}

func (p *pump) states(info cache.Info) map[string]int {
	p.t.Helper()
	g, err := p.store.AcquireNumber(p.line.series(), info.Number)
	if err != nil {
		p.t.Fatal(err)
	}
	defer g.Release()
	ids, err := g.IDs(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	n := map[string]int{}
	for _, id := range ids {
		r, err := g.Get(p.t.Context(), id)
		if err != nil {
			p.t.Fatal(err)
		}
		n[r.State]++
	}
	return n
}

func TestAbsentDeviceThatIsNotClearlyDeletedIsKeptAndFlagged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		asked int
	}{
		"cannot render": {&jamf.Error{Kind: jamf.ErrServerError}, 5},
		"unavailable":   {&jamf.Error{Kind: jamf.ErrUnavailable}, 5},
		"timeout":       {&jamf.Error{Kind: jamf.ErrTimeout}, 5},
		"right missing": {&jamf.Error{Kind: jamf.ErrForbidden}, 5},
		"breaker open":  {&jamf.Error{Kind: jamf.ErrBreakerOpen}, 1},
	} {
		inv := fleet(60)
		p := newPump(t, inv)
		p.good()
		inv.ids = inv.ids[:55]
		inv.record = func(int64) ([]byte, error) { return nil, c.err }
		info := p.good()
		if n := p.states(info); n[cache.StatePresent] != 55 || n[cache.StateMissing] != 5 {
			t.Errorf("%s: %v, want 55 present and 5 missing", name, n)
		}
		if len(info.Quarantined) != 5 || info.Quarantined[0] != (cache.Quarantine{ID: 56, Reason: "not_listed", Kept: "previous", Since: info.Quarantined[0].Since}) || info.Quarantined[0].Since.IsZero() {
			t.Errorf("%s: flagged %v", name, info.Quarantined)
		}
		if len(inv.asked) != c.asked {
			t.Errorf("%s: %d confirmations, want %d", name, len(inv.asked), c.asked)
		}
		// The next walk gets a clear answer: three are deleted, two are back.
		inv.ids, inv.record = append(inv.ids, 59, 60), nil
		if info := p.good(); info.Count != 57 || len(info.Quarantined) != 0 {
			t.Errorf("%s: afterwards %d devices, flagged %v", name, info.Count, info.Quarantined)
		}
	}
}

func TestAbsenteesBeyondTheBudgetAndInAWallOfSilenceAreKept(t *testing.T) {
	t.Parallel()
	inv := fleet(2200)
	p := newPump(t, inv)
	p.line.src.Guard = config.Guard{RemovedPercent: 100, UnconfirmedPercent: 100, WeekPercent: 100}
	p.good()
	all := inv.ids
	inv.ids = all[:100]
	inv.record = func(int64) ([]byte, error) { return nil, &jamf.Error{Kind: jamf.ErrTimeout} }
	if n := p.states(p.good()); n[cache.StateMissing] != 2100 || len(inv.asked) != maxUnanswered {
		t.Errorf("a Jamf that hangs: %v after %d questions", n, len(inv.asked))
	}
	inv.record, inv.asked = nil, nil
	if n := p.states(p.good()); n[cache.StateMissing] != 100 || n[cache.StatePresent] != 100 || len(inv.asked) != confirmations {
		t.Errorf("2100 deleted at once: %v after %d questions", n, len(inv.asked))
	}
}

func TestUnreadableRecordCostsItselfAndNotTheKind(t *testing.T) {
	t.Parallel()
	unfit := &jamf.Error{Kind: jamf.ErrSchema}
	for name, bend := range map[string]func([]byte) []byte{
		"invalid UTF-8":  func(b []byte) []byte { return bytes.Replace(b, []byte("mac-5"), []byte("mac-\xff"), 1) },
		"lone surrogate": func(b []byte) []byte { return bytes.Replace(b, []byte("mac-5"), []byte(`mac-\ud800`), 1) },
		"a name twice":   func(b []byte) []byte { return bytes.Replace(b, []byte(`"name"`), []byte(`"name":"x","name"`), 1) },
		"a section twice": func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"general"`), []byte(`"general":{},"general"`), 1)
		},
		"nested beyond limit": func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"mac-5"`), []byte(strings.Repeat("[", 70)+strings.Repeat("]", 70)), 1)
		},
	} {
		for _, before := range []bool{true, false} {
			inv := fleet(60)
			p := newPump(t, inv)
			if before {
				p.good()
			}
			inv.bend = func(id int64, r jamf.Row) jamf.Row {
				if id == 5 {
					return jamf.Row{Raw: bend(r.Raw), Err: unfit}
				}
				return r
			}
			inv.record = func(id int64) ([]byte, error) {
				if id == 5 {
					return nil, unfit
				}
				return nil, nil
			}
			info := p.good()
			kept := "skeleton"
			if before {
				kept = "previous"
			}
			if len(info.Quarantined) != 1 || info.Quarantined[0] != (cache.Quarantine{ID: 5, Reason: "unreadable", Kept: kept}) || info.Count != len(inv.ids) {
				t.Errorf("%s, parent %v: %d devices, flagged %v", name, before, info.Count, info.Quarantined)
			}
		}
	}
}

func TestRecordWhoseIDStandsTwiceIsNeverGuessed(t *testing.T) {
	t.Parallel()
	if got := salvage([]byte(`{"id":"5","general":{"name":"x"},"id":"6"}`)); got != nil {
		t.Errorf("salvaged %s", got)
	}
	if got := salvage([]byte("{\"id\":\"5\",\"a\":\"\xff\",\"b\":{\"x\":1,\"x\":2},\"c\":1,\"c\":2}")); string(got) != "{\"id\":\"5\",\"a\":\"\ufffd\",\"c\":null}" {
		t.Errorf("salvaged %s", got)
	}
}

func FuzzSalvage(f *testing.F) {
	for _, s := range []string{`{"id":"5","id":"6"}`, "{\"a\":\"\xff\"}", `{"a":"\ud800","a":1}`, `[`, `{}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if out := salvage(b); out != nil && !strict(out) {
			t.Fatalf("salvage(%q) = %q is no strict JSON", b, out)
		}
	})
}
