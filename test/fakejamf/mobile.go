package fakejamf

import (
	"fmt"
	"strings"
	"time"
)

// The types of mobile devices as the detail list writes them. Unknown stands for rows such as Android's, which have no general key.
const (
	typeIOS     = "iOS"
	typeTVOS    = "tvOS"
	typeWatchOS = "watchOS"
	typeVision  = "visionOS"
	typeUnknown = "Unknown"
)

// mobile is what decides a mobile device's record.
type mobile struct {
	row                                     row
	deviceType                              string
	name, serial, udid, managementID, tag   string
	model                                   *mobileModel
	osVersion, osBuild, ownership           string
	user                                    person
	fresh, personal, managed, supervised    bool
	shared, prestage, lost                  bool
	inventory, contact, enrolled            time.Time
	expiry, backup                          time.Time
	wifi, bluetooth, phone                  string
	site, capacity, free, battery           int
	odd, unknownField, future, lockedDevice bool
}

func (m *mobile) lowerType() string { return strings.ToLower(m.deviceType) }

func (w *world) mobileName(r row) string {
	if r.named {
		return r.name
	}
	d := roll(w.seed, kindMobile, uint64(r.id), saltName, uint64(r.version))
	switch p := d.n(100); {
	case p < 50:
		return fmt.Sprintf("iPad-%d%s-%02d", d.in(5, 13), pick(&d, []string{"a", "b", "c"}), d.n(33))
	case p < 70:
		firstName, _, _ := strings.Cut(pick(&d, w.first), ":")
		return "iPhone von " + firstName
	case p < 80:
		return pick(&d, []string{"iPad", "iPhone", "Apple TV"})
	case p < 93:
		return fmt.Sprintf("Schülergerät %d", d.n(2000))
	case p < 98:
		return pick(&d, w.oddNames)
	}
	return pick(&d, []string{"", absent, "None"})
}

// mobileType throws what kind of device an id is.
func (w *world) mobileType(d *dice) string {
	switch p := d.n(1000); {
	case p < 860:
		return typeIOS
	case p < 940:
		return typeTVOS
	case p < 975:
		return typeWatchOS
	case p < 993:
		return typeVision
	}
	return typeUnknown
}

func (w *world) mobile(r row) *mobile {
	d := w.dice(kindMobile, saltFacts, r.id)
	m := &mobile{row: r, deviceType: w.mobileType(&d), name: w.mobileName(r), serial: w.serial(kindMobile, r.id), managementID: d.uuid(false)}
	if r.reserialled {
		m.serial = r.serial
	}
	m.model = w.mobileModel(&d, m.deviceType)
	m.shared = strings.HasPrefix(m.model.identifier, "iPad") && d.permille(250)
	m.udid = mobileUDID(&d, m.model)
	m.user = w.person(&d)
	m.fresh = d.permille(15)
	m.managed = !d.permille(40)
	m.ownership = "Institutional"
	m.personal = m.deviceType == typeIOS && !m.shared && d.permille(120)
	m.supervised = m.managed && !m.personal && !d.permille(80)
	m.prestage = m.supervised && d.permille(850)
	m.lost = m.supervised && m.deviceType != typeTVOS && d.permille(15)
	m.odd, m.unknownField, m.future, m.lockedDevice = d.permille(40), d.permille(30), d.permille(10), d.permille(30)
	m.tag = pick(&d, []string{absent, "", fmt.Sprintf("MOB-%06d", r.id)})
	m.site = d.n(w.sites.len() + 1)
	m.capacity = pick(&d, m.model.capacity)
	m.free = m.capacity * d.in(2, 95) / 100
	m.battery = d.in(-1, 100)
	m.wifi, m.bluetooth = d.mac(d.permille(500)), d.mac(false)
	m.phone = pick(&d, []string{absent, "", fmt.Sprintf("+49 151 555%05d", d.n(100_000))})
	if !m.model.cellular {
		m.phone = absent
	}
	m.osVersion, m.osBuild = mobileOS(&d, m)
	w.mobileTimes(m)
	if m.personal {
		m.hideOwner(&d)
	}
	return m
}

// hideOwner takes away what a user enrolment does not tell.
func (m *mobile) hideOwner(d *dice) {
	m.ownership = pick(d, []string{"UserEnrollment", "AccountDrivenUserEnrollment", "AccountDrivenDeviceEnrollment"})
	if m.ownership == "AccountDrivenDeviceEnrollment" {
		return
	}
	none := pick(d, []string{absent, ""})
	m.serial, m.udid, m.wifi, m.bluetooth, m.phone = none, none, none, none, absent
}

func (w *world) mobileModel(d *dice, deviceType string) *mobileModel {
	list := w.phones
	switch deviceType {
	case typeIOS:
		if d.permille(650) {
			list = w.ipads
		}
	case typeTVOS:
		list = w.tvs
	case typeWatchOS:
		list = w.watches
	case typeVision:
		list = w.visions
	}
	return &list[d.n(len(list))]
}

func mobileUDID(d *dice, m *mobileModel) string {
	switch {
	case d.permille(4):
		return absent
	case m.year >= 2019:
		return "00008" + d.letters(3, "0123456789") + "-" + d.hex(16, true)
	}
	return d.hex(40, false)
}

func mobileOS(d *dice, m *mobile) (version, build string) {
	if m.fresh {
		return absent, absent
	}
	major := m.model.lastOS
	if d.permille(400) {
		major = d.in(m.model.firstOS, m.model.lastOS)
	}
	if major > 18 && major < 26 && m.deviceType != typeWatchOS { // Apple went from 18 to 26
		major = 18
	}
	version = fmt.Sprintf("%d.%d", major, d.n(6))
	if d.permille(300) {
		version += fmt.Sprintf(".%d", d.in(1, 3))
	}
	return version, fmt.Sprintf("%d%s%d", major+5, pick(d, []string{"A", "B", "F"}), d.in(50, 450))
}

func (w *world) mobileTimes(m *mobile) {
	d := w.dice(kindMobile, saltTimes, m.row.id)
	m.enrolled = w.ago(&d, 3*year)
	m.expiry = m.enrolled.Add(2 * year)
	if d.permille(300) {
		m.backup = w.ago(&d, 60*day)
	}
	if m.fresh {
		return
	}
	span := 4 * day
	if d.permille(200) {
		span = year
	}
	m.inventory, m.contact = w.ago(&d, span), w.ago(&d, span)
	if m.row.version > 0 {
		moved := time.Duration(m.row.version) * 17 * time.Minute
		m.inventory, m.contact = m.inventory.Add(moved), m.contact.Add(moved)
	}
	if m.lockedDevice {
		m.contact = time.Time{}
	}
}

// mobileSummary writes one element of the plain list: exactly twelve fields.
func (s *shapes) mobileSummary(w *writer, r row) {
	m := s.world.mobile(r)
	w.openObject()
	w.id("id", r.id)
	w.str("name", m.name)
	w.str("serialNumber", m.serial)
	w.str("wifiMacAddress", m.wifi)
	w.str("udid", m.udid)
	w.str("phoneNumber", m.phone)
	w.str("model", m.model.name)
	w.str("modelIdentifier", m.model.identifier)
	w.str("username", m.user.username)
	w.str("type", m.lowerType())
	w.str("managementId", m.managementID)
	w.null("softwareUpdateDeviceId") // null on the wire, although not declared nullable
	w.closeObject()
}
