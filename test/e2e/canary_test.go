package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"jamf-gateway/config"
	"jamf-gateway/test/canary"
	"jamf-gateway/test/fakejamf"
)

// secrets are what a house must tell nobody, as they come up: its settings, its key, the tokens of both sides.
type secrets struct {
	mu  sync.Mutex
	all map[string]string // value -> name
}

func (s *secrets) add(name, value string) {
	if len(value) < canary.MinLength {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]string{}
	}
	s.all[value] = name
}

// addBearer takes the token of an Authorization header.
func (s *secrets) addBearer(name, header string) {
	if token, ok := strings.CutPrefix(header, "Bearer "); ok && len(token) > 40 {
		s.add(name, token)
	}
}

func (s *secrets) values() []canary.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]canary.Value, 0, len(s.all))
	for value, name := range s.all {
		out = append(out, canary.Value{Name: name, Text: value})
	}
	return out
}

// noteSecrets keeps the tokens that went over the wire, and what was answered to mistakes and by the admin door.
func (h *house) noteSecrets(target string, rq *http.Request, r reply) {
	h.secrets.addBearer("token of a client", rq.Header.Get("Authorization"))
	var given struct {
		AccessToken string `json:"access_token"`
		Token       string `json:"token"`
	}
	if rq.Method == http.MethodPost && r.status == http.StatusOK && json.Unmarshal(r.body, &given) == nil {
		h.secrets.add("token of a client", given.AccessToken)
		h.secrets.add("token of a client", given.Token)
	}
	if r.status >= http.StatusBadRequest || strings.HasPrefix(target, h.admin) {
		fmt.Fprintf(&h.refusals, "%v\n%s\n", r.header, r.body)
	}
}

// most is how large a data directory may be to be searched: the rows with 100,000 devices would take a minute.
const most = 48 << 20

// secretsAreKept searches everything that a house has left, when it has stopped: every house of every test.
func (h *house) secretsAreKept() {
	for _, src := range h.settings.Sources {
		h.secrets.add("secret of source "+src.Name, src.ClientSecret.Reveal())
		h.secrets.add("second secret of source "+src.Name, src.SecondClient.Secret.Reveal())
	}
	h.secrets.add("secret of a client", clientSecret)
	if key, err := os.ReadFile(h.settings.KeyFile); err == nil {
		h.secrets.add("sealing key", strings.TrimSpace(string(key)))
	}
	for _, hit := range h.hits(append(h.secrets.values(), h.bender.tokens.values()...)) {
		h.t.Errorf("a secret got out: %v", hit)
	}
}

// hits searches the log, the spans, the refusals and the data directory.
func (h *house) hits(values []canary.Value) []canary.Hit {
	s, err := canary.New(values...)
	if err != nil {
		h.t.Error(err)
		return nil
	}
	hits := s.Scan("the log", []byte(h.logs.String()))
	for _, r := range h.recorders {
		hits = append(hits, s.Scan("the spans", []byte(spanText(r.Ended())))...)
	}
	h.refusals.mu.Lock()
	hits = append(hits, s.Scan("a refusal", h.refusals.b.Bytes())...)
	h.refusals.mu.Unlock()
	if size(h.settings.DataDir) > most {
		return hits
	}
	more, err := s.ScanDir(h.settings.DataDir, nil)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a row may never have started
		h.t.Error(err)
	}
	return append(hits, more...)
}

