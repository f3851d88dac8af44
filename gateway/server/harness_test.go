package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
	"jamf-gateway/gateway/usage"
)

// start is when the tests begin; their clock moves only when told to.
var start = time.Date(2026, 11, 23, 4, 12, 9, 0, time.UTC)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// house is a Control that says what a test wants.
type house struct {
	mu      sync.Mutex
	sources []server.SourceStatus
	told    int // of them, in all answers of Status
	syncs   []string
	syncErr error
	acts    []string // approvals and expectations
	report  server.TestReport
	testErr error
	begun   chan struct{} // when set: a test says that it has begun, and waits until it may end
	mayEnd  chan struct{}
	hold    func() // when set: a test waits in it
}

func (h *house) Status(names ...string) []server.SourceStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Clone(h.sources)
	for i := range all {
		all[i].Kinds = slices.Clone(all[i].Kinds)
	}
	if len(names) == 0 {
		h.told += len(all)
		return all
	}
	var out []server.SourceStatus
	for _, name := range names {
		for _, st := range all {
			if st.Name == name {
				out = append(out, st)
			}
		}
	}
	h.told += len(out)
	return out
}

func (h *house) statusesTold() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.told
}

func (h *house) SyncNow(source string, kinds ...device.Kind) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, k := range kinds {
		source += " " + string(k)
	}
	h.syncs = append(h.syncs, source)
	return h.syncErr
}

func (h *house) Approve(_ context.Context, source, digest, by string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acts = append(h.acts, fmt.Sprintf("approve %s %s by %q", source, digest, by))
	return h.syncErr
}

func (h *house) Expect(_ context.Context, source string, removals int, until time.Time, by string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acts = append(h.acts, fmt.Sprintf("expect %s %d %s by %q", source, removals, until.Format(time.RFC3339), by))
	return h.syncErr
}

func (h *house) PurgeSource(_ context.Context, source, by string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acts = append(h.acts, fmt.Sprintf("purge %s by %q", source, by))
	return h.syncErr
}

func (h *house) PurgeDevice(_ context.Context, source string, k device.Kind, id int64, by string) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acts = append(h.acts, fmt.Sprintf("purge %s by %q", device.UID(source, k, id), by))
	return source == "schule-a", h.syncErr
}

func (h *house) Reload(context.Context) (server.Taken, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acts = append(h.acts, "reload")
	return server.Taken{Added: []string{"neu"}, Changed: []string{}, Restart: []string{"listen"}}, h.syncErr
}

func (h *house) Remove(_ context.Context, source string) (server.Removed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acts = append(h.acts, "remove "+source)
	return server.Removed{Devices: 12, Clients: []string{"all", "only-a"}, Taken: server.Taken{Added: []string{}, Changed: []string{"schule-b"}, Restart: []string{}}}, h.syncErr
}

