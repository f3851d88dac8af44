package server_test

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
	"jamf-gateway/gateway/usage"
)

// scoped adds a client with a change to what it may do.
func scoped(id string, change func(*server.ClientOptions)) option {
	return func(o *server.Options) {
		c := server.ClientOptions{ID: id, Secrets: [][32]byte{sum(id)}}
		change(&c)
		o.Clients = append(o.Clients, c)
	}
}

// steadyBody is an answer without what is its own in any case.
func steadyBody(r reply) string {
	return regexp.MustCompile(`"(requestId|traceId)":"[^"]*"`).ReplaceAllString(string(r.body), "")
}

func TestAClientIsShownItsKindsAloneAndLearnsNothingOfTheOther(t *testing.T) {
	w := newWorld(t, scoped("tablets", func(c *server.ClientOptions) { c.Kinds = []device.Kind{device.Mobile} }))
	w.publishAll(2)
	if got := w.devices("tablets", "").uids(); !slices.Equal(got, []string{"schule-a:mobile:1", "schule-a:mobile:2", "schule-b:mobile:1", "schule-b:mobile:2"}) {
		t.Errorf("list %v", got)
	}
	for _, pair := range [][2]string{
		{"/v1/devices?kind=computer", "/v1/devices?kind=computer&source=schule-b"},
		{"/v1/devices/schule-a:computer:1", "/v1/devices/schule-a:computer:99"},
		{"/v1/devices/schule-a:computer:1/applications", "/v1/devices/schule-a:computer:99/applications"},
		{"/api/v1/computers-inventory", "/api/v1/computers-inventory?page=9"},
		{"/api/v1/computers-inventory/1", "/api/v1/computers-inventory/99"},
		{"/api/v1/computers-inventory-detail/1", "/api/v1/computers-inventory-detail/99"},
	} {
		one, other := w.get("tablets", pair[0]), w.get("tablets", pair[1])
		w.want(one, http.StatusForbidden, "kind_disabled")
		if strings.Contains(pair[0], "source=") == strings.Contains(pair[1], "source=") && steadyBody(one) != steadyBody(other) {
			t.Errorf("what there is can be told from what there is not:\n%s\n%s", one, other)
		}
	}
	if r := w.get("tablets", "/api/v2/mobile-devices/1"); r.status != http.StatusOK {
		t.Errorf("its own kind: %s", r)
	}
	for _, path := range []string{"/v1/sources", "/v1/sources/schule-a", "/v1/sources/schule-a/health", "/v1/health"} {
		if r := w.get("tablets", path); r.status != http.StatusOK || strings.Contains(string(r.body), `"kind":"computer"`) || !strings.Contains(string(r.body), `"kind":"mobile"`) {
			t.Errorf("%s: %s", path, r)
		}
	}
	if r := w.get("tablets", "/v1/sources/schule-a/health"); strings.Contains(string(r.body), "Read Computers") || !strings.Contains(string(r.body), "Read Mobile Devices") {
		t.Errorf("rights of the source: %s", r)
	}
	if r := w.get("tablets", "/api/v1/auth"); strings.Contains(string(r.body), "Read Computers") || !strings.Contains(string(r.body), "Read Mobile Devices") {
		t.Errorf("rights: %s", r)
	}
}

// TestAConnectionTestSaysNothingOfAKindThatTheClientIsNotShown: neither how many devices there are nor that they cannot be read.
func TestAConnectionTestSaysNothingOfAKindThatTheClientIsNotShown(t *testing.T) {
	w := newWorld(t, scoped("tablets", func(c *server.ClientOptions) { c.Kinds = []device.Kind{device.Mobile} }),
		scoped("laptops", func(c *server.ClientOptions) { c.Kinds = []device.Kind{device.Computer} }))
	computers, mobiles := 4711, 815
	w.house.report = server.TestReport{
		Source: "schule-a", StartedAt: start, Computers: &computers, MobileDevices: &mobiles,
		RightsPresent: []string{"Read Mobile Devices"}, RightsMissing: []string{"Read Computers"}, RightsSurplus: []string{"Read Sites"},
		Steps: []server.TestStep{
			{Name: "token", Result: "ok"},
			{Name: "rights", Result: "failed", Code: "right_missing", Detail: "missing: Read Computers", Action: "Give the role the right Read Computers."},
			{Name: "mobile_devices", Result: "ok", Detail: "815 devices"},
			{Name: "computers", Result: "failed", Code: "timeout", Detail: "4711 devices"},
		},
	}
	test := func(client string) (body string, ok bool) {
		r := w.do(http.MethodPost, w.base+"/v1/sources/schule-a/test", "", "Authorization", "Bearer "+w.token(client))
		var report struct {
			OK bool `json:"ok"`
		}
		r.decode(t, &report)
		return string(r.body), report.OK
	}
	for client, c := range map[string]struct {
		ok          bool
		never, says []string
	}{
		"tablets": {true, []string{"omputers", "4711", "right_missing", "failed"}, []string{"815", "Read Mobile Devices", `"computers":null`}},
		"laptops": {false, []string{"obile_devices", "815", "Read Mobile"}, []string{"4711", "Read Computers", "right_missing", `"mobileDevices":null`}},
		"all":     {false, nil, []string{"4711", "815", "missing: Read Computers"}},
	} {
		body, ok := test(client)
		rest := strings.Replace(body, `"computers":null`, "", 1)
		if ok != c.ok || slices.ContainsFunc(c.never, func(s string) bool { return strings.Contains(rest, s) }) ||
			slices.ContainsFunc(c.says, func(s string) bool { return !strings.Contains(body, s) }) {
			t.Errorf("%s is told %s", client, body)
		}
	}
}

