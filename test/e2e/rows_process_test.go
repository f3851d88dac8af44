//go:build e2e

package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jamf-gateway/test/fakejamf"
)

func aloneRows() map[string]func(*board) {
	return map[string]func(*board){
		"C7": func(b *board) { rowAlone(b, hugeAnswers()) },
		"C8": func(b *board) { rowAlone(b, encodedAnswers()) },
	}
}

// newVictim is the real binary before a Jamf, not started; source is further settings of the source, settings of all.
func newVictim(t *testing.T, jamf http.Handler, source, settings string) *victim {
	t.Helper()
	upstream := httptest.NewServer(jamf)
	t.Cleanup(upstream.Close)
	v := &victim{t: t, bin: program(t), listen: unusedAddress(t), admin: unusedAddress(t), syncs: 200 * time.Millisecond}
	v.settings = filepath.Join(t.TempDir(), "gateway.yaml")
	write(t, v.settings, fmt.Sprintf(`
listen: %s
admin_listen: %s
%s
sources:
  - name: a
    url: %s/api
    client_id: gw
    client_secret: env:JAMF_SECRET
    allow_insecure_loopback: true
    kinds: [computer]
%s
clients:
  - id: i360
    secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]
`, v.listen, v.admin, settings, upstream.URL, source)) // SHA-256 of "secret"
	t.Cleanup(func() {
		if v.cmd != nil {
			_ = v.cmd.Process.Kill()
		}
	})
	return v
}

// synced waits for the end of a sync that began after the one before.
func (v *victim) synced(before kindState) kindState {
	v.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; <-time.After(20 * time.Millisecond) {
		k := v.computers()
		if !k.Syncing && k.LastAttempt != nil && (before.LastAttempt == nil || k.LastAttempt.After(*before.LastAttempt)) {
			return k
		}
		if time.Now().After(deadline) {
			v.t.Fatalf("no sync ends: %+v", k)
		}
	}
}

func (v *victim) sync() kindState {
	v.t.Helper()
	before := v.computers()
	var accepted struct{ Status string }
	v.ask(http.MethodPost, "http://"+v.admin+"/v1/admin/sources/a/sync", "", &accepted)
	return v.synced(before)
}

// ended sends SIGTERM and tells how long the end took.
func (v *victim) ended() time.Duration {
	v.t.Helper()
	began := time.Now()
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		v.t.Fatal(err)
	}
	kill := time.AfterFunc(time.Minute, func() { _ = v.cmd.Process.Kill() })
	defer kill.Stop()
	if err := v.cmd.Wait(); err != nil {
		v.t.Errorf("the gateway ended with %v", err)
	}
	return time.Since(began)
}

func (v *victim) memory(word string) int { return memoryOf(v.t, strconv.Itoa(v.cmd.Process.Pid), word) }

// rowAlone holds the memory of the gateway by itself while Jamf answers with what wants much: what it has without, and 64 MiB;
// where records fill a page, that page twice as well.
func rowAlone(b *board, answers map[string]func(http.ResponseWriter)) {
	bend := &bender{next: fakejamf.New(fakejamf.Options{Computers: 200, Seed: 7, ClientID: "gw", ClientSecret: jamfSecret, Faults: rough()})}
	v := newVictim(b.T, bend, "    limits: {connections: 2, requests_per_second: 50}", "")
	v.start()
	v.synced(kindState{})
	v.ended()
	worst, most, idle := "", 0, 0
	for name, answer := range answers {
		v.start()
		if k := v.sync(); k.LastResult != "ok" {
			b.wrong("alone, before %s: %s", name, k.LastResult)
		}
		quiet := v.memory("VmRSS:")
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", v.cmd.Process.Pid), []byte("5"), 0)
		bend.to(func(w http.ResponseWriter, r *http.Request) bool {
			if isPage(r) {
				answer(w)
			}
			return isPage(r)
		})
		k := v.sync()
		if k.LastResult == "ok" && len(v.names()) != 200 {
			b.wrong("alone, %s: published, and devices are missing", name)
		}
		more := v.memory("VmHWM:") - quiet
		if more > most {
			worst, most = name, more
		}
		idle = max(idle, quiet)
		bar := 64
		if name == manyLong {
			bar += 2 * 64 // the records of a whole page, and as much again before the collector comes
		}
		if more > bar {
			b.wrong("alone, %s: %d MiB more than the %d of before", name, more, quiet)
		}
		bend.to(nil)
		v.ended()
	}
	if b.score.Note != "" {
		b.score.Note += "; "
	}
	b.score.Note += fmt.Sprintf("the gateway alone: %d MiB, at most %d more (%s)", idle, most, worst)
}

