package syncer_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/goleak"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
	"jamf-gateway/gateway/syncer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a Walk whose fleet and answers a test writes. Without hooks it is a calm, complete Jamf.
type script struct {
	mu     sync.Mutex
	ids    map[device.Kind][]int64 // shown by the lists, ascending
	hidden map[int64]bool          // answered by id, in no list
	body   func(k device.Kind, id int64) []byte

	page    func(ctx context.Context, l jamf.List, page, size int) (*jamf.Page, error) // nil, nil = as usual
	record  func(id int64) ([]byte, error)                                             // nil, nil = as usual
	rights  func() (jamf.Rights, error)
	version func() (string, error)
	names   func() // before names are answered

	pages int
	asked []int64 // by id
}

// fleet is n devices of each kind.
func fleet(computers, mobiles int) *script {
	s := &script{ids: map[device.Kind][]int64{}, hidden: map[int64]bool{}, body: plain}
	for id := range int64(computers) {
		s.ids[device.Computer] = append(s.ids[device.Computer], id+1)
	}
	for id := range int64(mobiles) {
		s.ids[device.Mobile] = append(s.ids[device.Mobile], id+1)
	}
	return s
}

// plain is a record in the shape of the kind's full list.
func plain(k device.Kind, id int64) []byte {
	if k == device.Computer {
		return fmt.Appendf(nil, `{"id":"%d","udid":"U%d","general":{"name":"mac-%d"},"hardware":{"serialNumber":"C%d"}}`, id, id, id, id)
	}
	return fmt.Appendf(nil, `{"mobileDeviceId":"%d","deviceType":"iOS","general":{"displayName":"pad-%d","udid":"M%d"},"hardware":{"serialNumber":"S%d"}}`, id, id, id, id)
}

// light is a row of the plain list of mobile devices.
func light(id int64) []byte {
	return fmt.Appendf(nil, `{"id":"%d","name":"pad-%d","serialNumber":"S%d","udid":"M%d","type":"ios"}`, id, id, id, id)
}

func kindOf(l jamf.List) device.Kind {
	if l == jamf.Computers {
		return device.Computer
	}
	return device.Mobile
}

func (s *script) Rights(context.Context) (jamf.Rights, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rights != nil {
		return s.rights()
	}
	return jamf.Rights{Known: true, Privileges: []string{jamf.ReadComputers, jamf.ReadMobileDevices}}, nil
}

func (s *script) Version(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version != nil {
		return s.version()
	}
	return "11.30.2", nil
}

// Names knows none.
func (s *script) Names(context.Context, jamf.NameList) (map[int64]string, error) {
	if s.names != nil {
		s.names()
	}
	return nil, nil
}

func (s *script) Page(ctx context.Context, l jamf.List, _ []string, page, size int) (*jamf.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages++
	if s.page != nil {
		if p, err := s.page(ctx, l, page, size); p != nil || err != nil {
			return p, err
		}
	}
	return s.show(l, page, size), nil
}

// show is what the list shows now.
func (s *script) show(l jamf.List, page, size int) *jamf.Page {
	ids := s.ids[kindOf(l)]
	p := &jamf.Page{Total: len(ids), Version: "v2", Rows: []jamf.Row{}}
	for _, id := range ids[min(page*size, len(ids)):min((page+1)*size, len(ids))] {
		raw := s.body(kindOf(l), id)
		if l == jamf.MobilePlain {
			raw = light(id)
		}
		p.Rows = append(p.Rows, jamf.Row{Raw: raw})
	}
	return p
}

func (s *script) Record(_ context.Context, l jamf.List, _ []string, id int64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, id)
	if s.record != nil {
		if raw, err := s.record(id); raw != nil || err != nil {
			return raw, err
		}
	}
	if slices.Contains(s.ids[kindOf(l)], id) || s.hidden[id] {
		return s.body(kindOf(l), id), nil
	}
	return nil, &jamf.Error{Kind: jamf.ErrNotFound, Status: 404, Code: "not_found"}
}

// remove takes a device out of the lists.
func (s *script) remove(k device.Kind, id int64) {
	s.ids[k] = slices.DeleteFunc(s.ids[k], func(have int64) bool { return have == id })
}

// house is a store and a running syncer over a script, inside a bubble. It can be stopped and started on the same data.
type house struct {
	t      *testing.T
	dir    string
	jamf   *script
	source syncer.Source
	store  *cache.Store
	syncer *syncer.Syncer
	meters *metric.ManualReader
	logs   strings.Builder
	free   func(string) (int64, error) // of the disk, nil = as it is
	disk   *cache.Disk
	now    func() time.Time // nil = the clock of the bubble
	stop   func()
}