func TestAClientOfOneAPILearnsNothingOfTheOther(t *testing.T) {
	w := newWorld(t,
		scoped("jamf-alone", func(c *server.ClientOptions) { c.NoNormalized = true }),
		scoped("own-alone", func(c *server.ClientOptions) { c.NoFacade = true }))
	w.publishAll(1)
	values := strings.NewReplacer("{uid}", "schule-a:computer:1", "{name}", "schule-a", "{source}", "schule-a", "{id}", "1")
	open := regexp.MustCompile(`^(GET|POST) (/|/jamf/{source}|/livez|/readyz|.*/oauth/token|.*/v1/auth/token|.*/healthCheck.html|.*/health-check|.*/startup-status)$`)
	type question struct {
		method, path string
		facade       bool
	}
	asked := []question{
		{"GET", "/v1/nothing", false},
		{"GET", "/v2/devices", false},
		{"POST", "/v1/devices", false},
		{"OPTIONS", "/v1/devices", false},
		{"GET", "/v1/devices?limit=x", false},
		{"GET", "/v1/devices/x", false},
		{"GET", "/%61pi/v1/auth", false},
		{"GET", "/API/v1/auth", false},
		{"GET", "/api/v1/nothing", true},
		{"GET", "/jamf/schule-x/api/v1/auth", true},
		{"GET", "/jamf/schule-x/nothing", true},
		{"GET", "/api", true},
		{"GET", "/api/v1/computers-inventory/99", true},
		{"GET", "/api/v1/computers-inventory?page=x", true},
		{"OPTIONS", "/api/v1/auth", true},
		{"POST", "/api/v1/computers-inventory", true},
		{"GET", "/JSSResource/computers", true},
	}
	for _, line := range server.PublicRoutes(w.server) {
		if method, path, _ := strings.Cut(line, " "); !open.MatchString(line) {
			asked = append(asked, question{method, values.Replace(path), strings.Contains(path, "/api/")})
		}
	}
	if len(asked) < 50 {
		t.Fatalf("only %d questions", len(asked))
	}
	tokens := map[bool]string{true: w.token("own-alone"), false: w.token("jamf-alone")}
	bodies := map[string]string{} // by dialect and status
	for _, q := range asked {
		if strings.HasSuffix(q.path, "/keep-alive") || strings.HasSuffix(q.path, "/invalidate-token") {
			continue
		}
		r := w.do(q.method, w.base+q.path, "", "Authorization", "Bearer "+tokens[q.facade])
		if r.status != http.StatusForbidden || !strings.HasPrefix(q.path, "/JSSResource") && r.code(t) != "out_of_scope" {
			t.Errorf("%s %s: %s", q.method, q.path, r)
		}
		dialect := r.header.Get("Content-Type")
		if before, known := bodies[dialect]; known && before != steadyBody(r) {
			t.Errorf("%s %s tells itself from others: %s", q.method, q.path, r)
		}
		bodies[dialect] = steadyBody(r)
		if r := w.do(q.method, w.base+q.path, "", "Authorization", "Bearer "+tokens[!q.facade]); r.status == http.StatusForbidden {
			t.Errorf("%s %s is refused to the client of this API: %s", q.method, q.path, r)
		}
	}
	if len(bodies) != 3 {
		t.Errorf("dialects %v, want three", bodies)
	}
	for _, path := range []string{"/api/v1/auth/keep-alive", "/api/v1/auth/invalidate-token"} {
		if r := w.do(http.MethodPost, w.base+path, "", "Authorization", "Bearer "+tokens[true]); r.status >= 300 {
			t.Errorf("a client of the own API and its token: %s: %s", path, r)
		}
	}
}

func TestTheLastUseOfASecretIsToldByItsName(t *testing.T) {
	w := newWorld(t, scoped("two", func(c *server.ClientOptions) {
		c.Secrets, c.Names = append(c.Secrets, sum("autumn")), map[[32]byte]string{sum("autumn"): "autumn"}
	}))
	w.publishAll(1)
	w.get("two", "/v1/devices")
	used := func() (names []string, of map[string]usage.Secret) {
		of = map[string]usage.Secret{}
		for _, s := range w.record("two").Secrets {
			names, of[s.Name] = append(names, s.Name), s
		}
		return names, of
	}
	names, of := used()
	hash := sum("two")
	first := hex.EncodeToString(hash[:4])
	if !slices.Equal(names, []string{first}) || !of[first].LastToken.Equal(start) || !of[first].LastRequest.Equal(start) {
		t.Errorf("of the one that was used: %v", of)
	}
	w.clock.Add(time.Hour)
	form := url.Values{"client_id": {"two"}, "client_secret": {secretOf("autumn")}, "grant_type": {"client_credentials"}}
	if r := w.do(http.MethodPost, w.base+"/api/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded"); r.status != http.StatusOK {
		t.Fatal(r)
	}
	if _, of = used(); len(of) != 2 || !of["autumn"].LastToken.Equal(start.Add(time.Hour)) || !of["autumn"].LastRequest.IsZero() || !of[first].LastToken.Equal(start) {
		t.Errorf("after a token of the other: %v", of)
	}
	if r := w.do(http.MethodGet, w.admin+"/v1/admin/clients/two/usage", ""); !strings.Contains(string(r.body), `{"name":"autumn","lastTokenAt":"2026-11-23T05:12:09.000Z","lastRequestAt":null}`) {
		t.Errorf("at the admin door: %s", r)
	}
}