// reads tells what 99 of 100 reads took at most.
func (v *victim) reads(n int) (p99 time.Duration) {
	v.t.Helper()
	token := v.token()
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		var list struct{ Items []struct{ UID string } }
		v.ask(http.MethodGet, "http://"+v.listen+"/v1/devices?limit=100", token, &list)
		took[i] = time.Since(began)
		if len(list.Items) != 100 {
			v.t.Errorf("a list of %d", len(list.Items))
		}
	}
	slices.Sort(took)
	return took[n*99/100]
}

// rowMuteLog: the log goes into a full pipe, and the collector of telemetry is away, never answers, or answers without end. Reads take
// as long as ever and syncs end.
func rowMuteLog(b *board) {
	jamf := fakejamf.New(fakejamf.Options{Computers: 200, Seed: 7, ClientID: "gw", ClientSecret: jamfSecret, Faults: rough()})
	v := newVictim(b.T, jamf, "    limits: {connections: 2, requests_per_second: 50}", "telemetry: {log_level: debug}")
	v.start()
	v.synced(kindState{})
	well := v.reads(500)
	v.ended()

	gone := make(chan struct{})
	b.Cleanup(func() { close(gone) })
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-gone:
		case <-r.Context().Done():
		}
	}))
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-protobuf")
		for piece := make([]byte, 1<<20); ; {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}))
	b.Cleanup(func() { hangs.CloseClientConnections(); endless.CloseClientConnections() })
	var worst time.Duration
	for name, collector := range map[string]string{"away": "http://" + unusedAddress(b.T), "mute": hangs.URL, "endless": endless.URL} {
		r, w, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		full := make([]byte, 1<<16)
		if _, err := w.Write(full); err != nil { // as much as a pipe takes
			b.Fatal(err)
		}
		v.log = w
		v.env = []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector, "OTEL_BSP_SCHEDULE_DELAY=100", "OTEL_METRIC_EXPORT_INTERVAL=500"}
		v.start()
		p99 := v.reads(500)
		worst = max(worst, p99)
		if p99 > 2*well+20*time.Millisecond {
			b.wrong("%s: 99 of 100 reads take up to %v, %v with a good log and no collector", name, p99, well)
		}
		if k := v.sync(); k.LastResult != "ok" {
			b.wrong("%s: the sync: %s", name, k.LastResult)
		}
		if took := v.ended(); took > 25*time.Second {
			b.wrong("%s: the end took %v", name, took)
		}
		_, _ = r.Close(), w.Close()
	}
	b.score.Expected, b.score.Served, b.score.Reads = 200, 200, 2000
	b.note("p99 of a page of 100: %v well, at most %v", well.Round(100*time.Microsecond), worst.Round(100*time.Microsecond))
}

// rowStopped: the process stands still for more than a minute, longer than its token lives, and goes on.
func rowStopped(b *board) {
	jamf := fakejamf.New(fakejamf.Options{
		Computers: 200, Seed: 7, ClientID: "gw", ClientSecret: jamfSecret, Faults: rough(), TokenLifetime: 40 * time.Second,
	})
	bend := &bender{next: jamf}
	v := newVictim(b.T, bend, "    limits: {connections: 2, requests_per_second: 50}\n    heartbeat: 1m", "")
	v.start()
	v.synced(kindState{})
	start := time.Now()
	v.sync()
	normal := bend.since(start)
	if err := v.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		b.Fatal(err)
	}
	b.sleep(75 * time.Second)
	if err := v.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		b.Fatal(err)
	}
	woken := time.Now()
	b.sleep(5 * time.Second)
	burst := bend.since(woken)
	if burst > normal {
		b.wrong("%d calls in the 5 s after it went on, a sync takes %d", burst, normal)
	}
	if k := v.sync(); k.LastResult != "ok" {
		b.wrong("the sync after it: %s", k.LastResult)
	}
	b.score.Expected, b.score.Served = 200, len(v.names())
	b.score.UpstreamCalls, b.score.Peak = bend.since(time.Time{}), bend.peak
	b.note("75 s instead of ten minutes, longer than a token lived; %d calls in the 5 s after, a sync takes %d", burst, normal)
}

