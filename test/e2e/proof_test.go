//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"jamf-gateway/test/fakejamf"
)

// TestACachingProxyLosesADeviceAndTheGatewayDoesNot is the proof behind "Why not nginx?" in the README (`make proof`):
// a device is deleted while a client reads the list page by page. Behind nginx's cache another, living device is in no
// page and nothing says so; behind the gateway every living device is there.
func TestACachingProxyLosesADeviceAndTheGatewayDoesNot(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("witness skipped: nginx is not installed (Debian package nginx-light)")
	}
	h := newHouse(t, fakejamf.Options{Computers: 60, Mobiles: 5, Seed: 7}, nil)
	h.start()
	h.waitSynced()
	proxy := startNginx(t, nginx, h.upstream.URL)
	upstreamToken := h.upstreamToken()

	read := func(base, token string, page int) []string {
		r := h.call(http.MethodGet, fmt.Sprintf("%s/api/v1/computers-inventory?sort=id:asc&page-size=10&page=%d", base, page), nil,
			"Authorization", "Bearer "+token)
		if r.status != http.StatusOK {
			t.Fatalf("page %d: %d %.200s", page, r.status, r.body)
		}
		var list struct {
			Results []struct {
				ID string `json:"id"`
			} `json:"results"`
		}
		if err := json.Unmarshal(r.body, &list); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, d := range list.Results {
			ids = append(ids, d.ID)
		}
		return ids
	}
	viaProxy, viaGateway := read(proxy, upstreamToken, 0), read(h.base, h.token(), 0)

	deleted := viaProxy[2]
	id, err := strconv.ParseInt(deleted, 10, 64)
	if err != nil || !h.jamf.Delete(fakejamf.Computer, id) {
		t.Fatalf("delete computer %s: %v", deleted, err)
	}
	h.jamf.Settle()
	h.syncNow() // the gateway even learns of it in the middle of the walk

	for page := 1; page < 7; page++ {
		viaProxy = append(viaProxy, read(proxy, upstreamToken, page)...)
		viaGateway = append(viaGateway, read(h.base, h.token(), page)...)
	}
	living := h.jamf.Ledger().Alive(fakejamf.Computer)
	lost := func(seen []string) (out []string) {
		for _, id := range living {
			if text := strconv.FormatInt(id, 10); !slices.Contains(seen, text) {
				out = append(out, text)
			}
		}
		return out
	}
	t.Logf("computer %s was deleted in Jamf between page 0 and page 1; %d are alive", deleted, len(living))
	t.Logf("nginx with proxy_cache: %d rows, living computers that are in no page: %q", len(viaProxy), lost(viaProxy))
	t.Logf("jamf-gateway:           %d rows, living computers that are in no page: %q", len(viaGateway), lost(viaGateway))
	if len(lost(viaProxy)) == 0 {
		t.Error("the proof fails: the caching proxy lost no device")
	}
	if l := lost(viaGateway); len(l) > 0 {
		t.Errorf("the gateway lost %q", l)
	}
}

// startNginx runs nginx as a caching reverse proxy, as one would write it for this purpose.
func startNginx(t *testing.T, nginx, upstream string) string {
	t.Helper()
	dir, address := t.TempDir(), unusedAddress(t)
	conf := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;
events {}
http {
  access_log off; client_body_temp_path %[1]s/body; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s; proxy_temp_path %[1]s/p;
  proxy_cache_path %[1]s/cache keys_zone=jamf:10m;
  server {
    listen %[2]s;
    location / {
      proxy_pass %[3]s;
      proxy_cache jamf; proxy_cache_valid 200 24h; proxy_ignore_headers Cache-Control Expires Set-Cookie;
      proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504; proxy_cache_lock on;
    }
  }
}
`, dir, address, upstream)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(nginx, "-c", file, "-p", dir, "-e", filepath.Join(dir, "error.log"))
	cmd.Stderr = io.Discard
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for range 100 {
		if resp, err := web().Get("http://" + address + "/healthCheck.html"); err == nil {
			_ = resp.Body.Close()
			return "http://" + address
		}
		time.Sleep(50 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
	t.Fatalf("nginx does not start: %s", log)
	return ""
}

// upstreamToken is a token of the simulated Jamf Pro itself, as a client without the gateway has it.
func (h *house) upstreamToken() string {
	h.t.Helper()
	var out struct {
		Token string `json:"access_token"`
	}
	h.call(http.MethodPost, h.upstream.URL+"/api/v1/oauth/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"gw"}, "client_secret": {jamfSecret},
	}).decode(h.t, &out)
	return out.Token
}
