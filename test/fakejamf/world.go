package fakejamf

import (
	"fmt"
	"strings"
	"time"
)

// What the fleet plants so that tests can look for it.
const (
	// SecretMarker begins every planted secret: AirPlay passwords, unlock and bootstrap tokens, lost mode texts, a
	// Wi-Fi key in an extension attribute. Nothing that carries it may leave a gateway.
	SecretMarker = "hush-"
	// UnknownField is the name of a field that no document of Jamf's lists; a few records carry it in their sections.
	UnknownField = "notYetDocumented"
	// UnknownEnum is a value that no enumeration of Jamf's document lists; a few records carry it.
	UnknownEnum = "NOT_YET_DOCUMENTED"
)

// world is what a record is made of besides its own throws: the seed, the day the fleet was last seen, and word lists.
// Nothing but the names of departments, buildings and sites changes after it was made.
type world struct {
	seed  uint64
	epoch time.Time

	first, last   []string // "Jürgen:juergen"
	places        []string
	rooms         []string
	departments   *titles
	buildings     *titles
	sites         *titles // 0 = none
	groups        []string
	oddNames      []string
	apps          []string // "Name|bundle id|path"
	mobileApps    []string
	profiles      []string
	receipts      []string
	macs          []macModel
	macOS         []release
	ipads, phones []mobileModel
	tvs, watches  []mobileModel
	visions       []mobileModel
	attributes    []attribute
}

type macModel struct {
	name, identifier, cpu, board string
	cores, mhz                   int
	ram, disk                    []int // MB
	year, firstOS, lastOS        int   // major versions
	portable                     bool
}

func (m *macModel) silicon() bool { return m.mhz == 0 }

type release struct {
	major          int
	version, build string
}

type mobileModel struct {
	name, identifier, number, board string
	capacity                        []int // MB
	year, firstOS, lastOS           int
	cellular                        bool
}

type attribute struct {
	id                              int
	name, description, kind, values string // values: "a|b|c" to choose from, "#" a number, "@" a date, "!" a secret
	general                         bool
}

