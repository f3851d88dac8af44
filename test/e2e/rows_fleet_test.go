package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/test/fakejamf"
)

func fleetRows() map[string]play {
	return map[string]play{
		"B9":  {simulated: rowShrinks},
		"B10": {simulated: rowRefusedTokens},
		"B11": {simulated: rowLostRight},
		"B12": {simulated: rowRotatedSecret},
		"B13": {simulated: rowAnotherJamf},
		"H1":  {simulated: rowApprovals},
		"H2":  {simulated: rowReleasesItself},
		"H3":  {simulated: rowDisabled},
		"H4":  {simulated: rowConnectionTests},
		"H5":  {simulated: rowProbes},
		"H6":  {simulated: rowAuditDiskFull},
		"H7":  {simulated: rowRestartsInAnOutage},
	}
}

func (h *house) remove(kind fakejamf.Kind, n int) {
	for _, id := range h.jamf.Ledger().Alive(kind)[:n] {
		h.jamf.Delete(kind, id)
	}
}

// rowShrinks follows DESIGN.md, whose limits are 15 % of one sync and 25 % of a week.
func rowShrinks(b *board) {
	b.every.Store(int64(20 * time.Minute))
	daily := func(c *config.Config) { c.Sources[0].Sync.Interval = 24 * time.Hour }
	h := b.open(fakejamf.Options{Computers: 400, Mobiles: 100}, daily)
	result := func() string { return h.gateway.Status()[0].Kinds[0].LastResult }
	h.devices[fakejamf.Computer] = 280 // what is inside the limits may go; below that nothing does
	for day := range 5 {
		h.remove(fakejamf.Computer, 22) // 5 to 6 % a day
		b.nextSync(h)
		want := "ok"
		if day == 4 { // 110 of 400 in a week
			want = "held"
		}
		if result() != want {
			b.wrong("day %d: %s, want %s", day, result(), want)
		}
	}
	b.unwatch()
	h.stop()

	h = b.open(fakejamf.Options{Computers: 400, Mobiles: 100}, nil)
	before := h.generation(device.Computer).Number
	h.remove(fakejamf.Computer, 240)
	b.nextSync(h)
	if result() != "held" || h.generation(device.Computer).Number != before {
		b.wrong("60 %% deleted: %s", result())
	}
	h.jamf.SetPrivileges(fakejamf.ReadComputers)
	b.nextSync(h)
	if k := h.gateway.Status()[0].Kinds[1]; k.LastResult != "failed" || k.ErrorCode != "right_missing" || k.State != "stale" {
		b.wrong("without the right: %+v", k)
	}
}

func rowRefusedTokens(b *board) {
	h := b.open(small(), nil)
	f := rough()
	f.RefuseToken = 0.05
	h.jamf.SetFaults(f)
	for range 10 { // every 20 minutes all tokens die
		b.sleep(20 * time.Minute)
		h.jamf.RevokeTokens()
	}
	if k := h.gateway.Status()[0].Kinds[0]; k.LastResult != "ok" {
		b.wrong("now and then refused: %+v", k)
	}
	var tries atomic.Int64
	h.bender.to(func(_ http.ResponseWriter, r *http.Request) bool {
		if isToken(r) {
			tries.Add(1)
		}
		return false
	})
	h.jamf.RotateSecret("another")
	h.jamf.RevokeTokens()
	b.nextSync(h)
	b.failed(h, "refused for ever", "auth_failed")
	tries.Store(0)
	b.sleep(15 * time.Minute)
	if n := tries.Load(); n > 3 {
		b.wrong("the token endpoint was asked %d times in 15 minutes with a secret that it refuses, 3 are allowed", n)
	}
	b.sleep(3 * time.Hour)
	b.note("%d questions for a token in 3 h 15 min of refusal", tries.Load())
	h.jamf.RotateSecret(jamfSecret)
	b.healed()
	b.recovered(h, 2*time.Hour)
	b.judge(h)
}

