package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/catalogue"
)

// away is what the admin door answers while the data is fresh and the Jamf of source a is gone.
const away = `{"version":"1","items":[
	{"name":"a","status":"ok","heartbeat":{"everySeconds":300,"reachable":false,"downSince":"2026-01-24T03:10:00.000Z","nextAt":"2126-01-24T04:30:00.000Z"},"kinds":[
		{"kind":"computer","state":"fresh","count":3,"lastError":{"code":"timeout","at":"2026-01-24T03:00:00.000Z"}},
		{"kind":"mobile","state":"fresh","count":4,"syncing":true,"lastError":{"code":"timeout","at":"2026-01-24T03:20:00.000Z"}}]},
	{"name":"b","status":"ok","heartbeat":{"everySeconds":300,"reachable":true,"downSince":null,"nextAt":"2126-01-24T04:30:00.000Z"},"kinds":[
		{"kind":"computer","state":"fresh","count":5}]}]}`

func TestStatusSaysThatJamfDoesNotAnswerThoughTheDataIsFresh(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(away)) }))
	t.Cleanup(srv.Close)
	for _, lang := range []string{"en", "de"} {
		r := command(t, nil, "status", "--admin", srv.URL, "--lang", lang)
		if r.code != exitWrong {
			t.Errorf("exit code %d, want %d\n%s%s", r.code, exitWrong, r.out, r.err)
		}
		golden(t, "status_away."+lang+".txt", clockless(r.out))
	}
	if r := command(t, nil, "status", "--admin", srv.URL, "--json"); r.code != exitWrong {
		t.Errorf("--json: exit code %d, want %d", r.code, exitWrong)
	}
}

func TestMomentsOfTodayHaveNoDateInTheNotesOfStatus(t *testing.T) {
	var a sourcesAnswer
	if err := json.Unmarshal([]byte(away), &a); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.Local)
	since, next, failed := now.Add(-90*time.Minute), now.Add(5*time.Minute), now.Add(-24*time.Hour)
	a.Items[0].Heartbeat = &signOfLife{DownSince: &since, NextAt: &next}
	a.Items[0].Kinds = []kindStatus{{LastError: &codeStatus{Code: "timeout", At: &failed}}}
	s := streams{lang: catalogue.DE}
	notes := strings.Join(s.notes(a, now), "\n")
	for _, want := range []string{"a: Jamf antwortet seit 10:30 nicht, nächster Versuch 12:05\n", "(zuletzt 2026-11-24 12:00)"} {
		if !strings.Contains(notes, want) {
			t.Errorf("want %q in\n%s", want, notes)
		}
	}
	if late := s.outage(*a.Items[0].Heartbeat, now.Add(6*time.Minute)); !strings.HasSuffix(late, "ein neuer Versuch läuft") {
		t.Errorf("while it is asked: %s", late)
	}
}

func TestStatusNamesWhatSomebodyMustDecideAndWhatIsAnnounced(t *testing.T) {
	const answer = `{"version":"1","items":[{"name":"a","status":"ok","expectedRemovals":{"left":250,"until":"2026-12-24T12:00:00.000Z"},"kinds":[
		{"kind":"computer","state":"fresh","count":3,"undecided":2},{"kind":"mobile","state":"fresh","count":4}]}]}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
	t.Cleanup(srv.Close)
	for lang, want := range map[string][]string{
		"en": {"a: 2 computers have been kept for more than 14 days", "a: up to 250 deletions in Jamf are published without approval until 2026-12-24"},
		"de": {"a: 2 Computer werden seit mehr als 14 Tagen behalten", "a: bis zu 250 Löschungen in Jamf werden bis 2026-12-24"},
	} {
		r := command(t, nil, "status", "--admin", srv.URL, "--lang", lang)
		for _, line := range want {
			if r.code != exitGood || strings.Count(r.out, line) != 1 {
				t.Errorf("exit code %d, no %q in\n%s%s", r.code, line, r.out, r.err)
			}
		}
	}
	held := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"source":"a","items":[],"expectedRemovals":{"left":250,"until":"2026-12-24T12:00:00.000Z"}}`))
	}))
	t.Cleanup(held.Close)
	if r := command(t, nil, "approve", "a", "--admin", held.URL, "--lang", "en"); r.code != exitGood || !strings.Contains(r.out, "a: up to 250 deletions") {
		t.Errorf("approve: exit code %d\n%s%s", r.code, r.out, r.err)
	}
}

func TestStatusNamesRefusedAPIClientsAndWhatEndsSoon(t *testing.T) {
	const answer = `{"version":"1","items":[{"name":"a","status":"ok","apiClients":[
		{"clientId":"first\u001b[2J","inUse":false,"refusedSince":"2026-01-24T12:00:00.000Z","provedAt":null},{"clientId":"other","inUse":true,"refusedSince":null,"provedAt":null}],
		"kinds":[{"kind":"computer","state":"fresh","count":3}]}],
		"warnings":[{"en":"gateway.yaml:3: tls.cert_file: ends","de":"gateway.yaml:3: tls.cert_file: endet"}]}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
	t.Cleanup(srv.Close)
	for lang, want := range map[string][]string{
		"en": {"a: Jamf has refused API client first?[2J since 2026-01-24", "; the other one is in use", "Warning: gateway.yaml:3: tls.cert_file: ends\n"},
		"de": {"a: Jamf lehnt den API-Client first?[2J seit 2026-01-24", "; der andere wird benutzt", "Warnung: gateway.yaml:3: tls.cert_file: endet\n"},
	} {
		r := command(t, nil, "status", "--admin", srv.URL, "--lang", lang)
		for _, line := range want {
			if r.code != exitGood || strings.Count(r.out, line) != 1 {
				t.Errorf("exit code %d, no %q in\n%s%s", r.code, line, r.out, r.err)
			}
		}
	}
}

func TestStatusSaysWhatTheFiltersOfClientsLeaveOut(t *testing.T) {
	const answer = `{"version":"1","items":[{"name":"a","status":"ok","kinds":[{"kind":"computer","state":"fresh","count":30}],"views":[
		{"kind":"computer","client":"north","count":12,"leftOut":{"other_site":15,"unmanaged":3}},
		{"kind":"mobile","client":"north","count":null,"leftOut":{}},{"kind":"computer","client":"south","count":30,"leftOut":{}}]}]}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
	t.Cleanup(srv.Close)
	for lang, want := range map[string][]string{
		"en": {"north a computers 12 15 of other sites, 3 unmanaged", "north a mobile devices - not known before the next sync", "south a computers 30 -"},
		"de": {"north a Computer 12 15 anderer Standorte, 3 nicht verwaltet", "erst nach der nächsten Synchronisierung bekannt"},
	} {
		r := command(t, nil, "status", "--admin", srv.URL, "--lang", lang)
		for _, line := range want {
			if r.code != exitGood || strings.Count(strings.Join(strings.Fields(r.out), " "), line) != 1 {
				t.Errorf("exit code %d, no %q in\n%s%s", r.code, line, r.out, r.err)
			}
		}
	}
}
