package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/usage"
	"jamf-gateway/test/contract"
	"jamf-gateway/test/fakejamf"
)

// usage is the record of a client, as the admin door tells it.
func (h *house) usage(client string) usage.Record {
	h.t.Helper()
	const path = "/v1/admin/clients/%s/usage"
	r := h.call(http.MethodGet, h.admin+fmt.Sprintf(path, client), nil)
	var out usage.Record
	r.decode(h.t, &out)
	d, err := normalized()
	if err == nil {
		err = d.Check(contract.Answer{Method: http.MethodGet, Target: fmt.Sprintf(path, client), Status: r.status, Header: r.header, Body: r.body})
	}
	if err != nil {
		h.t.Errorf("the record differs from its description: %v\n%.600s", err, r.body)
	}
	return out
}

// told is a record as a person reads it: what was asked for, how often, with what, and what came.
func told(r usage.Record) []string {
	var out []string
	for _, l := range r.Routes {
		line := fmt.Sprintf("%s %s [%s] x%d:", l.Method, l.Route, strings.Join(l.Parameters, " "), l.Requests)
		for _, s := range l.Statuses {
			line += fmt.Sprintf(" %d", s.Value)
		}
		for _, f := range l.Refusals {
			line += strings.TrimRight(" "+f.Code+" "+f.Parameter, " ")
		}
		for _, s := range l.Sections {
			line += " " + s.Value
		}
		for _, s := range l.PageSizes {
			line += fmt.Sprintf(" size %d", s.Value)
		}
		if !l.Served {
			line += ", not served"
		}
		out = append(out, line)
	}
	return out
}

// The first run of the real Inventory360 will be read like this.
func TestTheUsageOfInventory360TellsWhatItDid(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 120, Mobiles: 110, Seed: 12}, nil)
	h.start()
	h.waitSynced()
	v := h.inventory360(h.base + "/api")
	if _, err := v.testConnection(); err != nil {
		t.Fatal(err)
	}
	v.synced(computerBooks(), namesIn(t, h.jamf, fakejamf.Computer), "", nil)
	v.synced(mobileBooks(), namesIn(t, h.jamf, fakejamf.Mobile), "", nil)
	for _, path := range []string{"/v1/sites", "/v1/computers-inventory?section=PETS", "/v1/computers-inventory?filter=userAndLocation.username==%22canary%22"} {
		if _, err := v.ask(path); err != nil {
			t.Fatal(err)
		}
	}
	h.call(http.MethodPost, "/api/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"inventory360"}, "client_secret": {"canary"}})

	r := h.usage("inventory360")
	const asked = 2 + 2 + 120 + 2 + 110 + 3 // its connection test, two lists and every device, and the three above
	if diff := cmp.Diff([]string{
		"POST /api/oauth/token [] x" + fmt.Sprint(asked/2) + ": 200",
		"GET /api/v1/auth [] x1: 200",
		"GET /api/v1/computers-inventory [filter] x1: 400 hidden_field filter",
		"GET /api/v1/computers-inventory [page page-size section] x2: 200 GENERAL HARDWARE OPERATING_SYSTEM size 100",
		"GET /api/v1/computers-inventory [section] x1: 400 bad_request section",
		"GET /api/v1/computers-inventory-detail/{id} [] x120: 200",
		"POST /api/v1/oauth/token [] x" + fmt.Sprint(asked-asked/2) + ": 200",
		"GET /api/v1/sites [] x1: 404 not_found, not served",
		"GET /api/v2/mobile-devices [page page-size] x1: 200 size 1",
		"GET /api/v2/mobile-devices/detail [page page-size section] x2: 200 GENERAL HARDWARE size 100",
		"GET /api/v2/mobile-devices/{id}/detail [] x110: 200",
	}, told(r)); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	tokens := usage.Tokens{
		Issued: []usage.Counted[string]{{Value: "body", Count: asked}}, Refused: 1, LastRefused: r.Tokens.LastRefused,
		PerRequests: []usage.Counted[string]{{Value: "1", Count: asked}}, // a token before every request
	}
	if diff := cmp.Diff(tokens, r.Tokens); diff != "" || r.Requests != 2*asked || r.MostAtOnce != 1 {
		t.Errorf("%d requests, %d at once, tokens (-want +got):\n%s", r.Requests, r.MostAtOnce, diff)
	}
	var walks []string
	for _, w := range r.Walks {
		walks = append(walks, fmt.Sprintf("%s of %s: %d rows, %d a page, begun %d, complete %d, pages %v", w.Route, w.Source, *w.Rows, w.PageSize, w.Begun, w.Complete, w.Lengths))
	}
	if diff := cmp.Diff([]string{
		"/api/v1/computers-inventory of schule-a: 120 rows, 100 a page, begun 1, complete 1, pages [{2 1}]",
		"/api/v2/mobile-devices of schule-a: 110 rows, 1 a page, begun 1, complete 0, pages []",
		"/api/v2/mobile-devices/detail of schule-a: 110 rows, 100 a page, begun 1, complete 1, pages [{2 1}]",
	}, walks); diff != "" {
		t.Errorf("walks (-want +got):\n%s", diff)
	}
	for _, d := range r.Dropped {
		if want := map[string]string{"computer": "userAndLocation.email", "mobile": "userAndLocation.emailAddress"}[d.Kind]; d.API != "jamf" || !slices.Contains(d.Fields, want) {
			t.Errorf("dropped: no %s in %v", want, d)
		}
	}
	if len(r.Dropped) != 2 {
		t.Errorf("dropped: %v", r.Dropped)
	}

	h.stop()
	h.start()
	if diff := cmp.Diff(told(r), told(h.usage("inventory360"))); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
}
