package compat_test

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/deploymenttheory/go-api-sdk-jamfpro/sdk/jamfpro"
)

// listed walks a list with the SDK's own pager, which reads until it has as many rows as the first page promised, and returns the texts of one
// key in order.
func listed(t *testing.T, c *jamfpro.Client, path, key string, params url.Values) []string {
	t.Helper()
	list, err := c.DoPaginatedGet(path, params)
	if err != nil {
		t.Fatalf("%s?%s: %v", path, params.Encode(), err)
	}
	out := []string{}
	for _, row := range list.Results {
		device, _ := row.(map[string]any)
		value, ok := device[key].(string)
		if !ok {
			t.Fatalf("%s: no %s in %v", path, key, row)
		}
		out = append(out, value)
	}
	if len(out) != list.Size {
		t.Errorf("%s: %d rows of %d", path, len(out), list.Size)
	}
	return out
}

func TestTheSDKListsEveryMobileDeviceInBothLists(t *testing.T) {
	g := gateway(t)
	c := connected(t, g)
	plain := listed(t, c, "/api/v2/mobile-devices", "id", url.Values{"page-size": {"3"}, "sort": {"id:asc"}})
	detail := listed(t, c, "/api/v2/mobile-devices/detail", "mobileDeviceId", url.Values{
		"page-size": {"7"}, "section": {"GENERAL", "HARDWARE"}, "sort": {"mobileDeviceId:asc"},
	})
	if !slices.Equal(plain, detail) || len(plain) == 0 || g.mobiles != 0 && len(plain) != g.mobiles {
		t.Errorf("plain %v, detail %v, want %d", plain, detail, g.mobiles)
	}
}

func TestTheSDKFiltersAndSortsMobileDevices(t *testing.T) {
	c := connected(t, gateway(t))
	all := listed(t, c, "/api/v2/mobile-devices/detail", "mobileDeviceId", url.Values{"sort": {"mobileDeviceId:asc"}})
	border := len(all) / 2
	got := listed(t, c, "/api/v2/mobile-devices/detail", "mobileDeviceId", url.Values{
		"filter": {"mobileDeviceId=ge=" + all[border]}, "sort": {"mobileDeviceId:desc"}, "page-size": {"4"},
	})
	want := slices.Clone(all[border:])
	slices.Reverse(want)
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestTheSDKReadsOneMobileDeviceInBothShapes(t *testing.T) {
	c := connected(t, gateway(t))
	ids := listed(t, c, "/api/v2/mobile-devices", "id", nil)
	id := ids[len(ids)/2]
	var plain, detail struct {
		ID           string `json:"id"`
		Name         string `json:"name"`
		SerialNumber string `json:"serialNumber"`
		Type         string `json:"type"`
	}
	for path, into := range map[string]any{"/api/v2/mobile-devices/" + id: &plain, "/api/v2/mobile-devices/" + id + "/detail": &detail} {
		resp, err := c.HTTP.DoRequest("GET", path, nil, into)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		_ = resp.Body.Close()
	}
	if plain != detail || plain.ID != id || plain.SerialNumber == "" || plain.Type == "" {
		t.Errorf("%+v and %+v", plain, detail)
	}
}

// The four versions are one list, in the SDK's hands too.
func TestTheSDKListsTheSameComputersInEveryVersion(t *testing.T) {
	c := connected(t, gateway(t))
	var first []string
	for version := 1; version <= 4; version++ {
		path := "/api/v" + strconv.Itoa(version) + "/computers-inventory"
		got := listed(t, c, path, "id", url.Values{"page-size": {"40"}, "sort": {"general.name:asc"}})
		if first == nil {
			first = got
		}
		if !slices.Equal(got, first) || len(got) == 0 {
			t.Errorf("%s: %v, want %v", path, got, first)
		}
	}
}

func TestTheSDKFindsAComputerByItsSerialNumberAndByItsName(t *testing.T) {
	c := connected(t, gateway(t))
	list, err := c.GetComputersInventory(url.Values{"section": {"GENERAL", "HARDWARE"}, "sort": {"id:asc"}})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(list.Results, func(r jamfpro.ResourceComputerInventory) bool {
		serial, name := r.Hardware.SerialNumber, r.General.Name
		return serial != "" && name != "" && !strings.ContainsAny(serial+name, `"*\`) && alone(list.Results, serial, name)
	})
	if at < 0 {
		t.Fatal("no computer has a serial number and a name of its own")
	}
	want := list.Results[at]
	bySerial, err := c.GetComputerInventoryBySerialNumber(want.Hardware.SerialNumber) // a filter
	if err != nil || bySerial.ID != want.ID {
		t.Errorf("by serial number: %+v, %v, want %s", bySerial, err, want.ID)
	}
	byName, err := c.GetComputerInventoryByName(want.General.Name) // the whole list with 24 sections
	if err != nil || byName.ID != want.ID {
		t.Errorf("by name: %v, want %s", err, want.ID)
	}
}

// alone tells whether one computer alone has the serial number, and one alone the name.
func alone(list []jamfpro.ResourceComputerInventory, serial, name string) bool {
	serials, names := 0, 0
	for _, r := range list {
		if r.Hardware.SerialNumber == serial {
			serials++
		}
		if r.General.Name == name {
			names++
		}
	}
	return serials == 1 && names == 1
}

// The old login of a Jamf user: name and password are the id and the secret of a client of the gateway.
func TestTheSDKLogsInAsAUser(t *testing.T) {
	g := gateway(t)
	for secret, good := range map[string]bool{g.secret: true, g.secret + "x": false} {
		c, err := jamfpro.BuildClient(&jamfpro.ConfigContainer{
			LogLevel: "fatal", HideSensitiveData: true,
			InstanceDomain: g.url, AuthMethod: "basic", Username: g.id, Password: secret,
			MaxRetryAttempts: 3, MaxConcurrentRequests: 1, TokenRefreshBufferPeriod: 300, TotalRetryDuration: 60, CustomTimeout: 60,
			FollowRedirects: true, MaxRedirects: 5, EnableConcurrencyManagement: true, RetryEligiableRequests: true,
		})
		if err == nil {
			_, err = c.GetComputersInventory(url.Values{"page-size": {"50"}})
		}
		if (err == nil) != good {
			t.Errorf("good=%v: %v", good, err)
		}
	}
}
