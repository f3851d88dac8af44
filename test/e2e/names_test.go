package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/test/fakejamf"
)

// nameLists are the paths of the lists of names.
func nameLists() []string {
	return []string{"/api/v1/departments", "/api/v1/buildings", "/api/v1/sites"}
}

// allRights are those for devices and for names.
func allRights() []string {
	return []string{
		fakejamf.ReadComputers, fakejamf.ReadMobileDevices, fakejamf.ReadDepartments, fakejamf.ReadBuildings, fakejamf.ReadSites,
	}
}

// full keeps everything that may be kept.
func full(c *config.Config) { c.Sources[0].Profile = "full" }

// requestsFor counts the requests for lists of names.
func requestsFor(h *house, paths ...string) int {
	n := 0
	for _, r := range h.jamf.Requests() {
		for _, p := range paths {
			if r.Path == p {
				n++
			}
		}
	}
	return n
}

// namesOfGeneration counts the names that the current generation of a kind keeps.
func namesOfGeneration(h *house, kind device.Kind) map[device.NameList]int {
	h.t.Helper()
	g, err := h.gateway.Store().Acquire(cache.Series{Source: "schule-a", Kind: kind})
	if err != nil {
		h.t.Fatal(err)
	}
	defer g.Release()
	return g.Info().Names
}

// reference reads a reference of a normalized device: {"id":...,"name":...}; nil where it is null.
func reference(d map[string]any, group string) (id, name any) {
	var at any = d
	for key := range strings.SplitSeq(group, ".") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil, nil
		}
		at = m[key]
	}
	m, _ := at.(map[string]any)
	return m["id"], m["name"]
}

// wantNames holds every reference of every device against Jamf's lists; with named false none may have a name.
func (h *house) wantNames(named bool) {
	h.t.Helper()
	checked := map[string]int{}
	for kind, groups := range map[string]map[string]string{
		"computer": {"user.department": "departments", "user.building": "buildings"},
		"mobile":   {"site": "sites"},
	} {
		fleet := fakejamf.Computer
		if kind == "mobile" {
			fleet = fakejamf.Mobile
		}
		for _, device := range h.jamf.Ledger().Alive(fleet) {
			d := normalizedOf(h, kind, device)
			for group, list := range groups {
				id, name := reference(d, group)
				if id == nil {
					continue
				}
				checked[group]++
				var want any
				if named {
					want = h.nameOf(list, id)
				}
				if name != want {
					h.t.Fatalf("%s %d: %s %v is called %v, want %v", kind, device, group, id, name, want)
				}
			}
		}
	}
	if len(checked) != 3 {
		h.t.Fatalf("some references were never met: %v", checked)
	}
}

func (h *house) nameOf(list string, id any) any {
	for n, name := range h.jamf.Entries(list) {
		if fmt.Sprint(n) == id {
			return name
		}
	}
	return nil
}

// restart ends every client run: the next request sees the newest generation. Nothing is synced anew.
func (h *house) restart() {
	h.t.Helper()
	h.stop()
	h.forgetRuns()
	h.start()
}

func TestIdsGetNamesWhereTheRightsAllowAndARenamedDepartmentShows(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 40, Mobiles: 40, Seed: 3, Privileges: allRights()}, full)
	h.start()
	h.waitSynced()
	h.wantNames(true)
	const list = "/v1/devices?limit=200"
	before := h.get(list)
	if r := h.get(list, "If-None-Match", before.header.Get("ETag")); r.status != http.StatusNotModified {
		t.Errorf("unchanged: %d", r.status)
	}
	for id := 1; id <= len(h.jamf.Entries("departments")); id++ {
		h.jamf.RenameEntry("departments", id, fmt.Sprintf("Abteilung %d neu", id))
	}
	h.syncNow()
	h.restart()
	h.wantNames(true)
	after := h.get(list, "If-None-Match", before.header.Get("ETag"))
	if after.status != http.StatusOK || after.header.Get("ETag") == before.header.Get("ETag") || !strings.Contains(string(after.body), "Abteilung 1 neu") {
		t.Errorf("a renamed department does not show: %d", after.status)
	}
	if got := requestsFor(h, nameLists()...); got != 2*3 {
		t.Errorf("%d requests for names in two syncs, want 6", got)
	}
}

