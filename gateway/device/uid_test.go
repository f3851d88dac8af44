package device_test

import (
	"testing"

	"jamf-gateway/gateway/device"
)

func TestUIDsHaveOneSpelling(t *testing.T) {
	uid := device.UID("schule-a", device.Computer, 42)
	if uid != "schule-a:computer:42" {
		t.Errorf("uid %q", uid)
	}
	source, k, id, err := device.ParseUID(uid)
	if err != nil || source != "schule-a" || k != device.Computer || id != 42 {
		t.Errorf("%q %q %d %v", source, k, id, err)
	}
	for _, bad := range []string{
		"", "a", "a:computer", "a:computer:", "a:computer:0", "a:computer:-1", "a:computer:01", "a:computer:+1", "a:computer:1 ", "a:computer:1:2",
		"a:Computer:1", "a:tablet:1", ":computer:1", "-a:computer:1", "A:computer:1", "a_b:computer:1", "a:computer:9223372036854775808",
		"abcdefghijklmnopqrstuvwxyz0123456:computer:1", "a\x00:computer:1",
	} {
		if source, k, id, err := device.ParseUID(bad); err == nil {
			t.Errorf("%q was read as %q %q %d", bad, source, k, id)
		}
	}
}

func FuzzParseUID(f *testing.F) {
	for _, uid := range []string{"a:computer:1", "schule-a:mobile:9223372036854775807", "a:computer:01", "::", "a:mobile:1:2"} {
		f.Add(uid)
	}
	f.Fuzz(func(t *testing.T, uid string) {
		source, k, id, err := device.ParseUID(uid)
		if err == nil && device.UID(source, k, id) != uid {
			t.Fatalf("%q was read as %q", uid, device.UID(source, k, id))
		}
		if err != nil && (source != "" || k != "" || id != 0) {
			t.Fatalf("%q: values beside an error", uid)
		}
	})
}
