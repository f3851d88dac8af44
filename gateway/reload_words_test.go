package gateway_test

import (
	"strings"
	"testing"

	"jamf-gateway/gateway"
	"jamf-gateway/gateway/device"
)

func TestAGuardThatRefusesAReloadNamesTheKindInGerman(t *testing.T) {
	for kind, want := range map[device.Kind]string{
		device.Computer: "Clients der Quelle schule-a Computer wegnehmen", device.Mobile: "Clients der Quelle schule-a Mobilgeräte wegnehmen",
	} {
		if got := (&gateway.GuardError{Source: "schule-a", Kind: kind}).German(); !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}
