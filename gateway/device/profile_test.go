package device_test

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

func TestProfilesAskOnlyForTheSectionsTheyKeep(t *testing.T) {
	minimal := builtin(t, "minimal")
	if diff := cmp.Diff([]string{"GENERAL", "STORAGE", "HARDWARE", "OPERATING_SYSTEM"}, minimal.Sections(device.Computer)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"GENERAL", "HARDWARE"}, minimal.Sections(device.Mobile)); diff != "" {
		t.Error(diff)
	}
	full := builtin(t, "full")
	if c, m := len(full.Sections(device.Computer)), len(full.Sections(device.Mobile)); c != 22 || m != 16 {
		t.Errorf("full asks for %d and %d sections, Jamf has 22 (v4) and 16", c, m)
	}
	if slices.Contains(full.Sections(device.Computer), "FONTS") {
		t.Error("FONTS is refused by v4")
	}
	empty, err := device.NewProfile("empty", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := append(empty.Sections(device.Computer), empty.Sections(device.Mobile)...); len(got) != 0 {
		t.Errorf("an empty profile asks for %v", got)
	}
	if got := string(cut(t, empty, device.Mobile, ownRecords(t)["mobile-ipad"])); got != `{"mobileDeviceId":"8","deviceType":"iOS"}` {
		t.Errorf("an empty profile keeps %s", got)
	}
	if _, ok := device.BuiltinProfile("everything"); ok {
		t.Error("a profile that is not offered")
	}
}

func TestOwnProfilesAreMadeOfNamesGroupsPathsAndSections(t *testing.T) {
	for _, c := range []struct {
		field      string
		computer   string
		mobile     string
		shown      string
		notAllowed string
	}{
		{"os.version", "operatingSystem.version", "general.osVersion", "os.version", "os.build"},
		{"user", "userAndLocation.realname", "userAndLocation.realName", "user.fullName", "name"},
		{"computer:general.barcode1", "general.barcode1", "", "identity.barcodes", "user"},
		{"computer:STORAGE", "storage.disks[].partitions[].name", "", "hardware.storage.totalBytes", "hardware.cpu"},
		{"computer:storage.disks", "storage.disks[].smartStatus", "", "hardware.storage", "hardware.cpu"},
		{"mobile:network", "", "network.imei", "cellular.imei", "user"},
	} {
		p, err := device.NewProfile("own", nil, []string{c.field})
		if err != nil {
			t.Fatal(err)
		}
		for k, path := range map[device.Kind]string{device.Computer: c.computer, device.Mobile: c.mobile} {
			kept := flatten(t, cut(t, p, k, plainRecord(t, k, "iOS")))
			if _, has := kept[path]; path != "" && !has {
				t.Errorf("%s does not keep %s of a %s: %v", c.field, path, k, kept)
			}
			if path == "" && len(kept) > 2 {
				t.Errorf("%s keeps fields of a %s: %v", c.field, k, kept)
			}
		}
		if !p.Allows(device.Computer, c.shown) && !p.Allows(device.Mobile, c.shown) {
			t.Errorf("%s does not show %s", c.field, c.shown)
		}
		if p.Allows(device.Computer, c.notAllowed) {
			t.Errorf("%s shows %s", c.field, c.notAllowed)
		}
	}
	p, err := device.NewProfile("with barcode", builtin(t, "minimal"), []string{"identity.barcodes"})
	if err != nil {
		t.Fatal(err)
	}
	if !p.Allows(device.Computer, "identity.barcodes") || !p.Allows(device.Computer, "name") || p.Name() != "with barcode" {
		t.Error("base and additions do not add up")
	}
}

func TestUnknownAndForbiddenFieldsAreNamed(t *testing.T) {
	for field, nearest := range map[string]string{
		"os.verison":            "os.version",
		"identity.serialnumber": "identity.serialNumber",
		"computer:general.nmae": "computer:general.name",
		"computer:HARDWEAR":     "computer:HARDWARE",
		"serialNumber":          "identity.serialNumber",
		"UDID":                  "identity.udid",
		"lostMode":              "security.lostMode",
		"general.version":       "os.version",
		"passcodePresnt":        "security.passcodePresent",
		"mobile:STORAGE":        "",
		"tablet:general.name":   "",
		"":                      "",
		"os.":                   "",
	} {
		_, err := device.NewProfile("own", nil, []string{"name", field})
		var unknown *device.UnknownFieldError
		if !errors.As(err, &unknown) || unknown.Field != field || unknown.Nearest == "" {
			t.Errorf("%q: %v", field, err)
			continue
		}
		if nearest != "" && unknown.Nearest != nearest {
			t.Errorf("%q: nearest is %q, want %q", field, unknown.Nearest, nearest)
		}
	}
	for _, field := range []string{
		"mobile:general.airPlayPassword", "airPlayPassword", "mobile:security.lostModeLocation", "mobile:security.lostModeMessage",
		"mobile:security.lostModeLocation.lastLocationUpdate", "mobile:ios.unlockToken", "mobile:unlockToken", "mobile:security.bootstrapToken", "lostModeFootnote",
		"recoveryKey", "computer:diskEncryption.individualRecoveryKey", "security.recoveryLockPassword", "activationLockBypassCode", "latitude",
	} {
		_, err := device.NewProfile("own", nil, []string{field})
		var forbidden *device.ForbiddenFieldError
		if !errors.As(err, &forbidden) || forbidden.Field != field {
			t.Errorf("%q: %v", field, err)
		}
	}
	long := strings.Repeat("x", 1<<20)
	if _, err := device.NewProfile("own", nil, []string{long}); err == nil {
		t.Error("a megabyte is a field")
	}
}

