package fakejamf

import (
	"fmt"
	"strings"
	"time"
)

// mobileSection ties a section's name in a query to its key in a record of the detail list, to the types that have the
// key at all, and to what writes it.
type mobileSection struct {
	name, key string
	types     string // types that know the key, all when empty
	write     func(*world, *writer, *mobile)
}

// mobileSections stand in the order in which Jamf writes their keys.
func mobileSections() []mobileSection {
	return []mobileSection{
		{"HARDWARE", "hardware", "", (*world).mobileHardware},
		{"USER_AND_LOCATION", "userAndLocation", "", (*world).mobileUser},
		{"APPLICATIONS", "applications", "", (*world).mobileApplications},
		{"CERTIFICATES", "certificates", "", (*world).mobileCertificates},
		{"PROFILES", "profiles", "", (*world).mobileProfiles},
		{"GROUPS", "groups", "", (*world).mobileGroups},
		{"EXTENSION_ATTRIBUTES", "extensionAttributes", "", (*world).mobileTopAttributes},
		{"GENERAL", "general", "iOS tvOS watchOS visionOS", (*world).mobileGeneral},
		{"SECURITY", "security", "iOS watchOS visionOS", (*world).mobileSecurity},
		{"EBOOKS", "ebooks", "iOS", (*world).mobileEbooks},
		{"NETWORK", "network", "iOS visionOS", (*world).mobileNetwork},
		{"SERVICE_SUBSCRIPTIONS", "serviceSubscriptions", "iOS", (*world).mobileSubscriptions},
		{"PROVISIONING_PROFILES", "provisioningProfiles", "iOS watchOS visionOS", (*world).mobileProvisioning},
		{"SHARED_USERS", "sharedUsers", "iOS", (*world).mobileSharedUsers},
		{"PURCHASING", "purchasing", "iOS tvOS visionOS", (*world).mobilePurchasing},
		{"USER_PROFILES", "userProfiles", "iOS tvOS", (*world).mobileUserProfiles},
	}
}

func (s *mobileSection) of(deviceType string) bool {
	return s.types == "" || strings.Contains(" "+s.types+" ", " "+deviceType+" ")
}

// brokenSection is the one that Jamf cannot read of a broken mobile device.
const brokenSection = "HARDWARE"

// mobileDetail writes one element of the detail list. A broken device's broken section is null: LENIENT.
func (s *shapes) mobileDetail(w *writer, r row, want sections, broken bool) {
	m := s.world.mobile(r)
	w.openObject()
	w.id("mobileDeviceId", r.id)
	w.str("deviceType", m.deviceType)
	for i := range s.mobile {
		sec := &s.mobile[i]
		switch {
		case !sec.of(m.deviceType):
		case want&(1<<i) == 0, broken && sec.name == brokenSection:
			w.null(sec.key)
		default:
			w.key(sec.key)
			sec.write(s.world, w, m)
		}
	}
	if m.unknownField {
		w.str(UnknownField, "a field of a later release")
	}
	w.closeObject()
}

func (w *world) mobileHardware(o *writer, m *mobile) {
	d := w.dice(kindMobile, saltHardware, m.row.id)
	o.openObject()
	if m.fresh {
		o.num("capacityMb", -1)
		o.num("availableSpaceMb", -1)
		o.num("usedSpacePercentage", 0)
		o.num("batteryLevel", -1)
	} else {
		o.num("capacityMb", m.capacity)
		o.num("availableSpaceMb", m.free)
		o.num("usedSpacePercentage", 100-100*m.free/m.capacity)
		o.num("batteryLevel", m.battery)
	}
	o.str("batteryHealth", enum(m.future, pick(&d, []string{"NORMAL", "NORMAL", "UNKNOWN", "SERVICE_RECOMMENDED", "UNSUPPORTED"})))
	o.str("serialNumber", m.serial)
	o.str("wifiMacAddress", m.wifi)
	o.str("bluetoothMacAddress", m.bluetooth)
	o.str("modemFirmwareVersion", pick(&d, []string{absent, "", "4.02.01"}))
	o.str("model", m.model.name)
	o.str("modelIdentifier", m.model.identifier)
	o.str("modelNumber", m.model.number)
	o.yes("bluetoothLowEnergyCapable", true)
	if m.deviceType == typeTVOS {
		o.str("deviceId", strings.ToUpper(m.bluetooth))
	} else {
		o.null("deviceId")
	}
	o.noAttributes()
	o.object("systemHealth")
	for _, k := range [...]string{"baseband", "camera", "display", "faceId", "touchId", "nfc", "ultraWideband"} {
		o.str(k, "ok")
	}
	o.closeObject()
	o.closeObject()
}

