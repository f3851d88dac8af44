package device

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// View is one device as one client may see it.
type View struct {
	Source      string
	Kind        Kind
	ID          int64
	Record      []byte   // as stored (cut to the source's profile)
	Profile     *Profile // the effective one (source intersected with client)
	State       string   // "present", "quarantined" or "missing"
	Names       *Names   // what ids are called that come without a name; nil = not known
	DuplicateOf []string // uids with the same serial in the caller's view, never nil in the output
}

// AppendNormalized appends the normalized device as compact JSON: every key always, no value that is a clock.
// An object is null when the kind has no such thing, the profile keeps nothing of it or Jamf did not send the
// sections it comes from (sync.sections lists those that came); a list is null for the same reasons and [] when
// Jamf says that there is none. The error is *RecordError, and dst as it was.
func AppendNormalized(dst []byte, v View) ([]byte, error) {
	r, err := read(v.Kind, v.Profile, v.Record)
	if err != nil {
		return dst, err
	}
	defer r.release()
	w := &writer{reader: r, dst: dst, names: v.Names}
	w.raw(`{"uid":`).string(UID(v.Source, v.Kind, v.ID)).raw(`,"source":`).string(v.Source).raw(`,"kind":`).string(string(v.Kind))
	w.raw(`,"deviceType":`).string(r.deviceType())
	w.identity(v.ID)
	w.raw(`,"name":`).text("name")
	w.raw(`,"manufacturer":`).orNull(w.manufacturer())
	w.model()
	w.os()
	w.hardware()
	w.network()
	w.user()
	w.purchasing()
	w.management()
	w.raw(`,"lastContactAt":`).time("lastContactAt").raw(`,"lastCheckInAt":`).time("lastCheckInAt")
	w.raw(`,"lastInventoryAt":`).time("lastInventoryAt")
	w.security()
	w.cellular()
	w.reference("site")
	w.groups()
	w.extensionAttributes()
	// The applications of a device are a list of their own (a later endpoint): here they are always null.
	w.raw(`,"applications":null`)
	w.sync(v)
	return append(w.dst, '}'), nil
}

// writer appends the normalized device of one record.
type writer struct {
	*reader
	dst      []byte
	names    *Names
	warnings []string
}

func (w *writer) raw(s string) *writer {
	w.dst = append(w.dst, s...)
	return w
}

func (w *writer) null() *writer { return w.raw("null") }

func (w *writer) string(s string) *writer {
	w.dst, _ = jsontext.AppendQuote(w.dst, s) // what is not UTF-8 becomes U+FFFD
	return w
}

// orNull appends a text, null for nil.
func (w *writer) orNull(text []byte) *writer {
	if text == nil {
		return w.null()
	}
	w.dst, _ = jsontext.AppendQuote(w.dst, text)
	return w
}

// text appends a normalized field as it is.
func (w *writer) text(normalized string) *writer { return w.orNull(w.find(normalized)) }

func (w *writer) warn(normalized, what string) {
	w.warnings = append(w.warnings, normalized+": "+what)
}

func (w *writer) integer(n int64, known bool) *writer {
	if !known {
		return w.null()
	}
	w.dst = strconv.AppendInt(w.dst, n, 10)
	return w
}

// positive appends a number of which 0 and less mean unknown.
func (w *writer) positive(normalized string) *writer {
	n, ok := parseInteger(w.find(normalized))
	return w.integer(n, ok && n > 0)
}

func (w *writer) tristate(b *bool) *writer {
	if b == nil {
		return w.null()
	}
	w.dst = strconv.AppendBool(w.dst, *b)
	return w
}

func (w *writer) bool(normalized string) *writer { return w.tristate(parseBool(w.find(normalized))) }

// time appends a time in UTC with three digits of fraction.
func (w *writer) time(normalized string) *writer {
	text := w.find(normalized)
	if text == nil {
		return w.null()
	}
	at, known, readable := parseTime(text)
	if !readable {
		w.warn(normalized, "unreadable time")
	}
	if !known {
		return w.null()
	}
	w.dst = append(w.dst, '"')
	w.dst = at.AppendFormat(w.dst, timeLayout)
	w.dst = append(w.dst, '"')
	return w
}

