package server_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// hostileNames are names that a person can give to his device: for a spreadsheet, a browser, a log and a terminal.
func hostileNames() []string {
	return []string{
		"=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "a\r\nX-Injected: 1", "a\n{\"level\":\"ERROR\",\"msg\":\"forged\"}",
		"\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\b\b\bgone", "a\x00b", "'; drop table device; --", "%s%n", "../../etc/passwd", "${jndi:ldap://x}",
		"\u009b32mgreen", "\u202egpj.turned", "\u2066isolated\u2069", "a\u2028b", "\ufeffmarked", "\U000e0041tagged",
	}
}

// stringsIn lists every text of a JSON value.
func stringsIn(v any) (out []string) {
	switch node := v.(type) {
	case string:
		out = append(out, node)
	case []any:
		for _, each := range node {
			out = append(out, stringsIn(each)...)
		}
	case map[string]any:
		for _, each := range node {
			out = append(out, stringsIn(each)...)
		}
	}
	return out
}

// Wherever a name of a device is answered it stands inside of a JSON text, as it is: no control character raw, no browser takes it for a page. In the
// headers and in the log it stands nowhere.
func TestNoNameOfADeviceIsAnsweredRawOrSaidElsewhere(t *testing.T) {
	var logs bytes.Buffer
	w := newWorld(t, func(o *server.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	names := hostileNames()
	macs, pads := fleet{}, fleet{}
	for i, name := range names {
		quoted, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		macs[i+1] = strings.Replace(computer(i+1, "C1", "NAME"), `"NAME"`, string(quoted), 1)
		pads[i+1] = strings.Replace(mobile(i+1, "M1", "NAME"), `"NAME"`, string(quoted), 1)
	}
	w.publish("schule-a", device.Computer, macs)
	w.publish("schule-a", device.Mobile, pads)
	w.house.source("schule-a", func(s *server.SourceStatus) {
		s.Kinds[0].Hold = &server.Hold{Digest: "d", Since: start, Generation: 9, Removed: len(names)}
		for i := range names {
			s.Kinds[0].Hold.First = append(s.Kinds[0].Hold.First, int64(i+1))
		}
	})
	replies := map[string]reply{"held": w.do(http.MethodGet, w.admin+"/v1/admin/sources/schule-a/held", "")}
	for _, path := range []string{
		"/v1/devices?kind=computer", "/v1/devices?kind=mobile", "/jamf/schule-a/api/v1/computers-inventory", "/jamf/schule-a/api/v4/computers-inventory?section=GENERAL",
		"/jamf/schule-a/api/v2/mobile-devices", "/jamf/schule-a/api/v2/mobile-devices/detail",
	} {
		replies[path] = w.get("only-a", path)
	}
	for where, r := range replies {
		var v any
		if err := json.Unmarshal(r.body, &v); err != nil || r.status != http.StatusOK {
			t.Fatalf("%s: %v %s", where, err, r)
		}
		if bytes.ContainsFunc(r.body, func(c rune) bool { return c < ' ' }) {
			t.Errorf("%s: a control character stands raw", where)
		}
		texts := stringsIn(v)
		for _, name := range names {
			if !slices.Contains(texts, name) {
				t.Errorf("%s: %q is not answered as it is", where, name)
			}
		}
		if !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") || r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("X-Injected") != "" {
			t.Errorf("%s: headers %v", where, r.header)
		}
	}
	for _, mark := range []string{"calc", "script", "onerror", "X-Injected", "forged", "31mred", "drop table", "jndi", "32mgreen", "turned", "isolated", "tagged"} {
		if strings.Contains(logs.String(), mark) {
			t.Errorf("%q is in the log", mark)
		}
	}
}
