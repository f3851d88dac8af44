package device_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"jamf-gateway/gateway/device"
)

func TestAProjectionShowsWhatIsAskedForInTheUsualOrder(t *testing.T) {
	body := []byte(`{"uid":"a:mobile:1","source":"a","kind":"mobile","deviceType":"phone","identity":{"jamfId":"1","udid":null,"barcodes":["x"]},` +
		`"name":"é \"n\"","os":{"platform":"ios","version":"18"},"user":null,"groups":[{"id":"1","name":"g","smart":true},{"id":"2","name":null,"smart":false}],"sync":{"state":"present"}}`)
	for fields, want := range map[string]string{
		"name":                          `{"uid":"a:mobile:1","source":"a","kind":"mobile","name":"é \"n\""}`,
		"os.version, identity.barcodes": `{"uid":"a:mobile:1","source":"a","kind":"mobile","identity":{"barcodes":["x"]},"os":{"version":"18"}}`,
		"os,os.version,os":              `{"uid":"a:mobile:1","source":"a","kind":"mobile","os":{"platform":"ios","version":"18"}}`,
		"user.email":                    `{"uid":"a:mobile:1","source":"a","kind":"mobile","user":null}`,
		"groups.name,kind":              `{"uid":"a:mobile:1","source":"a","kind":"mobile","groups":[{"name":"g"},{"name":null}]}`,
		"identity.udid,sync.state":      `{"uid":"a:mobile:1","source":"a","kind":"mobile","identity":{"udid":null},"sync":{"state":"present"}}`,
	} {
		p, err := device.ParseProjection(fields)
		if err != nil {
			t.Fatalf("%s: %v", fields, err)
		}
		got, err := p.Append([]byte("before "), body)
		if err != nil || string(got) != "before "+want {
			t.Errorf("%s: %s, %v\nwant %s", fields, got, err, want)
		}
	}
	p, _ := device.ParseProjection("name")
	if got, err := p.Append(nil, body[:60]); err == nil || got != nil {
		t.Errorf("half a device: %s, %v", got, err)
	}
}

func TestProjectionsThatShowTheSameAreCalledTheSame(t *testing.T) {
	canonical := func(fields string) string {
		p, err := device.ParseProjection(fields)
		if err != nil {
			t.Fatal(err)
		}
		return p.Canonical()
	}
	if a, b := canonical("os.version,name,os"), canonical("uid, os ,name"); a != b {
		t.Errorf("%s and %s", a, b)
	}
	if a, b := canonical("os.version"), canonical("os.name"); a == b {
		t.Errorf("both are %s", a)
	}
}

func TestAFieldThatThereIsNotIsRefusedWithTheNearest(t *testing.T) {
	for fields, nearest := range map[string]string{"serialnumber": "", "identity.serial": "", "os.versoin": "os.version", "name,": "", "": ""} {
		_, err := device.ParseProjection(fields)
		wrong, ok := errors.AsType[*device.FieldNameError](err)
		if !ok || nearest != "" && wrong.Nearest != nearest {
			t.Errorf("%q: %v", fields, err)
		}
	}
}

// Every key of every golden device can be asked for.
func TestEveryFieldOfADeviceCanBeAskedFor(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.full.normalized.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			t.Fatal(err)
		}
		var top map[string]json.RawMessage
		if err := json.Unmarshal(raw, &top); err != nil {
			t.Fatal(err)
		}
		for key := range top {
			p, err := device.ParseProjection(key)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			got, err := p.Append(nil, compact.Bytes())
			var shown map[string]json.RawMessage
			if err != nil || json.Unmarshal(got, &shown) != nil || shown[key] == nil {
				t.Errorf("%s %s: %s, %v", file, key, got, err)
			}
		}
	}
}

func FuzzProjection(f *testing.F) {
	for _, seed := range []string{"name", "os.version,identity", "", "a.b.c", "sync.state,groups.name", ",,", "name,name"} {
		f.Add(seed)
	}
	body := []byte(`{"uid":"a:mobile:1","source":"a","kind":"mobile","identity":{"jamfId":"1"},"name":null,"groups":[{"id":"1","name":"g"}]}`)
	f.Fuzz(func(t *testing.T, fields string) {
		p, err := device.ParseProjection(fields)
		if err != nil {
			return
		}
		if again, err := device.ParseProjection(p.Canonical()); err != nil || again.Canonical() != p.Canonical() {
			t.Errorf("%q: canonical %q, again %q, %v", fields, p.Canonical(), again.Canonical(), err)
		}
		if got, err := p.Append(nil, body); err != nil || !json.Valid(got) {
			t.Errorf("%q: %s, %v", fields, got, err)
		}
	})
}

func FuzzBindSort(f *testing.F) {
	for _, seed := range []string{"id", "general.name:desc,udid", ":", "a:b:c", "id:ASC,id", ",", "name"} {
		f.Add(seed)
	}
	full, _ := device.BuiltinProfile("full")
	f.Fuzz(func(t *testing.T, sort string) {
		for _, d := range []device.Dialect{device.ComputersV1, device.ComputersV4, device.NormalizedNames} {
			s := device.Selectors{Kind: device.Computer, Dialect: d, Kept: full.Paths(device.Computer), Profile: full}
			if orders, err := s.BindSort(sort); err == nil && len(orders) == 0 {
				t.Errorf("%q sorts by nothing", sort)
			}
		}
	})
}
