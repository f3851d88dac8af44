package fakejamf

import (
	"fmt"
	"strings"
	"time"
)

// sections is a set of sections of one kind, a bit each.
type sections uint32

// computerSection ties a section's name in a query to its key in a record and to what writes it.
type computerSection struct {
	name, key string
	from, to  int // versions of the API that know it
	write     func(*world, *writer, *computer, int)
}

// computerSections stand in the order in which Jamf writes their keys.
func computerSections() []computerSection {
	return []computerSection{
		{"GENERAL", "general", 1, 4, (*world).computerGeneral},
		{"DISK_ENCRYPTION", "diskEncryption", 1, 4, (*world).computerDiskEncryption},
		{"LOCAL_USER_ACCOUNTS", "localUserAccounts", 1, 4, (*world).computerAccounts},
		{"PURCHASING", "purchasing", 1, 4, (*world).computerPurchasing},
		{"PRINTERS", "printers", 1, 4, (*world).computerPrinters},
		{"STORAGE", "storage", 1, 4, (*world).computerStorage},
		{"APPLICATIONS", "applications", 1, 4, (*world).computerApplications},
		{"USER_AND_LOCATION", "userAndLocation", 1, 4, (*world).computerUser},
		{"CONFIGURATION_PROFILES", "configurationProfiles", 1, 4, (*world).computerProfiles},
		{"SERVICES", "services", 1, 4, (*world).computerServices},
		{"PLUGINS", "plugins", 1, 1, (*world).computerPlugins},
		{"HARDWARE", "hardware", 1, 4, (*world).computerHardware},
		{"CERTIFICATES", "certificates", 1, 4, (*world).computerCertificates},
		{"ATTACHMENTS", "attachments", 1, 4, (*world).computerAttachments},
		{"PACKAGE_RECEIPTS", "packageReceipts", 1, 4, (*world).computerReceipts},
		{"FONTS", "fonts", 1, 1, (*world).computerFonts},
		{"SECURITY", "security", 1, 4, (*world).computerSecurity},
		{"OPERATING_SYSTEM", "operatingSystem", 1, 4, (*world).computerOS},
		{"LICENSED_SOFTWARE", "licensedSoftware", 1, 4, (*world).computerLicensed},
		{"SOFTWARE_UPDATES", "softwareUpdates", 1, 4, (*world).computerUpdates},
		{"GROUP_MEMBERSHIPS", "groupMemberships", 1, 4, (*world).computerGroups},
		{"EXTENSION_ATTRIBUTES", "extensionAttributes", 1, 4, (*world).computerTopAttributes},
		{"CONTENT_CACHING", "contentCaching", 1, 4, (*world).computerCaching},
		{"IBEACONS", "ibeacons", 1, 4, (*world).computerBeacons},
	}
}

// computerRecord writes one element of results: every key of the version, null for what was not asked for.
func (s *shapes) computerRecord(w *writer, r row, want sections, version int) {
	c := s.world.computer(r)
	w.openObject()
	w.id("id", r.id)
	w.str("udid", c.udid)
	for i := range s.computer {
		sec := &s.computer[i]
		switch {
		case version > sec.to:
		case want&(1<<i) == 0:
			w.null(sec.key)
		default:
			w.key(sec.key)
			sec.write(s.world, w, c, version)
		}
	}
	if c.unknownField {
		w.str(UnknownField, "a field of a later release")
	}
	w.closeObject()
}

