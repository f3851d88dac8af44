// Package compat_test is a witness that was not written here: a Jamf SDK reads computers through the gateway as if it were a Jamf Pro.
package compat_test

import (
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/deploymenttheory/go-api-sdk-jamfpro/sdk/jamfpro"
)

// client builds the SDK's client as its own BuildClientWithEnv does by default.
func client(t *testing.T, g target, secret string) (*jamfpro.Client, error) {
	t.Helper()
	return jamfpro.BuildClient(&jamfpro.ConfigContainer{
		LogLevel: "fatal", HideSensitiveData: true,
		InstanceDomain: g.url, AuthMethod: "oauth2", ClientID: g.id, ClientSecret: secret,
		MaxRetryAttempts: 3, MaxConcurrentRequests: 1, TokenRefreshBufferPeriod: 300, TotalRetryDuration: 60, CustomTimeout: 60,
		FollowRedirects: true, MaxRedirects: 5, EnableConcurrencyManagement: true, RetryEligiableRequests: true,
	})
}

func connected(t *testing.T, g target) *jamfpro.Client {
	t.Helper()
	c, err := client(t, g, g.secret)
	if err != nil {
		t.Fatalf("the SDK cannot connect: %v", err)
	}
	return c
}

func TestTheSDKListsEveryComputerOverManyPages(t *testing.T) {
	g := gateway(t)
	c := connected(t, g)
	// The SDK adds page and page-size itself; a small page makes it ask many times.
	list, err := c.GetComputersInventory(url.Values{"page-size": {"50"}, "section": {"GENERAL", "HARDWARE"}, "sort": {"id:asc"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Results) != list.TotalCount || len(list.Results) == 0 {
		t.Fatalf("%d computers of %d", len(list.Results), list.TotalCount)
	}
	if g.computers != 0 && list.TotalCount != g.computers {
		t.Errorf("%d computers, the simulated Jamf Pro has %d", list.TotalCount, g.computers)
	}
	last, serials := 0, 0
	for _, computer := range list.Results {
		id, err := strconv.Atoi(computer.ID)
		if err != nil || id <= last {
			t.Fatalf("id %q after %d: not in rising order", computer.ID, last)
		}
		last = id
		if computer.Hardware.SerialNumber != "" {
			serials++
		}
	}
	if serials*10 < len(list.Results)*9 {
		t.Errorf("only %d of %d computers have a serial number", serials, len(list.Results))
	}
}

func TestTheSDKReadsOneComputerWithAllItsSections(t *testing.T) {
	g := gateway(t)
	c := connected(t, g)
	list, err := c.GetComputersInventory(url.Values{"section": {"GENERAL", "HARDWARE", "OPERATING_SYSTEM"}})
	if err != nil {
		t.Fatal(err)
	}
	want := list.Results[len(list.Results)/2]
	got, err := c.GetComputerInventoryByID(want.ID) // asks for 24 sections, PLUGINS and FONTS among them
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != want.ID || got.UDID != want.UDID || got.General.Name != want.General.Name || got.General.Name == "" ||
		got.Hardware.SerialNumber != want.Hardware.SerialNumber || got.OperatingSystem.Version != want.OperatingSystem.Version {
		t.Errorf("by id %s %s %q %s %s, in the list %s %s %q %s %s",
			got.ID, got.UDID, got.General.Name, got.Hardware.SerialNumber, got.OperatingSystem.Version,
			want.ID, want.UDID, want.General.Name, want.Hardware.SerialNumber, want.OperatingSystem.Version)
	}
}

func TestTheSDKReadsTheVersionOfJamf(t *testing.T) {
	v, err := connected(t, gateway(t)).GetJamfProVersion()
	if err != nil || v.Version == nil || *v.Version == "" {
		t.Errorf("version %v, %v", v, err)
	}
}

func TestTheSDKIsToldThatAComputerDoesNotExist(t *testing.T) {
	if got, err := connected(t, gateway(t)).GetComputerInventoryByID("999999999"); err == nil {
		t.Errorf("a computer that does not exist is %s %q", got.ID, got.General.Name)
	}
}

func TestTheSDKIsRefusedWithAWrongSecret(t *testing.T) {
	g := gateway(t)
	c, err := client(t, g, g.secret+"x")
	if err != nil {
		return // refused when it asked for its first token
	}
	if list, err := c.GetComputersInventory(url.Values{}); err == nil {
		t.Errorf("a wrong secret lists %d computers", list.TotalCount)
	}
}

// A filter of the SDK's caller is answered with what it asks for, in the order that the sort says.
func TestTheSDKFiltersAndSortsComputers(t *testing.T) {
	c := connected(t, gateway(t))
	all, err := c.GetComputersInventory(url.Values{"section": {"GENERAL"}, "sort": {"id:asc"}})
	if err != nil {
		t.Fatal(err)
	}
	id := all.Results[len(all.Results)/2].ID
	border, _ := strconv.Atoi(id)
	list, err := c.GetComputersInventory(url.Values{
		"section": {"GENERAL"}, "page-size": {"10"}, "filter": {`id=ge=` + id + `;general.name=="*"`}, "sort": {"id:desc"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, computer := range slices.Backward(all.Results) {
		if n, _ := strconv.Atoi(computer.ID); n >= border && computer.General.Name != "" {
			want = append(want, computer.ID)
		}
	}
	var got []string
	for _, computer := range list.Results {
		got = append(got, computer.ID)
	}
	if !slices.Equal(got, want) || len(want) == 0 || list.TotalCount != len(want) {
		t.Errorf("%d computers %v, want %v", list.TotalCount, got, want)
	}
}