// date appends a calendar date, without a zone, as written.
func (w *writer) date(normalized string) *writer {
	text := w.find(normalized)
	if text == nil {
		return w.null()
	}
	date, ok := parseDate(text)
	if !ok {
		w.warn(normalized, "unreadable date")
		return w.null()
	}
	return w.orNull(date)
}

// enum appends the normalized word for a Jamf word: null for nothing, "unknown" for a new one.
func (w *writer) enum(normalized string, word func(string) string) *writer {
	text := w.find(normalized)
	if text == nil {
		return w.null()
	}
	return w.string(word(string(text)))
}

// object opens an object, or writes null and says so.
func (w *writer) object(key, group string) bool {
	w.raw(`,"`).raw(key).raw(`":`)
	if !w.shown(group) {
		w.null()
		return false
	}
	w.raw(`{`)
	return true
}

func (w *writer) identity(id int64) {
	w.raw(`,"identity":{"jamfId":"`)
	w.dst = strconv.AppendInt(w.dst, id, 10)
	w.raw(`","udid":`).text("identity.udid").raw(`,"serialNumber":`)
	if serial := parseSerial(w.find("identity.serialNumber")); serial != "" {
		w.string(serial)
	} else {
		w.null()
	}
	w.raw(`,"assetTag":`).text("identity.assetTag").raw(`,"managementId":`).text("identity.managementId").raw(`,"barcodes":`)
	if !w.shown("identity.barcodes") {
		w.null().raw(`}`)
		return
	}
	w.raw(`[`)
	first := true
	for _, n := range w.schema.sources["identity.barcodes"] {
		if barcode := w.known(w.at[n.id]); barcode != nil {
			w.comma(&first).orNull(barcode)
		}
	}
	w.raw(`]}`)
}

func (w *writer) comma(first *bool) *writer {
	if !*first {
		w.raw(`,`)
	}
	*first = false
	return w
}

func (w *writer) model() {
	if w.object("model", "model") {
		w.raw(`"name":`).text("model.name").raw(`,"identifier":`).text("model.identifier").raw(`,"number":`).text("model.number").raw(`}`)
	}
}

func (w *writer) os() {
	if !w.object("os", "os") {
		return
	}
	w.raw(`"platform":`).string(w.platform()).raw(`,"name":`).orNull(w.osName())
	version := w.find("os.version")
	w.raw(`,"version":`).orNull(version).raw(`,"versionNormalized":`)
	if normalized := versionNormalized(version); normalized != "" {
		w.string(normalized)
	} else {
		w.null()
	}
	w.raw(`,"build":`).text("os.build").raw(`,"supplementalBuild":`).text("os.supplementalBuild")
	w.raw(`,"rapidSecurityResponse":`).text("os.rapidSecurityResponse").raw(`}`)
}

func (w *writer) hardware() {
	if !w.object("hardware", "hardware") {
		return
	}
	w.raw(`"cpu":`)
	if w.shown("hardware.cpu") {
		w.raw(`{"type":`).text("hardware.cpu.type").raw(`,"architecture":`).text("hardware.cpu.architecture")
		w.raw(`,"cores":`).positive("hardware.cpu.cores").raw(`,"count":`).positive("hardware.cpu.count")
		w.raw(`,"speedMhz":`).positive("hardware.cpu.speedMhz").raw(`}`)
	} else {
		w.null()
	}
	memory, ok := parseBytes(w.find("hardware.memoryBytes"))
	w.raw(`,"memoryBytes":`).integer(memory, ok && memory > 0)
	if w.object("storage", "hardware.storage") {
		total, ok := w.storageBytes()
		w.raw(`"totalBytes":`).integer(total, ok)
		available, ok := parseBytes(w.find("hardware.storage.availableBytes"))
		w.raw(`,"availableBytes":`).integer(available, ok).raw(`}`)
	}
	if w.object("battery", "hardware.battery") {
		percent, ok := w.batteryPercent()
		w.raw(`"percent":`).integer(percent, ok)
		w.raw(`,"health":`).enum("hardware.battery.health", batteryHealth).raw(`}`)
	}
	w.macAddresses()
	w.raw(`}`)
}

