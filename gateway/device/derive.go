package device

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// platform is os.platform: Jamf tells mobile devices apart by deviceType, but not iPads from iPhones.
func (r *reader) platform() string {
	if r.schema.kind == Computer {
		switch name := strings.ToLower(string(r.text("general.platform"))); {
		case name == "mac":
			return "macos"
		case name != "":
			return unknown
		}
		if name := strings.ToLower(string(r.text("operatingSystem.name"))); strings.HasPrefix(name, "mac") {
			return "macos"
		}
		if strings.Contains(string(r.text("hardware.modelIdentifier")), "Mac") {
			return "macos"
		}
		return unknown
	}
	switch strings.ToLower(string(r.text("deviceType"))) {
	case "ios":
		if strings.HasPrefix(string(r.text("hardware.modelIdentifier")), "iPad") {
			return "ipados"
		}
		return "ios"
	case "ipados":
		return "ipados"
	case "tvos":
		return "tvos"
	case "watchos":
		return "watchos"
	case "visionos":
		return "visionos"
	default:
		return unknown
	}
}

// osName is Jamf's name for computers and Apple's for mobile devices, where Jamf sends none.
func (r *reader) osName() []byte {
	if r.schema.kind == Computer {
		return r.text("operatingSystem.name")
	}
	switch r.platform() {
	case "ios":
		return []byte("iOS")
	case "ipados":
		return []byte("iPadOS")
	case "tvos":
		return []byte("tvOS")
	case "watchos":
		return []byte("watchOS")
	case "visionos":
		return []byte("visionOS")
	default:
		return nil
	}
}

// deviceType is what a person would call the device, from its model.
func (r *reader) deviceType() string {
	model := string(r.text("hardware.model"))
	identifier := string(r.text("hardware.modelIdentifier"))
	if r.schema.kind == Computer {
		return computerType(strings.ToLower(identifier + "\n" + model))
	}
	switch r.platform() {
	case "ipados":
		return "tablet"
	case "tvos":
		return "tv"
	case "watchos":
		return "watch"
	case "visionos":
		return "headset"
	case "ios":
		if hasAnyPrefix(identifier, "iPhone", "iPod") || identifier == "" && hasAnyPrefix(model, "iPhone", "iPod") {
			return "phone"
		}
	}
	return unknown
}

