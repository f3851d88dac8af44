package device_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

func TestNormalizedDevicesMatchTheGoldenFiles(t *testing.T) {
	for name, record := range ownRecords(t) {
		for _, profile := range []string{"minimal", "full"} {
			p := builtin(t, profile)
			golden(t, name+"."+profile+".normalized", normalized(t, p, kindOf(name), cut(t, p, kindOf(name), record)))
		}
	}
}

// at reads a value of a normalized device by its dotted name; "absent" when a key is missing.
func at(t *testing.T, b []byte, name string) any {
	t.Helper()
	var v any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	for key := range strings.SplitSeq(name, ".") {
		o, ok := v.(map[string]any)
		if !ok {
			return v
		}
		if v, ok = o[key]; !ok {
			return "absent"
		}
	}
	return v
}

func TestNullAndSentinelRules(t *testing.T) {
	for _, c := range []struct {
		kind   device.Kind
		record string // without the id
		name   string
		want   string // JSON
	}{
		{"computer", `"general":{"assetTag":""}`, "identity.assetTag", `null`},
		{"computer", `"general":{"assetTag":" "}`, "identity.assetTag", `null`},
		{"computer", `"general":{"assetTag":"-1"}`, "identity.assetTag", `null`},
		{"computer", `"general":{"assetTag":-1}`, "identity.assetTag", `null`},
		{"computer", `"general":{"assetTag":"None"}`, "identity.assetTag", `null`},
		{"computer", `"general":{"assetTag":"Not Available"}`, "identity.assetTag", `null`},
		{"computer", `"general":{"assetTag":"n/a"}`, "identity.assetTag", `null`},
		{"computer", `"general":{"assetTag":"\u004eone"}`, "identity.assetTag", `null`},
		{"computer", `"general":{"assetTag":4711}`, "identity.assetTag", `"4711"`},
		{"computer", `"general":{"assetTag":" a b "}`, "identity.assetTag", `" a b "`},
		{"computer", `"hardware":{"serialNumber":" c02 "}`, "identity.serialNumber", `"C02"`},
		{"computer", `"hardware":{"serialNumber":"0"}`, "identity.serialNumber", `null`},
		{"computer", `"hardware":{"totalRamMegabytes":16384}`, "hardware.memoryBytes", `17179869184`},
		{"computer", `"hardware":{"totalRamMegabytes":16384.0}`, "hardware.memoryBytes", `17179869184`},
		{"computer", `"hardware":{"totalRamMegabytes":"8192"}`, "hardware.memoryBytes", `8589934592`},
		{"computer", `"hardware":{"totalRamMegabytes":0}`, "hardware.memoryBytes", `null`},
		{"computer", `"hardware":{"totalRamMegabytes":9007199254740993}`, "hardware.memoryBytes", `null`},
		{"computer", `"hardware":{"totalRamMegabytes":1.5}`, "hardware.memoryBytes", `null`},
		{"computer", `"hardware":{"processorSpeedMhz":0}`, "hardware.cpu.speedMhz", `null`},
		{"computer", `"hardware":{"batteryCapacityPercent":0}`, "hardware.battery.percent", `0`},
		{"computer", `"hardware":{"batteryCapacityPercent":101}`, "hardware.battery.percent", `null`},
		{"computer", `"hardware":{"batteryHealth":"GLOWING"}`, "hardware.battery.health", `"unknown"`},
		{"computer", `"hardware":{"macAddress":"AABB.CCDD.EEFF","altMacAddress":"aa:bb:cc:dd:ee:ff"}`, "hardware.macAddresses", `[{"address":"aa:bb:cc:dd:ee:ff","type":"primary"}]`},
		{"computer", `"hardware":{"macAddress":"00-00-00-00-00-00"}`, "hardware.macAddresses", `[]`},
		{"computer", `"hardware":{"macAddress":"aa:bb:cc:dd:ee"}`, "sync.warnings", `["hardware.macAddresses: unreadable address"]`},
		{"computer", `"storage":{"disks":[{"serialNumber":"a","sizeMegabytes":1},{"serialNumber":"A","sizeMegabytes":2},{"serialNumber":"b","sizeMegabytes":3},{"sizeMegabytes":9}]}`, "hardware.storage.totalBytes", `5242880`},
		{"computer", `"storage":{"disks":[{"model":"m","sizeMegabytes":1},{"model":"m","sizeMegabytes":2},{"model":"n","sizeMegabytes":3},{"model":"APPLE APFS Media","sizeMegabytes":9}]}`, "hardware.storage.totalBytes", `5242880`},
		{"computer", `"storage":{"disks":[]}`, "hardware.storage.totalBytes", `null`},
		{"computer", `"storage":{"disks":[{"serialNumber":"a","sizeMegabytes":9223372036854775807},{"serialNumber":"b","sizeMegabytes":1}]}`, "hardware.storage.totalBytes", `null`},
		{"computer", `"storage":{"bootDriveAvailableSpaceMegabytes":0}`, "hardware.storage.availableBytes", `0`},
		{"computer", `"storage":null`, "hardware", `null`},
		{"computer", `"security":{"sipStatus":"NOT_COLLECTED"}`, "security.sip", `null`},
		{"computer", `"security":{"sipStatus":"DISABLED"}`, "security.sip", `false`},
		{"computer", `"security":{"gatekeeperStatus":"NOT_COLLECTED"}`, "security.gatekeeper", `{"enabled":null,"raw":"NOT_COLLECTED"}`},
		{"computer", `"security":{"gatekeeperStatus":"DISABLED"}`, "security.gatekeeper.enabled", `false`},
		{"computer", `"security":{"firewallEnabled":"true"}`, "security.firewall", `true`},
		{"computer", `"security":{"firewallEnabled":1}`, "security.firewall", `null`},
		{"computer", `"security":{"bootstrapTokenEscrowedStatus":"NOT_SUPPORTED"}`, "security.bootstrapTokenEscrowed", `null`},
		{"computer", `"diskEncryption":{"fileVault2Enabled":true}`, "security.diskEncryption", `{"raw":null,"state":"unknown"}`},
		{"computer", `"diskEncryption":{"fileVault2Enabled":false,"bootPartitionEncryptionDetails":{"partitionFileVault2State":"ENCRYPTED"}}`, "security.diskEncryption.state", `"encrypted"`},
		{"computer", `"diskEncryption":{"bootPartitionEncryptionDetails":{"partitionFileVault2State":"UNKNOWN"}},"operatingSystem":{"fileVault2Status":"BOOT_ENCRYPTED"}`, "security.diskEncryption", `{"raw":"BOOT_ENCRYPTED","state":"encrypted"}`},
		{"computer", `"operatingSystem":{"fileVault2Status":"SOME_ENCRYPTED"}`, "security.diskEncryption", `{"raw":"SOME_ENCRYPTED","state":"unknown"}`},
		{"computer", `"operatingSystem":{"version":"15.5"}`, "os.versionNormalized", `"15.5.0"`},
		{"computer", `"operatingSystem":{"version":"10.15.7 (19H2)"}`, "os.versionNormalized", `"10.15.7"`},
		{"computer", `"operatingSystem":{"version":26}`, "os.versionNormalized", `"26.0.0"`},
		{"computer", `"operatingSystem":{"version":"16.0 beta"}`, "os.version", `"16.0 beta"`},
		{"computer", `"operatingSystem":{"version":"1.2.3.4"}`, "os.versionNormalized", `"1.2.3"`},
		{"computer", `"operatingSystem":{"version":"15.5b"}`, "os.versionNormalized", `null`},
		{"computer", `"operatingSystem":{"version":"15..5"}`, "os.versionNormalized", `null`},
		{"computer", `"general":{"platform":"Windows"}`, "os.platform", `"unknown"`},
		{"computer", `"general":{"platform":"Mac"}`, "os.platform", `"macos"`},
		{"computer", `"operatingSystem":{"name":"Mac OS X"}`, "os.platform", `"macos"`},
		{"computer", `"hardware":{"model":"Mac mini (M2, 2023)","modelIdentifier":"Mac14,3"}`, "deviceType", `"desktop"`},
		{"computer", `"hardware":{"modelIdentifier":"Macmini9,1"}`, "deviceType", `"desktop"`},
		{"computer", `"hardware":{"modelIdentifier":"MacBookAir10,1"}`, "deviceType", `"laptop"`},
		{"computer", `"hardware":{"modelIdentifier":"VirtualMac2,1"}`, "deviceType", `"virtual"`},
		{"computer", `"hardware":{"modelIdentifier":"Mac99,1"}`, "deviceType", `"unknown"`},
		{"computer", `"general":{"lastContact":"2026-01-02T03:04:05Z"}`, "lastContactAt", `"2026-01-02T03:04:05.000Z"`},
		{"computer", `"general":{"lastContact":"2026-01-02T03:04:05.1+02:00"}`, "lastContactAt", `"2026-01-02T01:04:05.100Z"`},
		{"computer", `"general":{"lastContact":"2026-01-02T03:04:05.9999+0100"}`, "lastContactAt", `"2026-01-02T02:04:05.999Z"`},
		{"computer", `"general":{"lastContact":"1970-01-01T00:00:00Z"}`, "lastContactAt", `null`},
		{"computer", `"general":{"lastContact":"1970-01-01T00:00:00Z"}`, "sync.warnings", `[]`},
		{"computer", `"general":{"lastContact":"02.01.2026"}`, "lastContactAt", `null`},
		{"computer", `"general":{"lastContact":"02.01.2026"}`, "sync.warnings", `["lastContactAt: unreadable time"]`},
		{"computer", `"general":{"lastContact":"9999-12-31T23:59:59-01:00"}`, "lastContactAt", `null`},
		{"computer", `"purchasing":{"warrantyDate":"2028-02-29"}`, "purchasing.warrantyExpires", `"2028-02-29"`},
		{"computer", `"purchasing":{"warrantyDate":"2027-02-29"}`, "purchasing.warrantyExpires", `null`},
		{"computer", `"purchasing":{"purchasePrice":"399.00"}`, "purchasing.price", `399.00`},
		{"computer", `"purchasing":{"purchasePrice":"1e400"}`, "purchasing.price", `null`},
		{"computer", `"purchasing":{"purchasePrice":"$500"}`, "purchasing.price", `null`},
		{"computer", `"purchasing":{"lifeExpectancy":0}`, "purchasing.lifeExpectancyYears", `null`},
		{"computer", `"userAndLocation":{"email":"A@B.DE","username":" Ada "}`, "user.email", `"a@b.de"`},
		{"computer", `"userAndLocation":{"departmentId":"3","buildingId":"-1"}`, "user.department", `{"id":"3","name":null}`},
		{"computer", `"userAndLocation":{"departmentId":"3","buildingId":"-1"}`, "user.building", `null`},
		{"computer", `"general":{"site":{"id":"-1","name":"None"}}`, "site", `null`},
		{"computer", `"general":{"lastReportedIp":"fe80::1"}`, "network", `{"reportedIpV4":null,"reportedIpV6":"fe80::1","serverSeenIp":null}`},
		{"computer", `"general":{}`, "cellular", `null`},
		{"computer", `"general":{}`, "user", `null`},
		{"computer", `"groupMemberships":[]`, "groups", `[]`},
		{"computer", `"groupMemberships":null`, "groups", `null`},
		{"computer", `"general":{},"hardware":null`, "sync.sections", `["general"]`},
		{"mobile", `"deviceType":"iOS","hardware":{"modelIdentifier":"iPad12,1"}`, "os.platform", `"ipados"`},
		{"mobile", `"deviceType":"iOS","hardware":{"modelIdentifier":"iPad12,1"}`, "deviceType", `"tablet"`},
		{"mobile", `"deviceType":"iOS","hardware":{"modelIdentifier":"iPod9,1"}`, "deviceType", `"phone"`},
		{"mobile", `"deviceType":"iOS"`, "os.name", `"iOS"`},
		{"mobile", `"deviceType":"iOS"`, "deviceType", `"unknown"`},
		{"mobile", `"deviceType":"visionOS"`, "deviceType", `"headset"`},
		{"mobile", `"deviceType":"Unknown"`, "manufacturer", `null`},
		{"mobile", `"deviceType":"homeOS"`, "os.platform", `"unknown"`},
		{"mobile", `"general":{"siteId":"4"}`, "site", `{"id":"4","name":null}`},
		{"mobile", `"general":{"deviceOwnershipType":"PersonalDeviceProfile"}`, "management.ownership", `"unknown"`},
		{"mobile", `"general":{"deviceOwnershipType":"UserEnrollment"}`, "management.ownership", `"user-enrolled"`},
		{"mobile", `"general":{"enrollmentMethodPrestage":null}`, "management.automatedEnrollment", `null`},
		{"mobile", `"general":{"enrollmentMethodPrestage":{"mobileDevicePrestageId":"5"}}`, "management.automatedEnrollment", `true`},
		{"mobile", `"general":{"ipAddress":"fd00::1"}`, "network.reportedIpV6", `"fd00::1"`},
		{"mobile", `"purchasing":{"warrantyExpiresDate":"2027-01-01T00:30:00+02:00"}`, "purchasing.warrantyExpires", `"2027-01-01"`},
		{"mobile", `"network":{"imei":"59 105109 176278 3","homeMobileCountryCode":"310"}`, "cellular.imei", `"591051091762783"`},
		{"mobile", `"network":{"homeMobileCountryCode":"310"}`, "cellular.mcc", `"310"`},
		{"mobile", `"network":{"homeMobileCountryCode":"us"}`, "cellular.homeCountry", `"US"`},
		{"mobile", `"network":{}`, "cellular.subscriptions", `null`},
		{"mobile", `"security":{}`, "security.sip", `null`},
		{"mobile", `"hardware":{}`, "hardware.cpu", `null`},
		{"mobile", `"extensionAttributes":[{"id":"1","name":"n","type":"DATE","value":["None",null,3]}]`, "extensionAttributes", `[{"id":"1","name":"n","section":"extensionAttributes","type":"date","values":["None",null,"3"]}]`},
		{"mobile", `"general":{}`, "extensionAttributes", `null`},
		{"mobile", `"general":{"extensionAttributes":[]}`, "extensionAttributes", `[]`},
		{"mobile", `"general":{}`, "applications", `null`},
	} {
		b := normalized(t, builtin(t, "full"), c.kind, []byte(`{`+c.record+`}`))
		got, err := json.Marshal(at(t, b, c.name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != c.want {
			t.Errorf("%s: %s is %s, want %s", c.record, c.name, got, c.want)
		}
	}
}

func TestNormalizedKeysAreAlwaysThere(t *testing.T) {
	want := []string{
		"applications", "cellular", "deviceType", "extensionAttributes", "groups", "hardware", "identity", "kind", "lastCheckInAt", "lastContactAt",
		"lastInventoryAt", "management", "manufacturer", "model", "name", "network", "os", "purchasing", "security", "site", "source", "sync", "uid", "user",
	}
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		for _, record := range [][]byte{[]byte(`{}`), plainRecord(t, k, "iOS")} {
			var got map[string]json.RawMessage
			if err := json.Unmarshal(normalized(t, builtin(t, "full"), k, record), &got); err != nil {
				t.Fatal(err)
			}
			var keys []string
			for key := range got {
				keys = append(keys, key)
			}
			slices.Sort(keys)
			if diff := cmp.Diff(want, keys); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// TestEveryNormalizedNameOfTheTableIsRendered fails on a name in the table that no code renders and on a path in the
// code that the table does not have: each field in turn is taken away from a profile, and what depends on it must change.
func TestEveryNormalizedNameOfTheTableIsRendered(t *testing.T) {
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		for _, l := range linesOf(t, k) {
			if l.normalized == nil || l.profiles == "always" || l.normalized[0] == "applications" {
				continue
			}
			p, err := device.NewProfile("one", nil, []string{string(k) + ":" + l.path})
			if err != nil {
				t.Fatal(err)
			}
			value := witness(l)
			with := normalized(t, p, k, recordWith(t, k, l, value))
			without := normalized(t, p, k, recordWith(t, k, l, `null`))
			if l.path == "storage.disks[].device" || l.path == "storage.disks[].model" || l.path == "storage.disks[].serialNumber" {
				continue // they only tell disks apart
			}
			if string(with) == string(without) {
				t.Errorf("%s:%s = %s changes nothing", k, l.path, value)
			}
			for _, name := range l.normalized {
				if !p.Allows(k, name) {
					t.Errorf("%s is not shown though %s is kept", name, l.path)
				}
			}
		}
	}
}

// witness is a value that the field's rules take for a real one.
func witness(l line) string {
	leaf := l.leaf()
	switch {
	case l.typ == "scalars":
		return `["x"]`
	case strings.Contains(leaf, "acAddress"):
		return `"aa:bb:cc:dd:ee:ff"`
	case leaf == "lastReportedIpV6":
		return `"fe80::1"`
	case strings.HasPrefix(leaf, "lastReportedIp"), leaf == "ipAddress":
		return `"10.0.0.1"`
	case leaf == "platform":
		return `"Mac"`
	case leaf == "modelIdentifier":
		return `"iPad1,1"`
	case leaf == "homeMobileCountryCode":
		return `"310"`
	case slices.Contains([]string{"imei", "meid", "iccid", "eid"}, leaf):
		return `"12"`
	case leaf == "sipStatus":
		return `"ENABLED"`
	case leaf == "bootstrapTokenEscrowedStatus", leaf == "bootstrapTokenEscrowed":
		return `"ESCROWED"`
	case strings.HasPrefix(leaf, "Date") || strings.HasSuffix(leaf, "Date") || strings.HasPrefix(leaf, "last") && !strings.Contains(leaf, "Ip"),
		leaf == "mdmProfileExpiration":
		return `"2026-01-02T03:04:05Z"`
	case strings.HasSuffix(leaf, "Megabytes"), strings.HasSuffix(leaf, "Mb"), strings.HasSuffix(leaf, "Mhz"), strings.HasSuffix(leaf, "Count"),
		leaf == "batteryCapacityPercent", leaf == "batteryLevel", leaf == "lifeExpectancy":
		return `77`
	case slices.Contains([]string{
		"managed", "supervised", "capable", "userApprovedMdm", "enrolledViaAutomatedDeviceEnrollment", "leased", "purchased", "smart", "smartGroup",
		"roaming", "dataPreferred", "voicePreferred", "passcodePresent", "passcodeCompliant", "jailBreakDetected",
	}, leaf), strings.HasSuffix(leaf, "Enabled"):
		return `true`
	default:
		return `"x"`
	}
}

// recordWith has one field, and what is needed above it.
func recordWith(t *testing.T, k device.Kind, l line, value string) []byte {
	t.Helper()
	v := jsontext.Value(value)
	keys := strings.Split(l.path, ".")
	for _, key := range slices.Backward(keys) {
		name, isArray := strings.CutSuffix(key, "[]")
		if isArray {
			v = jsontext.Value(`[` + string(v) + `]`)
		}
		v = jsontext.Value(fmt.Sprintf(`{%q:%s}`, name, v))
	}
	deviceType := ""
	if k == device.Mobile {
		deviceType = `"deviceType":"iOS",`
	}
	return []byte(`{` + deviceType + string(v[1:]))
}

func TestMinimalShowsNoPersonNoAddressAndNoContent(t *testing.T) {
	p := builtin(t, "minimal")
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		for _, name := range []string{
			"user", "user.username", "network", "network.serverSeenIp", "purchasing", "cellular", "cellular.imei", "cellular.phoneNumber",
			"applications", "extensionAttributes", "groups", "site", "security", "management.enrollmentMethod.name", "nonsense", "",
		} {
			if p.Allows(k, name) {
				t.Errorf("minimal shows %s of a %s", name, k)
			}
		}
		for _, name := range []string{
			"identity.jamfId", "identity.serialNumber", "identity.udid", "identity.assetTag", "identity.managementId", "name", "model.identifier", "manufacturer",
			"os", "os.version", "os.build", "os.supplementalBuild", "os.rapidSecurityResponse", "hardware.storage.totalBytes", "hardware.macAddresses",
			"management.managed", "management.supervised", "management.automatedEnrollment", "management.enrolledAt", "lastContactAt", "lastInventoryAt",
		} {
			if !p.Allows(k, name) {
				t.Errorf("minimal hides %s of a %s", name, k)
			}
		}
	}
	if !p.Allows(device.Computer, "hardware.memoryBytes") || !p.Allows(device.Computer, "management.userApprovedMdm") || !p.Allows(device.Mobile, "management.ownership") {
		t.Error("minimal hides memory, userApprovedMdm or ownership")
	}
	if b := cut(t, p, device.Computer, plainRecord(t, device.Computer, "")); bytes.Contains(b, []byte("managementUsername")) {
		t.Error("minimal keeps managementUsername")
	}
}

func TestColumnsAreDerivedFromTheCutRecord(t *testing.T) {
	for name, want := range map[string]device.Columns{
		"computer-v4":    {SerialNumber: "C02XK0AAJGH5", LastContact: time.Date(2026, 11, 23, 9, 15, 30, 5e8, time.UTC)},
		"mobile-ipad":    {SerialNumber: "DMPX0001", LastContact: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)},
		"mobile-unknown": {SerialNumber: "A1"},
	} {
		k := kindOf(name)
		facts := device.FactColumns(k, builtin(t, "minimal").Paths(k))
		record := cut(t, builtin(t, "minimal"), k, ownRecords(t)[name])
		var err error
		if want.Facts, err = device.Facts(k, facts, record); err != nil {
			t.Fatal(err)
		}
		got, err := device.ColumnsOf(k, facts, record)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := device.ColumnsOf(device.Computer, nil, []byte(`{`)); err == nil {
		t.Error("columns of half a record")
	}
}

// TestSharedFixturesKeepTheirMeaning holds the digests of what is made of third-party records, which stay outside of
// the repository.
func TestSharedFixturesKeepTheirMeaning(t *testing.T) {
	var report bytes.Buffer
	for _, f := range []struct {
		kind device.Kind
		name string
	}{
		{device.Computer, "computers-inventory-v1-page.real-redacted.json"},
		{device.Computer, "computers-inventory-v4-all-sections.spec-example.json"},
		{device.Mobile, "mobile-devices-v2-detail-all-types-all-sections.spec-example.json"},
	} {
		for i, record := range results(t, shared(t, "fixtures", f.name)) {
			for _, profile := range []string{"minimal", "full"} {
				p := builtin(t, profile)
				sum := sha256.Sum256(normalized(t, p, f.kind, cut(t, p, f.kind, record)))
				fmt.Fprintf(&report, "%s[%d] %s %x\n", f.name, i, profile, sum[:8])
				full := cut(t, builtin(t, "full"), f.kind, record)
				if profile == "full" && bytes.Contains(full, []byte("lostModeMessage")) {
					t.Errorf("%s[%d]: lost mode is kept", f.name, i)
				}
			}
		}
	}
	file := filepath.Join("testdata", "golden", "shared-fixtures.digests")
	if *update {
		if err := os.WriteFile(file, report.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), report.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEveryFieldOfTheSharedFixturesIsInTheTable finds what Jamf sends and the table forgot.
func TestEveryFieldOfTheSharedFixturesIsInTheTable(t *testing.T) {
	known := map[string]bool{}
	for _, l := range lines(t) {
		known[string(l.kind)+":"+l.path] = true
	}
	for name, k := range map[string]device.Kind{
		"computers-inventory-v1-page.real-redacted.json":                    device.Computer,
		"computers-inventory-v4-all-sections.spec-example.json":             device.Computer,
		"mobile-devices-v2-detail-all-types-all-sections.spec-example.json": device.Mobile,
	} {
		for _, record := range results(t, shared(t, "fixtures", name)) {
			for path, values := range flatten(t, record) {
				if values[0] != "null" && !known[string(k)+":"+path] {
					t.Errorf("%s: %s is not in the table", name, path)
				}
			}
		}
	}
}

func FuzzAppendNormalized(f *testing.F) {
	for name, record := range ownRecords(f) {
		f.Add(kindOf(name) == device.Mobile, "present", record)
	}
	full, minimal := builtin(f, "full"), builtin(f, "minimal")
	f.Fuzz(func(t *testing.T, mobile bool, state string, record []byte) {
		k := device.Computer
		if mobile {
			k = device.Mobile
		}
		for _, p := range []*device.Profile{full, minimal} {
			b, err := device.AppendNormalized(nil, device.View{Source: "a", Kind: k, ID: 1, Record: record, Profile: p, State: state})
			if err != nil {
				if len(b) > 0 {
					t.Fatalf("bytes and an error: %v", err)
				}
				continue
			}
			if !jsontext.Value(b).IsValid() {
				t.Fatalf("not strict JSON: %q -> %q", record, b)
			}
			if len(flatten(t, b)) < 20 {
				t.Fatalf("keys are missing: %s", b)
			}
			if again := normalizedOf(p, k, state, cut(t, p, k, record)); string(again) != string(b) {
				t.Fatalf("the cut record gives another device:\n%s\n%s", b, again)
			}
			if _, err := device.ColumnsOf(k, nil, record); err != nil {
				t.Fatalf("rendered, but without columns: %v", err)
			}
		}
	})
}

func normalizedOf(p *device.Profile, k device.Kind, state string, record []byte) []byte {
	b, _ := device.AppendNormalized(nil, device.View{Source: "a", Kind: k, ID: 1, Record: record, Profile: p, State: state})
	return b
}
