package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// audited is a world whose audit is on a disk that can be made full.
type audited struct {
	*world
	log  *audit.Log
	dir  string
	full atomic.Bool
}

func newAudited(t *testing.T, options ...option) *audited {
	t.Helper()
	a := &audited{dir: filepath.Join(t.TempDir(), ".audit")}
	disk := &cache.Disk{Fail: func(cache.Op, string) error {
		if a.full.Load() {
			return errors.New("no space left on device")
		}
		return nil
	}}
	a.world = newWorld(t, append(options, func(o *server.Options) {
		a.log = audit.New(audit.Options{Dir: a.dir, Disk: disk, Now: o.Now})
		o.Audit = a.log
	})...)
	return a
}

// told is the audit in short: what stands on the disk once all that waits is written, but for reads.
func (a *audited) told() []string {
	a.t.Helper()
	a.log.Flush(true)
	out := []string{}
	if err := audit.Lines(a.dir, time.Time{}, func(e audit.Entry, _ []byte) {
		if e.Event == "read" {
			return
		}
		if e.Address != "127.0.0.1" || e.Event[:6] == "admin." && e.Outcome != "forbidden_origin" && e.Outcome != "admin_token" && e.RequestID == "" {
			a.t.Errorf("no address or no request: %+v", e)
		}
		line := strings.Join(slices.DeleteFunc([]string{e.Event, e.Actor, e.By, e.Source, e.Kind, e.Target, e.Credential, e.Outcome}, func(s string) bool { return s == "" }), " ")
		if e.Count > 0 {
			line += fmt.Sprintf(" x%d", e.Count)
		}
		out = append(out, line)
	}); err != nil {
		a.t.Fatal(err)
	}
	return out
}

