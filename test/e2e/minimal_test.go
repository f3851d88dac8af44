package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jamf-gateway/config"
	"jamf-gateway/test/canary"
	"jamf-gateway/test/fakejamf"
)

// marks puts a canary into every field of the table that minimal does not keep, those that nothing may keep too, and into fields, sections and
// objects that nobody knows.
type marks struct {
	t      *testing.T
	fields map[string][]markedField // by kind
	values []canary.Value
}

type markedField struct {
	path  []string
	value any
}

func newMarks(t *testing.T) *marks {
	t.Helper()
	table, err := os.ReadFile("../../gateway/device/fields.tsv")
	if err != nil {
		t.Fatal(err)
	}
	m := &marks{t: t, fields: map[string][]markedField{}}
	for line := range strings.Lines(string(table)) {
		col := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || col[5] == "always" || col[5] == "minimal" {
			continue
		}
		f := markedField{path: strings.Split(col[1], "."), value: m.mark(col[0] + ":" + col[1])}
		if col[2] == "scalars" {
			f.value = []any{f.value}
		}
		m.fields[col[0]] = append(m.fields[col[0]], f)
	}
	return m
}

// mark is the canary of a field: no two are alike, and each has letters that JSON, URLs and HTML spell otherwise.
func (m *marks) mark(name string) string {
	text := fmt.Sprintf("Zoë+Käthe/%04d@q<7>&z", len(m.values))
	m.values = append(m.values, canary.Value{Name: name, Text: text})
	return text
}

// put sets one field of a record; of an array all elements, or a first one.
func put(at map[string]any, path []string, value any) {
	key, array := strings.CutSuffix(path[0], "[]")
	if len(path) == 1 {
		at[key] = value
		return
	}
	if !array {
		next, ok := at[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[key] = next
		}
		put(next, path[1:], value)
		return
	}
	list, _ := at[key].([]any)
	if len(list) == 0 {
		list = []any{map[string]any{}}
		at[key] = list
	}
	for _, e := range list {
		if next, ok := e.(map[string]any); ok {
			put(next, path[1:], value)
		}
	}
}

// invent adds what no release knows, at every level.
func invent(v any, unknown string) {
	switch v := v.(type) {
	case map[string]any:
		for _, below := range v {
			invent(below, unknown)
		}
		v["addedByJamf"], v["personAddedByJamf"] = unknown, map[string]any{"name": unknown, "list": []any{unknown}}
	case []any:
		for _, below := range v {
			invent(below, unknown)
		}
	}
}

// serve answers every list of devices with marked records, whatever sections were asked for.
func (m *marks) serve(h *house) {
	unknown, name := m.mark("unknown to every release"), "Zoës-iPad-von-Käthe-Name"
	h.bender.to(func(w http.ResponseWriter, r *http.Request) bool {
		kind := ""
		switch {
		case strings.Contains(r.URL.Path, "/computers-inventory"):
			kind = "computer"
		case strings.HasSuffix(r.URL.Path, "/v2/mobile-devices/detail"):
			kind = "mobile"
		default:
			return false
		}
		page, ok := h.bender.page(w, r)
		if !ok {
			return true
		}
		for _, row := range rowsOf(page) {
			for _, f := range m.fields[kind] {
				put(row, f.path, f.value)
			}
			general(row)["name"], general(row)["displayName"] = name, name
			invent(row, unknown)
		}
		_ = json.NewEncoder(w).Encode(page)
		return true
	})
}

// asked is everything that a client can ask for, right and wrong.
func (m *marks) asked(h *house, token string) (answers []byte) {
	uid := "schule-a:mobile:" + h.walk("/api/v2/mobile-devices/detail", "mobileDeviceId", 100)[0]
	id := h.walk("/api/v4/computers-inventory", "id", 100)[0]
	everySection := "section=GENERAL&section=USER_AND_LOCATION&section=APPLICATIONS&section=SECURITY&section=GROUP_MEMBERSHIPS&section=EXTENSION_ATTRIBUTES&section=LOCAL_USER_ACCOUNTS"
	paths := []string{
		"/v1/devices?limit=1000", "/v1/devices/" + uid, "/v1/devices/" + uid + "/applications", "/v1/devices/schule-a:computer:" + id, "/v1/devices/schule-a:computer:" + id + "/applications",
		"/v1/sources", "/v1/sources/schule-a", "/v1/sources/schule-a/health", "/v1/health", "/openapi.yaml", "/livez", "/readyz",
		"/api/v2/mobile-devices?page-size=100", "/api/v2/mobile-devices/detail?page-size=100&section=GENERAL&section=USER_AND_LOCATION&section=APPLICATIONS&section=SECURITY&section=NETWORK",
		"/api/v2/mobile-devices/" + strings.TrimPrefix(uid, "schule-a:mobile:"), "/api/v2/mobile-devices/" + strings.TrimPrefix(uid, "schule-a:mobile:") + "/detail",
		"/api/v1/auth", "/v1/devices?filter=user.username==x", "/v1/devices?sort=user.email", "/api/v1/computers-inventory?filter=userAndLocation.username==x", "/v1/devices?fields=nothing",
		"/api/v4/computers-inventory?section=NONE", "/v1/devices/schule-a:computer:99999999", "/api/unknown", "/v1/devices?cursor=x",
	}
	for v := 1; v <= 4; v++ {
		paths = append(paths, fmt.Sprintf("/api/v%d/computers-inventory?page-size=100&%s", v, everySection), fmt.Sprintf("/api/v%d/computers-inventory-detail/%s", v, id))
	}
	for _, path := range paths {
		r := h.call(http.MethodGet, path, nil, "Authorization", "Bearer "+token)
		answers = fmt.Appendf(answers, "\n%s %d %v\n%s", path, r.status, r.header, r.body)
	}
	for _, path := range []string{"/metrics", "/", "/v1/admin/sources"} {
		r := h.call(http.MethodGet, h.admin+path, nil)
		answers = fmt.Appendf(answers, "\n%s %d %v\n%s", path, r.status, r.header, r.body)
	}
	return answers
}

