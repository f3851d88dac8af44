package server_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// settings are those of the world, changed; Control then speaks of the sources that are left.
func (w *world) settings(change func(*server.Settings)) server.Settings {
	s := w.o.Settings
	change(&s)
	h := &house{report: passed()}
	for _, st := range w.house.Status() {
		for _, src := range s.Sources {
			if st.Default = src.Default; st.Name == src.Name {
				h.sources = append(h.sources, st)
			}
		}
	}
	s.Control = h
	return s
}

// narrowed names another default source, and shows the client "all" one source and little of it.
func (w *world) narrowed() server.Settings {
	return w.settings(func(s *server.Settings) {
		names, err := device.NewProfile("names", nil, []string{"name", "identity.jamfId", "identity.serialNumber"})
		if err != nil {
			w.t.Fatal(err)
		}
		both := []device.Kind{device.Computer, device.Mobile}
		s.Sources = []server.SourceOptions{{Name: "schule-a", Kinds: both, Profile: full(w.t)}, {Name: "schule-b", Default: true, Kinds: both, Profile: full(w.t)}}
		s.Clients = []server.ClientOptions{{ID: "all", Secrets: [][32]byte{sum("all")}, Sources: []string{"schule-b"}, Profile: names}}
	})
}

// TestEachAnswerIsWhollyByOneOfTwoSettingsWhileTheyAreSwapped flips 200 times under 48 readers, as one client may have at once with room to spare: none is refused, and none
// sees a mixture; who asks after a swap is answered by what was applied.
func TestEachAnswerIsWhollyByOneOfTwoSettingsWhileTheyAreSwapped(t *testing.T) {
	readers, flips := server.ClientRequests*3/4, 200
	if raceEnabled { // 20 times slower: 200 flips are the share of the plain run
		flips = 12
	}
	w := newWorld(t)
	w.publishAll(20)
	w.http.Transport.(*http.Transport).MaxIdleConnsPerHost = readers + 1
	token := w.token("all")
	paths := []string{
		"/v1/devices?limit=5", "/v1/sources", "/v1/health", "/v1/devices/schule-b:computer:3",
		"/api/v1/computers-inventory?section=GENERAL&section=USER_AND_LOCATION&page=0&page-size=5", "/api/v2/mobile-devices?page=0&page-size=3", // a later page would be of a walk that ends
	}
	both := [2]server.Settings{w.settings(func(*server.Settings) {}), w.narrowed()}
	var wanted [2][]string
	for i := range both {
		if err := w.server.Apply(both[i]); err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			status, body := w.ask(path, token, false)
			if status != http.StatusOK {
				t.Fatalf("%s: %d %s", path, status, clipped(body))
			}
			wanted[i] = append(wanted[i], string(body))
		}
	}
	for i, path := range paths {
		if wanted[0][i] == wanted[1][i] {
			t.Fatalf("%s is the same by both settings", path)
		}
	}
	var group sync.WaitGroup
	var done atomic.Bool
	var by [2]atomic.Int64
	for reader := range readers {
		group.Go(func() {
			for i := reader; !done.Load() && !t.Failed(); i++ {
				at := i % len(paths)
				status, body := w.ask(paths[at], token, false)
				switch {
				case status == http.StatusOK && string(body) == wanted[0][at]:
					by[0].Add(1)
				case status == http.StatusOK && string(body) == wanted[1][at]:
					by[1].Add(1)
				default:
					t.Errorf("%s is answered by neither: %d %s", paths[at], status, clipped(body))
				}
			}
		})
	}
	for i := range flips {
		if err := w.server.Apply(both[i%2]); err != nil {
			t.Error(err)
		}
		if _, body := w.ask(paths[i%len(paths)], token, false); string(body) != wanted[i%2][i%len(paths)] {
			t.Errorf("after swap %d %s is answered by what was before: %s", i, paths[i%len(paths)], clipped(body))
			break
		}
	}
	done.Store(true)
	group.Wait()
	if by[0].Load() == 0 || by[1].Load() == 0 {
		t.Errorf("answers by the first settings: %d, by the second: %d", by[0].Load(), by[1].Load())
	}
}

