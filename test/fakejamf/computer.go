package fakejamf

import (
	"fmt"
	"strings"
	"time"
)

// computer is what decides a computer's record: a pure function of the seed, its id and how often it was changed.
type computer struct {
	row                                      row
	name, serial, udid, managementID, tag    string
	model                                    *macModel
	os                                       release
	user                                     person
	virtual, fresh                           bool // fresh: enrolled, but no inventory yet
	managed, supervised, ade, encrypted      bool
	report, checkIn, contact, enrolled       time.Time
	expiry, entry, backup                    time.Time
	primaryMAC, alternateMAC                 string
	publicIP, ownIP, ownIP6                  string
	site, disk, free, ram                    int
	odd, unknownField, future, lockedContact bool
}

// What a throw for one device or one of its sections is made for.
const (
	saltFacts = iota + 1
	saltName
	saltSerial
	saltTimes
	saltGeneral
	saltHardware
	saltStorage
	saltSecurity
	saltApplications
	saltProfiles
	saltCertificates
	saltGroups
	saltAttributes
	saltPurchasing
	saltAccounts
	saltSmall
	saltCaching
	saltNetwork
	saltIDs
	saltFaults
	saltOrder
	saltToken
)

const (
	kindComputer uint64 = 1
	kindMobile   uint64 = 2
)

func (k Kind) number() uint64 {
	if k == Mobile {
		return kindMobile
	}
	return kindComputer
}

func (w *world) dice(kind, salt uint64, id int64) dice {
	return roll(w.seed, kind, uint64(id), salt)
}

// computerName is the name in one version of a record; a row may carry a given one instead.
func (w *world) computerName(r row) string {
	if r.named {
		return r.name
	}
	d := roll(w.seed, kindComputer, uint64(r.id), saltName, uint64(r.version))
	switch p := d.n(100); {
	case p < 40:
		return fmt.Sprintf("GYM-MAC-%04d", d.n(10000))
	case p < 60:
		firstName, _, _ := strings.Cut(pick(&d, w.first), ":")
		return "MacBook Air von " + firstName
	case p < 75:
		return fmt.Sprintf("Schülerlaptop %d", d.n(400))
	case p < 85:
		return fmt.Sprintf("%s – %s", pick(&d, w.places), pick(&d, w.rooms))
	case p < 94:
		return pick(&d, []string{"MacBook Air", "iMac", "Mac mini", "MacBook Pro"})
	case p < 98:
		return pick(&d, w.oddNames)
	case p < 99:
		return strings.Repeat("Sehr langer Gerätename ", 11)
	}
	return pick(&d, []string{"", absent, "Not Available", " "})
}

const (
	oldSerials = "0123456789CDFGHJKLMNPQRSTVWXYZ"
	newSerials = "0123456789CDFGHJKLMNPQRTVWXY"
)

// boardSerial is the serial that the logic board of an id came with.
func (w *world) boardSerial(kind uint64, id int64) string {
	d := w.dice(kind, saltSerial, id)
	if d.permille(450) {
		return pick(&d, []string{"C02", "FVF", "DMP", "F9F"}) + d.letters(9, oldSerials)
	}
	return d.letters(10, newSerials)
}

// serial is what Jamf has as the serial of an id: mostly its board's, sometimes another's, sometimes nothing.
func (w *world) serial(kind uint64, id int64) string {
	d := w.dice(kind, saltIDs, id)
	switch p := d.n(1000); {
	case p < 3:
		return absent
	case p < 5:
		return ""
	case p < 7:
		return "Not Available"
	case p < 8:
		return "0"
	case p < 12:
		return w.boardSerial(kind, max(1, id-int64(1+d.n(40))))
	case p < 14:
		return " " + strings.ToLower(w.boardSerial(kind, id)) + " "
	}
	return w.boardSerial(kind, id)
}