func (w *writer) macAddresses() {
	w.raw(`,"macAddresses":`)
	if !w.shown("hardware.macAddresses") {
		w.null()
		return
	}
	w.raw(`[`)
	var seen []string
	for _, n := range w.schema.sources["hardware.macAddresses"] {
		text := w.known(w.at[n.id])
		if text == nil {
			continue
		}
		address, known, readable := parseMAC(text)
		if !readable {
			w.warn("hardware.macAddresses", "unreadable address")
		}
		if !known || slices.Contains(seen, address) {
			continue
		}
		first := len(seen) == 0
		seen = append(seen, address)
		w.comma(&first).raw(`{"type":`).string(adapterType(n.name)).raw(`,"address":`).string(address).raw(`}`)
	}
	w.raw(`]`)
}

func (w *writer) network() {
	if !w.object("network", "network") {
		return
	}
	w.raw(`"serverSeenIp":`).text("network.serverSeenIp")
	w.raw(`,"reportedIpV4":`).address("network.reportedIpV4", 4).raw(`,"reportedIpV6":`).address("network.reportedIpV6", 6).raw(`}`)
}

// address appends the reported address of one version.
func (w *writer) address(normalized string, version int) *writer {
	if text := w.reportedIP(version); text != nil {
		return w.orNull(text)
	}
	for _, n := range w.schema.sources[normalized] {
		if text := w.known(w.at[n.id]); text != nil && ipVersion(text) == 0 {
			w.warn(normalized, "unreadable address")
		}
	}
	return w.null()
}

func (w *writer) user() {
	if !w.object("user", "user") {
		return
	}
	w.raw(`"username":`).text("user.username").raw(`,"fullName":`).text("user.fullName").raw(`,"email":`)
	if email := w.find("user.email"); email == nil {
		w.null()
	} else {
		w.orNull(bytes.ToLower(email))
	}
	w.raw(`,"position":`).text("user.position").raw(`,"phone":`).text("user.phone")
	w.reference("user.department").reference("user.building")
	w.raw(`,"room":`).text("user.room").raw(`}`)
}

// reference appends something that Jamf names by id and name, null when it names neither. A name that the record lacks
// is looked up by the id.
func (w *writer) reference(group string) *writer {
	id, name := w.find(group+".id"), w.find(group+".name")
	if name == nil && id != nil && w.names != nil {
		name = w.names.of(listOf(w.schema.kind, group), id)
	}
	w.raw(`,"`).raw(group[strings.LastIndexByte(group, '.')+1:]).raw(`":`)
	if id == nil && name == nil {
		return w.null()
	}
	return w.raw(`{"id":`).orNull(id).raw(`,"name":`).orNull(name).raw(`}`)
}

func (w *writer) purchasing() {
	if !w.object("purchasing", "purchasing") {
		return
	}
	w.raw(`"isPurchased":`).bool("purchasing.isPurchased").raw(`,"isLeased":`).bool("purchasing.isLeased")
	w.raw(`,"poNumber":`).text("purchasing.poNumber").raw(`,"poDate":`).date("purchasing.poDate")
	w.raw(`,"vendor":`).text("purchasing.vendor").raw(`,"priceText":`).text("purchasing.priceText")
	w.raw(`,"price":`)
	if price := parsePrice(w.find("purchasing.price")); price != nil {
		w.raw(string(price))
	} else {
		w.null()
	}
	w.raw(`,"appleCareId":`).text("purchasing.appleCareId").raw(`,"warrantyExpires":`).date("purchasing.warrantyExpires")
	w.raw(`,"leaseExpires":`).date("purchasing.leaseExpires")
	w.raw(`,"lifeExpectancyYears":`).positive("purchasing.lifeExpectancyYears").raw(`}`)
}