func (h *house) Test(context.Context, string) (server.TestReport, error) {
	if h.begun != nil {
		close(h.begun)
		<-h.mayEnd
	}
	if h.hold != nil {
		h.hold()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.report, h.testErr
}

// passed is the report of a connection test that found nothing.
func passed() server.TestReport {
	return server.TestReport{
		OK: true, Source: "schule-a", StartedAt: start, Steps: []server.TestStep{{Name: "url", Result: "ok"}},
		RightsPresent: []string{"Read Computers", "Read Mobile Devices"}, RightsMissing: []string{}, RightsSurplus: []string{},
	}
}

// source changes what is said of one source.
func (h *house) source(name string, change func(*server.SourceStatus)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.sources {
		if h.sources[i].Name == name {
			change(&h.sources[i])
		}
	}
}

// state sets the state of one kind of one source.
func (h *house) state(name string, k device.Kind, state, reason string) {
	h.source(name, func(s *server.SourceStatus) {
		for i := range s.Kinds {
			if s.Kinds[i].Kind == k {
				s.Kinds[i].State, s.Kinds[i].Reason = state, reason
			}
		}
	})
}

// world is a server over real sockets, its store, its house and its clock.
type world struct {
	t      testing.TB
	clock  *clock
	house  *house
	store  *cache.Store
	server *server.Server
	base   string // http://127.0.0.1:port of the public door
	admin  string
	http   *http.Client
	dir    string
	o      server.Options
	older  bool          // publishes as releases did that knew no facts
	mapped int           // mapping version of what is published; 0 = today's
	terms  []string      // what the filters of clients ask for
	sites  *device.Names // of Jamf, as a term of a mobile device wants them
}

// adminToken opens the admin door of the tests.
const adminToken = "jga_of-the-tests"

// secretOf is the secret of every client of the tests.
func secretOf(client string) string { return client + "-secret" }

// option changes the options before the server is built.
type option func(*server.Options)

func full(t testing.TB) *device.Profile {
	t.Helper()
	p, ok := device.BuiltinProfile("full")
	if !ok {
		t.Fatal("there is no profile full")
	}
	return p
}

// newWorld starts a server with the sources schule-a (default) and schule-b, both kinds, and the clients "all",
// "only-a" and "only-b". Nothing is stored yet.
func newWorld(t testing.TB, options ...option) *world {
	t.Helper()
	return newWorldOn(t, nil, options...)
}

// newWorldOn is newWorld on a disk that can fail.
func newWorldOn(t testing.TB, disk *cache.Disk, options ...option) *world {
	t.Helper()
	w := newWorldWithoutDoorsOn(t, disk, options...)
	w.open()
	return w
}

// newWorldWithoutDoors is the same for who opens the doors.
func newWorldWithoutDoors(t testing.TB, options ...option) *world {
	t.Helper()
	return newWorldWithoutDoorsOn(t, nil, options...)
}

func newWorldWithoutDoorsOn(t testing.TB, disk *cache.Disk, options ...option) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: start}, house: &house{report: passed()}, dir: t.TempDir()}
	var err error
	w.store, err = cache.Open(t.Context(), cache.Options{
		Dir: w.dir, MaxBytes: 64 << 20, Keep: 3, Logger: slog.New(slog.DiscardHandler), Now: w.clock.Now, Disk: disk,
	})
	if err != nil {
		t.Fatal(err)
	}
	both := []device.Kind{device.Computer, device.Mobile}
	o := server.Options{
		Settings: server.Settings{Control: w.house},
		Store:    w.store, SealingKey: sha256.Sum256([]byte("sealing")), Version: "1.2.3", Now: w.clock.Now,
		Patience: -1, Logger: slog.New(slog.DiscardHandler),
		AdminToken: func() string { return adminToken },
		Metrics:    http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "up 1\n") }),
	}
	o.Sources = []server.SourceOptions{
		{Name: "schule-a", Default: true, Kinds: both, Profile: full(t)},
		{Name: "schule-b", Kinds: both, Profile: full(t)},
	}
	for id, sources := range map[string][]string{"all": nil, "only-a": {"schule-a"}, "only-b": {"schule-b"}} {
		o.Clients = append(o.Clients, server.ClientOptions{
			ID: id, Secrets: [][32]byte{sha256.Sum256([]byte(secretOf(id)))}, Sources: sources,
		})
	}
	for _, change := range options {
		change(&o)
	}
	ids := []string{}
	for _, c := range o.Clients {
		ids = append(ids, c.ID)
	}
	if o.Usage, err = usage.New(usage.Options{Clients: ids, Fields: device.FieldWords(), Now: w.clock.Now}); err != nil {
		t.Fatal(err)
	}
	for _, src := range o.Sources {
		st := server.SourceStatus{
			Name: src.Name, Default: src.Default, Token: "valid", Breaker: "closed", JamfVersion: "11.30.2-t1",
			Rights: []string{"Read Computers", "Read Mobile Devices"},
		}
		for _, k := range src.Kinds {
			st.Kinds = append(st.Kinds, server.KindStatus{Kind: k, State: "never_synced"})
		}
		w.house.sources = append(w.house.sources, st)
	}
	if w.server, err = server.New(o); err != nil {
		t.Fatal(err)
	}
	w.o = o
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return w
}

