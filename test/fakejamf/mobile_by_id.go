package fakejamf

import (
	"fmt"
	"strings"
)

// mobileByID writes the third shape of a mobile device: GET /v2/mobile-devices/{id}/detail.
func (s *shapes) mobileByID(o *writer, r row) {
	w := s.world
	m := w.mobile(r)
	d := w.dice(kindMobile, saltSmall, r.id)
	o.openObject()
	o.id("id", r.id)
	o.str("name", m.name)
	o.yes("enforceName", false)
	o.str("assetTag", m.tag)
	o.date("lastInventoryUpdateTimestamp", m.inventory)
	o.date("lastContactTimestamp", m.contact)
	o.str("osVersion", m.osVersion)
	o.str("osBuild", m.osBuild)
	o.null("osSupplementalBuildVersion")
	o.null("osRapidSecurityResponse")
	o.str("softwareUpdateDeviceId", "") // null in the list, empty here
	o.str("serialNumber", m.serial)
	o.str("udid", m.udid)
	o.null("ipAddress")
	o.str("wifiMacAddress", m.wifi)
	o.str("bluetoothMacAddress", m.bluetooth)
	o.yes("managed", m.managed)
	o.str("timeZone", "Europe/Berlin")
	o.date("initialEntryTimestamp", m.enrolled)
	o.date("lastEnrollmentTimestamp", m.enrolled)
	o.date("mdmProfileExpirationTimestamp", m.expiry)
	o.str("deviceOwnershipLevel", strings.ToLower(m.ownership))
	o.str("enrollmentMethod", pick(&d, []string{"PreStage enrollment", "User-initiated - no invitation"}))
	o.yes("enrollmentSessionTokenValid", m.personal)
	o.yes("declarativeDeviceManagementEnabled", true)
	o.object("site")
	o.str("id", ref(m.site))
	o.null("divisionId")
	o.str("name", w.siteName(m.site))
	o.closeObject()
	w.byIDAttributes(o, m)
	w.byIDLocation(o, m)
	o.str("type", m.lowerType())
	for _, t := range [...]string{typeIOS, typeTVOS, typeWatchOS, typeVision} {
		k := strings.ToLower(t)
		if t != m.deviceType {
			o.null(k)
			continue
		}
		o.object(k)
		w.byIDType(o, m, &d)
		o.closeObject()
	}
	o.str("appleEnrollmentType", "supervised")
	o.yes("awaitingConfiguration", m.fresh)
	o.str("managementId", m.managementID)
	o.key("groups")
	w.mobileGroups(o, m)
	o.closeObject()
}