// bubble runs f in a bubble with a house of the given kinds over jamf; nothing is started yet.
func bubble(t *testing.T, jamf *script, kinds []device.Kind, f func(h *house)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		profile, _ := device.BuiltinProfile("minimal")
		h := &house{t: t, dir: dir, jamf: jamf, source: syncer.Source{
			Name: "a", Kinds: kinds, Profile: profile, WarmProfiles: []*device.Profile{profile}, Interval: 24 * time.Hour, PageSize: 60,
			NewWalk: func() syncer.Walk { return jamf },
		}}
		h.stop = func() {}
		defer func() { h.stop() }()
		f(h)
	})
}

// open opens the store and makes the syncer without running it.
func (h *house) open(jitter time.Duration) {
	h.t.Helper()
	h.meters = metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(h.meters))
	var err error
	h.store, err = cache.Open(context.Background(), cache.Options{
		Dir: h.dir, MaxBytes: 4 << 20, Keep: 3, MeterProvider: provider, Free: h.free, Disk: h.disk,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.syncer, err = syncer.New(syncer.Options{
		Store: h.store, Dir: filepath.Join(h.dir, ".schedule"), Sources: []syncer.Source{h.source}, StartJitter: jitter,
		Logger: slog.New(slog.NewTextHandler(&h.logs, nil)), TracerProvider: tracenoop.NewTracerProvider(), MeterProvider: provider, Now: h.now,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.stop = sync.OnceFunc(func() { _ = h.store.Close() })
}

// start opens and runs; what is due has ended when it returns, pauses aside.
func (h *house) start() {
	h.t.Helper()
	h.open(-1)
	h.run()
}

// run is start without open.
func (h *house) run() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.syncer.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Errorf("run: %v", err)
		}
		_ = h.store.Close()
	})
	synctest.Wait()
}

// sync asks for a sync and waits for its end, pauses aside.
func (h *house) sync() {
	h.t.Helper()
	if err := h.syncer.SyncNow("a"); err != nil {
		h.t.Fatal(err)
	}
	synctest.Wait()
}

// status is that of one kind.
func (h *house) status(k device.Kind) syncer.KindStatus {
	h.t.Helper()
	all := h.syncer.Status()[0].Kinds
	at := slices.IndexFunc(all, func(st syncer.KindStatus) bool { return st.Kind == k })
	return all[at]
}

// mustBe holds the state of a kind.
func (h *house) mustBe(k device.Kind, state, result, code string) {
	h.t.Helper()
	if st := h.status(k); st.State != state || st.LastResult != result || st.ErrorCode != code || st.Syncing {
		h.t.Fatalf("%s is %s, last sync %q %q (%s), syncing %t; want %s, %q, %q\n%s", k, st.State, st.LastResult, st.ErrorCode, st.ErrorDetail,
			st.Syncing, state, result, code, h.logs.String())
	}
}

// served is the generation that is served, released at once: for its description.
func (h *house) served(k device.Kind) cache.Info {
	h.t.Helper()
	g, err := h.store.Acquire(cache.Series{Source: "a", Kind: k})
	if err != nil {
		h.t.Fatal(err)
	}
	defer g.Release()
	return g.Info()
}

// ids are those that are served.
func (h *house) ids(k device.Kind) []int64 {
	h.t.Helper()
	g, err := h.store.Acquire(cache.Series{Source: "a", Kind: k})
	if err != nil {
		h.t.Fatal(err)
	}
	defer g.Release()
	ids, err := g.IDs(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return ids
}

// kept is the record that is served, with its state.
func (h *house) kept(k device.Kind, id int64) cache.Record {
	h.t.Helper()
	return h.record(k, id, h.served(k).Number)
}

// before is the record in the generation before.
func (h *house) before(k device.Kind, id int64) cache.Record {
	h.t.Helper()
	return h.record(k, id, h.served(k).Parent)
}

func (h *house) record(k device.Kind, id int64, number uint64) cache.Record {
	h.t.Helper()
	g, err := h.store.AcquireNumber(cache.Series{Source: "a", Kind: k}, number)
	if err != nil {
		h.t.Fatal(err)
	}
	defer g.Release()
	r, err := g.Get(h.t.Context(), id)
	if err != nil {
		h.t.Fatalf("%s %d: %v", k, id, err)
	}
	return r
}

// metric sums a gauge.
func (h *house) metric(name string) (sum float64) {
	h.t.Helper()
	var all metricdata.ResourceMetrics
	if err := h.meters.Collect(h.t.Context(), &all); err != nil {
		h.t.Fatal(err)
	}
	for _, sm := range all.ScopeMetrics {
		for _, m := range sm.Metrics {
			if d, ok := m.Data.(metricdata.Gauge[int64]); ok && m.Name == name {
				for _, p := range d.DataPoints {
					sum += float64(p.Value)
				}
			}
		}
	}
	return sum
}