func (w *world) computer(r row) *computer {
	d := w.dice(kindComputer, saltFacts, r.id)
	c := &computer{row: r, name: w.computerName(r), serial: w.serial(kindComputer, r.id), managementID: d.uuid(false), udid: d.uuid(true)}
	if r.reserialled {
		c.serial = r.serial
	}
	c.model = &w.macs[w.macIndex(&d)]
	c.virtual = strings.HasPrefix(c.model.identifier, "Virtual")
	if c.virtual {
		c.serial = "Z" + d.letters(9, newSerials)
		if d.permille(400) {
			c.udid = "4203018E-580F-C1B5-9525-B745CECA79EB"
		}
	}
	if d.permille(3) {
		c.udid = absent
	}
	c.os = w.releaseFor(&d, c.model)
	c.user = w.person(&d)
	c.fresh = d.permille(12)
	c.managed = !d.permille(30)
	c.supervised = c.managed && !d.permille(100)
	c.ade = c.supervised && d.permille(850)
	c.encrypted = d.permille(800)
	c.odd = d.permille(40)
	c.unknownField = d.permille(30)
	c.future = d.permille(10)
	c.lockedContact = d.permille(20)
	c.tag = pick(&d, []string{absent, "", fmt.Sprintf("INV-%06d", r.id), fmt.Sprintf("INV-%06d", r.id), fmt.Sprintf("%d", 300000+r.id)})
	c.site = d.n(w.sites.len() + 1)
	c.ram, c.disk = pick(&d, c.model.ram), pick(&d, c.model.disk)
	c.free = c.disk * d.in(3, 90) / 100
	c.primaryMAC, c.alternateMAC = d.mac(true), d.mac(true)
	if d.permille(30) {
		c.primaryMAC = "00:00:00:00:00:00"
	}
	if d.permille(60) {
		c.alternateMAC = fmt.Sprintf("02:D0:CC:00:00:%02X", d.n(6)) // a dock that travels
	}
	c.publicIP = fmt.Sprintf("203.0.113.%d", d.in(1, 254))
	c.ownIP = fmt.Sprintf("10.%d.%d.%d", d.n(40), d.n(256), d.in(1, 254))
	c.ownIP6 = pick(&d, []string{absent, "", "fe80::" + d.hex(4, false) + ":" + d.hex(4, false)})
	w.computerTimes(c)
	return c
}

// macIndex throws a model; one Mac in two hundred is a virtual machine.
func (w *world) macIndex(d *dice) int {
	if d.permille(5) {
		return len(w.macs) - 1
	}
	return d.n(len(w.macs) - 1)
}

func (w *world) releaseFor(d *dice, m *macModel) release {
	for range 8 {
		r := pick(d, w.macOS)
		if r.major >= m.firstOS && r.major <= m.lastOS {
			return r
		}
	}
	for i := len(w.macOS) - 1; i > 0; i-- {
		if w.macOS[i].major <= m.lastOS {
			return w.macOS[i]
		}
	}
	return w.macOS[0]
}

func (w *world) computerTimes(c *computer) {
	d := w.dice(kindComputer, saltTimes, c.row.id)
	c.enrolled = w.ago(&d, 4*year)
	c.entry = c.enrolled.Add(-time.Duration(d.n(200)) * day)
	c.expiry = c.enrolled.Add(2 * year)
	if d.permille(300) {
		c.backup = w.ago(&d, 90*day)
	}
	if c.fresh {
		return
	}
	span := 3 * day
	if d.permille(150) {
		span = year
	}
	c.report = w.ago(&d, span)
	c.contact = w.ago(&d, span)
	c.checkIn = w.ago(&d, span)
	if c.row.version > 0 {
		moved := time.Duration(c.row.version) * 17 * time.Minute
		c.report, c.contact = c.report.Add(moved), c.contact.Add(moved)
	}
	if c.lockedContact {
		c.contact, c.checkIn = time.Time{}, time.Time{}
	}
}