func TestWithoutTheRightsForNamesEverythingElseIsAsEver(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 40, Mobiles: 40, Seed: 3}, full)
	h.start()
	h.waitSynced()
	h.wantNames(false)
	if got := requestsFor(h, nameLists()...); got != 0 {
		t.Errorf("%d requests for lists that the rights do not allow", got)
	}
	test := h.call(http.MethodPost, "/v1/sources/schule-a/test", nil, "Authorization", "Bearer "+h.token())
	var report struct {
		OK      bool     `json:"ok"`
		Surplus []string `json:"rightsSurplus"`
		Unnamed []string `json:"rightsForNamesMissing"`
		Steps   []struct{ Name, Result, Detail string }
	}
	test.decode(t, &report)
	if !report.OK || len(report.Surplus) != 0 || len(report.Unnamed) != 3 {
		t.Errorf("connection test: %s", test.body)
	}
	for _, s := range report.Steps {
		const want = "optional, ids stay without names without it: Read Buildings, Read Departments, Read Sites"
		if s.Name == "rights" && (s.Result != "ok" || !strings.Contains(s.Detail, want)) {
			t.Errorf("rights: %+v", s)
		}
	}
	h.jamf.SetPrivileges(allRights()...) // the right comes later
	h.syncNow()
	h.restart()
	h.wantNames(true)
	h.jamf.SetPrivileges(fakejamf.ReadComputers, fakejamf.ReadMobileDevices) // and goes again
	h.syncNow()
	h.restart()
	h.wantNames(false)
	for _, k := range h.gateway.Status()[0].Kinds {
		if k.State != "fresh" || k.LastResult != "ok" {
			t.Errorf("%s: %+v", k.Kind, k)
		}
	}
}

func TestAMinimalProfileAsksForNoNamesAndKeepsNone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 40, Mobiles: 40, Seed: 3, Privileges: allRights()}, nil)
	for _, list := range []string{"departments", "buildings", "sites"} {
		for id := range h.jamf.Entries(list) {
			h.jamf.RenameEntry(list, int(id), fmt.Sprintf("canary-%s-%d", list, id))
		}
	}
	h.start()
	h.waitSynced()
	if got := requestsFor(h, nameLists()...); got != 0 {
		t.Errorf("%d requests for names that no profile needs", got)
	}
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		if got := namesOfGeneration(h, k); got != nil {
			t.Errorf("%s keeps names: %v", k, got)
		}
	}
	r := h.call(http.MethodPost, "/v1/sources/schule-a/test", nil, "Authorization", "Bearer "+h.token())
	if !strings.Contains(string(r.body), "Read Departments (only useful for names, which the settings do not use)") {
		t.Errorf("connection test: %s", r.body)
	}
	h.stop()
	err := filepath.WalkDir(h.settings.DataDir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), "canary-") {
			t.Errorf("%s holds a name of a department, building or site", filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNarrowingAProfileDropsTheNames(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 20, Mobiles: 20, Seed: 3, Privileges: allRights()}, full)
	h.start()
	h.waitSynced()
	if got := namesOfGeneration(h, device.Computer); got[device.Departments] == 0 || got[device.Buildings] == 0 || got[device.Sites] != 0 {
		t.Errorf("computers keep %v", got)
	}
	h.stop()
	h.settings.Sources[0].Profile = "minimal"
	h.start()
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		if got := namesOfGeneration(h, k); got != nil {
			t.Errorf("%s keeps names: %v", k, got)
		}
	}
}

func TestNamesCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 40, Mobiles: 40, Seed: 3, Privileges: allRights()}, func(c *config.Config) {
		full(c)
		c.Sources[0].SkipNames = true
	})
	h.start()
	h.waitSynced()
	h.wantNames(false)
	if got := requestsFor(h, nameLists()...); got != 0 {
		t.Errorf("%d requests for names", got)
	}
}

func TestAListOfNamesThatCannotBeReadKeepsTheNamesOfBefore(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 40, Mobiles: 40, Seed: 3, Privileges: allRights()}, full)
	h.start()
	h.waitSynced()
	h.jamf.BreakEntries(true)
	h.syncNow()
	h.restart()
	h.wantNames(true)
	for _, k := range h.gateway.Status()[0].Kinds {
		if k.State != "fresh" || k.LastResult != "ok" {
			t.Errorf("%s: %+v", k.Kind, k)
		}
	}
	if !strings.Contains(h.logs.String(), "names could not be read") {
		t.Error("the log does not say it")
	}
}