// restart builds a second server on the same store, with the time of the first.
func (w *world) restart(t testing.TB, change option) *world {
	t.Helper()
	again := &world{t: t, clock: &clock{now: w.clock.Now()}, house: w.house, dir: w.dir, store: w.store, o: w.o}
	again.o.Now = again.clock.Now
	change(&again.o)
	var err error
	if again.server, err = server.New(again.o); err != nil {
		t.Fatal(err)
	}
	again.open()
	return again
}

// open serves both doors until the test ends.
func (w *world) open() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	listen := func() net.Listener {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			w.t.Fatal(err)
		}
		return ln
	}
	public, admin := listen(), listen()
	w.base, w.admin = "http://"+public.Addr().String(), "http://"+admin.Addr().String()
	w.http = &http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{DialContext: onlyThese(public.Addr().String(), admin.Addr().String()), DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for name, run := range map[string]func() error{
		"public": func() error { return w.server.ServePublic(ctx, public) },
		"admin":  func() error { return w.server.ServeAdmin(ctx, admin) },
		"run":    func() error { return w.server.Run(ctx) },
	} {
		group.Go(func() {
			if err := run(); err != nil {
				w.t.Errorf("%s: %v", name, err)
			}
		})
	}
	w.t.Cleanup(func() {
		w.http.CloseIdleConnections()
		cancel()
		group.Wait()
		if runs, generations := w.server.HeldRuns(); runs != 0 || generations != 0 {
			w.t.Errorf("after the end %d runs hold %d generations", runs, generations)
		}
	})
}

