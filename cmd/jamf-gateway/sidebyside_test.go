package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/user"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// twoSides is what the admin door answers of a serial number that two devices have; names and values are hostile to a terminal.
const twoSides = `{"found":3,"devices":[{"uid":"a:computer:42","source":"a","kind":"computer","state":"present","asOf":"2026-01-24T03:10:00.000Z","generation":9,"profile":"with-user",
"notKept":["applications","fonts"],"record":{"id":"42","general":{"name":"\u001b[2J\u202egone\u0007","assetTag":null},"hardware":{"serialNumber":"C42","note\u001b]0;x\u0007":"` + "\u009b" + `31m"},
"userAndLocation":{"username":"erika"},"storage":{"disks":[{"device":"a"},{"device":"b"},{"device":"c"},{"device":"d"}]},"groupMemberships":[]},
"clients":[{"client":"assets","reason":null,"profile":"minimal","jamf":{"id":"42","general":{"name":"C42","assetTag":null},"hardware":{"serialNumber":"C42","model":"Mac"},"userAndLocation":null,"storage":{"disks":[]},"groupMemberships":[]},"normalized":{"uid":"a:computer:42","name":"C42","assetTag":null,"model":"Mac\u001b[2J\u202e","tags":[]}},
{"client":"north","reason":"other_site","profile":"minimal","jamf":null,"normalized":null},{"client":"own-api","reason":null,"profile":"minimal","jamf":null,"normalized":{"uid":"a:computer:42","name":"\u009b31mgone","site":{"name":"North"}}},{"client":"late","reason":"view_not_ready","profile":"minimal","jamf":null,"normalized":null}]},
{"uid":"a:mobile:7","source":"a","kind":"mobile","state":"missing","asOf":"2026-01-24T03:10:00.000Z","generation":3,"profile":"minimal","notKept":null,"record":{"mobileDeviceId":"7"},"clients":[]}],
"unread":[{"source":"b","kind":"mobile","code":"never_synced"}]}`

func TestShowPutsWhatIsStoredBesideWhatClientsSee(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(twoSides)) }))
	t.Cleanup(srv.Close)
	for _, lang := range []string{"en", "de"} {
		r := command(t, nil, "show", "--serial", "C42", "--admin", srv.URL, "--lang", lang)
		if r.code != exitGood {
			t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
		}
		printable(t, r.out)
		golden(t, "show."+lang+".txt", clockless(r.out))
		r = command(t, []string{"COLUMNS=40"}, "show", "--serial", "C42", "--admin", srv.URL, "--lang", lang)
		printable(t, r.out)
		golden(t, "show_narrow."+lang+".txt", clockless(r.out))
	}
	r := command(t, nil, "show", "--uid", "a:computer:42", "--json", "--admin", srv.URL)
	printable(t, r.out)
	var got, want any
	if err := errors.Join(json.Unmarshal([]byte(r.out), &got), json.Unmarshal([]byte(twoSides), &want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestShowPrintsTheShapeThatIsAskedFor and says which clients have no such side.
func TestShowPrintsTheShapeThatIsAskedFor(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(twoSides)) }))
	t.Cleanup(srv.Close)
	for shape, says := range map[string]map[string]bool{
		"both":       {"hardware.model": true, "site.name": true, "own-api reads": false, "Normalized:": true, "hardware.serialNumber": true},
		"jamf":       {"hardware.model": true, "site.name": false, "own-api reads the normalized API alone": true, "Normalized:": false},
		"normalized": {"hardware.model": false, "site.name": true, "own-api reads": false, "hardware.serialNumber": false, "Nothing is kept of": true},
	} {
		r := command(t, nil, "show", "--serial", "C42", "--shape", shape, "--admin", srv.URL)
		printable(t, r.out)
		for words, want := range says {
			if strings.Contains(r.out, words) != want {
				t.Errorf("--shape %s: %q is there: %t\n%s", shape, words, !want, r.out)
			}
		}
	}
	if r := command(t, nil, "show", "--serial", "C42", "--shape", "round", "--admin", srv.URL); r.code != exitUsage {
		t.Errorf("a shape that does not exist: exit code %d", r.code)
	}
}