func (w *world) computerGeneral(o *writer, c *computer, version int) {
	d := w.dice(kindComputer, saltGeneral, c.row.id)
	o.openObject()
	o.str("name", c.name)
	o.str("lastIpAddress", c.publicIP)
	if version < 4 {
		o.str("lastReportedIp", c.ownIP)
	}
	o.str("lastReportedIpV4", c.ownIP)
	o.str("lastReportedIpV6", c.ownIP6)
	o.str("jamfBinaryVersion", pick(&d, []string{"11.30.2-t1785446884", "11.30.2-t1785446884", "11.24.0-t1768230411", "10.49.0-t1689687362"}))
	o.str("platform", "Mac")
	o.str("barcode1", pick(&d, []string{absent, absent, "", d.letters(12, "0123456789")}))
	o.str("barcode2", absent)
	o.str("assetTag", c.tag)
	o.object("remoteManagement")
	o.yes("managed", c.managed)
	o.str("managementUsername", absent)
	o.closeObject()
	o.yes("supervised", c.supervised)
	w.mdmCapable(o, c, &d)
	o.date("reportDate", c.report)
	if version < 4 {
		o.date("lastContactTime", c.contact)
	} else {
		o.date("lastCheckIn", c.checkIn)
		o.date("lastContact", c.contact)
	}
	o.date("lastCloudBackupDate", c.backup)
	o.date("lastEnrolledDate", c.enrolled)
	o.date("mdmProfileExpiration", c.expiry)
	o.day("initialEntryDate", c.entry)
	o.str("distributionPoint", pick(&d, []string{absent, absent, "Verteilpunkt Süd", ""}))
	w.computerEnrollment(o, c, &d)
	o.yes("itunesStoreAccountActive", d.permille(200))
	o.yes("enrolledViaAutomatedDeviceEnrollment", c.ade)
	o.yes("userApprovedMdm", c.supervised)
	o.yes("declarativeDeviceManagementEnabled", c.os.major >= 13)
	w.computerAttributes(o, c, true)
	o.str("managementId", c.managementID)
	logins(o, &d, c.user.username, c.report)
	o.str("appleEnrollmentType", enum(c.future, pick(&d, []string{"supervised", "device", "none", "unknown"})))
	o.yes("awaitingConfiguration", c.fresh)
	if c.unknownField {
		o.object(UnknownField)
		o.str("since", "11.40")
		o.closeObject()
	}
	o.closeObject()
}

// enum is v, or the value that no document lists.
func enum(future bool, v string) string {
	if future {
		return UnknownEnum
	}
	return v
}

func (w *world) mdmCapable(o *writer, c *computer, d *dice) {
	o.object("mdmCapable")
	o.yes("capable", c.managed)
	if c.user.username == absent || c.user.username == "" || d.permille(500) {
		o.strs("capableUsers")
		o.array("userManagementInfo")
		o.closeArray()
	} else {
		o.strs("capableUsers", c.user.username)
		o.array("userManagementInfo")
		o.openObject()
		o.str("capableUser", c.user.username)
		o.str("managementId", d.uuid(false))
		o.closeObject()
		o.closeArray()
	}
	o.closeObject()
}

func (w *world) computerEnrollment(o *writer, c *computer, d *dice) {
	switch {
	case c.ade:
		o.object("enrollmentMethod")
		o.str("id", "4")
		o.str("objectName", "Schul-Macs (ADE)")
		o.str("objectType", "PreStage enrollment")
		o.closeObject()
	case d.permille(300):
		o.null("enrollmentMethod")
	default:
		o.object("enrollmentMethod")
		o.str("id", "9")
		o.str("objectName", c.user.email)
		o.str("objectType", "User-initiated - no invitation")
		o.closeObject()
	}
	o.object("site")
	if c.site == 0 {
		o.str("id", "-1")
		o.str("name", "None")
	} else {
		o.str("id", ref(c.site))
		o.str("name", w.siteName(c.site))
	}
	o.closeObject()
}

func logins(o *writer, d *dice, user string, at time.Time) {
	for _, who := range [...]string{"SelfService", "Binary", "Mdm"} {
		if user == "" || d.permille(400) {
			o.null("lastLoggedInUsername" + who)
			o.null("lastLoggedInUsername" + who + "Timestamp")
			continue
		}
		o.str("lastLoggedInUsername"+who, user)
		o.date("lastLoggedInUsername"+who+"Timestamp", at)
	}
}

// fileVaultState is one truth for the three sections that tell it.
func (c *computer) fileVaultState() string {
	switch {
	case c.fresh:
		return "UNKNOWN"
	case c.encrypted:
		return enum(c.future, "ENCRYPTED")
	}
	return "UNENCRYPTED"
}