// reads is what clients read, as the audit tells it.
func (a *audited) reads() []string {
	a.t.Helper()
	a.log.Flush(true)
	out := []string{}
	if err := audit.Lines(a.dir, time.Time{}, func(e audit.Entry, _ []byte) {
		if e.Event != "read" {
			return
		}
		if e.Profile == "" || e.From.IsZero() {
			a.t.Errorf("%+v", e)
		}
		out = append(out, fmt.Sprintf("%s %s:%s g%d %d requests, %d rows, at most %t, complete %t", e.Actor, e.Source, e.Kind, e.Generation, e.Requests, e.Rows, e.AtMost, *e.Complete))
	}); err != nil {
		a.t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func (a *audited) post(path string) reply { return a.do(http.MethodPost, a.admin+path, "") }

func TestAdminActsStandInTheAuditBeforeAndAfter(t *testing.T) {
	a := newAudited(t)
	a.post("/v1/admin/sources/schule-a/sync?kind=mobile&by=max")
	a.want(a.post("/v1/admin/sources/schule-a/sync?by=max&by=erika"), http.StatusBadRequest, "bad_request")
	a.post("/v1/admin/sources/schule-a/approve?digest=4f0c&by=erika")
	a.post("/v1/admin/sources/schule-a/expect-removals?count=7&until=" + url.QueryEscape(start.Add(time.Hour).Format(time.RFC3339)) + "&by=erika")
	a.post("/v1/admin/sources/schule-a/expect-removals?count=0&by=erika")
	a.house.syncErr = server.ErrSyncRunning
	a.post("/v1/admin/sources/schule-b/sync")
	a.post("/v1/admin/sources/schule-b/approve?digest=") // nothing that could be done
	a.do(http.MethodPost, a.admin+"/v1/admin/sources/schule-a/sync", "", "Authorization", "Bearer jga_guess")
	a.do(http.MethodPost, a.admin+"/v1/admin/sources/schule-a/sync", "", "Host", "evil.example")
	a.do(http.MethodPost, a.admin+"/v1/admin/sources/schule-a/sync", "", "Authorization", "")
	until := start.Add(time.Hour).UTC().Format(time.RFC3339)
	if diff := cmp.Diff([]string{
		"admin.sync admin max schule-a mobile asked", "admin.sync admin max schule-a mobile ok", "admin.approve admin erika schule-a 4f0c asked", "admin.approve admin erika schule-a 4f0c ok",
		"admin.expect-removals admin erika schule-a 7 until " + until + " asked", "admin.expect-removals admin erika schule-a 7 until " + until + " ok",
		"admin.expect-removals admin erika schule-a 0 asked", "admin.expect-removals admin erika schule-a 0 ok",
		"admin.sync admin schule-b asked", "admin.sync admin schule-b sync_running",
		"admin.refused admin_token x1", "admin.refused forbidden_origin x1",
	}, inOrder(a.told(), 10)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// inOrder sorts what follows the first n lines: those of one moment have no order.
func inOrder(lines []string, n int) []string {
	slices.Sort(lines[min(n, len(lines)):])
	return lines
}

func TestWhatCannotBeWrittenDownIsNotDoneAndReadsGoOn(t *testing.T) {
	a := newAudited(t)
	a.publishAll(3)
	a.full.Store(true)
	for _, path := range []string{"sync", "approve?digest=4f0c", "expect-removals?count=0"} {
		a.want(a.post("/v1/admin/sources/schule-a/"+path), http.StatusServiceUnavailable, "audit_failed")
	}
	a.house.mu.Lock()
	acts := len(a.house.syncs) + len(a.house.acts)
	a.house.mu.Unlock()
	if acts != 0 {
		t.Errorf("%d acts were done unseen", acts)
	}
	for _, path := range []string{"/v1/devices", "/api/v4/computers-inventory", "/v1/devices/schule-a:computer:1"} {
		if r := a.get("all", path); r.status != http.StatusOK {
			t.Errorf("%s: %s", path, r)
		}
	}
	if r := a.do(http.MethodGet, a.admin+"/v1/admin/sources", ""); r.status != http.StatusOK {
		t.Errorf("reading at the admin door: %s", r)
	}
	a.log.Flush(true)
	a.full.Store(false)
	if r := a.post("/v1/admin/sources/schule-a/sync"); r.status != http.StatusAccepted {
		t.Errorf("when there is room again: %s", r)
	}
	if got := a.told(); !slices.Contains(got, "token.issued all "+fmt.Sprintf("%x", sum("all"))[:8]+" ok x3") {
		t.Errorf("what was done while the disk was full is missing: %v", got)
	}
}

func TestAnActForWhoseOutcomeTheAuditHasNoRoomIsNotDone(t *testing.T) {
	a := newAudited(t)
	a.publishAll(3)
	day := filepath.Join(a.dir, start.UTC().Format(time.DateOnly)+".jsonl")
	if err := errors.Join(os.MkdirAll(a.dir, 0o700), os.WriteFile(day, nil, 0o600), os.Truncate(day, 128<<20-400)); err != nil {
		t.Fatal(err)
	}
	r := a.post("/v1/admin/sources/schule-a/sync")
	a.want(r, http.StatusServiceUnavailable, "audit_full")
	if len(a.house.syncs) != 0 || r.header.Get("Retry-After") == "" {
		t.Errorf("%d syncs, %v", len(a.house.syncs), r.header)
	}
	if r := a.get("all", "/v1/devices"); r.status != http.StatusOK {
		t.Errorf("reading: %s", r)
	}
}

func TestTokensThatAreGivenAndRefusedStandInTheAudit(t *testing.T) {
	a := newAudited(t)
	ask := func(path, id, secret string) reply {
		return a.do(http.MethodPost, a.base+path, url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}.Encode(), "Content-Type", form)
	}
	for range 100 { // a token for each request
		ask("/api/v1/oauth/token", "all", secretOf("all"))
	}
	ask("/oauth/token", "all", "wrong-canary")
	ask("/oauth/token", "only-a", "wrong-canary")
	for i := range 20 {
		ask("/oauth/token", fmt.Sprintf("stranger-canary-%d\r\n\x1b[31m", i), "wrong-canary")
	}
	ask("/oauth/token", "wrong-canary", "all") // both fields exchanged
	a.do(http.MethodPost, a.base+"/api/v1/auth/token", "", "Authorization", basic("all", secretOf("all")))
	a.do(http.MethodPost, a.base+"/api/v1/auth/token", "", "Authorization", basic("all", "wrong-canary"))
	a.do(http.MethodPost, a.base+"/api/v1/auth/keep-alive", "", "Authorization", "Bearer "+a.token("all"))
	credential := fmt.Sprintf("%x", sum("all"))[:8]
	if diff := cmp.Diff([]string{
		"token.issued all " + credential + " ok x103", "token.refused all invalid_client x2", "token.refused invalid_client x21", "token.refused only-a invalid_client x1",
	}, inOrder(a.told(), 0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	raw, err := os.ReadFile(filepath.Join(a.dir, start.UTC().Format(time.DateOnly)+".jsonl"))
	if err != nil || strings.Contains(string(raw), "canary") || strings.Contains(string(raw), secretOf("all")) {
		t.Errorf("%v: a secret, or what may be one, stands in\n%s", err, raw)
	}
}

func TestARunStandsInTheAuditWithItsRowsAndWithoutValues(t *testing.T) {
	a := newAudited(t)
	a.publish("schule-a", device.Computer, computers("AC", 1, 250))
	a.publish("schule-a", device.Mobile, mobiles("AM", 1, 7))
	for page := range 3 {
		if r := a.get("only-a", fmt.Sprintf("/api/v4/computers-inventory?page-size=100&page=%d", page)); r.status != http.StatusOK {
			t.Fatal(r)
		}
	}
	a.get("only-a", "/api/v2/mobile-devices/detail?page-size=5")
	a.get("only-a", "/api/v2/mobile-devices/3/detail")
	a.get("only-a", "/api/v2/mobile-devices/999/detail") // there is none
	a.get("only-a", "/api/v4/computers-inventory?page-size=100&page=9")
	a.want(a.get("only-a", "/jamf/schule-b/api/v4/computers-inventory"), http.StatusUnauthorized, "INVALID_TOKEN")
	if diff := cmp.Diff([]string{
		"only-a schule-a:computer g1 4 requests, 250 rows, at most false, complete true",
		"only-a schule-a:mobile g1 2 requests, 6 rows, at most false, complete false",
	}, a.reads()); diff != "" {
		t.Errorf("Jamf's API (-want +got):\n%s", diff)
	}
	raw, err := os.ReadFile(filepath.Join(a.dir, start.UTC().Format(time.DateOnly)+".jsonl"))
	if err != nil || strings.Contains(string(raw), "AC0") || strings.Contains(string(raw), "mac 1") || strings.Contains(string(raw), "UDID") {
		t.Errorf("%v: a value stands in\n%s", err, raw)
	}
}

func TestARunOverTheNormalizedListStandsInTheAuditForEachSeries(t *testing.T) {
	a := newAudited(t)
	a.publishAll(30) // 120 devices
	cursor := ""
	for {
		l := a.devices("all", "?limit=50"+cursor)
		if l.NextCursor == nil {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(*l.NextCursor)
	}
	a.get("all", "/v1/devices/schule-b:mobile:3")
	if diff := cmp.Diff([]string{
		"all schule-a:computer g1 1 requests, 30 rows, at most false, complete true",
		"all schule-a:mobile g1 2 requests, 30 rows, at most false, complete true",
		"all schule-b:computer g1 1 requests, 30 rows, at most false, complete true",
		"all schule-b:mobile g1 3 requests, 31 rows, at most false, complete true",
	}, a.reads()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	a.devices("only-a", "?limit=50&kind=computer&filter="+url.QueryEscape(`name==*1*`))
	if got := a.reads(); !slices.Contains(got, "only-a schule-a:computer g1 1 requests, 50 rows, at most true, complete false") {
		t.Errorf("a filter: %v", got)
	}
}

func TestACompleteRunIsEveryPageAndNotOnePageOften(t *testing.T) {
	a := newAudited(t)
	a.publishAll(30) // 120 devices
	for range 4 {
		a.get("all", "/v1/devices?source=schule-a&kind=computer&limit=10")
		a.get("all", "/api/v2/mobile-devices/detail?page-size=10&page=2") // the last
	}
	if diff := cmp.Diff([]string{
		"all schule-a:computer g1 4 requests, 40 rows, at most false, complete false", "all schule-a:mobile g1 4 requests, 40 rows, at most false, complete false",
	}, a.reads()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for page := range 3 {
		a.get("all", fmt.Sprintf("/api/v2/mobile-devices/detail?page-size=10&page=%d", page))
	}
	if got := a.reads(); !slices.Contains(got, "all schule-a:mobile g1 3 requests, 30 rows, at most false, complete true") {
		t.Errorf("%q", got)
	}
}

func TestWhatIsPassedOnAndWhatIsHeldStandInTheAuditWhenTheyAreRead(t *testing.T) {
	p := &passing{body: `[{"id":"1","name":"canary"}]`}
	a := newAudited(t, passes(p))
	a.publishAll(3)
	for id := range 5 {
		if r := a.get("all", fmt.Sprintf("/api/v1/computer-groups/%d", 8_877_660+id)); r.status != http.StatusOK {
			t.Fatal(r)
		}
	}
	a.get("all", "/api/v1/departments")
	a.get("all", "/api/v1/buildings")      // not passed on
	a.get("only-a", "/api/v1/departments") // may not
	p.say("", &server.PassError{Code: "jamf_unavailable", Err: errors.New("away")})
	a.get("all", "/api/v1/computer-groups/99") // nothing came
	held := func(source string) reply {
		return a.do(http.MethodGet, a.admin+"/v1/admin/sources/"+source+"/held?by=erika", "")
	}
	held("schule-a") // nothing is
	a.holding()
	for range 4 {
		held("schule-a")
	}
	held("schule-b")
	a.log.Flush(true)
	var got []string
	if err := audit.Lines(a.dir, time.Time{}, func(e audit.Entry, raw []byte) {
		if e.Event == "passthrough" || e.Event == "admin.held" {
			got = append(got, fmt.Sprintf("%s %s %s %s %s %d", e.Event, e.Actor, e.By, e.Source, e.Target, max(e.Requests, e.Count)))
		}
		if strings.Contains(string(raw), "canary") || strings.Contains(string(raw), "887766") {
			t.Errorf("a value stands in %s", raw)
		}
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{
		"admin.held admin erika schule-a  4", "passthrough all  schule-a /v1/computer-groups/{id} 5", "passthrough all  schule-a /v1/departments 1",
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatAnAdminSaysOfHimselfBreaksOutOfNoLine(t *testing.T) {
	a := newAudited(t)
	a.post("/v1/admin/sources/schule-a/sync?by=" + strings.Repeat("x", 100))
	bad := url.QueryEscape("erika\n{\"event\":\"forged\"}\x1b[31m\u0085")
	a.post("/v1/admin/sources/schule-a/approve?digest=" + bad + "&by=" + bad)
	a.post("/v1/admin/sources/" + url.PathEscape("x\u0085y") + "/sync")
	a.log.Flush(true)
	raw, err := os.ReadFile(filepath.Join(a.dir, start.UTC().Format(time.DateOnly)+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range string(raw) {
		if c != '\n' && (c < 0x20 || c > 0x7e) {
			t.Errorf("%q stands raw in %s", c, raw)
		}
	}
	if n, flaws, err := audit.Verify(a.dir); n != strings.Count(string(raw), "\n") || len(flaws) > 0 || err != nil {
		t.Errorf("%d lines, %v, %v", n, flaws, err)
	}
}
