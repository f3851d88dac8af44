package device_test

import (
	"testing"

	"jamf-gateway/gateway/device"
)

func TestApplicationsAreListedWhereTheProfileKeepsThem(t *testing.T) {
	full, _ := device.BuiltinProfile("full")
	minimal, _ := device.BuiltinProfile("minimal")
	for name, tc := range map[string]struct {
		kind          device.Kind
		profile       *device.Profile
		record, items string
	}{
		"of a Mac": {
			device.Computer, full,
			`{"id":"7","applications":[{"name":"Pages ü","path":"/Applications/Pages.app","version":"14.4","cfBundleShortVersionString":"14.4","macAppStore":true,"sizeMegabytes":500,"bundleId":"com.apple.Pages"},` +
				`{"name":null,"version":"","sizeMegabytes":0,"macAppStore":null}]}`,
			`[{"name":"Pages ü","bundleId":"com.apple.Pages","version":"14.4","shortVersion":"14.4","path":"/Applications/Pages.app","sizeBytes":524288000,"fromAppStore":true,"managementStatus":null},` +
				`{"name":null,"bundleId":null,"version":null,"shortVersion":null,"path":null,"sizeBytes":null,"fromAppStore":null,"managementStatus":null}]`,
		},
		"of an iPad": {
			device.Mobile, full, `{"mobileDeviceId":"7","deviceType":"iOS","applications":[{"identifier":"a.b","name":"B","version":"2","shortVersion":"2.0","managementStatus":"Managed"}]}`,
			`[{"name":"B","bundleId":"a.b","version":"2","shortVersion":"2.0","path":null,"sizeBytes":null,"fromAppStore":null,"managementStatus":"Managed"}]`,
		},
		"none":                {device.Computer, full, `{"id":"7","applications":[]}`, `[]`},
		"not sent":            {device.Computer, full, `{"id":"7","applications":null}`, `null`},
		"outside the profile": {device.Computer, minimal, `{"id":"7","applications":[{"name":"Pages"}]}`, `null`},
	} {
		got, err := device.AppendApplications(nil, device.View{Source: "a", Kind: tc.kind, ID: 7, Record: []byte(tc.record), Profile: tc.profile})
		want := `{"uid":"a:` + string(tc.kind) + `:7","items":` + tc.items + `}`
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v\nwant %s", name, got, err, want)
		}
	}
	if got, err := device.AppendApplications([]byte("x"), device.View{Kind: device.Computer, ID: 1, Record: []byte(`{"id":`), Profile: full}); err == nil || string(got) != "x" {
		t.Errorf("%s, %v", got, err)
	}
}
