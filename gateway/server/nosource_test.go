package server_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// A name that Jamf's document allows and that no list has a value for is refused with its reason, not taken for a name that nobody knows.
func TestANameOfJamfWithoutASourceIsRefusedWithItsReason(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	table, err := os.ReadFile("../device/selectors.tsv")
	if err != nil {
		t.Fatal(err)
	}
	paths := map[rune]string{
		'1': "/api/v1/computers-inventory", '2': "/api/v2/computers-inventory", '3': "/api/v3/computers-inventory", '4': "/api/v4/computers-inventory",
		'd': "/api/v2/mobile-devices/detail", 'l': "/api/v2/mobile-devices",
	}
	asked := 0
	for line := range strings.Lines(string(table)) {
		col := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || col[4] != "-" {
			continue
		}
		for _, in := range col[0] {
			path, jamf := paths[in]
			if !jamf {
				continue
			}
			queries := map[string]string{"sort_not_supported": "?sort=" + col[1] + ":desc"}
			if strings.Contains(col[2], "f") {
				queries["filter_not_supported"] = "?filter=" + url.QueryEscape(col[1]+`=="2026-01-01"`)
			}
			for code, query := range queries {
				asked++
				r := w.get("all", path+query)
				w.want(r, http.StatusBadRequest, code)
				if !strings.Contains(string(r.body), "has no values: "+col[5]) {
					t.Errorf("%s%s: no reason in %s", path, query, r)
				}
			}
		}
	}
	if asked != 26 {
		t.Errorf("%d questions, want those of 12 names in 6 lists: 26", asked)
	}
}