func rowLostRight(b *board) {
	h := b.open(small(), nil)
	before := h.serials()
	var pages atomic.Int64
	h.bender.to(func(_ http.ResponseWriter, r *http.Request) bool { // 403 from the second page on
		if isPage(r) && pages.Add(1) == 2 {
			h.jamf.SetPrivileges(fakejamf.ReadMobileDevices)
		}
		return false
	})
	b.nextSync(h)
	b.failed(h, "a right lost in mid-sync", "right_missing")
	h.bender.to(nil)
	h.jamf.SetPrivileges(fakejamf.ReadComputers, fakejamf.ReadMobileDevices)
	b.healed()
	b.recovered(h, 2*time.Hour)
	pages.Store(0)
	h.bender.pages(func(r *http.Request, page map[string]any) { // nulls from the second page on
		if r.URL.Query().Get("page-size") != "1" && pages.Add(1) > 1 {
			for _, d := range rowsOf(page) {
				d["hardware"] = nil
			}
		}
	})
	b.nextSync(h)
	b.forgetWalks(h)
	for id, serial := range h.serials() {
		if serial != before[id] {
			b.wrong("computer %s lost its serial number", id)
		}
	}
	h.bender.to(nil)
	b.healed()
	b.recovered(h, 2*time.Hour)
	b.judge(h)
}