func newWorld(seed uint64, epoch time.Time) *world {
	w := &world{seed: seed, epoch: epoch.UTC().Truncate(time.Millisecond)}
	w.first = split("Jürgen:juergen|Zoë:zoe|Björn:bjoern|Ayşe:ayse|Anna:anna|Łukasz:lukasz|Jörg:joerg|Sophie:sophie|Günther:guenther|Mia:mia|François:francois|Noah:noah|Käthe:kaethe|Emil:emil|José:jose|Lena:lena|Ömer:oemer|Paul:paul|Dörte:doerte|Finn:finn")
	w.last = split("Müller:mueller|Groß:gross|Jäger:jaeger|Schmidt:schmidt|Weiß:weiss|Yılmaz:yilmaz|König:koenig|O'Neill:oneill|Schröder:schroeder|von der Höh:vonderhoeh|Krüger:krueger|Nguyễn:nguyen|Bär:baer|Fischer:fischer|Möller:moeller|Wójcik:wojcik")
	w.places = split("Gymnasium am Königssee|Grundschule Süd|Städtische Realschule|Förderschule „Am Bächle“|Stadtbücherei|Schulamt Öhringen")
	w.rooms = split("A 1.07|Aula|Lehrerzimmer|Bücherei|PC-Raum 2|Rektorat|Werkstatt (UG)|Küche|3.OG links|")
	w.departments = newTitles("Verwaltung|Lehrkräfte|Schüler/innen|IT & Medien|Förderung \"Inklusion\"|Qualitätssicherung")
	w.buildings = newTitles("Hauptgebäude|Neubau|Turnhalle Süd|Außenstelle Öhringen")
	w.sites = newTitles("Gymnasium am Königssee|Grundschule Süd|Realschule")
	w.groups = split("Alle verwalteten Macs|macOS älter als 14|Lehrergeräte|Schülerkoffer 3|Wenig Speicher (< 10 GB)|FileVault aus 🔓|Beta \"Ring 1\"|iPads Klasse 7b|Ausgemustert?|Wartung fällig")
	w.oddNames = split("📚 Bücherei 2|Größe „XL“ – Straße 7|המחשב של דוד|حاسوب المكتبة ٣|MacBook Pro von Zoë 🎨|MB \"Kunst\" 4|Mac mini  |<script>alert(1)</script>|=HYPERLINK(\"http://x.example\")|Tab\tund Zeile\n2|zero\u200bwidth|e\u0301 gegen \u00e9|C:\\Schule\\Mac|👩🏽‍🏫 Lehrergerät|\u202Eoben|Bell\aName")
	w.apps = split("Microsoft Word|com.microsoft.Word|/Applications/Microsoft Word.app;Safari|com.apple.Safari|/Applications/Safari.app;Pages|com.apple.iWork.Pages|/Applications/Pages.app;GarageBand|com.apple.garageband10|/Applications/GarageBand.app;Firefox|org.mozilla.firefox|/Applications/Firefox.app;Lernwerkstatt für Schüler|de.example.lernwerkstatt|/Applications/Lernwerkstatt für Schüler.app;zoom.us|us.zoom.xos|/Applications/zoom.us.app;Xcode|com.apple.dt.Xcode|/Applications/Xcode.app;Self Service+|com.jamf.selfserviceplus|/Applications/Self Service+.app;VLC|org.videolan.vlc|/Applications/VLC.app;Übungsheft|de.example.uebungsheft|/Applications/Übungsheft.app;Teams|com.microsoft.teams2|/Applications/Microsoft Teams.app", ";")
	w.mobileApps = split("Pages|com.apple.Pages;Anton|de.anton.app;Schulmanager|de.example.schulmanager;WebUntis|com.untis.mobile;Bücherwürmer|de.example.buecher;Klassenzimmer|com.apple.classroom;Jamf Self Service|com.jamfsoftware.selfservice;Dating (privat)|com.example.dating;Keynote|com.apple.Keynote", ";")
	w.profiles = split("WLAN Schule|VPN Verwaltung|MDM Profile|Passcode|Drucker 2.OG|FileVault|Zertifikat \"Root CA\"|Einschränkungen Schüler")
	w.receipts = split("com.jamf.protect.JamfProtect|com.microsoft.package.Microsoft_Word.app|com.apple.pkg.Core|de.example.schulpaket|com.apple.pkg.MobileAssets|org.videolan.vlc.pkg")
	w.macs, w.macOS = macModels(), macReleases()
	w.ipads, w.phones = ipadModels(), phoneModels()
	w.tvs, w.watches, w.visions = tvModels(), watchModels(), visionModels()
	w.attributes = attributes()
	return w
}

func split(list string, by ...string) []string {
	if len(by) > 0 {
		return strings.Split(list, by[0])
	}
	return strings.Split(list, "|")
}

