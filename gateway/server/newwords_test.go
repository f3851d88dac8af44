package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// changedRecord is a device of which every field has another value than Jamf documents.
func changedRecord(lines [][]string, k device.Kind, id int, value any) string {
	root := map[string]any{}
	for _, l := range lines {
		if l[0] != string(k) || l[5] == "never" {
			continue
		}
		v := value
		if l[1] == "id" || l[1] == "mobileDeviceId" {
			v = fmt.Sprint(id)
		}
		for element := range 1 + strings.Count(l[1], "[]") {
			put(root, strings.Split(l[1], "."), element, v)
		}
	}
	out, _ := json.Marshal(root) // plain values always marshal
	return string(out)
}

// TestWhatJamfNeverSentBeforeKeepsTheDescribedShape lets Jamf send new words and other types in every field at once. Each answer is held against the
// description of the normalized API, so that a word is unknown where it has an enum and a number is a number; and each device is there in every list.
func TestWhatJamfNeverSentBeforeKeepsTheDescribedShape(t *testing.T) {
	minimal, _ := device.BuiltinProfile("minimal")
	w := newWorld(t, func(o *server.Options) {
		o.Clients = append(o.Clients, server.ClientOptions{ID: "minimal", Secrets: [][32]byte{sum("minimal")}, Sources: []string{"schule-a"}, Profile: minimal})
	})
	lines, changes := table(t, "fields.tsv"), []any{
		"NEW_WORD", "", -1, 918273, 9.5e300, true,
		map[string]any{"id": "NEW_WORD", "name": "NEW_WORD"},
		[]any{"NEW_WORD", 918273},
		[]any{map[string]any{"x": "NEW_WORD"}},
		[]any{[]any{"NEW_WORD"}},
		nil, "2026-13-45T99:00:00Z", "NEW_WORD\u202e\u009b31m",
	}
	macs, pads := fleet{}, fleet{}
	for i, value := range changes {
		macs[i+1], pads[i+1] = changedRecord(lines, device.Computer, i+1, value), changedRecord(lines, device.Mobile, i+1, value)
	}
	w.publish("schule-a", device.Computer, macs)
	w.publish("schule-a", device.Mobile, pads)
	for _, client := range []string{"only-a", "minimal"} {
		token := w.token(client)
		for _, path := range []string{
			"/v1/devices?limit=1000", "/v1/devices/schule-a:computer:1", "/v1/devices/schule-a:mobile:7", "/api/v1/computers-inventory", "/api/v2/computers-inventory",
			"/api/v3/computers-inventory?section=STORAGE&section=APPLICATIONS", "/api/v4/computers-inventory?section=GENERAL&section=HARDWARE&section=SECURITY", "/api/v2/mobile-devices",
			"/api/v2/mobile-devices/detail?section=GENERAL&section=HARDWARE&section=SECURITY", "/api/v4/computers-inventory-detail/1", "/api/v2/mobile-devices/1/detail",
		} {
			var body []byte
			if !strings.HasPrefix(path, "/v1/") { // Jamf's shapes carry a scalar as Jamf sends it: its description is not kept then either
				body = []byte(w.unchecked(client, path))
			} else if r := w.do(http.MethodGet, w.base+path, "", "Authorization", "Bearer "+token); r.status == http.StatusOK {
				body = r.body
			}
			var page struct {
				Items   []json.RawMessage `json:"items"`
				Results []json.RawMessage `json:"results"`
			}
			if err := json.Unmarshal(body, &page); err != nil {
				t.Errorf("%s asks %s: %v %s", client, path, err, body)
			}
			if n, want := len(page.Items)+len(page.Results), len(changes); strings.Contains(path, "limit") && n != 2*want || page.Results != nil && n != want {
				t.Errorf("%s asks %s: %d devices", client, path, n)
			}
		}
	}
	var p struct {
		Items []struct {
			UID        string `json:"uid"`
			DeviceType string `json:"deviceType"`
			Management struct {
				Ownership *string `json:"ownership"`
			} `json:"management"`
		} `json:"items"`
	}
	w.get("only-a", "/v1/devices?limit=1000&kind=mobile").decode(t, &p)
	if p.Items[0].DeviceType != "unknown" || p.Items[0].Management.Ownership == nil || *p.Items[0].Management.Ownership != "unknown" {
		t.Errorf("a new word is %+v", p.Items[0])
	}
}
