//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/test/fakejamf"
)

// victim is the real binary before a simulated Jamf, started and killed over and over on one data directory.
type victim struct {
	t                       *testing.T
	bin, settings           string
	listen, admin           string
	cmd                     *exec.Cmd
	env                     []string
	log                     *os.File      // nil = nobody's
	slowest                 time.Duration // start to ready
	syncs                   time.Duration // of the last sync that was seen to its end
	generation              uint64        // the newest that was seen
	restarts, during, after int           // kills while a sync ran, and between syncs
}

// start starts the binary and waits until it is ready.
func (v *victim) start() {
	v.t.Helper()
	began := time.Now()
	v.cmd = exec.Command(v.bin, "serve", "--config", v.settings)
	v.cmd.Env = append(append(os.Environ(), "JAMF_SECRET="+jamfSecret), v.env...)
	if v.log != nil {
		v.cmd.Stderr = v.log
	}
	if err := v.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	for {
		if rs, err := web().Get("http://" + v.listen + "/readyz"); err == nil {
			_ = rs.Body.Close()
			if rs.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Since(began) > 3*time.Minute { // with a first sync
			v.t.Fatal("not ready in three minutes")
		}
		<-time.After(5 * time.Millisecond)
	}
	if v.restarts > 0 {
		v.slowest = max(v.slowest, time.Since(began))
	}
	v.restarts++
}

func (v *victim) kill() {
	v.t.Helper()
	if err := v.cmd.Process.Kill(); err != nil {
		v.t.Fatal(err)
	}
	_ = v.cmd.Wait() // killed
}

// ask reads an answer of a door into a value.
func (v *victim) ask(method, address, token string, into any) {
	v.t.Helper()
	rq, err := http.NewRequestWithContext(v.t.Context(), method, address, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	if strings.HasPrefix(address, "http://"+v.admin) {
		raw, err := os.ReadFile(filepath.Join(filepath.Dir(v.settings), "admin.token"))
		if err != nil {
			v.t.Fatal(err)
		}
		token = strings.TrimSpace(string(raw))
	}
	if token != "" {
		rq.Header.Set("Authorization", "Bearer "+token)
	}
	rs, err := web().Do(rq)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = rs.Body.Close() }()
	body, err := io.ReadAll(rs.Body)
	if err != nil || rs.StatusCode >= 300 {
		v.t.Fatalf("%s %s: %d %.300s, %v", method, address, rs.StatusCode, body, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		v.t.Fatal(err)
	}
}

// kindState is the state of the computers as the admin door tells it.
type kindState struct {
	Generation  uint64
	Syncing     bool
	LastResult  string
	LastAttempt *time.Time `json:"lastAttemptAt"`
}

func (v *victim) computers() kindState {
	v.t.Helper()
	var a struct{ Items []struct{ Kinds []kindState } }
	v.ask(http.MethodGet, "http://"+v.admin+"/v1/admin/sources", "", &a)
	k := a.Items[0].Kinds[0]
	if k.Generation < v.generation {
		v.t.Fatalf("generation %d is served, %d was", k.Generation, v.generation)
	}
	v.generation = k.Generation
	return k
}

func (v *victim) token() string {
	v.t.Helper()
	rs, err := web().PostForm("http://"+v.listen+"/oauth/token",
		url.Values{"grant_type": {"client_credentials"}, "client_id": {"i360"}, "client_secret": {"secret"}})
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = rs.Body.Close() }()
	var token struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(rs.Body).Decode(&token); err != nil {
		v.t.Fatal(err)
	}
	return token.Token
}

// names reads the whole list: id -> name.
func (v *victim) names() map[string]string {
	v.t.Helper()
	token := v.token()
	names, cursor := map[string]string{}, ""
	for {
		var page struct {
			Complete   bool
			Items      []struct{ UID, Name string }
			NextCursor *string
		}
		v.ask(http.MethodGet, "http://"+v.listen+"/v1/devices?limit=1000"+cursor, token, &page)
		for _, d := range page.Items {
			if _, twice := names[d.UID]; twice || !page.Complete {
				v.t.Fatalf("%s stands twice, or the list is not complete (%t)", d.UID, page.Complete)
			}
			names[d.UID] = d.Name
		}
		if page.NextCursor == nil {
			return names
		}
		cursor = "&cursor=" + url.QueryEscape(*page.NextCursor)
	}
}

// The real binary is killed at random moments of walk, publish, warm-up and clean-up: each start serves the last complete generation, or
// the one that was just being published, whole. 8 kills, or KILLS of them over KILL_DEVICES computers (make crash).
func TestKillsNeverCostAPublishedGeneration(t *testing.T) {
	kills, devices := fromEnvironment(t, "KILLS", 8), fromEnvironment(t, "KILL_DEVICES", 300)
	jamf := fakejamf.New(fakejamf.Options{Computers: devices, Seed: 17, ClientID: "gw", ClientSecret: jamfSecret, Faults: rough()})
	v := newVictim(t, jamf, "    limits: {connections: 5, requests_per_second: 50}", "")
	v.start()
	for deadline := time.Now().Add(5 * time.Minute); v.computers().LastResult != "ok"; <-time.After(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no first sync")
		}
	}
	ids := jamf.Ledger().Alive(fakejamf.Computer)
	said := map[string]map[string]bool{} // uid -> every name that it ever had
	for uid, name := range v.names() {
		said[uid] = map[string]bool{name: true}
	}
	if len(said) != devices {
		t.Fatalf("%d devices at first", len(said))
	}
	dice := rand.New(rand.NewPCG(17, uint64(kills)))
	for n := range kills {
		id := ids[dice.IntN(len(ids))]
		name := fmt.Sprintf("renamed %d", n)
		jamf.Rename(fakejamf.Computer, id, name)
		said[fmt.Sprintf("a:computer:%d", id)][name] = true
		began, before := time.Now(), v.computers()
		var accepted struct{ Status string }
		v.ask(http.MethodPost, "http://"+v.admin+"/v1/admin/sources/a/sync", "", &accepted)
		<-time.After(time.Duration(dice.Int64N(int64(v.syncs) * 3 / 2)))
		if k := v.computers(); !k.Syncing && k.LastAttempt != nil && before.LastAttempt != nil && k.LastAttempt.After(*before.LastAttempt) {
			v.syncs, v.after = min(time.Since(began), 4*v.syncs), v.after+1
		} else {
			v.syncs, v.during = v.syncs*11/10, v.during+1
		}
		v.kill()
		v.start()
		v.computers()
		names := v.names()
		if len(names) != devices {
			t.Fatalf("after kill %d: %d devices of %d", n, len(names), devices)
		}
		for uid, name := range names {
			if !said[uid][name] {
				t.Fatalf("after kill %d: %s is called %q, which it never was", n, uid, name)
			}
		}
		left, err := filepath.Glob(filepath.Join(filepath.Dir(v.settings), "data", "a", "computer", "*"))
		if err != nil || len(left) > 16 {
			t.Fatalf("after kill %d: %d files, %v: %s", n, len(left), err, strings.Join(left, " "))
		}
	}
	t.Logf("%d kills of %d devices: %d while a sync ran, %d after it; ready after %v at most; generation %d",
		kills, devices, v.during, v.after, v.slowest.Round(time.Millisecond), v.generation)
	if v.slowest > 5*time.Second && devices <= 100_000 {
		t.Logf("slower than 5 s: a loaded machine, or a fault")
	}
}
