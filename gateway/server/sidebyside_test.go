package server_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// sides is the answer of the admin door about a device.
type sides struct {
	Found   int `json:"found"`
	Devices []struct {
		UID     string          `json:"uid"`
		Profile string          `json:"profile"`
		NotKept []string        `json:"notKept"`
		Record  json.RawMessage `json:"record"`
		Clients []struct {
			Client     string          `json:"client"`
			Reason     *string         `json:"reason"`
			Profile    *string         `json:"profile"`
			Jamf       json.RawMessage `json:"jamf"`
			Normalized json.RawMessage `json:"normalized"`
		} `json:"clients"`
	} `json:"devices"`
	Unread []struct {
		Source string `json:"source"`
		Kind   string `json:"kind"`
		Code   string `json:"code"`
	} `json:"unread"`
}

// reasons are what is said of each client: "" = it is shown the device.
func (s sides) reasons() map[string]string {
	out := map[string]string{}
	for _, c := range s.Devices[0].Clients {
		if out[c.Client] = ""; c.Reason != nil {
			out[c.Client] = *c.Reason
		}
	}
	return out
}

// compared is a world with clients of every kind, and a fleet in which the serial number C2 stands twice.
func newCompared(t *testing.T, options ...option) *audited {
	t.Helper()
	minimal, _ := device.BuiltinProfile("minimal")
	a := newAudited(t, append(options, func(o *server.Options) {
		add := func(id string, change func(*server.ClientOptions)) {
			c := server.ClientOptions{ID: id, Secrets: [][32]byte{sum(id)}, Profile: minimal}
			change(&c)
			o.Clients = append(o.Clients, c)
		}
		add("minimal", func(*server.ClientOptions) {})
		add("north", func(c *server.ClientOptions) { c.Filter.Sites = []string{"North"} })
		add("newest", func(c *server.ClientOptions) { c.Filter.NewestOfSerial = true })
		add("later", func(c *server.ClientOptions) { c.Filter.Groups = []string{"of a filter that no generation knows"} })
		add("own-api", func(c *server.ClientOptions) { c.NoFacade = true })
		add("jamf-api", func(c *server.ClientOptions) { c.NoNormalized = true })
		add("pads", func(c *server.ClientOptions) { c.Kinds = []device.Kind{device.Mobile} })
		add("masked", func(c *server.ClientOptions) {
			c.Profile, c.Policy.Names = nil, device.NamesSerial
		})
	})...)
	a.terms = device.Filter{Sites: []string{"North"}}.Terms()
	second := strings.Replace(computer(2, "c2 ", "Mac 2"), "2026-11-20T10", "2026-11-21T10", 1)
	a.publish("schule-a", device.Computer, fleet{1: computer(1, "C1", "Mac 1"), 2: second, 3: strings.Replace(computer(3, "C2", "NAME"), "NAME", `\u001b[2J <b>Mac 3</b>\u202e`, 1)})
	a.publish("schule-a", device.Mobile, fleet{1: mobile(1, "M1", "Pad 1")})
	a.publish("schule-b", device.Computer, fleet{})
	a.publish("schule-b", device.Mobile, fleet{7: mobile(7, "M7", "Pad 7")})
	return a
}

func (a *audited) shown(query string) sides {
	a.t.Helper()
	r := a.post("/v1/admin/show?" + query)
	if r.status != http.StatusOK {
		a.t.Fatalf("show %s: %s", query, r)
	}
	var s sides
	r.decode(a.t, &s)
	return s
}