// computerType looks for the words of Apple's model names and identifiers, lower case.
func computerType(model string) string {
	types := []struct {
		name  string
		words []string
	}{
		{"virtual", []string{"virtual", "vmware", "parallels", "qemu"}},
		{"laptop", []string{"macbook", "powerbook"}},
		{"desktop", []string{"imac", "macmini", "mac mini", "macpro", "mac pro", "mac studio", "xserve"}},
	}
	for _, t := range types {
		for _, word := range t.words {
			if strings.Contains(model, word) {
				return t.name
			}
		}
	}
	return unknown
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// storageTotal is the sum of a computer's physical disks, in megabytes, false when none is known. macOS lists the
// containers that APFS makes up (disk1, disk3, ...) as disks of their own, with the serial number or model of the
// disk that carries them, and mounted images too. So: images and APFS media do not count; of the disks with the same
// serial number only the largest does; and disks without a serial number count only when no disk has one, of each
// model the largest.
func (r *reader) storageTotal() (int64, bool) {
	var bySerial, byModel diskSizes
	disks := r.entryAt("storage.disks[]")
	if disks == 0 {
		return 0, false
	}
	for i := disks + 1; i < r.entries[disks].next; i = r.entries[i].next {
		size, ok := parseInteger(r.known(r.memberNamed(i, "sizeMegabytes")))
		if !ok || size <= 0 {
			continue
		}
		model := strings.ToLower(strings.TrimSpace(string(r.known(r.memberNamed(i, "model")))))
		if strings.Contains(model, "apfs") || strings.Contains(model, "synthesized") || strings.Contains(model, "disk image") {
			continue
		}
		if serial := parseSerial(r.known(r.memberNamed(i, "serialNumber"))); serial != "" {
			bySerial.add(serial, size)
		} else {
			byModel.add(model, size)
		}
	}
	sizes := bySerial
	if len(sizes) == 0 {
		sizes = byModel
	}
	var total int64
	for _, disk := range sizes {
		if total += disk.size; total < 0 {
			return 0, false
		}
	}
	return total, total > 0
}

// diskSizes holds the largest disk of each key.
type diskSizes []struct {
	key  string
	size int64
}

func (d *diskSizes) add(key string, size int64) {
	for i := range *d {
		if (*d)[i].key == key {
			(*d)[i].size = max((*d)[i].size, size)
			return
		}
	}
	*d = append(*d, struct {
		key  string
		size int64
	}{key, size})
}

// memberNamed finds a member of an array's element, 0 when there is none.
func (r *reader) memberNamed(at int32, name string) int32 {
	if r.entries[at].kind != jsontext.KindBeginObject {
		return 0
	}
	for i := at + 1; i < r.entries[at].next; i = r.entries[i].next {
		if r.entries[i].node.name == name {
			return i
		}
	}
	return 0
}

// diskEncryption is the state of the boot volume and the Jamf value that it comes from. diskEncryption.fileVault2Enabled
// is not asked: it is false on most encrypted Macs.
func (r *reader) diskEncryption() (state string, raw []byte) {
	first := r.text("diskEncryption.bootPartitionEncryptionDetails.partitionFileVault2State")
	if state := partitionState(string(first)); state != unknown {
		return state, first
	}
	second := r.text("operatingSystem.fileVault2Status")
	if state := systemState(string(second)); state != unknown {
		return state, second
	}
	if first == nil {
		first = second
	}
	return unknown, first
}

// shown tells whether a normalized object or list exists for this record: something of it is kept and its section came.
func (r *reader) shown(group string) bool {
	for _, i := range r.schema.normalized[group] {
		if r.keep.fields[i] && r.came(r.schema.fields[i].leaf) {
			return true
		}
	}
	return false
}

// came tells whether the section of a field (or the field, outside of sections) is in the record and not null.
func (r *reader) came(n *node) bool {
	at := r.at[sectionOf(n).id]
	return at != 0 && r.entries[at].kind != jsontext.KindNull
}

// manufacturer is Jamf's word for computers; mobile devices are Apple's unless Jamf does not know what they are.
func (r *reader) manufacturer() []byte {
	switch {
	case r.schema.kind == Computer:
		return r.find("manufacturer")
	case r.platform() == unknown:
		return nil
	default:
		return []byte("Apple")
	}
}

func (r *reader) storageBytes() (int64, bool) {
	if r.schema.kind == Computer {
		megabytes, ok := r.storageTotal()
		if !ok {
			return 0, false
		}
		return parseBytes(strconv.AppendInt(nil, megabytes, 10))
	}
	total, ok := parseBytes(r.find("hardware.storage.totalBytes"))
	return total, ok && total > 0
}

func (r *reader) batteryPercent() (int64, bool) {
	percent, ok := parseInteger(r.find("hardware.battery.percent"))
	return percent, ok && percent >= 0 && percent <= 100
}

// reportedIP is the first known address of one version, nil for none.
func (r *reader) reportedIP(version int) []byte {
	for _, path := range []string{"general.lastReportedIpV" + strconv.Itoa(version), "general.lastReportedIp", "general.ipAddress"} {
		if text := r.text(path); text != nil && ipVersion(text) == version {
			return bytes.TrimSpace(text)
		}
	}
	return nil
}

// automatedEnrollment is true on a mobile device that came by a prestage. Jamf sends null for "none" as for "not known".
func (r *reader) automatedEnrollment() *bool {
	text := r.find("management.automatedEnrollment")
	if r.schema.kind == Mobile && text != nil {
		return parseBool([]byte("true"))
	}
	return parseBool(text)
}

func (r *reader) sip() *bool { return yesNo(r.find("security.sip"), "ENABLED", "DISABLED") }

func (r *reader) gatekeeper() *bool {
	status := r.find("security.gatekeeper")
	if bytes.HasPrefix(status, []byte("APP_STORE")) {
		return parseBool([]byte("true"))
	}
	return yesNo(status, "", "DISABLED")
}

func (r *reader) bootstrapToken() *bool {
	return yesNo(r.find("security.bootstrapTokenEscrowed"), "ESCROWED", "NOT_ESCROWED")
}

// elements calls each for the objects of an array.
func (r *reader) elements(array int32, each func(at int32)) {
	if array == 0 {
		return
	}
	for i := array + 1; i < r.entries[array].next; i = r.entries[i].next {
		if r.entries[i].kind == jsontext.KindBeginObject {
			each(i)
		}
	}
}

// memberText is the text of an element's member, nil when it is unknown.
func (r *reader) memberText(at int32, name string) []byte { return r.known(r.memberNamed(at, name)) }
