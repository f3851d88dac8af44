package device_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

// prune copies a value without the members that hold nothing, as JSON; "" when nothing is left of it. Of the keys in stay, null stays.
func prune(t *testing.T, dec *jsontext.Decoder, stay map[string]bool) string {
	t.Helper()
	kind := dec.PeekKind()
	if kind != '{' && kind != '[' {
		v, err := dec.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		if kind == 'n' {
			return ""
		}
		return string(v)
	}
	_, _ = dec.ReadToken()
	out := ""
	for dec.PeekKind() != kind+2 {
		name := ""
		if kind == '{' {
			token, err := dec.ReadToken()
			if err != nil {
				t.Fatal(err)
			}
			name = token.String()
		}
		v := prune(t, dec, stay)
		if v == "" && stay[name] {
			v = "null"
		}
		if v == "" {
			continue
		}
		if out != "" {
			out += ","
		}
		if kind == '{' {
			out += fmt.Sprintf("%q:", name)
		}
		out += v
	}
	_, _ = dec.ReadToken()
	if out == "" {
		return ""
	}
	return string(kind) + out + string(kind+2)
}

// Of a record that has every field, what the default shape shows as null or empty is what the profile drops: exactly that is left out, and the
// rest stands in the same order.
func TestAProfileThatOmitsLeavesOutExactlyWhatItDrops(t *testing.T) {
	shapes := []device.Shape{
		device.ComputerV1, device.ComputerV2, device.ComputerV3, device.ComputerV4, device.MobileDetail, device.MobileSummary, device.MobileByID,
	}
	for seed := range uint64(40) {
		p, _ := randomProfile(t, rand.New(rand.NewPCG(seed, 9)))
		profiles := []*device.Profile{p}
		if seed == 0 {
			profiles = append(profiles, builtin(t, "minimal"), builtin(t, "full"))
		}
		for _, p := range profiles {
			for _, s := range shapes {
				for _, deviceType := range []string{"iOS", "tvOS", "watchOS", "visionOS", "Unknown", "homeOS"} {
					if s.Kind() == device.Computer && deviceType != "iOS" {
						continue
					}
					record := cut(t, p, s.Kind(), plainRecord(t, s.Kind(), deviceType))
					got := jamf(t, s, p.Omitting(true), record)
					stay := map[string]bool{}
					for _, name := range []string{"ios", "tvos", "watchos", "visionos"} {
						stay[name] = bytes.Contains(got, []byte(`"`+name+`":null`))
					}
					want := prune(t, jsontext.NewDecoder(bytes.NewReader(jamf(t, s, p, record))), stay)
					if diff := cmp.Diff(want, string(got)); diff != "" {
						t.Fatalf("seed %d, %s, shape %d, %s (-want +got):\n%s", seed, p.Name(), s, deviceType, diff)
					}
				}
			}
		}
	}
}

func TestWhatIsKeptStandsThereWhetherJamfSentItOrNot(t *testing.T) {
	p, err := device.NewProfile("own", nil, []string{"computer:general.name", "computer:general.assetTag", "computer:storage.disks[].device", "computer:APPLICATIONS"})
	if err != nil {
		t.Fatal(err)
	}
	p = p.Omitting(true)
	record := []byte(`{"id":"5","general":{"name":"n","platform":"Mac"},"hardware":{"make":"Apple"}}`)
	all := jamf(t, device.ComputerV4, p, record)
	if want := `{"id":"5","general":{"name":"n","assetTag":null},"applications":[],"storage":{"disks":[]}}`; string(all) != want {
		t.Errorf("all sections:\n%s\nwant\n%s", all, want)
	}
	sec, err := device.ParseSections(device.ComputerV4, []string{"HARDWARE", "STORAGE"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(jamfSections(t, device.ComputerV4, sec, p, record)), `{"id":"5","general":null,"applications":null,"storage":{"disks":[]}}`; got != want {
		t.Errorf("two sections:\n%s\nwant\n%s", got, want)
	}
	phone := []byte(`{"mobileDeviceId":"5","deviceType":"tvOS"}`)
	named, err := device.NewProfile("own", nil, []string{"mobile:general.displayName", "mobile:hardware.model"})
	if err != nil {
		t.Fatal(err)
	}
	named = named.Omitting(true)
	for s, want := range map[device.Shape]string{
		device.MobileSummary: `{"id":"5","name":null,"model":null,"type":"tvos"}`,
		device.MobileByID:    `{"id":"5","name":null,"type":"tvos","ios":null,"tvos":{"model":null},"watchos":null,"visionos":null}`,
	} {
		if got := string(jamf(t, s, named, phone)); got != want {
			t.Errorf("shape %d:\n%s\nwant\n%s", s, got, want)
		}
	}
}

// A version has the date of another one under its own name: it is left out only when both are dropped.
func TestAKeyThatAnotherFieldSpeaksForIsNotLeftOut(t *testing.T) {
	p, err := device.NewProfile("own", nil, []string{"computer:general.lastCheckIn"})
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[device.Shape]string{
		device.ComputerV1: `{"id":"5","general":{"lastContactTime":"T"}}`,
		device.ComputerV4: `{"id":"5","general":{"lastCheckIn":"T"}}`,
	} {
		if got := string(jamf(t, s, p.Omitting(true), []byte(`{"id":"5","general":{"lastCheckIn":"T"}}`))); got != want {
			t.Errorf("v%d: %s, want %s", s, got, want)
		}
	}
}

// How dropped keys look is for whoever looks: it decides neither what is stored nor what another client gets.
func TestOmittingIsAViewAndNoOtherAllowList(t *testing.T) {
	minimal, full := builtin(t, "minimal"), builtin(t, "full")
	slim := minimal.Omitting(true)
	if slim.Digest() != minimal.Digest() || slim.View() == minimal.View() || minimal.Omits() || !slim.Omits() || slim.Omitting(false).View() != minimal.View() {
		t.Errorf("digest %s and %s, view %q and %q", slim.Digest(), minimal.Digest(), slim.View(), minimal.View())
	}
	if !slices.Equal(slim.Paths(device.Computer), minimal.Paths(device.Computer)) {
		t.Error("the paths differ")
	}
	own, err := device.NewProfile("own", nil, []string{"os", "computer:general.barcode1"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for name, p := range map[string]*device.Profile{
		"both full":              full.Omitting(true).Intersect(full),
		"source omits, narrower": slim.Intersect(full),
		"source omits, wider":    full.Omitting(true).Intersect(minimal),
		"source omits, neither":  slim.Intersect(own),
		"client omits, narrower": full.Intersect(slim),
		"client omits, wider":    minimal.Intersect(full.Omitting(true)),
		"client omits, neither":  minimal.Intersect(own.Omitting(true)),
	} {
		got[name] = p.Omits()
	}
	want := map[string]bool{
		"both full": false, "source omits, narrower": false, "source omits, wider": false, "source omits, neither": false,
		"client omits, narrower": true, "client omits, wider": true, "client omits, neither": true,
	}
	if !maps.Equal(got, want) {
		t.Errorf("omits: %v, want %v", got, want)
	}
}