func (w *world) mobileUser(o *writer, m *mobile) {
	u := &m.user
	o.openObject()
	o.str("username", u.username)
	o.str("realName", u.name)
	o.str("emailAddress", u.email)
	o.str("position", u.position)
	o.str("phoneNumber", u.phone)
	o.str("departmentId", refOrNull(u, u.department))
	o.str("buildingId", refOrNull(u, u.building))
	o.str("room", u.room)
	o.str("building", entry(w.buildings, u.building))
	o.str("department", entry(w.departments, u.department))
	o.noAttributes()
	o.closeObject()
}

func (w *world) mobileApplications(o *writer, m *mobile) {
	d := w.dice(kindMobile, saltApplications, m.row.id)
	o.openArray()
	for i := range d.in(4, 40) {
		name, bundle, _ := strings.Cut(w.mobileApps[i%len(w.mobileApps)], "|")
		if i >= len(w.mobileApps) {
			bundle += fmt.Sprintf(".%d", i)
		}
		o.openObject()
		o.str("identifier", bundle)
		o.str("name", name)
		o.num2str("version", d.n(9000))
		o.str("shortVersion", fmt.Sprintf("%d.%d", d.in(1, 20), d.n(10)))
		o.str("managementStatus", pick(&d, []string{"Managed", "Unmanaged", absent}))
		o.yes("validationStatus", true)
		o.num2str("bundleSize", d.n(90_000))
		o.num2str("dynamicSize", d.n(9000))
		o.yes("appClip", false)
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) mobileCertificates(o *writer, m *mobile) {
	d := w.dice(kindMobile, saltCertificates, m.row.id)
	o.openArray()
	for i := range d.in(1, 4) {
		o.openObject()
		o.str("commonName", pick(&d, []string{strings.ToUpper(m.managementID), "Schule Root CA"}))
		o.yes("identity", i == 0)
		o.date("expirationDate", m.expiry)
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) mobileProfiles(o *writer, m *mobile) {
	d := w.dice(kindMobile, saltProfiles, m.row.id)
	o.openArray()
	for i := range d.in(1, 6) {
		w.profile(o, &d, i, m.enrolled)
		o.closeObject()
	}
	o.closeArray()
}

// profile opens a profile's object and leaves it open.
func (w *world) profile(o *writer, d *dice, i int, at time.Time) {
	o.openObject()
	o.str("displayName", w.profiles[i%len(w.profiles)])
	o.str("version", "1")
	o.str("uuid", d.uuid(true))
	o.str("identifier", "de.example.profil."+d.hex(8, false))
	o.yes("removable", d.permille(100))
	o.date("lastInstalled", at)
}

func (w *world) mobileGroups(o *writer, m *mobile) {
	d := w.dice(kindMobile, saltGroups, m.row.id)
	o.openArray()
	for range d.in(0, 5) {
		g := d.n(len(w.groups))
		o.openObject()
		o.num2str("groupId", g+1)
		o.str("groupName", w.groups[g])
		o.str("groupDescription", pick(&d, []string{"", absent}))
		o.yes("smart", g%3 != 0)
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) mobileTopAttributes(o *writer, m *mobile) {
	o.openArray()
	w.mobileAttributeList(o, m, false)
	o.closeArray()
}

func (w *world) mobileAttributeList(o *writer, m *mobile, general bool) {
	d := w.dice(kindMobile, saltAttributes, m.row.id)
	for i := range w.attributes {
		a := &w.attributes[i]
		if a.general != general {
			continue
		}
		v, ok := w.attributeValue(&d, a)
		o.openObject()
		o.num2str("id", a.id)
		o.str("name", a.name)
		o.str("type", strings.TrimSuffix(a.kind, "_TIME"))
		if ok {
			o.strs("value", v)
		} else {
			o.strs("value")
		}
		o.yes("extensionAttributeCollectionAllowed", false)
		if general {
			o.str("inventoryDisplay", "General")
		} else {
			o.str("inventoryDisplay", "Extension Attributes")
		}
		o.closeObject()
	}
}

func (w *world) mobileGeneral(o *writer, m *mobile) {
	d := w.dice(kindMobile, saltGeneral, m.row.id)
	o.openObject()
	o.str("udid", m.udid)
	o.str("displayName", m.name)
	o.str("assetTag", m.tag)
	if m.site == 0 {
		o.str("siteId", pick(&d, []string{"-1", absent}))
	} else {
		o.str("siteId", ref(m.site))
	}
	o.date("lastInventoryUpdateDate", m.inventory)
	o.date("lastContactDate", m.contact)
	o.str("osVersion", m.osVersion)
	o.str("osRapidSecurityResponse", pick(&d, []string{absent, "", "(a)"}))
	o.str("osBuild", m.osBuild)
	o.str("osSupplementalBuildVersion", pick(&d, []string{absent, m.osBuild}))
	o.str("softwareUpdateDeviceId", pick(&d, []string{m.model.board, ""}))
	o.str("ipAddress", pick(&d, []string{absent, "", fmt.Sprintf("10.%d.%d.%d", d.n(40), d.n(256), d.in(1, 254))}))
	o.yes("managed", m.managed)
	o.yes("supervised", m.supervised)
	o.str("deviceOwnershipType", enum(m.future, m.ownership))
	if m.prestage {
		o.object("enrollmentMethodPrestage")
		o.str("mobileDevicePrestageId", "5")
		o.str("profileName", "Schul-iPads (ADE)")
		o.closeObject()
	} else {
		o.null("enrollmentMethodPrestage")
	}
	o.yes("enrollmentSessionTokenValid", m.personal)
	o.date("lastEnrolledDate", m.enrolled)
	o.date("mdmProfileExpirationDate", m.expiry)
	o.str("timeZone", pick(&d, []string{"Europe/Berlin", "Europe/Berlin", "", absent, "Europe/Vienna"}))
	o.yes("declarativeDeviceManagementEnabled", d.permille(600))
	o.str("managementId", m.managementID)
	o.array("extensionAttributes")
	w.mobileAttributeList(o, m, true)
	o.closeArray()
	for _, who := range [...]string{"SelfService", "Mdm"} {
		o.str("lastLoggedInUsername"+who, pick(&d, []string{absent, m.user.username}))
		o.date("lastLoggedInUsername"+who+"Timestamp", m.contact)
	}
	o.str("appleEnrollmentType", pick(&d, []string{"supervised", "device", "user", "none", "unknown"}))
	o.yes("awaitingConfiguration", m.fresh)
	w.mobileGeneralByType(o, m, &d)
	if m.unknownField {
		o.num(UnknownField, 1)
	}
	o.closeObject()
}

func (w *world) mobileGeneralByType(o *writer, m *mobile, d *dice) {
	switch m.deviceType {
	case typeIOS:
		w.iosGeneral(o, m, d)
	case typeTVOS:
		o.str("airPlayPassword", w.airPlayPassword(m))
		o.str("locales", pick(d, []string{"de_DE", "null"}))
		o.str("languages", "de-DE")
	case typeWatchOS, typeVision:
		o.yes("diagnosticAndUsageReportingEnabled", d.permille(200))
		o.yes("appAnalyticsEnabled", d.permille(200))
		o.yes("deviceLocatorServiceEnabled", d.permille(300))
		o.yes("doNotDisturbEnabled", false)
		if m.deviceType == typeVision {
			o.yes("cloudBackupEnabled", d.permille(200))
		}
		o.date("lastCloudBackupDate", m.backup)
		o.yes("itunesStoreAccountActive", d.permille(300))
	}
}

// airPlayPassword is one secret for the two shapes that show it in the clear.
func (w *world) airPlayPassword(m *mobile) string {
	d := w.dice(kindMobile, saltToken, m.row.id)
	return SecretMarker + "airplay-" + d.letters(4, "0123456789")
}

func (w *world) iosGeneral(o *writer, m *mobile, d *dice) {
	o.yes("sharedIpad", m.shared)
	o.yes("diagnosticAndUsageReportingEnabled", d.permille(200))
	o.yes("appAnalyticsEnabled", d.permille(200))
	if m.shared {
		o.num("residentUsers", d.n(9))
		o.num("quotaSize", 4096)
		o.yes("temporarySessionOnly", d.permille(200))
		o.num("temporarySessionTimeout", 30)
		o.num("userSessionTimeout", 60)
	} else {
		o.num("residentUsers", 0)
		o.num("quotaSize", -1)
		o.yes("temporarySessionOnly", false)
		o.null("temporarySessionTimeout")
		o.null("userSessionTimeout")
	}
	o.num("syncedToComputer", -1)
	o.num("maximumSharediPadUsersStored", -1)
	o.date("lastBackupDate", time.Time{})
	o.yes("deviceLocatorServiceEnabled", d.permille(300))
	o.yes("doNotDisturbEnabled", false)
	o.yes("cloudBackupEnabled", d.permille(300))
	o.date("lastCloudBackupDate", m.backup)
	o.yes("locationServicesForSelfServiceMobileEnabled", false)
	o.yes("itunesStoreAccountActive", d.permille(300))
	o.str("exchangeDeviceId", pick(d, []string{"", absent, d.letters(24, newSerials)}))
	o.yes("tethered", false)
	o.yes("returnToServiceEnabled", d.permille(50))
}

func (w *world) mobileSecurity(o *writer, m *mobile) {
	d := w.dice(kindMobile, saltSecurity, m.row.id)
	o.openObject()
	o.yes("dataProtected", d.permille(700))
	o.yes("blockLevelEncryptionCapable", true)
	o.yes("fileLevelEncryptionCapable", true)
	o.yes("passcodePresent", d.permille(700))
	o.yes("passcodeCompliant", d.permille(800))
	o.yes("passcodeCompliantWithProfile", d.permille(800))
	o.num("hardwareEncryption", d.in(0, 3))
	o.yes("activationLockEnabled", d.permille(100))
	o.yes("jailBreakDetected", d.permille(3))
	o.str("attestationStatus", pick(&d, []string{"SUCCESS", "PENDING", "MDA_UNSUPPORTED_DUE_TO_SOFTWARE"}))
	o.date("lastAttestationAttemptDate", m.inventory)
	o.date("lastSuccessfulAttestationDate", m.inventory)
	o.num("passcodeLockGracePeriodEnforcedSeconds", pick(&d, []int{-1, 0, 300}))
	o.yes("personalDeviceProfileCurrent", false)
	o.yes("lostModeEnabled", m.lost)
	o.yes("lostModePersistent", false)
	if m.lost {
		w.lostMode(o, m, &d)
	} else {
		for _, k := range [...]string{"lostModeMessage", "lostModePhoneNumber", "lostModeFootnote", "lostModeLocation"} {
			o.null(k)
		}
	}
	o.str("bootstrapTokenEscrowed", pick(&d, []string{"NOT_SUPPORTED", "ESCROWED", "NOT_ESCROWED"}))
	o.yes("lockdownModeEnabled", d.permille(5))
	o.closeObject()
}

func (w *world) lostMode(o *writer, m *mobile, d *dice) {
	o.str("lostModeMessage", SecretMarker+"Bitte im Sekretariat abgeben")
	o.str("lostModePhoneNumber", SecretMarker+"+49 7941 555000")
	o.str("lostModeFootnote", SecretMarker+"Finderlohn")
	o.object("lostModeLocation")
	o.date("lastLocationUpdate", m.contact)
	o.float("lostModeLocationHorizontalAccuracyMeters", float64(d.n(50)))
	o.float("lostModeLocationVerticalAccuracyMeters", float64(d.n(50)))
	o.float("lostModeLocationAltitudeMeters", float64(d.in(200, 400))+0.5)
	o.float("lostModeLocationSpeedMetersPerSecond", -1)
	o.float("lostModeLocationCourseDegrees", -1)
	o.str("lostModeLocationTimestamp", SecretMarker+w.epoch.Format("2006-01-02 15:04:05 UTC"))
	o.closeObject()
}

func (w *world) mobileEbooks(o *writer, m *mobile) {
	o.openArray()
	if m.odd {
		o.openObject()
		o.str("author", "J. W. von Goethe")
		o.str("title", "Götz von Berlichingen")
		o.str("version", "1.0")
		o.str("kind", "PDF")
		o.str("managementState", "Managed")
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) mobileNetwork(o *writer, m *mobile) {
	o.openObject()
	w.networkFields(o, m)
	o.closeObject()
}

func (w *world) networkFields(o *writer, m *mobile) {
	d := w.dice(kindMobile, saltNetwork, m.row.id)
	if !m.model.cellular || m.fresh {
		o.str("cellularTechnology", "None")
		o.yes("voiceRoamingEnabled", false)
		for _, k := range [...]string{"imei", "iccid", "meid", "eid", "carrierSettingsVersion", "currentCarrierNetwork", "currentMobileCountryCode", "currentMobileNetworkCode", "homeCarrierNetwork", "homeMobileCountryCode", "homeMobileNetworkCode"} {
			o.str(k, pick(&d, []string{absent, ""}))
		}
		o.yes("dataRoamingEnabled", false)
		o.yes("roaming", false)
		o.yes("personalHotspotEnabled", false)
		o.null("phoneNumber")
		o.null("preferredVoiceNumber")
		return
	}
	o.str("cellularTechnology", pick(&d, []string{"Both", "GSM", "Unknown"}))
	o.yes("voiceRoamingEnabled", false)
	o.str("imei", imei(&d))
	o.str("iccid", "8949 0200 "+d.letters(4, "0123456789")+" "+d.letters(4, "0123456789")+" "+d.letters(3, "0123456789"))
	o.str("meid", d.letters(14, "0123456789"))
	o.str("eid", "8904"+d.letters(28, "0123456789"))
	o.str("carrierSettingsVersion", "61.0")
	o.str("currentCarrierNetwork", pick(&d, []string{"Telekom.de", "Vodafone.de", "", absent}))
	o.str("currentMobileCountryCode", "262")
	o.str("currentMobileNetworkCode", "01")
	o.str("homeCarrierNetwork", "Telekom.de")
	o.str("homeMobileCountryCode", pick(&d, []string{"262", "DE"}))
	o.str("homeMobileNetworkCode", "01")
	o.yes("dataRoamingEnabled", d.permille(300))
	o.yes("roaming", d.permille(20))
	o.yes("personalHotspotEnabled", d.permille(200))
	o.str("phoneNumber", m.phone)
	o.str("preferredVoiceNumber", m.phone)
}

// imei writes the number with spaces, as Apple's devices report it.
func imei(d *dice) string {
	return "35 " + d.letters(6, "0123456789") + " " + d.letters(6, "0123456789") + " " + d.letters(1, "0123456789")
}

func (w *world) mobileSubscriptions(o *writer, m *mobile) {
	d := w.dice(kindMobile, saltNetwork, m.row.id)
	o.openArray()
	if m.model.cellular && !m.fresh && !m.personal {
		for i, slot := range [...]string{"CTSubscriptionSlotOne", "CTSubscriptionSlotTwo"} {
			o.openObject()
			o.str("carrierSettingsVersion", "61.0")
			o.str("currentCarrierNetwork", "Telekom.de")
			o.str("currentMobileCountryCode", "262")
			o.str("currentMobileNetworkCode", "01")
			o.str("subscriberCarrierNetwork", "Telekom.de")
			o.str("eid", "8904"+d.letters(28, "0123456789"))
			o.str("iccid", "8949"+d.letters(15, "0123456789"))
			o.str("imei", imei(&d))
			o.yes("dataPreferred", i == 0)
			o.yes("roaming", false)
			o.yes("voicePreferred", i == 0)
			o.str("label", pick(&d, []string{"Primär", "Geschäftlich", ""}))
			o.str("labelId", d.uuid(true))
			o.str("meid", d.letters(14, "0123456789"))
			o.str("phoneNumber", m.phone)
			o.str("slot", slot)
			o.closeObject()
		}
	}
	o.closeArray()
}

func (w *world) mobileProvisioning(o *writer, m *mobile) {
	o.openArray()
	if m.odd {
		d := w.dice(kindMobile, saltSmall, m.row.id)
		o.openObject()
		o.str("displayName", "Lernplattform intern")
		o.str("uuid", d.uuid(true))
		o.date("expirationDate", m.expiry)
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) mobileSharedUsers(o *writer, m *mobile) {
	o.openArray()
	if m.shared {
		d := w.dice(kindMobile, saltAccounts, m.row.id)
		for range d.n(5) {
			u := w.person(&d)
			o.openObject()
			o.str("managedAppleId", u.email)
			o.yes("loggedIn", d.permille(200))
			o.yes("dataToSync", d.permille(200))
			o.closeObject()
		}
	}
	o.closeArray()
}

func (w *world) mobilePurchasing(o *writer, m *mobile) {
	o.openObject()
	w.mobilePurchase(o, m)
	o.noAttributes()
	o.closeObject()
}

func (w *world) mobilePurchase(o *writer, m *mobile) {
	d := w.dice(kindMobile, saltPurchasing, m.row.id)
	bought := w.ago(&d, 4*year).Truncate(day).Add(-time.Hour) // midnight in Berlin's winter
	known := d.permille(500)
	o.yes("purchased", true)
	o.yes("leased", known && d.permille(200))
	o.str("poNumber", pick(&d, []string{"", absent, "2024-117"}))
	o.str("vendor", pick(&d, []string{"Apple", "", "Händler Süd GmbH & Co. KG"}))
	o.str("appleCareId", "")
	o.str("purchasePrice", pick(&d, []string{"399,00 €", "", absent}))
	o.str("purchasingAccount", "")
	if !known {
		bought = time.Time{}
		o.null("poDate")
		o.null("warrantyExpiresDate")
	} else {
		o.date("poDate", bought)
		o.date("warrantyExpiresDate", bought.Add(2*year))
	}
	o.null("leaseExpiresDate")
	o.num("lifeExpectancy", d.n(6))
	o.str("purchasingContact", "")
}

func (w *world) mobileUserProfiles(o *writer, m *mobile) {
	o.openArray()
	if m.shared {
		d := w.dice(kindMobile, saltProfiles, m.row.id)
		w.profile(o, &d, 0, m.enrolled)
		o.str("username", m.user.username)
		o.closeObject()
	}
	o.closeArray()
}
