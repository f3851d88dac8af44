package server_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"jamf-gateway/gateway/server"
)

func TestTheDocumentOfTheAPINamesEveryOperationAndEveryCode(t *testing.T) {
	raw, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, op := range normalized().Operations() {
		if !strings.Contains(text, "`"+op.Method+" "+op.Path+"`") {
			t.Errorf("docs/api.md does not name %s %s", op.Method, op.Path)
		}
	}
	rows := statusRows(text)
	for _, code := range server.Codes() {
		if code != "not_ready" && !strings.Contains(rows[server.StatusOf(code)], "`"+code+"`") { // /readyz has a word of its own
			t.Errorf("docs/api.md does not name %s beside %d", code, server.StatusOf(code))
		}
	}
}

// statusRows are the rows of the table of errors: status -> its rows. A row may have several statuses.
func statusRows(text string) map[int]string {
	_, table, _ := strings.Cut(text, "| status | codes |")
	rows := map[int]string{}
	for row := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(row, "|")
		if len(cells) < 3 {
			continue
		}
		for word := range strings.SplitSeq(cells[1], ",") {
			if status, err := strconv.Atoi(strings.TrimSpace(word)); err == nil {
				rows[status] += row
			}
		}
	}
	return rows
}

// codesWithStatus finds where a document names a code after its status: 503 `stale_limit`.
func codesWithStatus(text string) map[string]int {
	found := map[string]int{}
	for _, m := range regexp.MustCompile("([0-9]{3}) `([a-z_]+)`").FindAllStringSubmatch(text, -1) {
		found[m[2]], _ = strconv.Atoi(m[1])
	}
	return found
}

func TestTheOtherDocumentsNameNoCodeThatTheTableOfErrorsLacks(t *testing.T) {
	read := func(name string) string {
		raw, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	rows := statusRows(read("api.md"))
	for _, name := range []string{"health.md", "architecture.md", "configuration.md", "compatibility.md"} {
		codes := codesWithStatus(read(name))
		if name == "health.md" && len(codes) < 5 {
			t.Errorf("%s: only %v found", name, codes)
		}
		for code, status := range codes {
			if !strings.Contains(rows[status], "`"+code+"`") {
				t.Errorf("docs/%s says %d %s, the table of docs/api.md does not", name, status, code)
			}
		}
	}
}

func TestTheAlarmOnQuarantinedDevicesLeadsToTheirNames(t *testing.T) {
	read := func(name string) string {
		raw, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	_, alarm, _ := strings.Cut(read("deploy/alerts.yml"), "alert: JamfRecordsQuarantined")
	alarm, _, _ = strings.Cut(alarm, "- alert:")
	health := read("health.md")
	for _, word := range []string{"JamfRecordsQuarantined", "jamf_records_quarantined", "`quarantinedDevices`", "`GET /v1/sources/NAME` names the devices"} {
		if !strings.Contains(health, word) {
			t.Errorf("docs/health.md does not say %s", word)
		}
	}
	if !strings.Contains(alarm, "jamf_records_quarantined > 0") || !strings.Contains(alarm, "GET /v1/sources/{{ $labels.jamf_source }} names them in quarantinedDevices.") {
		t.Errorf("the alarm leads elsewhere:%s", alarm)
	}
}
