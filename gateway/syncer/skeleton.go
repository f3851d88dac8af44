package syncer

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"jamf-gateway/gateway/device"
)

// skeleton makes a record in the shape of the full list from an element of the light one; nil when it cannot.
// For computers the light list has that shape already. The plain mobile list names its fields otherwise (jamf-api.md 3.5 A).
func skeleton(k device.Kind, light []byte) []byte {
	if k == device.Computer {
		return light
	}
	ms, err := members(light)
	if err != nil {
		return nil
	}
	have := map[string]jsontext.Value{}
	for _, m := range ms {
		have[m.name] = m.value
	}
	object := func(pairs ...string) jsontext.Value {
		var out []member
		for i := 0; i < len(pairs); i += 2 {
			v, ok := have[pairs[i+1]]
			if !ok {
				v = jsontext.Value("null")
			}
			out = append(out, member{pairs[i], v})
		}
		return join(out)
	}
	return join([]member{
		{"mobileDeviceId", have["id"]},
		{"deviceType", deviceType(string(have["type"]))},
		{"hardware", object("serialNumber", "serialNumber", "wifiMacAddress", "wifiMacAddress", "model", "model", "modelIdentifier", "modelIdentifier")},
		{"userAndLocation", object("username", "username")},
		{"network", object("phoneNumber", "phoneNumber")},
		{"general", object("udid", "udid", "displayName", "name", "softwareUpdateDeviceId", "softwareUpdateDeviceId", "managementId", "managementId")},
	})
}

// deviceType turns the type of the plain list ("ios") into that of the detail list ("iOS").
func deviceType(quoted string) jsontext.Value {
	switch strings.Trim(quoted, `"`) {
	case "ios":
		return jsontext.Value(`"iOS"`)
	case "tvos":
		return jsontext.Value(`"tvOS"`)
	case "watchos":
		return jsontext.Value(`"watchOS"`)
	case "visionos":
		return jsontext.Value(`"visionOS"`)
	default:
		return jsontext.Value(`"Unknown"`)
	}
}