// printable tells whether a terminal is shown anything that it could obey.
func printable(t *testing.T, out string) {
	t.Helper()
	for _, c := range out {
		if c != '\n' && !strconv.IsPrint(c) {
			t.Errorf("%q reaches the terminal", c)
		}
	}
}

func TestShowAsksForWhatIsNamedAndSaysWhatIsNotThere(t *testing.T) {
	var asked *http.Request
	status, body := http.StatusOK, twoSides
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/admin/show" {
			asked = r
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	for _, c := range []struct {
		args   string
		status int
		body   string
		code   int
		says   string
		query  url.Values // nil: nothing is asked
	}{
		{"--serial C42 --source a --client assets", 200, twoSides, exitGood, "a:computer:42", url.Values{"serial": {"C42"}, "source": {"a"}, "client": {"assets"}}},
		{"--uid a:computer:42", 200, twoSides, exitGood, "a:computer:42", url.Values{"uid": {"a:computer:42"}}},
		{"--serial C\u202e9", 404, `{"code":"unknown_device"}`, exitWrong, `no device with the serial number "C\u202e9" is stored`, url.Values{"serial": {"C\u202e9"}}},
		{"--serial C9 --lang de", 404, `{"code":"unknown_device"}`, exitWrong, `kein Gerät mit der Seriennummer "C9" ist gespeichert`, url.Values{"serial": {"C9"}}},
		{"--uid a:computer:9 --lang de", 404, `{"code":"unknown_device"}`, exitWrong, "ein Gerät a:computer:9 ist nicht gespeichert", url.Values{"uid": {"a:computer:9"}}},
		{"--serial C9 --client nobody", 404, `{"code":"not_found"}`, exitUsage, `no client "nobody"`, url.Values{"serial": {"C9"}, "client": {"nobody"}}},
		{"--serial C9 --source x", 404, `{"code":"unknown_source"}`, exitUsage, "[unknown_source]", url.Values{"serial": {"C9"}, "source": {"x"}}},
		{"--serial C9", 503, `{"code":"audit_failed"}`, exitWrong, "[audit_failed]", url.Values{"serial": {"C9"}}},
		{"--serial C9", 200, `{"devices":[]}`, exitWrong, "is not the admin door", url.Values{"serial": {"C9"}}},
		{"--uid a:mac:9", 200, "", exitUsage, `"a:mac:9" is no device: SOURCE:KIND:ID like a:computer:42`, nil},
		{"--uid C9", 200, "", exitUsage, `"C9" is no device`, nil},
		{"--uid a:mobile:9 --source a", 200, "", exitUsage, "leave out --source", nil},
		{"--uid a:mobile:9 --serial C9", 200, "", exitUsage, "can't be used together", nil},
		{"--json", 200, "", exitUsage, "--serial=SERIAL or --uid=UID", nil},
	} {
		asked, status, body = nil, c.status, c.body
		r := command(t, nil, append([]string{"show", "--admin", srv.URL}, strings.Fields(c.args)...)...)
		if r.code != c.code || !strings.Contains(r.out+r.err, c.says) {
			t.Errorf("%s: exit code %d, want %d, and %q in\n%s%s", c.args, r.code, c.code, c.says, r.out, r.err)
		}
		if c.query == nil {
			if asked != nil {
				t.Errorf("%s asks %s", c.args, asked.URL)
			}
			continue
		}
		c.query.Set("by", operator(nil, user.Current, os.Getuid()))
		if asked == nil || asked.Method != http.MethodPost || asked.URL.RawQuery != c.query.Encode() {
			t.Errorf("%s asks %+v, want %s", c.args, asked, c.query.Encode())
		}
	}
}