func (w *writer) management() {
	if !w.object("management", "management") {
		return
	}
	w.raw(`"managed":`).bool("management.managed").raw(`,"supervised":`).bool("management.supervised")
	w.raw(`,"userApprovedMdm":`).bool("management.userApprovedMdm").raw(`,"mdmCapable":`).bool("management.mdmCapable")
	w.raw(`,"ownership":`).enum("management.ownership", ownership)
	w.raw(`,"automatedEnrollment":`).tristate(w.automatedEnrollment())
	w.enrollmentMethod()
	w.raw(`,"firstSeenOn":`).date("management.firstSeenOn").raw(`,"enrolledAt":`).time("management.enrolledAt")
	w.raw(`,"mdmProfileExpiresAt":`).time("management.mdmProfileExpiresAt")
	w.raw(`,"declarative":`).bool("management.declarative").raw(`}`)
}

func (w *writer) enrollmentMethod() {
	id, name, method := w.find("management.enrollmentMethod.id"), w.find("management.enrollmentMethod.name"), w.find("management.enrollmentMethod.type")
	w.raw(`,"enrollmentMethod":`)
	if id == nil && name == nil && method == nil {
		w.null()
		return
	}
	w.raw(`{"id":`).orNull(id).raw(`,"name":`).orNull(name).raw(`,"type":`).orNull(method).raw(`}`)
}

func (w *writer) security() {
	if !w.object("security", "security") {
		return
	}
	w.raw(`"diskEncryption":`)
	if w.shown("security.diskEncryption") {
		state, raw := w.diskEncryption()
		w.raw(`{"state":`).string(state).raw(`,"raw":`).orNull(raw).raw(`}`)
	} else {
		w.null()
	}
	w.raw(`,"sip":`).tristate(w.sip()).raw(`,"gatekeeper":`)
	if w.shown("security.gatekeeper") {
		w.raw(`{"enabled":`).tristate(w.gatekeeper()).raw(`,"raw":`).text("security.gatekeeper").raw(`}`)
	} else {
		w.null()
	}
	w.raw(`,"firewall":`).bool("security.firewall").raw(`,"activationLock":`).bool("security.activationLock")
	w.raw(`,"recoveryLock":`).bool("security.recoveryLock").raw(`,"secureBoot":`).enum("security.secureBoot", secureBoot)
	w.raw(`,"bootstrapTokenEscrowed":`).tristate(w.bootstrapToken())
	w.raw(`,"passcodePresent":`).bool("security.passcodePresent").raw(`,"passcodeCompliant":`).bool("security.passcodeCompliant")
	w.raw(`,"jailbroken":`).bool("security.jailbroken").raw(`,"lostMode":`).bool("security.lostMode")
	w.raw(`,"attestation":`).enum("security.attestation", attestation).raw(`}`)
}

func (w *writer) cellular() {
	if !w.object("cellular", "cellular") {
		return
	}
	w.raw(`"imei":`).digits(w.find("cellular.imei")).raw(`,"meid":`).digits(w.find("cellular.meid"))
	w.raw(`,"iccid":`).digits(w.find("cellular.iccid")).raw(`,"eid":`).digits(w.find("cellular.eid"))
	w.raw(`,"phoneNumber":`).text("cellular.phoneNumber")
	w.raw(`,"carrier":{"current":`).text("cellular.carrier.current").raw(`,"home":`).text("cellular.carrier.home").raw(`}`)
	country, mcc := homeCountry(w.find("cellular.homeCountry"))
	w.raw(`,"homeCountry":`).orNull(country).raw(`,"mcc":`).orNull(mcc).raw(`,"roaming":`).bool("cellular.roaming")
	w.subscriptions()
	w.raw(`}`)
}

func (w *writer) digits(text []byte) *writer { return w.orNull(hexDigits(text)) }