// onlyThese refuses to dial anything that the test did not open.
func onlyThese(addresses ...string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if !slices.Contains(addresses, address) {
			return nil, errors.New("stray dial to " + address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
}

// computer is a computer as Jamf sends it.
func computer(id int, serial, name string) string {
	return fmt.Sprintf(`{"id":"%d","udid":"UDID-%d","general":{"name":%q,"platform":"Mac","assetTag":"A%d",`+
		`"remoteManagement":{"managed":true},"lastContact":"2026-11-20T10:00:00Z","reportDate":"2026-11-20T09:00:00Z"},`+
		`"hardware":{"make":"Apple","model":"MacBook Pro","modelIdentifier":"Mac15,3","serialNumber":%q,"totalRamMegabytes":16384},`+
		`"operatingSystem":{"name":"macOS","version":"15.5","build":"24F74"},`+
		`"userAndLocation":{"username":"user%d","email":"user%d@example.org"}}`, id, id, name, id, serial, id, id)
}

// mobile is a mobile device as Jamf sends it in the detail list.
func mobile(id int, serial, name string) string {
	return fmt.Sprintf(`{"mobileDeviceId":"%d","deviceType":"iOS","general":{"udid":"MUDID-%d","displayName":%q,"osVersion":"18.5",`+
		`"managed":true,"supervised":true,"lastInventoryUpdateDate":"2026-11-20T09:00:00Z","managementId":"m-%d"},`+
		`"hardware":{"serialNumber":%q,"model":"iPad (9th generation)","modelIdentifier":"iPad12,1","wifiMacAddress":"00:11:22:33:44:55"},`+
		`"userAndLocation":{"username":"kid%d","emailAddress":"kid%d@example.org"}}`, id, id, name, id, serial, id, id)
}

// fleet is id -> record as Jamf sends it.
type fleet map[int]string

// computers is a fleet with ids from..to and serial numbers that begin with prefix.
func computers(prefix string, from, to int) fleet {
	f := fleet{}
	for id := from; id <= to; id++ {
		f[id] = computer(id, fmt.Sprintf("%s%04d", prefix, id), fmt.Sprintf("mac %d", id))
	}
	return f
}

// mobiles is the same for mobile devices.
func mobiles(prefix string, from, to int) fleet {
	f := fleet{}
	for id := from; id <= to; id++ {
		f[id] = mobile(id, fmt.Sprintf("%s%04d", prefix, id), fmt.Sprintf("ipad %d", id))
	}
	return f
}

// publish makes a fleet the current generation of a series, and the series fresh.
func (w *world) publish(source string, k device.Kind, f fleet, flagged ...cache.Quarantine) {
	w.t.Helper()
	w.publishOnly(source, k, f, flagged...)
	w.house.state(source, k, "fresh", "")
}

func (w *world) publishOnly(source string, k device.Kind, f fleet, flagged ...cache.Quarantine) {
	w.t.Helper()
	ctx := w.t.Context()
	q := cache.Series{Source: source, Kind: k}
	draft := cache.Draft{
		Series: q, SourceEpoch: "e", MappingVersion: device.MappingVersion, ProfileDigest: full(w.t).Digest(), ProfileName: "full",
		ProfilePaths: full(w.t).Paths(k), Terms: w.terms,
		JamfVersion: "11.30.2-t1", Upstream: "v4", Started: w.clock.Now(),
	}
	if w.mapped != 0 {
		draft.MappingVersion = w.mapped
	}
	if w.older {
		draft.ProfilePaths = nil
	}
	if k == device.Mobile {
		draft.Upstream = "v2"
	}
	if g, err := w.store.Acquire(q); err == nil {
		draft.Parent = g.Info().Number
		g.Release()
	}
	b, err := w.store.Begin(ctx, draft)
	if err != nil {
		w.t.Fatal(err)
	}
	defer b.Abort()
	for id, record := range f {
		cut, err := full(w.t).Cut(k, nil, []byte(record))
		if err != nil {
			w.t.Fatal(err)
		}
		columns, err := device.ColumnsOf(k, b.Columns(), cut)
		if err != nil {
			w.t.Fatal(err)
		}
		if columns.Terms, err = device.NewTermReader(k, w.terms, w.sites).Of([]byte(record)); err != nil {
			w.t.Fatal(err)
		}
		if err := b.Put(ctx, int64(id), cut, columns, "present"); err != nil {
			w.t.Fatal(err)
		}
	}
	candidate, err := b.Finish(ctx, cache.Outcome{Ended: w.clock.Now(), ReportedTotal: len(f), ConfirmedEmpty: len(f) == 0, Quarantined: flagged})
	if err != nil {
		w.t.Fatal(err)
	}
	g, err := w.store.Publish(ctx, candidate)
	if err != nil {
		w.t.Fatal(err)
	}
	g.Release()
}

// publishAll fills both sources with n computers and n mobile devices each.
func (w *world) publishAll(n int) {
	w.t.Helper()
	w.publish("schule-a", device.Computer, computers("AC", 1, n))
	w.publish("schule-a", device.Mobile, mobiles("AM", 1, n))
	w.publish("schule-b", device.Computer, computers("BC", 1, n))
	w.publish("schule-b", device.Mobile, mobiles("BM", 1, n))
}

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) String() string { return fmt.Sprintf("%d %s", r.status, clipped(r.body)) }

func clipped(b []byte) string {
	if len(b) > 600 {
		return string(b[:600]) + "..."
	}
	return string(b)
}

// decode reads a JSON body.
func (r reply) decode(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal(r.body, into); err != nil {
		t.Fatalf("decode %s: %v", r, err)
	}
}

// do sends a request; header is name, value, name, value. The admin door is asked with its token unless an Authorization is given; an
// empty one sends none.
func (w *world) do(method, address, body string, header ...string) reply {
	w.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	rq, err := http.NewRequestWithContext(w.t.Context(), method, address, reader)
	if err != nil {
		w.t.Fatal(err)
	}
	if strings.HasPrefix(address, w.admin+"/") {
		rq.Header.Set("Authorization", "Bearer "+adminToken)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if strings.EqualFold(header[i], "Host") {
			rq.Host = header[i+1]
			continue
		}
		if rq.Header.Set(header[i], header[i+1]); header[i+1] == "" {
			rq.Header.Del(header[i])
		}
	}
	rs, err := w.http.Do(rq)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rs.Body.Close()
	read, err := io.ReadAll(rs.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	r := reply{rs.StatusCode, rs.Header, read}
	w.described(method, address, r)
	return r
}

// token fetches a token for a client.
func (w *world) token(client string) string {
	w.t.Helper()
	form := url.Values{"client_id": {client}, "client_secret": {secretOf(client)}, "grant_type": {"client_credentials"}}
	r := w.do(http.MethodPost, w.base+"/api/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	r.decode(w.t, &answer)
	if r.status != http.StatusOK || answer.AccessToken == "" {
		w.t.Fatalf("token of %s: %s", client, r)
	}
	return answer.AccessToken
}

// get asks as a client.
func (w *world) get(client, path string, header ...string) reply {
	w.t.Helper()
	return w.do(http.MethodGet, w.base+path, "", append([]string{"Authorization", "Bearer " + w.token(client)}, header...)...)
}

// list is the normalized list.
type list struct {
	Complete       bool    `json:"complete"`
	Stale          bool    `json:"stale"`
	AsOf           *string `json:"asOf"`
	ConfirmedEmpty bool    `json:"confirmedEmpty"`
	Sources        []struct {
		Name        string  `json:"name"`
		Kind        string  `json:"kind"`
		State       string  `json:"state"`
		Reason      *string `json:"reason"`
		AsOf        *string `json:"asOf"`
		Generation  *uint64 `json:"generation"`
		Count       *int    `json:"count"`
		Quarantined *int    `json:"quarantined"`
	} `json:"sources"`
	Items []struct {
		UID  string `json:"uid"`
		Sync struct {
			DuplicateOf *[]string `json:"duplicateOf"`
		} `json:"sync"`
	} `json:"items"`
	NextCursor *string `json:"nextCursor"`
}

func (l list) uids() []string {
	out := []string{}
	for _, it := range l.Items {
		out = append(out, it.UID)
	}
	return out
}

// devices asks for one page and expects it.
func (w *world) devices(client, query string) list {
	w.t.Helper()
	r := w.get(client, "/v1/devices"+query)
	if r.status != http.StatusOK {
		w.t.Fatalf("GET /v1/devices%s: %s", query, r)
	}
	var l list
	r.decode(w.t, &l)
	return l
}

// code is the stable code of a problem, of an envelope or of an OAuth error.
func (r reply) code(t testing.TB) string {
	t.Helper()
	var p struct {
		Code   string `json:"code"`
		Error  string `json:"error"`
		Errors []struct {
			Code        string `json:"code"`
			Description string `json:"description"`
		} `json:"errors"`
	}
	if !bytes.HasPrefix(bytes.TrimSpace(r.body), []byte("{")) {
		return ""
	}
	r.decode(t, &p)
	switch {
	case p.Code != "":
		return p.Code
	case p.Error != "":
		return p.Error
	case len(p.Errors) == 1:
		_, code, ok := strings.Cut(strings.TrimSuffix(p.Errors[0].Description, "]"), "[")
		if !ok {
			return p.Errors[0].Code
		}
		return code
	}
	return ""
}

// want checks status and code at once.
func (w *world) want(r reply, status int, code string) {
	w.t.Helper()
	if r.status != status || r.code(w.t) != code {
		w.t.Errorf("want %d %s, got %s", status, code, r)
	}
}

// lockedBuffer takes log lines of several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// sum is the hash of a test client's secret.
func sum(client string) [32]byte { return sha256.Sum256([]byte(secretOf(client))) }
