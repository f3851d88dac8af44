package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/user"
	"strconv"
	"strings"
	"testing"
	"time"
)

// heldBack is what the admin door answers of a source whose computers are held.
const heldBack = `{"source":"a","items":[{"kind":"computer","digest":"0123456789abcdef01234567","since":"2026-01-24T03:10:00.000Z","generation":9,
	"count":140,"removed":3,"guards":[{"guard":"removed","count":60,"of":200,"limit":30},{"guard":"unconfirmed","count":40,"of":200,"limit":10},
	{"guard":"small","count":6,"of":20,"limit":4},{"guard":"week","count":60,"of":200,"limit":50},{"guard":"empty","count":200,"of":200,"limit":0},
	{"guard":"serial","count":9,"of":200,"limit":5},{"guard":"instance","count":4,"of":200,"limit":100},
	{"guard":"week","count":32,"of":100,"limit":25,"client":"north"},
	{"guard":"blanked","count":150,"of":200,"limit":100,"names":["general.assetTag","hardware"]}],
	"devices":[{"uid":"a:computer:141","name":"Mac 141","serialNumber":"C141"},{"uid":"a:computer:142","name":"\u001b[2Jx","serialNumber":""}]}]}`

func TestApproveShowsWhatIsHeldAndWhy(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method+" "+r.URL.Path != "GET /v1/admin/sources/a/held" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(heldBack))
	}))
	t.Cleanup(srv.Close)
	for _, lang := range []string{"en", "de"} {
		r := command(t, nil, "approve", "a", "--admin", srv.URL, "--lang", lang)
		if r.code != exitWrong {
			t.Errorf("exit code %d, want %d\n%s%s", r.code, exitWrong, r.out, r.err)
		}
		if strings.Contains(r.out, "\x1b") {
			t.Error("a name of a device reaches the terminal raw")
		}
		golden(t, "approve."+lang+".txt", strings.ReplaceAll(clockless(r.out), srv.URL, "URL"))
	}
}

func TestApproveAndExpectSayWhatWasDone(t *testing.T) {
	var asked url.Values
	status, body := http.StatusOK, `{"source":"a","items":[]}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query()
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	day := time.Now().AddDate(0, 0, 7)
	midnight := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.Local).AddDate(0, 0, 1)
	for _, c := range []struct {
		args   string
		status int
		body   string
		code   int
		says   string
		query  url.Values
	}{
		{"approve a", 200, body, exitGood, "a: nothing is held", url.Values{"by": {operator(nil, user.Current, os.Getuid())}}},
		{"approve a --lang de", 200, body, exitGood, "a: Es wird nichts zurückgehalten", nil},
		{"approve a 0123ABC", 200, `{"status":"approved"}`, exitGood, "a: approved", url.Values{"digest": {"0123abc"}, "by": {operator(nil, user.Current, os.Getuid())}}},
		{"approve a 0123 --lang de", 200, `{"status":"approved"}`, exitGood, "a: freigegeben", nil},
		{"approve a 0123", 409, `{"code":"not_held"}`, exitWrong, "Nothing is held under this digest", nil},
		{"approve nope 0123", 404, `{"code":"unknown_source"}`, exitUsage, "[unknown_source]", nil},
		{"approve nope", 404, `{"code":"unknown_source"}`, exitUsage, "[unknown_source]", nil},
		{
			"expect-removals a 30 --until " + day.Format(time.DateOnly), 200, `{"count":30}`, exitGood, "a: up to 30 deletions in Jamf are published without approval until " + midnight.Format("2006-01-02 15:04"),
			url.Values{"count": {"30"}, "until": {midnight.Format(time.RFC3339)}, "by": {operator(nil, user.Current, os.Getuid())}},
		},
		{"expect-removals a 30 --lang de --until " + day.Format(time.RFC3339), 200, `{"count":30}`, exitGood, "a: bis zu 30 Löschungen", nil},
		{"expect-removals a 0", 200, `{"count":0}`, exitGood, "a: no removals are expected any more", nil},
		{"expect-removals nope 0", 404, `{"code":"unknown_source"}`, exitUsage, "[unknown_source]", nil},
	} {
		status, body = c.status, c.body
		r := command(t, nil, append(strings.Fields(c.args), "--admin", srv.URL)...)
		if r.code != c.code || !strings.Contains(r.out+r.err, c.says) {
			t.Errorf("%s: exit code %d, want %d, and %q in\n%s%s", c.args, r.code, c.code, c.says, r.out, r.err)
		}
		if c.query != nil && asked.Encode() != c.query.Encode() {
			t.Errorf("%s asks %s, want %s", c.args, asked.Encode(), c.query.Encode())
		}
	}
}

func TestExpectRefusesWhatIsNoWindow(t *testing.T) {
	for args, says := range map[string]string{
		"a 5":                              "--until is needed",
		"a 5 --until tomorrow":             `not "tomorrow"`,
		"a 5 --until 2020-01-01":           "has passed",
		"a 5 --until 2099-01-01":           "more than a year",
		"a 5 --until 2099-01-01 --lang de": "liegt mehr als ein Jahr",
		"a many --until 2099-01-01":        "count",
		"a 5000001 --until 2099-01-01":     "must be 0 to 5000000",
	} {
		r := command(t, nil, append([]string{"expect-removals"}, strings.Fields(args)...)...)
		if r.code != exitUsage || !strings.Contains(r.err, says) {
			t.Errorf("%s: exit code %d, %s", args, r.code, r.err)
		}
	}
}

// What Jamf calls a device reaches a terminal without anything that moves its cursor, colours it, turns its writing round or begins a line.
func TestNoNameOfADeviceReachesTheTerminalRaw(t *testing.T) {
	names := []string{
		"\x1b[2Jgone", "\x1b]0;title\x07", "a\r\nb: nothing is held", "\b\b\b", "a\x00b", "a\x7fb", "\u009b31mred", "a\u0085b", "a\u2028b", "\u202egpj.exe", "\u2066a\u2069", "\u200bhidden", "a\tb",
	}
	devices := []map[string]string{}
	for _, name := range names {
		devices = append(devices, map[string]string{"uid": "a:computer:1", "name": name, "serialNumber": name})
	}
	answer, err := json.Marshal(map[string]any{"source": "a", "items": []any{map[string]any{"kind": "computer", "digest": "0123456789abcdef01234567", "count": 1, "removed": len(names), "guards": []any{}, "devices": devices}}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	t.Cleanup(srv.Close)
	for _, lang := range []string{"en", "de"} {
		r := command(t, nil, "approve", "a", "--admin", srv.URL, "--lang", lang)
		if n := strings.Count(r.out, "a:computer:1 "); n != len(names) {
			t.Fatalf("%d devices are shown, want %d\n%q", n, len(names), r.out)
		}
		for _, c := range r.out + r.err {
			if c != '\n' && !strconv.IsPrint(c) {
				t.Errorf("%q reaches the terminal", c)
			}
		}
	}
}