// TestWhoIsRemovedFromTheSettingsIsOut: his tokens and his runs end with the swap, those of others go on.
func TestWhoIsRemovedFromTheSettingsIsOut(t *testing.T) {
	w := newWorld(t)
	w.publishAll(10)
	tokens := map[string]string{}
	for _, client := range []string{"all", "only-a", "only-b"} {
		tokens[client] = w.token(client)
		if status, body := w.ask("/v1/devices?limit=2", tokens[client], false); status != http.StatusOK {
			t.Fatalf("%s: %d %s", client, status, body)
		}
	}
	if _, generations := w.server.HeldRuns(); generations != 8 {
		t.Fatalf("%d generations are held, want 4 of all and 2 of each other", generations)
	}
	var cursor struct {
		NextCursor string `json:"nextCursor"`
	}
	w.get("all", "/v1/devices?limit=2").decode(t, &cursor)
	err := w.server.Apply(w.settings(func(s *server.Settings) {
		s.Sources = s.Sources[:1] // schule-b is gone
		s.Clients = []server.ClientOptions{
			{ID: "all", Secrets: [][32]byte{sum("all")}},
			{ID: "only-a", Secrets: [][32]byte{sum("another secret")}, Sources: []string{"schule-a"}},
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	if _, generations := w.server.HeldRuns(); generations != 4 {
		t.Errorf("%d generations are held, want 2 of all and 2 of only-a", generations)
	}
	for client, want := range map[string]int{"all": http.StatusOK, "only-a": http.StatusUnauthorized, "only-b": http.StatusUnauthorized} {
		if status, body := w.ask("/v1/devices?limit=2", tokens[client], false); status != want {
			t.Errorf("%s: %d, want %d: %s", client, status, want, body)
		}
	}
	if r := w.get("all", "/v1/devices?limit=2&cursor="+cursor.NextCursor); r.status != http.StatusGone {
		t.Errorf("a walk that was begun over two sources goes on over one: %s", r)
	}
	for _, path := range []string{"/v1/devices/schule-b:computer:1", "/v1/sources/schule-b"} {
		if r := w.get("all", path); r.status != http.StatusNotFound {
			t.Errorf("%s: %s", path, r)
		}
	}
	if r := w.get("all", "/jamf/schule-b/api/v1/computers-inventory"); r.status != http.StatusUnauthorized {
		t.Errorf("the façade of a source that is gone: %s", r)
	}
}

// TestSettingsThatAreRefusedChangeNothing holds every reason for which they are.
func TestSettingsThatAreRefusedChangeNothing(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	before := w.get("all", "/v1/devices").String()
	bad := map[string]func(*server.Settings){
		"control is missing":         func(s *server.Settings) { s.Control = nil },
		"is configured twice":        func(s *server.Settings) { s.Clients = append(s.Clients, s.Clients[0]) },
		"names the unknown source":   func(s *server.Settings) { s.Sources = s.Sources[:1] },
		"max page size -1":           func(s *server.Settings) { s.MaxPageSize = -1 },
		"max stale -1h0m0s":          func(s *server.Settings) { s.MaxStale = -time.Hour },
		"2 default sources":          func(s *server.Settings) { s.Sources = twoDefaults(s.Sources) },
		`host "jamf.example.org" be`: func(s *server.Settings) { s.Sources = oneHost(s.Sources) },
	}
	for text, change := range bad {
		s := w.o.Settings
		change(&s)
		if err := w.server.Apply(s); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error is %v", text, err)
		}
		if after := w.get("all", "/v1/devices").String(); after != before {
			t.Errorf("%s: the list is now %s", text, after)
		}
	}
}

func twoDefaults(in []server.SourceOptions) (out []server.SourceOptions) {
	for _, src := range in {
		src.Default = true
		out = append(out, src)
	}
	return out
}

func oneHost(in []server.SourceOptions) (out []server.SourceOptions) {
	for _, src := range in {
		src.Hosts = []string{"jamf.example.org"}
		out = append(out, src)
	}
	return out
}

// TestALargerPageIsServedOnceTheSettingsAllowIt: limits of requests follow the settings too.
func TestALargerPageIsServedOnceTheSettingsAllowIt(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.MaxPageSize = 2 })
	w.publishAll(5)
	ask := func() int { return w.get("all", "/api/v1/computers-inventory?page=0&page-size=4").status }
	if got := ask(); got != http.StatusBadRequest {
		t.Fatalf("a page of 4 with at most 2: %d", got)
	}
	if err := w.server.Apply(w.settings(func(s *server.Settings) { s.MaxPageSize = 4 })); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != http.StatusOK {
		t.Errorf("a page of 4 with at most 4: %d", got)
	}
	w.clock.Add(2 * time.Hour)
	if err := w.server.Apply(w.settings(func(s *server.Settings) { s.MaxStale = time.Hour })); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != http.StatusServiceUnavailable {
		t.Errorf("data of 2 h with max_stale 1h: %d", got)
	}
}