func size(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

// spanText is everything that a span carries.
func spanText(spans []sdktrace.ReadOnlySpan) string {
	var b strings.Builder
	for _, s := range spans {
		fmt.Fprintln(&b, s.Name(), s.Status().Description)
		for _, a := range s.Attributes() {
			fmt.Fprintln(&b, a.Key, a.Value.String())
		}
		for _, e := range s.Events() {
			fmt.Fprintln(&b, e.Name)
			for _, a := range e.Attributes {
				fmt.Fprintln(&b, a.Key, a.Value.String())
			}
		}
	}
	return b.String()
}

// metricText is every name, description and attribute of what is measured.
func (h *house) metricText() string {
	h.t.Helper()
	var all metricdata.ResourceMetrics
	if err := h.metrics.Collect(h.t.Context(), &all); err != nil {
		h.t.Fatal(err)
	}
	return fmt.Sprintf("%+v", all)
}

// personal are the names and addresses of people in the records of a simulated Jamf.
func personal(t *testing.T, jamf *fakejamf.Server) (out []canary.Value) {
	t.Helper()
	for _, k := range []fakejamf.Kind{fakejamf.Computer, fakejamf.Mobile} {
		for _, id := range jamf.Ledger().Alive(k) {
			var rec struct {
				UserAndLocation struct{ Email, EmailAddress, Realname, RealName string }
			}
			if err := json.Unmarshal(jamf.Record(k, id), &rec); err != nil {
				t.Fatal(err)
			}
			u := rec.UserAndLocation
			for name, text := range map[string]string{"email": u.Email + u.EmailAddress, "name": u.Realname + u.RealName} {
				if len(text) > 8 {
					out = append(out, canary.Value{Name: fmt.Sprintf("%s of %v %d", name, k, id), Text: text})
				}
			}
		}
	}
	return out
}

// TestSecretsAndPersonalDataLeaveNoTrace has a Jamf that goes wrong in every way, a client that makes mistakes, and a log at debug
// level. The secrets are looked for when every house is left (secretsAreKept); the people are, here.
func TestSecretsAndPersonalDataLeaveNoTrace(t *testing.T) {
	t.Parallel()
	h := newHouse(t, gentle(fakejamf.Options{Computers: 150, Mobiles: 150, Seed: 8}), func(c *config.Config) {
		c.Sources[0].Limits.RequestsPerSecond = 500
	})
	h.start()
	h.waitSynced()
	token := h.token()
	h.walk("/api/v4/computers-inventory", "id", 100)
	const asked = "C02CANARY7Q41" // looks like a serial number
	for _, path := range []string{
		"/v1/devices?serialNumber=" + asked, "/v1/devices/" + asked, "/v1/devices?filter=identity.serialNumber==" + asked, "/v1/devices?cursor=" + asked,
		"/api/v1/computers-inventory?filter=" + asked, "/api/" + asked, "/JSSResource/computers/name/" + asked,
	} {
		h.call(http.MethodGet, path, nil, "Authorization", "Bearer "+token)
		h.call(http.MethodGet, path, nil, "Authorization", "Bearer wrong-"+token)
	}
	h.call(http.MethodPost, "/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {asked}, "client_secret": {clientSecret}})
	h.jamf.RotateSecret("canary-of-another-secret") // refused from here on
	h.jamf.RevokeTokens()
	h.call(http.MethodPost, "/v1/sources/schule-a/test", nil, "Authorization", "Bearer "+token)
	h.call(http.MethodGet, h.admin+"/metrics", nil)
	h.call(http.MethodGet, h.admin+"/", nil)
	metrics := h.metricText()
	h.stop()

	people := personal(t, h.jamf)
	if len(people) < 100 || len(h.spans.Ended()) < 20 {
		t.Fatalf("%d people and %d spans: this test proves nothing", len(people), len(h.spans.Ended()))
	}
	values := append(people, canary.Value{Name: "value of a request", Text: asked})
	for _, hit := range h.hits(values) {
		if hit.Place != "a refusal" || hit.Name != "value of a request" { // the asker may read it again
			t.Errorf("found %v", hit)
		}
	}
	s, err := canary.New(append(values, append(h.secrets.values(), h.bender.tokens.values()...)...)...)
	if err != nil {
		t.Fatal(err)
	}
	for _, hit := range s.Scan("the metrics", []byte(metrics)) {
		t.Errorf("found %v", hit)
	}
}