func (w *world) computerDiskEncryption(o *writer, c *computer, _ int) {
	d := w.dice(kindComputer, saltSecurity, c.row.id)
	o.openObject()
	o.object("bootPartitionEncryptionDetails")
	o.str("partitionName", "Macintosh HD - Data")
	o.str("partitionFileVault2State", c.fileVaultState())
	if c.encrypted {
		o.num("partitionFileVault2Percent", 100)
	} else {
		o.num("partitionFileVault2Percent", -1)
	}
	o.closeObject()
	o.str("individualRecoveryKeyValidityStatus", pick(&d, []string{"VALID", "UNKNOWN", "INVALID", "NOT_APPLICABLE"}))
	o.yes("institutionalRecoveryKeyPresent", false)
	o.str("diskEncryptionConfigurationName", pick(&d, []string{"FileVault für alle", absent}))
	o.yes("fileVault2Enabled", c.encrypted && d.permille(255))
	if c.encrypted && c.user.username != absent && c.user.username != "" {
		o.strs("fileVault2EnabledUserNames", c.user.username, "schuladmin")
	} else {
		o.strs("fileVault2EnabledUserNames")
	}
	o.str("fileVault2EligibilityMessage", pick(&d, []string{"Eligible", "Not a boot partition", ""}))
	o.closeObject()
}

func (w *world) computerAccounts(o *writer, c *computer, _ int) {
	d := w.dice(kindComputer, saltAccounts, c.row.id)
	o.openArray()
	for i := range d.in(1, 3) {
		name, full := "schuladmin", "Schul-Admin"
		if i > 0 {
			name, full = fmt.Sprintf("gast%d", i), "Gäste & Besuch"
		}
		o.openObject()
		o.num2str("uid", 501+i)
		o.str("userGuid", d.uuid(true))
		o.str("username", name)
		o.str("fullName", full)
		o.yes("admin", i == 0)
		o.str("homeDirectory", "/Users/"+name)
		o.num("homeDirectorySizeMb", pick(&d, []int{-1, 131_072, 20_480}))
		o.yes("fileVault2Enabled", c.encrypted)
		o.str("userAccountType", pick(&d, []string{"LOCAL", "MOBILE", "UNKNOWN"}))
		o.num("passwordMinLength", 4)
		o.null("passwordMaxAge")
		o.null("passwordMinComplexCharacters")
		o.null("passwordHistoryDepth")
		o.yes("passwordRequireAlphanumeric", false)
		o.null("computerAzureActiveDirectoryId")
		o.null("userAzureActiveDirectoryId")
		o.str("azureActiveDirectoryId", pick(&d, []string{absent, "UNKNOWN"}))
		o.closeObject()
	}
	o.closeArray()
}

// num2str writes a number as a string.
func (w *writer) num2str(k string, v int) { w.id(k, int64(v)) }

func (w *world) computerPurchasing(o *writer, c *computer, _ int) {
	d := w.dice(kindComputer, saltPurchasing, c.row.id)
	known := d.permille(600)
	o.openObject()
	o.yes("leased", known && d.permille(300))
	o.yes("purchased", !known || d.permille(700))
	if !known {
		for _, k := range [...]string{"poNumber", "poDate", "vendor", "warrantyDate", "appleCareId", "leaseDate"} {
			o.null(k)
		}
		o.str("purchasePrice", "")
		o.num("lifeExpectancy", 0)
		o.str("purchasingAccount", "")
		o.str("purchasingContact", "")
	} else {
		bought := w.ago(&d, 5*year)
		o.str("poNumber", fmt.Sprintf("%d-%d", bought.Year(), d.n(900)))
		o.day("poDate", bought)
		o.str("vendor", pick(&d, []string{"Händler Süd GmbH & Co. KG", "Apple", "Bürohaus „König“"}))
		o.day("warrantyDate", bought.Add(2*year))
		o.str("appleCareId", pick(&d, []string{absent, "", d.letters(10, "0123456789")}))
		o.day("leaseDate", pick(&d, []time.Time{{}, bought.Add(3 * year)}))
		o.str("purchasePrice", pick(&d, []string{"1.199,00 €", "$999", "999", "auf Anfrage"}))
		o.num("lifeExpectancy", d.in(0, 6))
		o.str("purchasingAccount", pick(&d, []string{"Digitalpakt", absent}))
		o.str("purchasingContact", pick(&d, []string{"Frau Groß", ""}))
	}
	o.noAttributes()
	o.closeObject()
}

func (w *writer) noAttributes() { w.array("extensionAttributes"); w.closeArray() }