func (w *world) byIDAttributes(o *writer, m *mobile) {
	d := w.dice(kindMobile, saltAttributes, m.row.id)
	o.array("extensionAttributes")
	for i := range w.attributes {
		a := &w.attributes[i]
		o.openObject()
		o.num2str("id", a.id)
		o.str("name", a.name)
		o.str("type", strings.TrimSuffix(a.kind, "_TIME"))
		if v, ok := w.attributeValue(&d, a); ok {
			o.strs("value", v)
		} else {
			o.strs("value")
		}
		o.yes("extensionAttributeCollectionAllowed", false)
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) byIDLocation(o *writer, m *mobile) {
	u := &m.user
	o.object("location")
	o.str("username", u.username)
	o.str("realName", u.name)
	o.str("emailAddress", u.email)
	o.str("position", u.position)
	o.str("phoneNumber", u.phone)
	o.str("departmentId", refOrNull(u, u.department))
	o.str("buildingId", refOrNull(u, u.building))
	o.str("room", u.room)
	o.closeObject()
}

func (w *world) byIDType(o *writer, m *mobile, d *dice) {
	o.str("model", m.model.name)
	o.str("modelIdentifier", m.model.identifier)
	o.str("modelNumber", m.model.number)
	o.yes("supervised", m.supervised)
	if m.deviceType == typeTVOS {
		o.str("airplayPassword", w.airPlayPassword(m))
		o.str("deviceId", strings.ToUpper(m.bluetooth))
		o.str("locales", "de_DE")
		o.object("purchasing")
		w.mobilePurchase(o, m)
		o.closeObject()
		w.byIDLists(o, m, d)
		return
	}
	o.num("batteryLevel", m.battery)
	full := m.deviceType != typeWatchOS
	if full {
		o.str("batteryHealth", "NORMAL")
		o.null("lastBackupTimestamp")
	}
	o.num("capacityMb", m.capacity)
	o.num("availableMb", m.free)
	o.num("percentageUsed", 100-100*m.free/m.capacity)
	if full {
		o.yes("shared", m.shared)
	}
	o.yes("deviceLocatorServiceEnabled", d.permille(300))
	o.yes("doNotDisturbEnabled", false)
	if full {
		o.yes("cloudBackupEnabled", d.permille(300))
	}
	o.date("lastCloudBackupTimestamp", m.backup)
	if full {
		o.yes("locationServicesEnabled", false)
	}
	o.yes("iTunesStoreAccountActive", d.permille(300))
	o.yes("bleCapable", true)
	o.str("unlockToken", SecretMarker+"unlock-"+d.hex(32, false))
	if full {
		w.byIDPhone(o, m)
	}
	w.byIDSecurity(o, m, d)
	w.byIDLists(o, m, d)
}

func (w *world) byIDPhone(o *writer, m *mobile) {
	o.object("computer")
	o.str("id", "-1")
	o.null("name")
	o.closeObject()
	o.object("purchasing")
	w.mobilePurchase(o, m)
	o.closeObject()
	o.object("network")
	w.networkFields(o, m)
	o.closeObject()
	o.key("serviceSubscriptions")
	w.mobileSubscriptions(o, m)
	o.array("ebooks")
	o.closeArray()
	o.array("mdmCapableUsers")
	o.closeArray()
	o.yes("returnToServiceEnabled", false)
}

func (w *world) byIDSecurity(o *writer, m *mobile, d *dice) {
	o.object("security")
	for _, k := range [...]string{"dataProtected", "blockLevelEncryptionCapable", "fileLevelEncryptionCapable", "passcodePresent", "passcodeCompliant", "passcodeCompliantWithProfile"} {
		o.yes(k, d.permille(800))
	}
	o.num("hardwareEncryption", d.in(0, 3))
	o.yes("activationLockEnabled", false)
	o.yes("jailBreakDetected", false)
	o.str("attestationStatus", "PENDING")
	o.date("lastAttestationAttemptDate", m.inventory)
	o.null("lastSuccessfulAttestationDate")
	o.str("bootstrapToken", SecretMarker+"bootstrap-"+d.hex(32, false))
	o.str("bootstrapTokenEscrowed", "ESCROWED")
	o.closeObject()
}

func (w *world) byIDLists(o *writer, m *mobile, d *dice) {
	o.array("configurationProfiles")
	o.openObject()
	o.str("displayName", w.profiles[0])
	o.str("version", "1")
	o.str("uuid", d.uuid(true))
	o.str("identifier", "de.example.profil."+d.hex(8, false))
	o.closeObject()
	o.closeArray()
	o.array("certificates")
	o.closeArray()
	o.array("applications")
	for i := range d.in(2, 9) {
		name, bundle, _ := strings.Cut(w.mobileApps[i%len(w.mobileApps)], "|")
		o.openObject()
		o.str("identifier", bundle)
		o.str("name", name)
		o.num2str("version", d.n(9000))
		o.str("shortVersion", fmt.Sprintf("%d.0", d.in(1, 20)))
		o.closeObject()
	}
	o.closeArray()
	if m.deviceType != typeTVOS {
		o.array("provisioningProfiles")
		o.closeArray()
		o.array("attachments")
		o.closeArray()
	}
}
