package device

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// mapped is one key of /v2/mobile-devices/{id}/detail and where the record of the list endpoint has it.
type mapped struct {
	name    string
	from    string   // path in the record, or key of an element; "" without members: Jamf's list endpoint does not give it, so it is null
	lists   []string // an array, made of the objects of these arrays of the record
	members []mapped // of an object, or of each object of lists
	only    shapeSet // an object that only devices of these types have, null for the others; 0 = all
	lower   bool     // the value in lower case
}

// mobileByID is the mapping table, read once. docs/compatibility.md says the same in words.
//
//nolint:gochecknoglobals // A function, assigned here and never again.
var mobileByID = sync.OnceValue(func() []mapped {
	return join(
		[]mapped{{name: "id", from: "mobileDeviceId"}, {name: "name", from: "general.displayName"}, {name: "enforceName"}},
		same("general.", "assetTag"),
		[]mapped{
			{name: "lastInventoryUpdateTimestamp", from: "general.lastInventoryUpdateDate"},
			{name: "lastContactTimestamp", from: "general.lastContactDate"},
		},
		same("general.", "osVersion", "osBuild", "osSupplementalBuildVersion", "osRapidSecurityResponse", "softwareUpdateDeviceId"),
		same("hardware.", "serialNumber"), same("general.", "udid", "ipAddress"), same("hardware.", "wifiMacAddress", "bluetoothMacAddress"),
		same("general.", "managed", "timeZone"),
		[]mapped{
			{name: "initialEntryTimestamp"},
			{name: "lastEnrollmentTimestamp", from: "general.lastEnrolledDate"},
			{name: "mdmProfileExpirationTimestamp", from: "general.mdmProfileExpirationDate"},
			{name: "deviceOwnershipLevel", from: "general.deviceOwnershipType", lower: true},
			{name: "enrollmentMethod"},
		},
		same("general.", "enrollmentSessionTokenValid", "declarativeDeviceManagementEnabled"),
		[]mapped{
			{name: "site", members: []mapped{{name: "id", from: "general.siteId"}, {name: "divisionId"}, {name: "name"}}},
			{
				name: "extensionAttributes",
				lists: []string{
					"general.extensionAttributes[]", "hardware.extensionAttributes[]", "userAndLocation.extensionAttributes[]",
					"purchasing.extensionAttributes[]", "extensionAttributes[]",
				},
				members: same("", "id", "name", "type", "value", "extensionAttributeCollectionAllowed"),
			},
			{name: "location", members: same("userAndLocation.",
				"username", "realName", "emailAddress", "position", "phoneNumber", "departmentId", "buildingId", "room")},
			{name: "type", from: "deviceType"},
			{name: "ios", only: shapeIOS, members: handheld(true)},
			{name: "tvos", only: shapeTvOS, members: television()},
			{name: "watchos", only: shapeWatchOS, members: watch()},
			{name: "visionos", only: shapeVisionOS, members: handheld(false)},
		},
		same("general.", "appleEnrollmentType", "awaitingConfiguration", "managementId"),
		[]mapped{{name: "groups", lists: []string{"groups[]"}, members: same("", "groupId", "groupName", "groupDescription", "smart")}},
	)
})

// same maps keys that are called the same on both sides.
func same(from string, names ...string) []mapped {
	out := make([]mapped, 0, len(names))
	for _, name := range names {
		out = append(out, mapped{name: name, from: from + name})
	}
	return out
}