// besiege has clients ask for whole pages for a while, and counts what was whole and what was refused as it should be.
func (v *victim) besiege(b *board, clients, fleet int, during time.Duration) (whole, refused int) {
	v.t.Helper()
	token, until := v.token(), time.Now().Add(during)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for n := i; time.Now().Before(until); n++ {
				rs, err := v.page(token, n%(fleet/10_000))
				mu.Lock()
				switch {
				case err == nil && rs.rows == 10_000:
					whole++
				case err == nil && rs.status == http.StatusServiceUnavailable && rs.again != "":
					refused++
				default:
					b.wrong("page of 10,000: %d, %d rows, %v", rs.status, rs.rows, err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return whole, refused
}

type pageAnswer struct {
	status, rows int
	again        string // Retry-After
}

func (v *victim) page(token string, page int) (a pageAnswer, err error) {
	rq, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet,
		fmt.Sprintf("http://%s/api/v4/computers-inventory?page-size=10000&page=%d", v.listen, page), nil)
	if err != nil {
		return a, err
	}
	rq.Header.Set("Authorization", "Bearer "+token)
	rs, err := web().Do(rq)
	if err != nil {
		return a, err
	}
	defer func() { _ = rs.Body.Close() }()
	a.status, a.again = rs.StatusCode, rs.Header.Get("Retry-After")
	body, err := io.ReadAll(rs.Body)
	a.rows = bytes.Count(body, []byte(`"udid":`))
	return a, err
}

// rowLittleMemory: a control group of 512 MiB around the real binary, which is told 450: a fleet of 20,000 is read, and 64 clients want
// pages of 10,000 all the time. Each answer is whole, or a refusal with a code; nothing is killed.
func rowLittleMemory(b *board) {
	group, err := os.MkdirTemp("/sys/fs/cgroup/memory", "jamf-gateway-")
	limit, events := "memory.limit_in_bytes", "memory.oom_control"
	if err != nil {
		group, err = os.MkdirTemp("/sys/fs/cgroup", "jamf-gateway-")
		limit, events = "memory.max", "memory.events"
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(group, limit), []byte(strconv.Itoa(512<<20)), 0)
	}
	if err != nil {
		b.score.Reason = fmt.Sprintf("not run: no control group can be made here: %v", err)
		return
	}
	b.Cleanup(func() { _ = os.Remove(group) })
	const fleet = 20_000
	jamf := fakejamf.New(fakejamf.Options{Computers: fleet, Seed: 7, ClientID: "gw", ClientSecret: jamfSecret, Faults: rough()})
	v := newVictim(b.T, jamf, "    limits: {connections: 2, requests_per_second: 50}\n    profile: full", "max_page_size: 10000")
	v.env = []string{"GOMEMLIMIT=450MiB"}
	v.start()
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(v.cmd.Process.Pid)), 0); err != nil {
		b.score.Reason = fmt.Sprintf("not run: the control group takes no process: %v", err)
		return
	}
	v.synced(kindState{})
	whole, refused := v.besiege(b, 64, fleet, 30*time.Second)
	killed, err := os.ReadFile(filepath.Join(group, events))
	if err != nil || !strings.Contains(string(killed), "oom_kill 0") {
		b.wrong("the control group says %q, %v", killed, err)
	}
	b.score.RSSPeak = v.memory("VmHWM:")
	b.score.Expected, b.score.Served, b.score.Reads, b.score.FailedReads = fleet, len(v.names()), whole+refused, refused
	b.note("64 clients of pages of 10,000 for 30 s: %d whole, %d refused with a code; %d MiB at most", whole, refused, b.score.RSSPeak)
	v.ended()
}