// TestUnderMinimalNothingPersonalIsFoundAnywhere has a Jamf that sends every field it knows and some that it does not, whatever is asked for.
func TestUnderMinimalNothingPersonalIsFoundAnywhere(t *testing.T) {
	t.Parallel()
	m := newMarks(t)
	const another = "canary-second-client-51"
	h := newHouse(t, gentle(fakejamf.Options{Computers: 12, Mobiles: 12, Seed: 8}), func(c *config.Config) {
		c.Clients = append(c.Clients, config.Client{ID: "serials", Secrets: [][32]byte{sha256.Sum256([]byte(another))}, View: config.View{Names: "serial", Users: "drop"}})
	})
	m.serve(h)
	h.start()
	h.waitSynced()
	answers := m.asked(h, h.token())
	var given struct {
		Token string `json:"access_token"`
	}
	h.call(http.MethodPost, "/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"serials"}, "client_secret": {another}}).decode(t, &given)
	nameless := m.asked(h, given.Token)
	metrics := h.metricText()
	backup := h.backup()
	h.stop()
	if len(m.values) < 450 || bytes.Count(answers, []byte("Name")) < 20 {
		t.Fatalf("%d marks: this proves nothing", len(m.values))
	}
	s, err := canary.New(m.values...)
	if err != nil {
		t.Fatal(err)
	}
	hits := append(h.hits(m.values), s.Scan("an answer", answers)...)
	hits = append(append(hits, s.Scan("an answer", nameless)...), s.Scan("the metrics", []byte(metrics))...)
	copied, err := s.ScanDir(backup, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, hit := range append(hits, copied...)[:min(len(hits)+len(copied), 20)] {
		t.Errorf("found %v", hit)
	}
	m.names(h, answers, nameless, metrics)
}

// backup copies the data directory of a running house, as an operator does.
func (h *house) backup() string {
	h.t.Helper()
	dir := h.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(h.settings.DataDir)); err != nil {
		h.t.Fatal(err)
	}
	if generations, err := filepath.Glob(filepath.Join(dir, "schule-a", "*", "*.sqlite")); err != nil || len(generations) < 2 {
		h.t.Fatalf("the backup has the generations %v: %v", generations, err)
	}
	for _, hit := range h.hitsIn(dir) {
		h.t.Errorf("a secret is in the backup: %v", hit)
	}
	return dir
}

// hitsIn looks for all secrets that came up so far.
func (h *house) hitsIn(dir string) []canary.Hit {
	h.t.Helper()
	s, err := canary.New(append(h.secrets.values(), h.bender.tokens.values()...)...)
	if err != nil {
		h.t.Fatal(err)
	}
	hits, err := s.ScanDir(dir, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return hits
}

// names looks for the name of a device where it must not be: it is data, and shown to those alone whose policy says so.
func (m *marks) names(h *house, answers, nameless []byte, metrics string) {
	s, err := canary.New(canary.Value{Name: "name of a device", Text: "Zoës-iPad-von-Käthe-Name"})
	if err != nil {
		m.t.Fatal(err)
	}
	if len(s.Scan("an answer", answers)) == 0 {
		m.t.Error("no answer has the name: this proves nothing")
	}
	hits := append(s.Scan("an answer under names: serial", nameless), s.Scan("the log", []byte(h.logs.String()))...)
	hits = append(append(hits, s.Scan("the metrics", []byte(metrics))...), s.Scan("the spans", []byte(spanText(h.spans.Ended())))...)
	for _, hit := range hits[:min(len(hits), 20)] {
		m.t.Errorf("found %v", hit)
	}
}