func join(parts ...[]mapped) []mapped {
	var out []mapped
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func modelOf() []mapped {
	return append(same("hardware.", "model", "modelIdentifier", "modelNumber"), same("general.", "supervised")...)
}

func storageOf() []mapped {
	return []mapped{
		{name: "capacityMb", from: "hardware.capacityMb"},
		{name: "availableMb", from: "hardware.availableSpaceMb"},
		{name: "percentageUsed", from: "hardware.usedSpacePercentage"},
	}
}

func applicationsOf() mapped {
	return mapped{name: "applications", lists: []string{"applications[]"}, members: same("", "identifier", "name", "version", "shortVersion")}
}

func certificatesOf() mapped {
	return mapped{name: "certificates", lists: []string{"certificates[]"}, members: []mapped{
		{name: "commonName", from: "commonName"},
		{name: "identity", from: "identity"},
		{name: "expirationDateEpoch", from: "expirationDate"},
		{name: "subjectName"},
		{name: "serialNumber"},
		{name: "sha1Fingerprint"},
		{name: "issuedDateEpoch"},
		{name: "certificateStatus"},
		{name: "lifecycleStatus"},
	}}
}

func profilesOf() mapped {
	return mapped{name: "configurationProfiles", lists: []string{"profiles[]"}, members: same("", "displayName", "version", "uuid", "identifier")}
}

func provisioningOf() mapped {
	return mapped{name: "provisioningProfiles", lists: []string{"provisioningProfiles[]"}, members: same("", "displayName", "uuid", "expirationDate")}
}

func purchasingOf() mapped {
	return mapped{name: "purchasing", members: same("purchasing.", "purchased", "leased", "poNumber", "vendor", "appleCareId", "purchasePrice",
		"purchasingAccount", "poDate", "warrantyExpiresDate", "leaseExpiresDate", "lifeExpectancy", "purchasingContact")}
}

func securityOf() mapped {
	return mapped{name: "security", members: join(same("security.", "dataProtected", "blockLevelEncryptionCapable", "fileLevelEncryptionCapable",
		"passcodePresent", "passcodeCompliant", "passcodeCompliantWithProfile", "hardwareEncryption", "activationLockEnabled", "jailBreakDetected",
		"attestationStatus", "lastAttestationAttemptDate", "lastSuccessfulAttestationDate"),
		[]mapped{{name: "bootstrapToken"}}, same("security.", "bootstrapTokenEscrowed"))}
}

// handheld is an iPhone, an iPad or a Vision Pro. What Jamf has added for iOS alone in 11.32 stands at the end.
func handheld(ios bool) []mapped {
	out := join(modelOf(), same("hardware.", "batteryLevel", "batteryHealth"),
		[]mapped{{name: "lastBackupTimestamp", from: "general.lastBackupDate"}}, storageOf(), []mapped{{name: "shared", from: "general.sharedIpad"}},
		same("general.", "deviceLocatorServiceEnabled", "doNotDisturbEnabled", "cloudBackupEnabled"),
		[]mapped{
			{name: "lastCloudBackupTimestamp", from: "general.lastCloudBackupDate"},
			{name: "locationServicesEnabled", from: "general.locationServicesForSelfServiceMobileEnabled"},
			{name: "iTunesStoreAccountActive", from: "general.itunesStoreAccountActive"},
			{name: "bleCapable", from: "hardware.bluetoothLowEnergyCapable"},
			{name: "unlockToken"},
			{name: "computer"},
			purchasingOf(), securityOf(),
			{name: "network", members: same("network.", "cellularTechnology", "voiceRoamingEnabled", "imei", "iccid", "meid", "eid",
				"carrierSettingsVersion", "currentCarrierNetwork", "currentMobileCountryCode", "currentMobileNetworkCode", "homeCarrierNetwork",
				"homeMobileCountryCode", "homeMobileNetworkCode", "dataRoamingEnabled", "roaming", "personalHotspotEnabled", "phoneNumber",
				"preferredVoiceNumber")},
			{name: "serviceSubscriptions", lists: []string{"serviceSubscriptions[]"}, members: same("", "carrierSettingsVersion",
				"currentCarrierNetwork", "currentMobileCountryCode", "currentMobileNetworkCode", "subscriberCarrierNetwork", "eid", "iccid", "imei",
				"dataPreferred", "roaming", "voicePreferred", "label", "labelId", "meid", "phoneNumber", "slot")},
			applicationsOf(), certificatesOf(),
			{name: "ebooks", lists: []string{"ebooks[]"}, members: same("", "author", "title", "version")},
			{name: "mdmCapableUsers"},
			profilesOf(), provisioningOf(),
			{name: "attachments"},
		})
	if ios {
		out = append(out, same("general.", "returnToServiceEnabled")...)
		out = append(out, mapped{name: "systemHealth", members: same("hardware.systemHealth.",
			"baseband", "camera", "display", "faceId", "touchId", "nfc", "ultraWideband")})
	}
	return out
}

func television() []mapped {
	return join(modelOf(), []mapped{{name: "airplayPassword"}}, same("hardware.", "deviceId"), same("general.", "locales"),
		[]mapped{purchasingOf(), profilesOf(), certificatesOf(), applicationsOf()})
}

func watch() []mapped {
	return join(modelOf(), same("hardware.", "batteryLevel"), storageOf(), same("general.", "deviceLocatorServiceEnabled", "doNotDisturbEnabled"),
		[]mapped{
			{name: "lastCloudBackupTimestamp", from: "general.lastCloudBackupDate"},
			{name: "iTunesStoreAccountActive", from: "general.itunesStoreAccountActive"},
			{name: "bleCapable", from: "hardware.bluetoothLowEnergyCapable"},
			{name: "unlockToken"},
			securityOf(), applicationsOf(), certificatesOf(), profilesOf(), provisioningOf(),
			{name: "attachments"},
		})
}

// appendByID renders a record in the shape of /v2/mobile-devices/{id}/detail.
func (r *reader) appendByID(dst []byte) []byte {
	return r.appendMapped(dst, "", mobileByID(), r.deviceShape(), func(m mapped) int32 { return r.entryAt(m.from) })
}

// showsMapped tells whether a key stands in the answer; below is where the paths of the members begin.
func (r *reader) showsMapped(below string, m mapped) bool {
	switch {
	case !r.omits:
		return true
	case m.lists != nil:
		return slices.ContainsFunc(m.lists, func(list string) bool { return r.showsSome(list+".", m.members) })
	case m.members != nil:
		return r.showsSome(below, m.members)
	}
	return m.from != "" && r.showsPath(below+m.from)
}

func (r *reader) showsSome(below string, members []mapped) bool {
	return slices.ContainsFunc(members, func(m mapped) bool { return r.showsMapped(below, m) })
}

// appendMapped renders an object; find tells where the value of a key that has one stands, 0 for nowhere.
func (r *reader) appendMapped(dst []byte, below string, members []mapped, shape shapeSet, find func(mapped) int32) []byte {
	dst = append(dst, '{')
	for _, m := range members {
		if !r.showsMapped(below, m) {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), m.name...), '"', ':')
		switch {
		case m.only != 0 && m.only != shape:
			dst = append(dst, "null"...)
		case m.lists != nil:
			dst = r.appendLists(dst, m, shape)
		case m.members != nil:
			dst = r.appendMapped(dst, below, m.members, shape, find)
		case m.from == "deviceType":
			dst = append(dst, lowerType(shape)...)
		default:
			dst = r.appendFound(dst, m, find(m))
		}
	}
	return append(dst, '}')
}