func (w *writer) subscriptions() {
	w.raw(`,"subscriptions":`)
	if !w.shown("cellular.subscriptions") {
		w.null()
		return
	}
	w.raw(`[`)
	first := true
	w.elements(w.entryAt("serviceSubscriptions[]"), func(at int32) {
		w.comma(&first).raw(`{"slot":`).orNull(w.memberText(at, "slot")).raw(`,"label":`).orNull(w.memberText(at, "label"))
		w.raw(`,"imei":`).digits(w.memberText(at, "imei")).raw(`,"meid":`).digits(w.memberText(at, "meid"))
		w.raw(`,"iccid":`).digits(w.memberText(at, "iccid")).raw(`,"eid":`).digits(w.memberText(at, "eid"))
		w.raw(`,"phoneNumber":`).orNull(w.memberText(at, "phoneNumber"))
		w.raw(`,"carrier":{"current":`).orNull(w.memberText(at, "currentCarrierNetwork"))
		w.raw(`,"home":`).orNull(w.memberText(at, "subscriberCarrierNetwork")).raw(`}`)
		w.raw(`,"dataPreferred":`).tristate(parseBool(w.memberText(at, "dataPreferred")))
		w.raw(`,"voicePreferred":`).tristate(parseBool(w.memberText(at, "voicePreferred")))
		w.raw(`,"roaming":`).tristate(parseBool(w.memberText(at, "roaming"))).raw(`}`)
	})
	w.raw(`]`)
}

// groups lists each group once: Jamf repeats some.
func (w *writer) groups() {
	w.raw(`,"groups":`)
	if !w.shown("groups") {
		w.null()
		return
	}
	array, smart := "groups[]", "smart"
	if w.schema.kind == Computer {
		array, smart = "groupMemberships[]", "smartGroup"
	}
	w.raw(`[`)
	first := true
	seen := map[string]bool{}
	w.elements(w.entryAt(array), func(at int32) {
		id := w.memberText(at, "groupId")
		if id != nil && seen[string(id)] {
			return
		}
		seen[string(id)] = true
		w.comma(&first).raw(`{"id":`).orNull(id).raw(`,"name":`).verbatim(w.memberNamed(at, "groupName"))
		w.raw(`,"smart":`).tristate(parseBool(w.memberText(at, smart))).raw(`}`)
	})
	w.raw(`]`)
}

// verbatim appends free text, in which no word means "nothing".
func (w *writer) verbatim(at int32) *writer {
	if at == 0 || w.entries[at].kind == jsontext.KindNull {
		return w.null()
	}
	return w.string(string(w.content(at)))
}

// extensionAttributes lists those of all sections; section says where each stands.
func (w *writer) extensionAttributes() {
	w.raw(`,"extensionAttributes":`)
	if !slices.ContainsFunc(w.schema.values, func(n *node) bool { return w.at[n.id] != 0 && w.entries[w.at[n.id]].kind != jsontext.KindNull }) {
		w.null() // A section without the key says nothing of its attributes.
		return
	}
	w.raw(`[`)
	first := true
	for _, n := range w.schema.values {
		w.elements(w.at[n.id], func(at int32) {
			w.comma(&first).extensionAttribute(at, sectionOf(n).name)
		})
	}
	w.raw(`]`)
}

func (w *writer) extensionAttribute(at int32, section string) {
	id, dataType, values := "id", "type", "value"
	if w.schema.kind == Computer {
		id, dataType, values = "definitionId", "dataType", "values"
	}
	w.raw(`{"id":`).orNull(w.memberText(at, id)).raw(`,"name":`).verbatim(w.memberNamed(at, "name")).raw(`,"type":`)
	if text := w.memberText(at, dataType); text == nil {
		w.null()
	} else {
		w.string(attributeType(string(text)))
	}
	w.raw(`,"values":`)
	if list := w.memberNamed(at, values); list != 0 && w.entries[list].kind == jsontext.KindBeginArray {
		w.raw(`[`)
		first := true
		for i := list + 1; i < w.entries[list].next; i = w.entries[i].next {
			w.comma(&first).verbatim(i)
		}
		w.raw(`]`)
	} else {
		w.null()
	}
	w.raw(`,"section":`).string(section).raw(`}`)
}

func (w *writer) sync(v View) {
	w.raw(`,"sync":{"state":`).string(v.State).raw(`,"sections":[`)
	first := true
	for _, n := range w.schema.sections {
		if w.keep.nodes[n.id] && w.came(n) {
			w.comma(&first).string(n.name)
		}
	}
	w.raw(`],"warnings":`).strings(w.warnings).raw(`,"duplicateOf":`).strings(v.DuplicateOf).raw(`}`)
}

func (w *writer) strings(list []string) *writer {
	w.raw(`[`)
	first := true
	for _, s := range list {
		w.comma(&first).string(s)
	}
	return w.raw(`]`)
}
