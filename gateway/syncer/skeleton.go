package syncer

import (
	"bytes"
	"errors"
	"io"
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

// maxSaved is how deep a value may be nested to be saved; with the object around it that is the limit of a record.
const maxSaved = 63

// salvage makes a strict object of one that has a name twice or invalid UTF-8: bytes that are no UTF-8 become U+FFFD, and
// of what is still broken the whole member goes. nil when there is no object, or when its id stands there twice.
func salvage(raw []byte) []byte {
	d := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return nil
	}
	var out []member
	at := map[string]int{} // name -> place in out, -1 = dropped
	for d.PeekKind() != '}' {
		t, err := d.ReadToken()
		if err != nil {
			return nil
		}
		name := t.String()
		v, err := d.ReadValue()
		if err != nil {
			return nil
		}
		value := bytes.ToValidUTF8(v, []byte("\ufffd"))
		first, twice := at[name]
		switch {
		case twice && (name == "id" || name == "mobileDeviceId"):
			return nil // two ids are none
		case twice:
			if first >= 0 {
				out[first].value = jsontext.Value("null") // which of the two is right cannot be told
			}
			at[name] = -1
		case strict(value):
			at[name] = len(out)
			out = append(out, member{name, value})
		default:
			at[name] = -1
		}
	}
	return join(out)
}

// strict tells that a value may stand in a record that is kept.
func strict(v []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(v))
	for {
		_, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil || d.StackDepth() > maxSaved {
			return false
		}
	}
}
