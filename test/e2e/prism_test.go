//go:build e2e

package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/test/fakejamf"
)

// jamfDocument is Jamf's own OpenAPI document where it stands beside the checkout; it is never copied into it.
const jamfDocument = "../../../shared/jamf-openapi/jamf-pro-11.30.2-inventory-subset.json"

// startPrism reads Jamf's document with Stoplight Prism, which we did not write: it mocks a Jamf Pro, or, given an upstream, holds what that
// answers against the document.
func startPrism(t *testing.T, mode string, upstream ...string) *url.URL {
	t.Helper()
	prism, err := exec.LookPath("prism")
	if err != nil {
		t.Skip("witness skipped: prism is not installed (npm package @stoplight/prism-cli 5.14.2)")
	}
	if _, err := os.Stat(jamfDocument); err != nil {
		t.Skip("witness skipped: Jamf's document does not stand beside the checkout")
	}
	address := unusedAddress(t)
	host, port, _ := strings.Cut(address, ":")
	args := append([]string{mode, "-h", host, "-p", port, jamfDocument}, upstream...)
	cmd := exec.Command(prism, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	base := &url.URL{Scheme: "http", Host: address}
	for range 600 {
		if resp, err := web().Get(base.String() + "/v1/health-check"); err == nil {
			_ = resp.Body.Close()
			return base
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("prism does not start")
	return nil
}

// adapter makes a Prism look like a Jamf Pro: /api stands in front, and the token call, which Jamf's document guards by
// mistake, gets an Authorization header.
func adapter(prism *url.URL) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(prism)
		r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, "/api")
		if strings.HasSuffix(r.In.URL.Path, "/oauth/token") {
			r.Out.Header.Set("Authorization", "Bearer none")
		}
	}}
}

func TestThePrismOfJamfsDocumentIsTestedHonestlyAndNeverReplacesAStore(t *testing.T) {
	prism := adapter(startPrism(t, "mock"))
	// One address, behind which first a simulated Jamf Pro and then the Prism answers.
	var now atomic.Pointer[http.Handler]
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*now.Load()).ServeHTTP(w, r) }))
	defer front.Close()
	h := newHouse(t, fakejamf.Options{Computers: 60, Mobiles: 40, Seed: 5}, func(c *config.Config) { c.Sources[0].URL = front.URL + "/api" })
	var fake http.Handler = h.jamf
	now.Store(&fake)
	h.start()
	h.waitSynced()
	now.Store(&prism)

	var report struct {
		OK            bool     `json:"ok"`
		RightsMissing []string `json:"rightsMissing"`
		Steps         []struct{ Name, Result, Code string }
	}
	h.call(http.MethodPost, "/v1/sources/schule-a/test", nil, "Authorization", "Bearer "+h.token()).decode(t, &report)
	slices.Sort(report.RightsMissing)
	if report.OK || !slices.Equal(report.RightsMissing, []string{"Read Computers", "Read Mobile Devices"}) {
		t.Errorf("the document's example holds other rights, yet the test says ok=%v missing=%q", report.OK, report.RightsMissing)
	}
	for _, step := range report.Steps {
		wantBad := step.Name == "rights"
		if (step.Result == "failed") != wantBad {
			t.Errorf("step %s: %s %s", step.Name, step.Result, step.Code)
		}
	}

	h.syncNow()
	for _, k := range h.gateway.Status()[0].Kinds {
		if k.LastResult != "failed" {
			t.Errorf("%s: the sync of an example of the document ended %q", k.Kind, k.LastResult)
		}
		t.Logf("%s: %s %s", k.Kind, k.ErrorCode, k.ErrorDetail)
	}
	for path, want := range map[string]int{"/api/v4/computers-inventory": 60, "/api/v2/mobile-devices": 40} {
		id := "id"
		if got := h.walk(path, id, 25); len(got) != want {
			t.Errorf("%s: %d devices, the store held %d", path, len(got), want)
		}
	}
}