// What the operator is shown as a client's side is, byte for byte, what that client is answered.
func TestShowPutsTheStoredRecordBesideWhatEachClientIsAnswered(t *testing.T) {
	a := newCompared(t)
	got := a.shown("serial=c2&by=anna")
	if got.Found != 2 || len(got.Unread) != 0 || got.Devices[0].UID != "schule-a:computer:2" || got.Devices[1].UID != "schule-a:computer:3" {
		t.Fatalf("%+v", got)
	}
	if diff := cmp.Diff(map[string]string{
		"all": "", "only-a": "", "only-b": "other_source", "minimal": "", "north": "other_site", "newest": "", "later": "view_not_ready", "masked": "", "own-api": "", "jamf-api": "", "pads": "other_kind",
	}, got.reasons()); diff != "" {
		t.Error(diff)
	}
	for _, d := range got.Devices {
		if d.Profile != "full" || !strings.Contains(string(d.Record), `"username":"user`) {
			t.Errorf("%s: stored is %s", d.UID, d.Record)
		}
		id := strings.TrimPrefix(d.UID, "schule-a:computer:")
		for _, c := range d.Clients {
			facade, normalized := a.get(c.Client, "/jamf/schule-a/api/v4/computers-inventory-detail/"+id), a.get(c.Client, "/v1/devices/"+d.UID)
			if c.Reason != nil {
				if c.Jamf != nil && string(c.Jamf) != "null" || facade.status == http.StatusOK || normalized.status == http.StatusOK {
					t.Errorf("%s of %s: %s, but %s and %s", d.UID, c.Client, *c.Reason, facade, normalized)
				}
				continue
			}
			for _, r := range []*reply{&facade, &normalized} {
				if r.status == http.StatusForbidden {
					r.body = []byte("null")
				}
			}
			if string(c.Jamf) != string(facade.body) || string(c.Normalized) != string(normalized.body) || facade.status != normalized.status != strings.HasSuffix(c.Client, "-api") {
				t.Errorf("%s of %s differs from\n%s\n%s", d.UID, c.Client, facade, normalized)
			}
			if leaks := strings.Contains(string(c.Jamf)+string(c.Normalized), "user"+id); leaks != !slices.Contains([]string{"minimal", "newest", "own-api", "jamf-api"}, c.Client) {
				t.Errorf("%s of %s: the hidden name of the user is there: %t", d.UID, c.Client, leaks)
			}
		}
	}
	if older := (sides{Devices: got.Devices[1:]}).reasons(); older["newest"] != "older_duplicate" {
		t.Errorf("%v", older)
	}
	pad := a.shown("uid=schule-b:mobile:7&client=only-a")
	if pad.Found != 1 || len(pad.Devices[0].Clients) != 1 || pad.reasons()["only-a"] != "other_source" || pad.Devices[0].NotKept == nil {
		t.Errorf("%+v", pad)
	}
	for query, want := range map[string]string{
		"serial=M1&source=schule-b": "404 unknown_device", "serial=nobody": "404 unknown_device", "uid=schule-a:computer:9": "404 unknown_device",
		"serial=M1&source=schule-x": "404 unknown_source", "uid=schule-x:mobile:1": "404 unknown_source", "serial=M1&client=nobody": "404 not_found",
		"": "400 bad_request", "serial=M1&uid=schule-a:mobile:1": "400 bad_request", "uid=C1": "400 bad_request", "uid=schule-a:mobile:1&source=schule-a": "400 bad_request",
		"serial=M1&fields=user": "400 unknown_parameter", "serial=%ff": "400 bad_request",
	} {
		var status int
		var code string
		_, _ = fmt.Sscan(want, &status, &code)
		a.want(a.post("/v1/admin/show?"+query), status, code)
	}
	a.want(a.do(http.MethodPost, a.admin+"/v1/admin/show?serial=C1", "", "Authorization", ""), http.StatusUnauthorized, "admin_token")
	a.want(a.do(http.MethodPost, a.admin+"/v1/admin/show?serial=C1", "", "Host", "evil.example"), http.StatusForbidden, "forbidden_origin")
	a.want(a.do(http.MethodPost, a.admin+"/v1/admin/show?serial=C1", "", "Content-Encoding", "gzip"), http.StatusUnsupportedMediaType, "content_encoding")
	for range server.AdminTries {
		a.do(http.MethodPost, a.admin+"/v1/admin/show?serial=C1", "", "Authorization", "Bearer jga_guess")
	}
	a.want(a.do(http.MethodPost, a.admin+"/v1/admin/show?serial=C1", "", "Authorization", "Bearer jga_guess"), http.StatusTooManyRequests, "too_many_attempts")
}

// Of a series that cannot be read nobody says that it has no such device.
func TestShowSaysWhatItCouldNotRead(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, fleet{1: computer(1, "C1", "Mac 1")})
	post := func(query string) reply { return w.do(http.MethodPost, w.admin+"/v1/admin/show?"+query, "") }
	w.want(post("serial=C9"), http.StatusServiceUnavailable, "never_synced")
	w.want(post("uid=schule-b:mobile:1"), http.StatusServiceUnavailable, "never_synced")
	w.want(post("uid=schule-a:computer:9"), http.StatusNotFound, "unknown_device")
	var s sides
	if r := post("serial=C1"); r.status != http.StatusOK {
		t.Fatal(r)
	} else {
		r.decode(t, &s)
	}
	if s.Found != 1 || len(s.Unread) != 3 || s.Unread[0].Code != "never_synced" {
		t.Errorf("%+v", s)
	}
}

// Who looks at a device is written down before he sees it, by its uid, and no value of it is written or logged anywhere.
func TestShowIsWrittenDownWithoutValuesOrRefused(t *testing.T) {
	var logs lockedBuffer
	a := newCompared(t, func(o *server.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	a.shown("serial=c2&by=anna")
	a.post("/v1/admin/show?serial=SECRETSERIAL&by=anna")
	const second, third = "admin.show admin anna schule-a computer schule-a:computer:2 ", "admin.show admin anna schule-a computer schule-a:computer:3 "
	if diff := cmp.Diff([]string{
		second + "asked", second + "ok", third + "asked", third + "ok", "admin.show admin anna asked", "admin.show admin anna unknown_device",
	}, a.told()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	files, err := filepath.Glob(filepath.Join(a.dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	said := logs.String()
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		said += string(data)
	}
	for _, value := range []string{"SECRETSERIAL", "user2", "Mac 2", "UDID-2"} {
		if strings.Contains(said, value) {
			t.Errorf("%q is written down", value)
		}
	}
	a.full.Store(true)
	r := a.post("/v1/admin/show?serial=c2")
	a.want(r, http.StatusServiceUnavailable, "audit_failed")
	if strings.Contains(string(r.body), "user2") {
		t.Errorf("shown unseen: %s", r)
	}
}

// Devices beyond those of one answer are counted.
func TestShowCountsWhatOneAnswerDoesNotHold(t *testing.T) {
	w := newWorld(t)
	f := fleet{}
	for id := 1; id <= 30; id++ {
		f[id] = computer(id, "VM", "vm")
	}
	w.publish("schule-a", device.Computer, f)
	var s sides
	w.do(http.MethodPost, w.admin+"/v1/admin/show?serial=VM&source=schule-a&client=all", "").decode(t, &s)
	if s.Found != 30 || len(s.Devices) != 20 {
		t.Errorf("%d found, %d shown", s.Found, len(s.Devices))
	}
}
