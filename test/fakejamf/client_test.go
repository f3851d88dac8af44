package fakejamf_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"jamf-gateway/test/fakejamf"
)

// client asks a server without a network between them.
type client struct {
	t      testing.TB
	server *fakejamf.Server
	token  string
	cookie string
}

func newClient(t testing.TB, s *fakejamf.Server) *client {
	t.Helper()
	c := &client{t: t, server: s}
	c.renew()
	return c
}

func form(id, secret string) url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
}

func (c *client) renew() {
	c.t.Helper()
	res := c.post("/api/v1/oauth/token", form(fakejamf.DefaultClientID, fakejamf.DefaultClientSecret))
	if res.Code != http.StatusOK {
		c.t.Fatalf("token: %d %s", res.Code, res.Body)
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	decode(c.t, res, &answer)
	c.token = answer.Token
}

func (c *client) post(path string, v url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	c.server.ServeHTTP(w, r)
	return w
}

func (c *client) get(path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer "+c.token)
	if c.cookie != "" {
		r.Header.Set("Cookie", c.cookie)
	}
	w := httptest.NewRecorder()
	c.server.ServeHTTP(w, r)
	if set := w.Header().Get("Set-Cookie"); set != "" {
		c.cookie, _, _ = strings.Cut(set, ";")
	}
	return w
}

func (c *client) status(path string) int {
	return c.get(path).Code
}

type record map[string]any

type list struct {
	Total   int      `json:"totalCount"`
	Results []record `json:"results"`
}

func (l list) ids(t testing.TB) []int64 {
	t.Helper()
	out := make([]int64, len(l.Results))
	for i, r := range l.Results {
		out[i] = r.id(t)
	}
	return out
}

func (r record) id(t testing.TB) int64 {
	t.Helper()
	text, ok := r["id"].(string)
	if !ok {
		text, _ = r["mobileDeviceId"].(string)
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("id of a record: %v", err)
	}
	return id
}

func (r record) section(key string) record {
	m, _ := r[key].(map[string]any)
	return m
}

func (c *client) list(path string) list {
	c.t.Helper()
	res := c.get(path)
	if res.Code != http.StatusOK {
		c.t.Fatalf("GET %s: %d %s", path, res.Code, res.Body)
	}
	var l list
	decode(c.t, res, &l)
	return l
}

func decode(t testing.TB, res *httptest.ResponseRecorder, into any) {
	t.Helper()
	if got := res.Header().Get("Content-Type"); got != "application/json" {
		t.Fatalf("content type %q", got)
	}
	if err := json.Unmarshal(res.Body.Bytes(), into); err != nil {
		t.Fatalf("decode: %v", err)
	}
}

// walk reads all pages as a naive client does: by offset, until totalCount is reached.
func (c *client) walk(path string, size int) map[int64]record {
	c.t.Helper()
	held := map[int64]record{}
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	for page := 0; ; page++ {
		l := c.list(path + join + "page=" + strconv.Itoa(page) + "&page-size=" + strconv.Itoa(size))
		for _, r := range l.Results {
			held[r.id(c.t)] = r
		}
		if (page+1)*size >= l.Total {
			return held
		}
	}
}

const (
	byID       = "/api/v4/computers-inventory?sort=id:asc"
	detailByID = "/api/v2/mobile-devices/detail?sort=mobileDeviceId:asc"
)