func (r *reader) appendFound(dst []byte, m mapped, at int32) []byte {
	switch {
	case m.from == "" || at == 0:
		return append(dst, "null"...)
	case m.lower:
		from := len(dst)
		dst = r.appendCut(dst, at)
		copy(dst[from:], bytes.ToLower(dst[from:])) // ASCII words: the length stays
		return dst
	}
	return r.appendCut(dst, at)
}

// appendLists joins arrays of objects into one; what is not kept is an empty one, as in the other shapes.
func (r *reader) appendLists(dst []byte, m mapped, shape shapeSet) []byte {
	dst = append(dst, '[')
	first := true
	for _, path := range m.lists {
		list, below := r.entryAt(path), ""
		if r.omits {
			below = path + "."
		}
		if list == 0 || r.omits && !r.showsSome(below, m.members) {
			continue
		}
		for i := list + 1; i < r.entries[list].next; i = r.entries[i].next {
			if r.entries[i].kind != jsontext.KindBeginObject {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			element := i
			dst = r.appendMapped(dst, below, m.members, shape, func(m mapped) int32 {
				n := r.entries[element].node.byName[m.from]
				if n == nil {
					return 0
				}
				found, _ := r.member(element, element+1, n)
				return found
			})
		}
	}
	return append(dst, ']')
}

// lowerType is the type in the shapes that write it in lower case, quoted.
func lowerType(shape shapeSet) string {
	switch shape {
	case shapeIOS:
		return `"ios"`
	case shapeTvOS:
		return `"tvos"`
	case shapeWatchOS:
		return `"watchos"`
	case shapeVisionOS:
		return `"visionos"`
	}
	return `"unknown"`
}

// unmapped lists the keys of the shape that Jamf's list endpoint cannot fill, with the objects they stand in.
func unmapped(members []mapped, below string) []string {
	var out []string
	for _, m := range members {
		at := strings.TrimPrefix(below+"."+m.name, ".")
		switch {
		case m.members != nil && m.lists != nil:
			out = append(out, unmapped(m.members, at+"[]")...)
		case m.members != nil:
			out = append(out, unmapped(m.members, at)...)
		case m.from == "":
			out = append(out, at)
		}
	}
	return out
}

// UnmappedByID lists the keys that are always null in the shape MobileByID.
func UnmappedByID() []string { return unmapped(mobileByID(), "") }