func macModels() []macModel {
	small, big := []int{8192, 16384}, []int{16384, 32768, 65536}
	ssd, large := []int{121_000, 245_107, 494_384}, []int{494_384, 994_662, 2_000_398}
	return []macModel{
		{name: "13-inch MacBook Pro (Mid 2012)", identifier: "MacBookPro9,2", cpu: "Dual-Core Intel Core i5", board: "Mac-6F01561E16C75D06", cores: 2, mhz: 2500, ram: []int{4096, 8192}, disk: []int{500_107}, year: 2012, firstOS: 10, lastOS: 10, portable: true},
		{name: "iMac (27-inch, Late 2015)", identifier: "iMac17,1", cpu: "Quad-Core Intel Core i5", board: "Mac-65CE76090165799A", cores: 4, mhz: 3200, ram: small, disk: []int{1_000_204}, year: 2015, firstOS: 10, lastOS: 12},
		{name: "MacBook Air (13-inch, 2017)", identifier: "MacBookAir7,2", cpu: "Dual-Core Intel Core i5", board: "Mac-937CB26E2E02BB01", cores: 2, mhz: 1800, ram: small, disk: ssd, year: 2017, firstOS: 11, lastOS: 12, portable: true},
		{name: "Mac mini (2018)", identifier: "Macmini8,1", cpu: "6-Core Intel Core i5", board: "J174AP", cores: 6, mhz: 3000, ram: small, disk: ssd, year: 2018, firstOS: 12, lastOS: 15},
		{name: "MacBook Pro (16-inch, 2019)", identifier: "MacBookPro16,1", cpu: "8-Core Intel Core i9", board: "J152fAP", cores: 8, mhz: 2300, ram: big, disk: large, year: 2019, firstOS: 12, lastOS: 26, portable: true},
		{name: "MacBook Air (M1, 2020)", identifier: "MacBookAir10,1", cpu: "Apple M1", board: "J313AP", cores: 8, ram: small, disk: ssd, year: 2020, firstOS: 11, lastOS: 26, portable: true},
		{name: "Mac mini (M1, 2020)", identifier: "Macmini9,1", cpu: "Apple M1", board: "J274AP", cores: 8, ram: small, disk: ssd, year: 2020, firstOS: 12, lastOS: 26},
		{name: "iMac (24-inch, M1, 2021)", identifier: "iMac21,1", cpu: "Apple M1", board: "J456AP", cores: 8, ram: small, disk: ssd, year: 2021, firstOS: 13, lastOS: 26},
		{name: "MacBook Pro (14-inch, 2021)", identifier: "MacBookPro18,3", cpu: "Apple M1 Pro", board: "J314sAP", cores: 10, ram: big, disk: large, year: 2021, firstOS: 13, lastOS: 26, portable: true},
		{name: "Mac Studio (2022)", identifier: "Mac13,1", cpu: "Apple M1 Max", board: "J375cAP", cores: 10, ram: big, disk: large, year: 2022, firstOS: 14, lastOS: 26},
		{name: "MacBook Air (13-inch, M2, 2022)", identifier: "Mac14,2", cpu: "Apple M2", board: "J413AP", cores: 8, ram: small, disk: ssd, year: 2022, firstOS: 14, lastOS: 26, portable: true},
		{name: "MacBook Pro (14-inch, M3, Nov 2023)", identifier: "Mac15,3", cpu: "Apple M3", board: "J504AP", cores: 8, ram: small, disk: large, year: 2023, firstOS: 14, lastOS: 26, portable: true},
		{name: "MacBook Air (15-inch, M4, 2025)", identifier: "Mac16,13", cpu: "Apple M4", board: "J715AP", cores: 10, ram: big, disk: ssd, year: 2025, firstOS: 15, lastOS: 26, portable: true},
		{name: "Apple Virtual Machine 1", identifier: "VirtualMac2,1", cpu: "Apple processor", board: "VMA2MACOSAP", cores: 4, ram: small, disk: []int{68_719}, year: 2022, firstOS: 13, lastOS: 26},
	}
}

func macReleases() []release {
	return []release{
		{10, "10.13.6", "17G14042"},
		{10, "10.15.7", "19H2026"},
		{11, "11.7.10", "20G1427"},
		{12, "12.7.6", "21H1320"},
		{13, "13.7.8", "22H730"},
		{14, "14.8.2", "23J126"},
		{15, "15.5", "24F74"},
		{15, "15.7.2", "24G325"},
		{26, "26.0", "25A354"},
		{26, "26.1", "25B78"},
	}
}

func ipadModels() []mobileModel {
	s := []int{30_517, 122_070, 244_140}
	return []mobileModel{
		{"iPad 5th Generation (Wi-Fi)", "iPad6,11", "MP2F2FD", "J71sAP", s[:2], 2017, 14, 16, false},
		{"iPad 7th Generation (Wi-Fi)", "iPad7,11", "MW742FD", "J171AP", s[:2], 2019, 15, 18, false},
		{"iPad 9th Generation (Wi-Fi)", "iPad12,1", "MK2K3FD", "J181AP", s, 2021, 16, 26, false},
		{"iPad 9th Generation (Wi-Fi + Cellular)", "iPad12,2", "MK473FD", "J182AP", s, 2021, 16, 26, true},
		{"iPad (A16)", "iPad15,7", "MD3Y4NF", "J481AP", s[1:], 2025, 18, 26, false},
		{"iPad Pro 11-inch (M4)", "iPad16,3", "MVV83NF", "J717AP", s[1:], 2024, 18, 26, false},
	}
}

func phoneModels() []mobileModel {
	s := []int{61_035, 122_070, 244_140}
	return []mobileModel{
		{"iPhone 8", "iPhone10,4", "MQ6G2ZD", "D201AP", s[:1], 2017, 14, 16, true},
		{"iPhone SE (2nd Generation)", "iPhone12,8", "MX9R2ZD", "D79AP", s, 2020, 15, 26, true},
		{"iPhone 13", "iPhone14,5", "MLPF3ZD", "D17AP", s[1:], 2021, 17, 26, true},
		{"iPhone 15", "iPhone15,4", "MTP03ZD", "D37AP", s[1:], 2023, 17, 26, true},
		{"iPhone 16e", "iPhone17,5", "MD1Q4ZD", "V59AP", s[1:], 2025, 18, 26, true},
	}
}

