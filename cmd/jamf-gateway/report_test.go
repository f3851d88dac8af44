package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/availability"
	"jamf-gateway/gateway/catalogue"
)

// recorded is a data directory with three days of heartbeats of two sources: in the night of the change to winter time Jamf is
// down, later the gateway is off, then its proxy fails, and in the end Jamf is down again.
func recorded(t *testing.T) (dir string, now time.Time) {
	t.Helper()
	dir, now = t.TempDir(), time.Date(2026, 10, 26, 9, 0, 0, 0, time.UTC)
	j := availability.NewJournal(availability.Dir(dir, "schule-a"), &cache.Disk{}, nil)
	append1 := func(e availability.Entry) {
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	clock := time.Date(2026, 10, 24, 6, 0, 0, 0, time.UTC)
	beat := func(n int, state availability.State, code string) {
		for i := range n {
			e := availability.Entry{At: clock, State: state, Code: code, Next: 1800}
			if state == availability.Up && code != "auth_failed" {
				e.AuthMS = 60 + float64(i%20)
				e.Counts = map[string]availability.Count{"computer": {MS: 150 + float64(i%10), Total: 12}, "mobile": {MS: 90, Total: 7}}
			}
			append1(e)
			clock = clock.Add(30 * time.Minute)
		}
	}
	append1(availability.Entry{At: clock, Event: availability.Started})
	clock = clock.Add(time.Minute)
	beat(35, availability.Up, "")
	beat(3, availability.Down, "timeout")
	beat(2, availability.Down, "jamf_unavailable")
	beat(20, availability.Up, "")
	append1(availability.Entry{At: clock, Event: availability.Stopped})
	clock = clock.Add(4 * time.Hour)
	append1(availability.Entry{At: clock, Event: availability.Started})
	beat(2, availability.Up, "auth_failed")
	beat(3, availability.Unasked, "proxy_unreachable")
	beat(16, availability.Up, "")
	beat(4, availability.Down, "timeout")
	f, err := os.OpenFile(filepath.Join(availability.Dir(dir, "schule-a"), "2026-10-25.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("torn\n"); err != nil {
		t.Fatal(err)
	}
	if err := availability.NewJournal(availability.Dir(dir, "left"), &cache.Disk{}, nil).Append(availability.Entry{At: now.Add(-6 * time.Hour), State: availability.Up, Next: 3600, AuthMS: 50}); err != nil {
		t.Fatal(err)
	}
	return dir, now
}

// reporting runs `report availability` at a moment, in Vienna.
func reporting(t *testing.T, now time.Time, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), append([]string{"report", "availability"}, args...), streams{
		out: &out, err: &errs, env: []string{"TZ=Europe/Vienna"}, now: func() time.Time { return now },
	})
	return result{code, out.String(), errs.String()}
}

func TestTheReportOfAvailabilityNamesOutagesLatencyErrorsAndGaps(t *testing.T) {
	dir, now := recorded(t)
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	write(t, file, `data_dir: `+dir+`
sources:
  - {name: schule-a, url: "https://schule-a.jamfcloud.com/api", client_id: x, client_secret: "env:NOT_HERE"}
clients:
  - {id: inventory360, secrets: ["`+hashOfSecret+`"]}
`)
	for name, args := range map[string][]string{
		"report.en.txt": {"--config", file, "--source", "schule-a", "--lang", "en"},
		"report.de.txt": {"--config", file, "--source", "schule-a", "--lang", "de"},
		"report.en.md":  {"--config", file, "--source", "schule-a", "--lang", "en", "--format", "markdown"},
		"report.de.md":  {"--config", file, "--lang", "de", "--format=markdown", "--days=2"},
	} {
		r := reporting(t, now, args...)
		if r.code != exitGood || r.err != "" {
			t.Errorf("%v: exit code %d, %s", args, r.code, r.err)
		}
		golden(t, name, r.out)
	}
}

func TestTheReportOfAvailabilityAsJSONNeedsNoSettings(t *testing.T) {
	dir, now := recorded(t)
	r := reporting(t, now.Add(-4*time.Hour-40*time.Minute), "--data-dir", dir, "--json", "--days", "3") // the last heartbeat is not old
	var a availabilityAnswer
	if err := json.Unmarshal([]byte(r.out), &a); r.code != exitGood || err != nil {
		t.Fatalf("exit code %d, %v\n%s%s", r.code, err, r.out, r.err)
	}
	if len(a.Sources) != 2 || a.Sources[0].Source != "left" || a.Sources[1].Source != "schule-a" || a.Sources[0].URL != "" {
		t.Fatalf("sources %+v", a.Sources)
	}
	if got := a.Sources[1]; len(got.Outages) != 2 || got.Outages[0].Seconds != 9000 || !got.Outages[1].Ongoing || got.Damaged != 1 || got.TimeZone != "Europe/Vienna (UTC+01:00)" {
		t.Errorf("%+v", got)
	}
}

func TestAReportThatCannotBeMadeSaysWhy(t *testing.T) {
	dir, now := recorded(t)
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{nil, exitUsage, "--config"},
		{[]string{"--data-dir", dir, "--config", "x"}, exitUsage, "can't be used together"},
		{[]string{"--data-dir", dir, "--days", "91"}, exitUsage, "--days must lie between 1 and 90, not 91"},
		{[]string{"--data-dir", dir, "--days", "0"}, exitUsage, "--days must lie between 1 and 90, not 0"},
		{[]string{"--data-dir", dir, "--source", "none"}, exitUsage, `there is no source "none" in ` + dir},
		{[]string{"--data-dir", dir, "--json", "--format", "markdown"}, exitUsage, "exclude each other"},
		{[]string{"--data-dir", filepath.Join(dir, "none")}, exitUsage, "no such file"},
		{[]string{"--config", filepath.Join(dir, "none")}, exitUsage, "no such file"},
		{[]string{"--data-dir", t.TempDir()}, exitWrong, "no heartbeat was recorded in these 30 days"},
		{[]string{"--data-dir", t.TempDir(), "--lang=de"}, exitWrong, "in diesen 30 Tagen wurde unter"},
	} {
		r := reporting(t, now, tc.args...)
		if r.code != tc.code || r.out != "" && tc.code != exitUsage || !strings.Contains(r.err, tc.want) {
			t.Errorf("%v: exit code %d, want %d; no %q in %s%s", tc.args, r.code, tc.code, tc.want, r.out, r.err)
		}
	}
}

func TestOnlyAnAddressOfHTTPSIsSaidToBeAskedOverHTTPS(t *testing.T) {
	for address, want := range map[string]bool{
		"https://schule-a.jamfcloud.com/api": true, "HTTPS://schule-a.jamfcloud.com/api": true, "http://127.0.0.1:8080/api": false, "": false,
	} {
		for _, lang := range []catalogue.Language{catalogue.EN, catalogue.DE} {
			p := sheet{s: streams{lang: lang}}
			p.availability(availability.Report{URL: address}, "dev")
			if got := strings.Contains(p.b.String(), "HTTPS for") || strings.Contains(p.b.String(), "HTTPS nach"); got != want {
				t.Errorf("%q in %s: says HTTPS: %v", address, lang, got)
			}
		}
	}
}
