package device_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

// phone is one device as the list endpoint sends it; what must not come out says so.
const phone = `{"mobileDeviceId":"7","deviceType":"iOS","hardware":{"capacityMb":64000,"availableSpaceMb":16000,"usedSpacePercentage":75,` +
	`"serialNumber":"S7","wifiMacAddress":"00:11","model":"iPhone","modelIdentifier":"iPhone1,1","bluetoothLowEnergyCapable":true,` +
	`"extensionAttributes":[{"id":"2","name":"EA2","type":"STRING","value":["b"],"inventoryDisplay":"HARDWARE"}],"systemHealth":{"faceId":"GENUINE"}},` +
	`"userAndLocation":{"username":"u","realName":"R","buildingId":"3","building":"not in this shape"},` +
	`"applications":[{"identifier":"com.a","name":"A","version":"1","shortVersion":"1.0","bundleSize":"not in this shape"}],` +
	`"certificates":[{"commonName":"CN","identity":false,"expirationDate":"2030-01-01T00:00:00Z"}],` +
	`"profiles":[{"displayName":"P","version":"1","uuid":"u1","identifier":"i1","removable":true}],` +
	`"general":{"udid":"U7","displayName":"phone 7","assetTag":"T7","siteId":"-1","lastInventoryUpdateDate":"2026-11-20T09:00:00Z",` +
	`"lastContactDate":"2026-11-21T09:00:00Z","osVersion":"18.5","managed":true,"supervised":true,"deviceOwnershipType":"Institutional",` +
	`"lastEnrolledDate":"2026-01-01T00:00:00Z","sharedIpad":false,"itunesStoreAccountActive":true,` +
	`"extensionAttributes":[{"id":"1","name":"EA1","type":"STRING","value":["a"]}]},` +
	`"security":{"dataProtected":true,"lostModeMessage":"SECRET","bootstrapToken":"SECRET"},"ios":{"unlockToken":"SECRET"},"network":{"imei":"35"}}`

func TestTheDetailByIDIsMadeOfWhatTheListEndpointGives(t *testing.T) {
	p := builtin(t, "full")
	body := jamf(t, device.MobileByID, p, cut(t, p, device.Mobile, []byte(phone)))
	for _, never := range []string{"SECRET", "not in this shape"} {
		if strings.Contains(string(body), never) {
			t.Errorf("%s came out: %s", never, body)
		}
	}
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	at := func(path string) any {
		var v any = got
		for key := range strings.SplitSeq(path, ".") {
			switch part := v.(type) {
			case map[string]any:
				v = part[key]
			case []any:
				v, _ = part[0].(map[string]any)[key]
			default:
				return "nothing at " + path
			}
		}
		return v
	}
	for path, want := range map[string]any{
		"id": "7", "name": "phone 7", "assetTag": "T7", "lastInventoryUpdateTimestamp": "2026-11-20T09:00:00Z",
		"lastContactTimestamp": "2026-11-21T09:00:00Z", "osVersion": "18.5", "serialNumber": "S7", "udid": "U7", "managed": true,
		"lastEnrollmentTimestamp": "2026-01-01T00:00:00Z", "deviceOwnershipLevel": "institutional", "site.id": "-1", "site.name": nil,
		"location.username": "u", "location.buildingId": "3", "type": "ios", "tvos": nil, "watchos": nil, "visionos": nil,
		"ios.model": "iPhone", "ios.supervised": true, "ios.availableMb": 16000.0, "ios.percentageUsed": 75.0, "ios.shared": false,
		"ios.iTunesStoreAccountActive": true, "ios.bleCapable": true, "ios.unlockToken": nil, "ios.computer": nil, "ios.attachments": nil,
		"ios.security.dataProtected": true, "ios.security.bootstrapToken": nil, "ios.network.imei": "35", "ios.applications.identifier": "com.a",
		"ios.certificates.expirationDateEpoch": "2030-01-01T00:00:00Z", "ios.certificates.subjectName": nil,
		"ios.configurationProfiles.displayName": "P", "ios.systemHealth.faceId": "GENUINE", "enforceName": nil,
	} {
		if diff := cmp.Diff(want, at(path)); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
	attributes, _ := got["extensionAttributes"].([]any)
	if len(attributes) != 2 || at("extensionAttributes.name") != "EA1" {
		t.Errorf("extension attributes of all sections: %v", attributes)
	}
	if ebooks, ok := at("ios.ebooks").([]any); !ok || len(ebooks) != 0 {
		t.Errorf("ebooks: %v", at("ios.ebooks"))
	}
	for kind, filled := range map[string]string{"tvOS": "tvos", "watchOS": "watchos", "visionOS": "visionos", "iPadOS": "ios", "Unknown": ""} {
		record := []byte(strings.Replace(phone, `"deviceType":"iOS"`, `"deviceType":"`+kind+`"`, 1))
		if err := json.Unmarshal(jamf(t, device.MobileByID, p, cut(t, p, device.Mobile, record)), &got); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ios", "tvos", "watchos", "visionos"} {
			if (got[name] != nil) != (name == filled) {
				t.Errorf("%s: %s is %v", kind, name, got[name])
			}
		}
	}
}

func TestTheDocumentNamesEveryKeyThatIsAlwaysNull(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	if len(device.UnmappedByID()) < 10 {
		t.Errorf("unmapped: %v", device.UnmappedByID())
	}
	for _, key := range device.UnmappedByID() {
		if !strings.Contains(string(text), "`"+key+"`") {
			t.Errorf("docs/compatibility.md does not name %s", key)
		}
	}
}