func tvModels() []mobileModel {
	return []mobileModel{
		{"Apple TV HD", "AppleTV5,3", "MGY52FD", "J42dAP", []int{30_517}, 2015, 16, 18, false},
		{"Apple TV 4K (3rd Generation)", "AppleTV14,1", "MN873FD", "J255AP", []int{61_035, 122_070}, 2022, 17, 26, false},
	}
}

func watchModels() []mobileModel {
	return []mobileModel{
		{"Apple Watch Series 9 (45 mm)", "Watch7,2", "MR9D3QF", "N207sAP", []int{61_035}, 2023, 10, 26, false},
		{"Apple Watch SE (2nd Generation)", "Watch6,10", "MRE23QF", "N143sAP", []int{30_517}, 2022, 10, 26, false},
	}
}

func visionModels() []mobileModel {
	return []mobileModel{{"Apple Vision Pro", "RealityDevice14,1", "MQL83ZD", "N301AP", []int{244_140, 488_281}, 2024, 2, 26, false}}
}

func attributes() []attribute {
	return []attribute{
		{3, "Leasingvertrag", "Nummer des Leasingvertrags", "STRING", "LV-2023-0042|LV-2024-0107|keiner|", true},
		{6, "Schulnummer", absent, "INTEGER", "#", true},
		{8, "WLAN-Schlüssel (alt)", "Stand vor der Umstellung", "STRING", "!", false},
		{11, "Letzte Sichtprüfung", "DGUV V3", "DATE_TIME", "@", false},
		{14, "Koffer", "Gerätekoffer", "STRING", "Koffer 1|Koffer 2|Koffer „Grün“|", false},
		{23, "Installierte Schriften", absent, "STRING", "Grundschrift\nSchulausgangsschrift|Lateinische Ausgangsschrift", false},
	}
}

// person is who uses a device; all its texts are absent or empty when nobody is assigned.
type person struct {
	username, name, email, position, phone, room string
	department, building                         int // 0 = none, else 1-based
}

func (w *world) person(d *dice) person {
	switch d.n(10) {
	case 0:
		return person{username: "", name: "", email: "", position: "", phone: "", room: ""}
	case 1:
		return person{username: absent, name: absent, email: absent, position: absent, phone: absent, room: absent}
	}
	firstName, firstASCII, _ := strings.Cut(pick(d, w.first), ":")
	lastName, lastASCII, _ := strings.Cut(pick(d, w.last), ":")
	user := firstASCII[:1] + "." + lastASCII
	return person{
		username: user, name: firstName + " " + lastName, email: user + "@schule-am-see.example",
		position: pick(d, []string{"Lehrkraft", "Schüler/in", "", absent, "IT-Betreuung"}),
		phone:    pick(d, []string{"", absent, fmt.Sprintf("+49 7941 555%03d", d.n(1000))}),
		room:     pick(d, w.rooms), department: d.n(w.departments.len() + 1), building: d.n(w.buildings.len() + 1),
	}
}

// ref is the text of a reference to a list entry: "-1" stands for none, as on the wire.
func ref(n int) string {
	if n == 0 {
		return "-1"
	}
	return fmt.Sprint(n)
}

// siteName is the name that records carry: a device without a site is in "None".
func (w *world) siteName(n int) string {
	if n == 0 {
		return "None"
	}
	return entry(w.sites, n)
}

// entry is the name behind a reference, absent for none.
func entry(t *titles, n int) string {
	list := t.list()
	if n < 1 || n > len(list) {
		return absent
	}
	return list[n-1]
}

// ago is a moment up to max before the epoch, with 0 to 3 fraction digits.
func (w *world) ago(d *dice, most time.Duration) time.Time {
	back := time.Duration(d.next() >> 1 % uint64(most))
	t := w.epoch.Add(-back).Truncate(time.Millisecond)
	switch d.n(4) {
	case 0:
		t = t.Truncate(time.Second)
	case 1:
		t = t.Truncate(100 * time.Millisecond)
	case 2:
		t = t.Truncate(10 * time.Millisecond)
	}
	return t
}

const (
	day  = 24 * time.Hour
	year = 365 * day
)
