package fakejamf

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// field is a property that a list can be sorted or filtered by.
type field struct {
	name    string
	section string // "" = top level
	key     string // path below the section: "remoteManagement.managed"
	sorts   bool
	id      bool
	quick   func(*world, row) string // a way around rendering
}

const computerSorts = "general.name udid id general.assetTag general.jamfBinaryVersion general.lastEnrolledDate general.lastCloudBackupDate " +
	"general.reportDate general.mdmCertificateExpiration general.platform general.lastLoggedInUsernameSelfService general.lastLoggedInUsernameSelfServiceTimestamp " +
	"general.lastLoggedInUsernameBinary general.lastLoggedInUsernameBinaryTimestamp general.lastLoggedInUsernameMdm general.lastLoggedInUsernameMdmTimestamp " +
	"hardware.make hardware.model operatingSystem.build operatingSystem.supplementalBuildVersion operatingSystem.rapidSecurityResponse operatingSystem.name " +
	"operatingSystem.version userAndLocation.realname purchasing.lifeExpectancy purchasing.warrantyDate"

const computerFilters = "general.barcode1 general.barcode2 general.enrolledViaAutomatedDeviceEnrollment general.lastIpAddress general.itunesStoreAccountActive " +
	"general.lastReportedIpV4 general.lastReportedIpV6 general.managementId general.remoteManagement.managed general.mdmCapable.capable general.supervised " +
	"general.userApprovedMdm general.declarativeDeviceManagementEnabled hardware.bleCapable hardware.macAddress hardware.modelIdentifier hardware.serialNumber " +
	"hardware.supportsIosAppInstalls hardware.appleSilicon operatingSystem.activeDirectoryStatus operatingSystem.fileVault2Status security.activationLockEnabled " +
	"security.recoveryLockEnabled security.firewallEnabled userAndLocation.buildingId userAndLocation.departmentId userAndLocation.email userAndLocation.phone " +
	"userAndLocation.position userAndLocation.room userAndLocation.username diskEncryption.fileVault2Enabled purchasing.appleCareId purchasing.purchased " +
	"purchasing.leased purchasing.vendor"

// mobileFields are the flat names of the detail list, by section; "name=key" where Jamf's filter says it otherwise.
const mobileFields = "general:airPlayPassword appAnalyticsEnabled assetTag declarativeDeviceManagementEnabled deviceLocatorServiceEnabled diagnosticAndUsageReportingEnabled " +
	"displayName doNotDisturbEnabled enrollmentSessionTokenValid exchangeDeviceId cloudBackupEnabled osBuild osSupplementalBuildVersion osVersion " +
	"osRapidSecurityResponse ipAddress itunesStoreAccountActive managementId languages lastBackupDate lastContactDate lastEnrolledDate lastCloudBackupDate " +
	"lastInventoryUpdateDate locales locationServicesForSelfServiceMobileEnabled managed mdmProfileExpirationDate quotaSize residentUsers sharedIpad supervised " +
	"tethered timeZone udid deviceOwnershipType lastLoggedInUsernameSelfService lastLoggedInUsernameMdm;" +
	"hardware:availableSpaceMb batteryLevel batteryHealth bluetoothLowEnergyCapable bluetoothMacAddress capacityMb deviceId model modelIdentifier modelNumber " +
	"modemFirmwareVersion serialNumber usedSpacePercentage wifiMacAddress;" +
	"userAndLocation:building department emailAddress fullName=realName userPhoneNumber=phoneNumber position room username;" +
	"purchasing:appleCareId leaseExpirationDate=leaseExpiresDate lifeExpectancyYears=lifeExpectancy poDate poNumber purchasePrice purchasingAccount " +
	"purchasingContact vendor warrantyExpirationDate=warrantyExpiresDate;" +
	"security:activationLockEnabled blockEncryptionCapable=blockLevelEncryptionCapable dataProtection=dataProtected fileEncryptionCapable=fileLevelEncryptionCapable " +
	"jailbreakStatus=jailBreakDetected lostModeEnabled passcodeCompliant passcodeCompliantWithProfile passcodeLockGracePeriodEnforcedSeconds passcodePresent;" +
	"network:carrierSettingsVersion cellularTechnology currentCarrierNetwork currentMobileCountryCode currentMobileNetworkCode dataRoamingEnabled eid " +
	"homeMobileCountryCode homeMobileNetworkCode iccid imei meid personalHotspotEnabled voiceRoamingEnabled roaming preferredVoiceNumber devicePhoneNumber=phoneNumber"