func (w *world) computerPrinters(o *writer, c *computer, _ int) {
	d := w.dice(kindComputer, saltSmall, c.row.id)
	o.openArray()
	for i := range d.n(3) {
		o.openObject()
		o.str("name", fmt.Sprintf("Drucker %d.OG", i+1))
		o.str("type", "HP Color LaserJet MFP E78625")
		o.str("uri", fmt.Sprintf("ipp://10.1.0.%d", d.in(1, 254)))
		o.str("location", pick(&d, w.rooms))
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) computerStorage(o *writer, c *computer, _ int) {
	d := w.dice(kindComputer, saltStorage, c.row.id)
	o.openObject()
	if c.fresh {
		o.num("bootDriveAvailableSpaceMegabytes", -1)
		o.array("disks")
		o.closeArray()
		o.closeObject()
		return
	}
	o.num("bootDriveAvailableSpaceMegabytes", c.free)
	o.array("disks")
	w.disk(o, c, &d, 0, "No", []part{{"EFI", 300, -1, "OTHER"}})
	w.disk(o, c, &d, 1, "Synthesized", []part{{"Macintosh HD", c.disk, c.free, "OTHER"}, {"Macintosh HD - Data", c.disk, c.free, "BOOT"}, {"Recovery", 5_368, -1, "RECOVERY"}})
	if d.permille(30) {
		w.disk(o, c, &d, 2, "No", []part{{"Sicherung \"Archiv\"", 2_000_398, 900_000, "OTHER"}})
	}
	o.closeArray()
	o.closeObject()
}

type part struct {
	name       string
	size, free int
	kind       string
}

func (w *world) disk(o *writer, c *computer, d *dice, number int, kind string, parts []part) {
	o.openObject()
	o.num2str("id", int(c.row.id)*3+number)
	o.str("device", fmt.Sprintf("disk%d", number))
	model, revision, serial := "APPLE SSD AP0512Q", "387.120.", d.letters(16, newSerials)
	if kind == "Synthesized" {
		model, revision, serial = "", "", ""
	}
	o.str("model", model)
	o.str("revision", revision)
	o.str("serialNumber", serial)
	if number == 2 {
		o.num("sizeMegabytes", parts[0].size)
	} else {
		o.num("sizeMegabytes", c.disk)
	}
	o.str("smartStatus", pick(d, []string{"Verified", "Verified", "Not Supported", absent}))
	o.str("type", kind)
	o.array("partitions")
	for _, p := range parts {
		o.openObject()
		o.str("name", p.name)
		o.num("sizeMegabytes", p.size)
		o.num("availableMegabytes", p.free)
		o.str("partitionType", p.kind)
		o.num("percentUsed", percentUsed(p))
		if p.kind == "BOOT" {
			o.str("fileVault2State", c.fileVaultState())
			o.num("fileVault2ProgressPercent", 100)
		} else {
			o.str("fileVault2State", "INELIGIBLE")
			o.null("fileVault2ProgressPercent")
		}
		o.yes("lvmManaged", false)
		o.closeObject()
	}
	o.closeArray()
	o.closeObject()
}

func percentUsed(p part) int {
	if p.free < 0 || p.size == 0 {
		return 0
	}
	return 100 - 100*p.free/p.size
}

func (w *world) computerApplications(o *writer, c *computer, version int) {
	d := w.dice(kindComputer, saltApplications, c.row.id)
	o.openArray()
	if !c.fresh {
		for i := range d.in(30, 60) {
			w.application(o, &d, version, i)
		}
	}
	o.closeArray()
}

func (w *world) application(o *writer, d *dice, version, i int) {
	f := strings.Split(w.apps[i%len(w.apps)], "|")
	v := fmt.Sprintf("%d.%d.%d", d.in(1, 26), d.n(10), d.n(5))
	o.openObject()
	o.str("name", f[0]+".app")
	if i < len(w.apps) {
		o.str("path", f[2])
	} else {
		o.str("path", fmt.Sprintf("/Applications/Alt %d/%s", i/len(w.apps), f[2][len("/Applications/"):]))
	}
	o.str("version", v)
	if version >= 3 {
		o.str("cfBundleShortVersionString", v)
		o.num2str("cfBundleVersion", d.n(90_000))
	}
	o.yes("macAppStore", d.permille(200))
	o.num("sizeMegabytes", d.n(4000))
	o.str("bundleId", f[1])
	o.yes("updateAvailable", d.permille(100))
	o.str("externalVersionId", pick(d, []string{absent, "0", "864511231"}))
	o.closeObject()
}

func (w *world) computerUser(o *writer, c *computer, _ int) {
	u := &c.user
	o.openObject()
	o.str("username", u.username)
	o.str("realname", u.name)
	o.str("email", u.email)
	o.str("position", u.position)
	o.str("phone", u.phone)
	o.str("departmentId", refOrNull(u, u.department))
	o.str("buildingId", refOrNull(u, u.building))
	o.str("room", u.room)
	o.noAttributes()
	o.closeObject()
}

// refOrNull is null where the person is unknown and "-1" where the entry is none: the wire has both.
func refOrNull(u *person, n int) string {
	if u.username == absent {
		return absent
	}
	return ref(n)
}

func (w *world) computerProfiles(o *writer, c *computer, _ int) {
	d := w.dice(kindComputer, saltProfiles, c.row.id)
	o.openArray()
	for i := range d.in(2, 8) {
		o.openObject()
		o.num2str("id", i+1)
		o.str("username", pick(&d, []string{"", absent, c.user.username}))
		o.date("lastInstalled", c.enrolled)
		o.yes("removable", d.permille(100))
		o.str("displayName", w.profiles[i%len(w.profiles)])
		o.str("profileIdentifier", d.uuid(true))
		o.str("uuid", d.uuid(true))
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) computerServices(o *writer, _ *computer, _ int) {
	names(o, "com.apple.screensharing", "com.openssh.sshd")
}

// names writes [{"name": ...}, ...].
func names(o *writer, list ...string) {
	o.openArray()
	for _, n := range list {
		o.openObject()
		o.str("name", n)
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) computerPlugins(o *writer, _ *computer, _ int) {
	o.openArray()
	o.openObject()
	o.str("name", "Quicktime Plugin")
	o.str("version", "7.7.3")
	o.str("path", "/Library/Internet Plug-Ins/QuickTime Plugin.plugin")
	o.closeObject()
	o.closeArray()
}

func (w *world) computerFonts(o *writer, _ *computer, _ int) {
	o.openArray()
	o.openObject()
	o.str("name", "Schulausgangsschrift.ttf")
	o.str("version", "2.1")
	o.str("path", "/Library/Fonts/Schulausgangsschrift.ttf")
	o.closeObject()
	o.closeArray()
}

func (w *world) computerHardware(o *writer, c *computer, _ int) {
	d := w.dice(kindComputer, saltHardware, c.row.id)
	m := c.model
	o.openObject()
	o.str("make", "Apple")
	o.str("model", m.name)
	o.str("modelIdentifier", m.identifier)
	o.str("serialNumber", c.serial)
	o.num("processorSpeedMhz", m.mhz)
	o.num("processorCount", 1)
	o.num("coreCount", m.cores)
	o.str("processorType", m.cpu)
	o.str("processorArchitecture", architecture(m, &d))
	o.num("busSpeedMhz", 0)
	o.num("cacheSizeKilobytes", pick(&d, []int{0, 3072, 8192}))
	o.str("networkAdapterType", "IEEE80211")
	o.str("macAddress", c.primaryMAC)
	o.str("altNetworkAdapterType", pick(&d, []string{"Ethernet", "", absent}))
	o.str("altMacAddress", pick(&d, []string{c.alternateMAC, c.alternateMAC, "", absent, strings.ToLower(c.alternateMAC)}))
	if c.fresh {
		o.num("totalRamMegabytes", 0)
	} else {
		o.num("totalRamMegabytes", c.ram)
	}
	o.num("openRamSlots", 0)
	if m.portable {
		o.num("batteryCapacityPercent", d.n(101))
		o.str("batteryHealth", enum(c.future, pick(&d, []string{"NORMAL", "NORMAL", "SERVICE_RECOMMENDED", "UNKNOWN", "NON_GENUINE"})))
	} else {
		o.num("batteryCapacityPercent", -1)
		o.str("batteryHealth", "UNSUPPORTED")
	}
	o.str("smcVersion", pick(&d, []string{absent, "2.30f2", ""}))
	o.str("nicSpeed", "n/a")
	o.str("opticalDrive", absent)
	o.str("bootRom", pick(&d, []string{"13822.41.1", "10151.140.19", absent}))
	o.yes("bleCapable", true)
	o.yes("supportsIosAppInstalls", m.silicon())
	o.yes("appleSilicon", m.silicon())
	o.str("provisioningUdid", pick(&d, []string{absent, "00008103-" + d.hex(16, true)}))
	o.noAttributes()
	o.closeObject()
}

func architecture(m *macModel, d *dice) string {
	if m.silicon() {
		return "arm64"
	}
	return pick(d, []string{"x86_64", "x86_64", "i386"})
}

func (w *world) computerCertificates(o *writer, c *computer, _ int) {
	d := w.dice(kindComputer, saltCertificates, c.row.id)
	o.openArray()
	for i := range d.in(2, 6) {
		name := pick(&d, []string{"Schule Root CA", "com.apple.systemdefault", strings.ToUpper(c.managementID)})
		o.openObject()
		o.str("commonName", name)
		o.yes("identity", i == 0)
		o.date("expirationDate", c.expiry)
		o.str("username", pick(&d, []string{"", absent}))
		o.str("lifecycleStatus", "ACTIVE")
		o.str("certificateStatus", pick(&d, []string{"ISSUED", "EXPIRING", "EXPIRED"}))
		o.str("subjectName", "CN="+name+",O=Städtische Schulen")
		o.str("serialNumber", d.hex(16, false))
		o.str("sha1Fingerprint", d.hex(40, false))
		o.date("issuedDate", c.enrolled)
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) computerAttachments(o *writer, c *computer, _ int) {
	o.openArray()
	if c.odd {
		o.openObject()
		o.id("id", c.row.id)
		o.str("name", "Übergabeprotokoll „unterschrieben“.pdf")
		o.str("fileType", "application/pdf")
		o.num("sizeBytes", 102_400)
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) computerReceipts(o *writer, c *computer, _ int) {
	d := w.dice(kindComputer, saltSmall, c.row.id)
	o.openObject()
	o.strs("installedByJamfPro", w.receipts[:d.n(4)]...)
	o.strs("installedByInstallerSwu", w.receipts...)
	o.strs("cached")
	o.closeObject()
}

func (w *world) computerSecurity(o *writer, c *computer, _ int) {
	d := w.dice(kindComputer, saltSecurity, c.row.id)
	o.openObject()
	o.str("sipStatus", pick(&d, []string{"ENABLED", "ENABLED", "ENABLED", "DISABLED", "NOT_COLLECTED", "NOT_AVAILABLE"}))
	o.str("gatekeeperStatus", pick(&d, []string{"APP_STORE_AND_IDENTIFIED_DEVELOPERS", "APP_STORE", "DISABLED", "NOT_COLLECTED"}))
	o.str("xprotectVersion", pick(&d, []string{"5322", "2194", absent}))
	o.yes("autoLoginDisabled", !d.permille(40))
	o.yes("remoteDesktopEnabled", d.permille(300))
	o.yes("activationLockEnabled", d.permille(60))
	o.yes("recoveryLockEnabled", c.model.silicon() && d.permille(500))
	o.yes("firewallEnabled", d.permille(700))
	o.str("secureBootLevel", enum(c.future, pick(&d, []string{"FULL_SECURITY", "FULL_SECURITY", "MEDIUM_SECURITY", "NO_SECURITY", "NOT_SUPPORTED", "UNKNOWN"})))
	o.str("externalBootLevel", pick(&d, []string{"ALLOW_BOOTING_FROM_EXTERNAL_MEDIA", "DISALLOW_BOOTING_FROM_EXTERNAL_MEDIA", "NOT_SUPPORTED", "UNKNOWN"}))
	o.yes("bootstrapTokenAllowed", c.supervised)
	o.str("bootstrapTokenEscrowedStatus", pick(&d, []string{"ESCROWED", "NOT_ESCROWED", "NOT_SUPPORTED"}))
	o.str("lastAttestationAttempt", pick(&d, []string{"1970-01-01T00:00:00Z", absent}))
	o.str("lastSuccessfulAttestation", pick(&d, []string{"1970-01-01T00:00:00Z", absent}))
	o.str("attestationStatus", pick(&d, []string{"SUCCESS", "PENDING", "MDA_UNSUPPORTED_DUE_TO_HARDWARE"}))
	o.yes("lockdownModeEnabled", d.permille(5))
	o.closeObject()
}

func (w *world) computerOS(o *writer, c *computer, _ int) {
	d := w.dice(kindComputer, saltSmall, c.row.id)
	o.openObject()
	if c.fresh {
		for _, k := range [...]string{"name", "version", "build", "supplementalBuildVersion", "rapidSecurityResponse", "activeDirectoryStatus"} {
			o.null(k)
		}
		o.str("fileVault2Status", "NOT_APPLICABLE")
		o.null("softwareUpdateDeviceId")
	} else {
		name := "macOS"
		if c.os.major == 10 {
			name = "Mac OS X"
		}
		o.str("name", name)
		o.str("version", c.os.version)
		o.str("build", c.os.build)
		o.str("supplementalBuildVersion", pick(&d, []string{absent, c.os.build, ""}))
		o.str("rapidSecurityResponse", pick(&d, []string{absent, absent, "", "(a)"}))
		o.str("activeDirectoryStatus", pick(&d, []string{"Not Bound", "schule.example", ""}))
		o.str("fileVault2Status", fileVaultStatus(c))
		o.str("softwareUpdateDeviceId", c.model.board)
	}
	o.noAttributes()
	o.closeObject()
}

func fileVaultStatus(c *computer) string {
	if c.encrypted {
		return "ALL_ENCRYPTED"
	}
	return "NOT_ENCRYPTED"
}

func (w *world) computerLicensed(o *writer, c *computer, _ int) {
	o.openArray()
	if c.odd {
		o.openObject()
		o.str("id", "1")
		o.str("name", "Lernwerkstatt für Schüler (Schullizenz)")
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) computerUpdates(o *writer, c *computer, _ int) {
	o.openArray()
	if !c.fresh && c.os.major < 26 {
		o.openObject()
		o.str("name", "macOS Tahoe 26.1")
		o.str("version", "26.1")
		o.str("packageName", "com.apple.pkg.InstallAssistant.macOS")
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) computerGroups(o *writer, c *computer, _ int) {
	d := w.dice(kindComputer, saltGroups, c.row.id)
	o.openArray()
	for range d.in(1, 6) {
		g := d.n(len(w.groups)) // the same group twice happens on the wire too
		o.openObject()
		o.num2str("groupId", g+1)
		o.str("groupName", w.groups[g])
		o.str("groupDescription", pick(&d, []string{"", absent, "von Hand gepflegt"}))
		o.yes("smartGroup", g%3 != 0)
		o.closeObject()
	}
	o.closeArray()
}

func (w *world) computerTopAttributes(o *writer, c *computer, _ int) {
	o.openArray()
	w.attributeList(o, c, false)
	o.closeArray()
}

func (w *world) computerAttributes(o *writer, c *computer, general bool) {
	o.array("extensionAttributes")
	w.attributeList(o, c, general)
	o.closeArray()
}

func (w *world) attributeList(o *writer, c *computer, general bool) {
	d := w.dice(kindComputer, saltAttributes, c.row.id)
	for i := range w.attributes {
		a := &w.attributes[i]
		if a.general != general {
			continue
		}
		o.openObject()
		o.num2str("definitionId", a.id)
		o.str("name", a.name)
		o.str("description", a.description)
		o.yes("enabled", true)
		o.yes("multiValue", false)
		if v, ok := w.attributeValue(&d, a); ok {
			o.strs("values", v)
		} else {
			o.strs("values")
		}
		o.str("dataType", a.kind)
		o.strs("options")
		o.str("inputType", pick(&d, []string{"TEXT", "SCRIPT"}))
		o.closeObject()
	}
}

func (w *world) attributeValue(d *dice, a *attribute) (string, bool) {
	if d.permille(250) {
		return "", false
	}
	switch a.values {
	case "#":
		return fmt.Sprint(d.n(90_000)), true
	case "@":
		return w.ago(d, year).Format("2006-01-02 15:04:05"), true
	case "!":
		return SecretMarker + "wlan-" + d.hex(8, false), true
	}
	return pick(d, strings.Split(a.values, "|")), true
}

func (w *world) computerBeacons(o *writer, c *computer, _ int) {
	if c.odd {
		names(o, "Raum A 1.07")
		return
	}
	names(o)
}