func TestIntersectionKeepsWhatBothKeep(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 3))
		p, _ := randomProfile(t, r)
		q, _ := randomProfile(t, r)
		both := p.Intersect(q)
		if both.Digest() != q.Intersect(p).Digest() || both.Digest() != both.Intersect(p).Digest() || p.Intersect(p).Digest() != p.Digest() {
			t.Fatalf("seed %d: the intersection depends on order or repetition", seed)
		}
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			record := plainRecord(t, k, "iOS")
			byBoth := flatten(t, cut(t, both, k, record))
			for _, side := range []*device.Profile{p, q} {
				bySide := flatten(t, cut(t, side, k, record))
				for path := range byBoth {
					if _, has := bySide[path]; !has {
						t.Fatalf("seed %d: %s is kept by both but not by one", seed, path)
					}
				}
			}
			inTurn := flatten(t, cut(t, q, k, cut(t, p, k, record)))
			for path := range inTurn {
				if _, has := byBoth[path]; !has {
					t.Fatalf("seed %d: %s is kept in turn but not by both", seed, path)
				}
			}
			for _, section := range both.Sections(k) {
				if !slices.Contains(p.Sections(k), section) || !slices.Contains(q.Sections(k), section) {
					t.Fatalf("seed %d: %s is asked for", seed, section)
				}
			}
		}
	}
}

func TestDigestsNameTheAllowListAndNothingElse(t *testing.T) {
	minimal, full := builtin(t, "minimal"), builtin(t, "full")
	a, err := device.NewProfile("a", nil, []string{"os.version", "name"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := device.NewProfile("b", nil, []string{"name", "computer:operatingSystem.version", "mobile:general.osVersion"})
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest() != b.Digest() || len(a.Digest()) != 16 {
		t.Errorf("%s and %s", a.Digest(), b.Digest())
	}
	if a.Digest() == minimal.Digest() || minimal.Digest() == full.Digest() {
		t.Error("different allow-lists with one digest")
	}
	if got := minimal.Intersect(full); got.Name() != "minimal" || full.Intersect(minimal).Name() != "minimal" {
		t.Errorf("minimal and full are %s", got.Name())
	}
}

func TestBuiltinProfilesAreNested(t *testing.T) {
	for smaller, larger := range map[string][]string{
		"minimal": {"standard"}, "standard": {"with-user", "with-software"}, "with-user": {"full"}, "with-software": {"full"},
	} {
		for _, name := range larger {
			p, q := builtin(t, smaller), builtin(t, name)
			for _, k := range []device.Kind{device.Computer, device.Mobile} {
				if beyond := p.Beyond(q, k); len(beyond) > 0 {
					t.Errorf("%s keeps of a %s what %s does not: %v", smaller, k, name, beyond)
				}
				if len(q.Beyond(p, k)) == 0 {
					t.Errorf("%s keeps no more of a %s than %s", name, k, smaller)
				}
			}
		}
	}
}

// What the words promise: who uses a device, where it is, how it is reached and what is installed come with the profile of that name.
func TestBuiltinProfilesKeepWhatTheirNamesSay(t *testing.T) {
	kept := map[string]map[string]bool{}
	for _, name := range device.BuiltinProfiles() {
		kept[name] = map[string]bool{}
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			for _, path := range builtin(t, name).Paths(k) {
				kept[name][path] = true
			}
		}
	}
	personal := regexp.MustCompile(`(?i)user|realname|email|phone|position|room|building|department|ipaddress|ipv|iccid|locale|language|apple ?id|extensionAttributes|applications|group|printers|certificates|contentCaching|ibeacons|locat`)
	harmless := []string{ // fields of standard that only sound like it
		"general.residentUsers", "general.maximumSharediPadUsersStored", "general.userSessionTimeout", "general.userApprovedMdm",
		"general.deviceLocatorServiceEnabled", "general.locationServicesForSelfServiceMobileEnabled", "security.appAnalyticsEnabled",
	}
	for _, name := range []string{"minimal", "standard"} {
		for path := range kept[name] {
			if personal.MatchString(path) && !slices.Contains(harmless, path) {
				t.Errorf("%s keeps %s", name, path)
			}
		}
	}
	for path := range kept["with-user"] {
		if !kept["standard"][path] && (!strings.HasPrefix(path, "userAndLocation.") || strings.Contains(path, "extensionAttributes")) {
			t.Errorf("with-user keeps %s", path)
		}
	}
	for path := range kept["with-software"] {
		if !kept["standard"][path] && !strings.HasPrefix(path, "applications[].") && !strings.HasPrefix(path, "licensedSoftware[].") {
			t.Errorf("with-software keeps %s", path)
		}
	}
	if kept["with-software"]["applications[].path"] {
		t.Error("with-software keeps paths, in which the names of users stand")
	}
}