// fields lists what a list can be sorted and filtered by; full tells the detail list from the plain one.
func (s *shapes) fields(k Kind, version int, full bool) map[string]*field {
	out := map[string]*field{}
	add := func(f field) { out[f.name] = &f }
	if k == Computer {
		s.computerFields(version, add)
		return out
	}
	if !full {
		for n := range strings.FieldsSeq("id name serialNumber wifiMacAddress udid phoneNumber model modelIdentifier username type managementId softwareUpdateDeviceId") {
			add(field{name: n, key: n, sorts: true, id: n == "id"})
		}
		out["name"].quick = (*world).mobileName
		return out
	}
	add(field{name: "mobileDeviceId", key: "mobileDeviceId", sorts: true, id: true})
	for group := range strings.SplitSeq(mobileFields, ";") {
		section, names, _ := strings.Cut(group, ":")
		for one := range strings.FieldsSeq(names) {
			name, key, renamed := strings.Cut(one, "=")
			if !renamed {
				key = name
			}
			add(field{name: name, section: section, key: key, sorts: true})
		}
	}
	out["displayName"].quick = (*world).mobileName
	return out
}

func (s *shapes) computerFields(version int, add func(field)) {
	sorts, filters := computerSorts, computerFilters
	if version >= 4 {
		sorts += " general.lastCheckIn general.lastContact"
	} else {
		sorts += " general.lastContactTime"
		filters += " general.lastReportedIp"
	}
	if version >= 4 { // the filter outlived the field
		add(field{name: "general.lastReportedIp", section: "general", key: "lastReportedIpV4"})
	}
	for i, list := range [...]string{sorts, filters} {
		for name := range strings.FieldsSeq(list) {
			f := field{name: name, key: name, sorts: i == 0, id: name == "id"}
			if section, key, nested := strings.Cut(name, "."); nested {
				f.section, f.key = section, key
			}
			switch name {
			case "general.name":
				f.quick = (*world).computerName
			case "general.mdmCertificateExpiration":
				f.key = "mdmProfileExpiration"
			}
			add(f)
		}
	}
}

// reader reads fields of one device out of the very record that is served.
type reader struct {
	shapes  *shapes
	kind    Kind
	version int // of computers-inventory; for mobile devices 0 is the detail list
	row     row
	read    map[string]map[string]any // section -> its members
}

// text is a field's value as text; null reports that it has none.
func (rd *reader) text(f *field) (v string, null bool) {
	if f.id {
		return strconv.FormatInt(rd.row.id, 10), false
	}
	if f.quick != nil {
		v = f.quick(rd.shapes.world, rd.row)
		return v, v == absent
	}
	var at any = rd.members(f.section)
	for part := range strings.SplitSeq(f.key, ".") {
		m, ok := at.(map[string]any)
		if !ok {
			return "", true
		}
		at = m[part]
	}
	if at == nil {
		return "", true
	}
	return fmt.Sprint(at), false
}

func (rd *reader) members(section string) map[string]any {
	if m, ok := rd.read[section]; ok {
		return m
	}
	w := &writer{}
	rd.render(w, section)
	d := json.NewDecoder(strings.NewReader(string(w.b)))
	d.UseNumber()
	var record map[string]any
	if err := d.Decode(&record); err != nil {
		record = nil // our own writer made it; a test proves that it is JSON
	}
	if section != "" {
		record, _ = record[section].(map[string]any)
	}
	if rd.read == nil {
		rd.read = map[string]map[string]any{}
	}
	rd.read[section] = record
	return record
}

func (rd *reader) render(w *writer, section string) {
	var want sections
	switch {
	case rd.kind == Computer:
		for i := range rd.shapes.computer {
			if rd.shapes.computer[i].key == section {
				want = 1 << i
			}
		}
		rd.shapes.computerRecord(w, rd.row, want, rd.version)
	case rd.version == 0:
		for i := range rd.shapes.mobile {
			if rd.shapes.mobile[i].key == section {
				want = 1 << i
			}
		}
		rd.shapes.mobileDetail(w, rd.row, want, false)
	default:
		rd.shapes.mobileSummary(w, rd.row)
	}
}

// sortText is a field's value in a form whose order as text is the order of values: nothing first, numbers by size,
// moments by time, names without regard to case.
func (rd *reader) sortText(f *field) string {
	v, null := rd.text(f)
	if null {
		return ""
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return fmt.Sprintf("\x01%020d", uint64(n)^1<<63)
	}
	if t, err := time.Parse(time.RFC3339, v); err == nil {
		return "\x02" + t.UTC().Format("2006-01-02T15:04:05.000")
	}
	return "\x03" + strings.ToLower(v)
}