// rowRotatedSecret: the secret dies in mid-sync and the tokens with it, and its file holds the new one: that sync goes on. Once more, and
// the file is written 20 minutes after the next sync was refused: no restart, and no pause is waited for.
func rowRotatedSecret(b *board) {
	file := filepath.Join(b.TempDir(), "jamf.secret")
	write := func(secret string) {
		if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	write(jamfSecret)
	h := b.open(fakejamf.Options{Computers: 240, Mobiles: 60}, func(c *config.Config) {
		c.Sources[0].ClientSecret = config.SecretFromFile(jamfSecret, file)
	})
	var pages atomic.Int64
	h.bender.to(func(_ http.ResponseWriter, r *http.Request) bool {
		if isPage(r) && pages.Add(1) == 2 {
			h.jamf.RotateSecret("rotated")
			h.jamf.RevokeTokens()
			write("rotated")
		}
		return false
	})
	b.nextSync(h)
	for _, k := range h.gateway.Status()[0].Kinds {
		if k.LastResult != "ok" {
			b.wrong("the sync in which the secret was rotated: %+v", k)
		}
	}
	h.bender.to(nil)
	h.jamf.RotateSecret("rotated again")
	h.jamf.RevokeTokens()
	b.nextSync(h)
	b.failed(h, "the sync after", "auth_failed")
	b.sleep(20 * time.Minute)
	write("rotated again")
	b.healed()
	b.recovered(h, time.Minute)
	b.judge(h)
}

func rowAnotherJamf(b *board) {
	h := b.open(fakejamf.Options{Computers: 120, Mobiles: 60}, nil)
	before := h.serials()
	other := fakejamf.New(fakejamf.Options{Computers: 125, Mobiles: 61, Seed: 4711, Epoch: time.Now(), ClientID: "gw", ClientSecret: jamfSecret})
	var pages atomic.Int64
	h.bender.to(func(w http.ResponseWriter, r *http.Request) bool {
		if isPage(r) {
			pages.Add(1)
		}
		if pages.Load() < 2 {
			return false
		}
		other.ServeHTTP(w, r)
		return true
	})
	for range 4 {
		b.nextSync(h)
		if k := h.gateway.Status()[0].Kinds[0]; k.LastResult == "ok" {
			b.wrong("another Jamf was published")
		}
		for id, serial := range h.serials() {
			if serial != before[id] {
				b.wrong("computer %s of another Jamf is served", id)
			}
		}
	}
	if k := h.gateway.Status()[0].Kinds[0]; k.Hold == nil {
		b.wrong("another Jamf is not held: %s, %s", k.LastResult, k.ErrorCode)
	}
	h.bender.to(nil)
	b.healed()
	b.recovered(h, 2*time.Hour)
	b.judge(h)
}

func (h *house) approve(digest string) reply {
	h.t.Helper()
	q := url.Values{"digest": {digest}, "by": {"anna"}}
	return h.call(http.MethodPost, h.admin+"/v1/admin/sources/schule-a/approve?"+q.Encode(), nil)
}

func rowApprovals(b *board) {
	h := b.open(fakejamf.Options{Computers: 200, Mobiles: 60}, nil)
	h.remove(fakejamf.Computer, 80)
	b.nextSync(h)
	digest, _ := h.heldDigest()
	if digest == "" {
		b.Fatal("nothing is held")
	}
	for _, wrong := range []string{"", "ffff", strings.Repeat("0", len(digest)), digest[:len(digest)-1] + "x", strings.ToUpper(digest) + "0"} {
		if r := h.approve(wrong); r.status < 400 || r.status > 499 {
			b.wrong("approved under %q: %d", wrong, r.status)
		}
	}
	h.jamf.Delete(fakejamf.Computer, h.jamf.Ledger().Alive(fakejamf.Computer)[0]) // a second hold on top: more is gone
	b.nextSync(h)
	second, _ := h.heldDigest()
	if second == digest || second == "" {
		b.wrong("one device more, and the digest is %q again", second)
	}
	if r := h.approve(digest); r.status != http.StatusConflict {
		b.wrong("the digest of before: %d", r.status)
	}
	h.devices[fakejamf.Computer] = 119
	if r := h.approve(second); r.status != http.StatusOK {
		b.wrong("the digest of now: %d %.200s", r.status, r.body)
	}
	if !strings.Contains(h.logs.String(), `"by":"anna"`) {
		b.wrong("the log does not say who approved")
	}
	b.healed()
	b.recovered(h, time.Minute)
	b.judge(h)
}

func rowReleasesItself(b *board) {
	h := b.open(fakejamf.Options{Computers: 200, Mobiles: 60}, nil)
	before := h.serials()
	ids := h.jamf.Ledger().Alive(fakejamf.Computer)[:30]
	for i, id := range ids {
		h.jamf.Reserial(fakejamf.Computer, id, fmt.Sprintf("C02OTHER%02d", i))
	}
	b.nextSync(h)
	if k := h.gateway.Status()[0].Kinds[0]; k.LastResult != "held" || k.Hold == nil {
		b.wrong("30 computers with other serial numbers: %s, %s", k.LastResult, k.ErrorCode)
	}
	for _, id := range ids {
		h.jamf.Reserial(fakejamf.Computer, id, before[fmt.Sprintf("schule-a:computer:%d", id)])
	}
	b.healed()
	b.recovered(h, 61*time.Minute) // one sync
	if d, _ := h.heldDigest(); d != "" {
		b.wrong("%s is still held", d)
	}
	if !strings.Contains(h.logs.String(), "held") {
		b.wrong("the log does not tell of the hold")
	}
	b.judge(h)
}

func rowDisabled(b *board) {
	h := b.open(small(), nil)
	h.stop()
	h.settings.Sources[0].Disabled = true
	h.start()
	calls := h.bender.since(time.Time{})
	b.sleep(3 * time.Hour)
	if n := h.bender.since(time.Time{}) - calls; n > 0 {
		b.wrong("a disabled source was asked %d times", n)
	}
	var list struct {
		Items   []any
		Sources []struct{ State, SourceState string }
	}
	if h.get("/v1/devices?limit=1000").decode(b.T, &list); len(list.Items) != 180 || list.Sources[0].SourceState != "disabled" {
		b.wrong("disabled: %d devices, %+v", len(list.Items), list.Sources)
	}
	if r := h.call(http.MethodPost, h.admin+"/v1/admin/sources/schule-a/sync", nil); r.status != http.StatusConflict {
		b.wrong("a sync of a disabled source: %d", r.status)
	}
	h.stop()
	h.settings.Sources[0].Disabled = false
	h.start()
	b.healed()
	b.recovered(h, 2*time.Hour)
	h.stop() // removed from the settings: its files stay, and it is said
	h.settings.Sources[0].Name = "schule-b"
	h.start()
	if !strings.Contains(h.logs.String(), "schule-a") {
		b.wrong("data of a source that is gone from the settings is not mentioned")
	}
	h.stop()
	h.settings.Sources[0].Name = "schule-a"
	h.start()
	b.judge(h)
}

func rowConnectionTests(b *board) {
	h := b.open(small(), nil)
	for name, fault := range map[string]func(){
		"well":       func() {},
		"refused":    func() { b.net.breakTo(h.address(), refuse); h.upstream.CloseClientConnections() },
		"secret":     func() { h.jamf.RotateSecret("another"); h.jamf.RevokeTokens() },
		"no rights":  func() { h.jamf.SetPrivileges("Update Computers") },
		"HTML":       func() { h.jamf.SetFaults(fakejamf.Faults{HTMLPage: 1}) },
		"maintained": func() { h.jamf.Down(true) },
	} {
		b.sleep(20 * time.Minute)
		fault()
		before, synced := h.bender.since(time.Time{}), h.gateway.Status()[0].Kinds[0].LastAttempt
		answers := make(chan reply, 100)
		token := h.token()
		for range 100 {
			go func() {
				r := &reader{b: b, h: h, token: token, until: time.Now().Add(time.Hour)}
				status, header, body, err := r.post(b.Context(), "/v1/sources/schule-a/test")
				if err != nil {
					body = []byte(err.Error())
				}
				answers <- reply{status, header, body}
			}()
		}
		for range 100 {
			if a := <-answers; a.status != http.StatusOK && a.status != http.StatusTooManyRequests && a.status != http.StatusServiceUnavailable && a.status != http.StatusConflict {
				b.wrong("%s: %d %.200s", name, a.status, a.body)
			} else if strings.Contains(string(a.body), "<html") || strings.Contains(string(a.body), jamfSecret) {
				b.wrong("%s: an answer of Jamf is shown: %.300s", name, a.body)
			}
		}
		if n := h.bender.since(time.Time{}) - before; n > 40 {
			b.wrong("%s: 100 tests cost %d calls", name, n)
		}
		if state := b.breakerOf(h); state != "closed" {
			b.wrong("%s: tests opened the breaker", name)
		}
		if h.gateway.Status()[0].Kinds[0].LastAttempt.After(synced.Add(time.Second)) && name == "well" {
			b.wrong("a test counts as a sync")
		}
		b.net.breakTo(h.address(), nil)
		h.jamf.Down(false)
		h.jamf.RotateSecret(jamfSecret)
		h.jamf.SetFaults(rough())
		h.jamf.SetPrivileges(fakejamf.ReadComputers, fakejamf.ReadMobileDevices)
	}
	b.healed()
	b.sleep(time.Hour)
	b.recovered(h, 2*time.Hour)
	b.judge(h)
}

func rowProbes(b *board) {
	h := b.open(small(), nil)
	flaps := 0
	look := func(what string) {
		for range 30 {
			for _, path := range []string{"/livez", "/readyz"} {
				if r := h.call(http.MethodGet, path, nil); r.status != http.StatusOK || len(r.body) > 64 {
					flaps++
					b.wrong("%s: %s is %d %.100s", what, path, r.status, r.body)
				}
			}
			b.sleep(3 * time.Minute)
		}
	}
	h.jamf.Down(true)
	look("Jamf is away")
	h.jamf.Down(false)
	h.jamf.RotateSecret("another")
	h.jamf.RevokeTokens()
	look("credentials are refused")
	h.stop()
	h.start()
	look("restarted, refused")
	h.jamf.RotateSecret(jamfSecret)
	h.stop()
	h.start()
	b.healed()
	b.recovered(h, 2*time.Hour)
	look("well again")
	b.judge(h)
	b.note("%d flaps", flaps)
}

func rowRestartsInAnOutage(b *board) {
	h := b.open(small(), nil)
	before := h.attempts()
	b.nextSync(h)
	normal := h.attempts() - before
	h.jamf.Down(true)
	b.sleep(70 * time.Minute)
	worst := 0
	for range 10 {
		h.stop()
		h.start()
		calls := h.attempts()
		b.sleep(time.Minute)
		worst = max(worst, h.attempts()-calls)
	}
	if worst > normal {
		b.wrong("%d calls in the minute after a restart, a sync takes %d", worst, normal)
	}
	b.note("at most %d calls in the minute after a restart, a sync takes %d", worst, normal)
	h.jamf.Down(false)
	b.healed()
	b.recovered(h, 2*time.Hour)
	b.judge(h)
}
