package report

import (
	"slices"
	"strconv"
	"strings"

	"jamf-gateway/gateway/device"
)

// comparison puts what Jamf's rights open beside what the gateway keeps and shows.
func (p *page) comparison(f Facts) {
	p.heading(2, text{EN: "3. What the rights in Jamf open, and what remains of it", DE: "3. Was die Rechte in Jamf öffnen und was davon bleibt"})
	computer, mobile := device.Opened(device.Computer), device.Opened(device.Mobile)
	p.para(text{
		EN: "Jamf Pro grants the right to read devices per kind of device, not per field. A program with these two rights can read %d fields of a computer and %d fields of an iPhone or iPad, at any time, among them lists of installed applications, users and places. Through the gateway it reads this:",
		DE: "Jamf Pro vergibt Leserechte je Geräteart, nicht je Feld. Ein Programm mit diesen beiden Rechten kann von einem Computer %d und von einem iPhone oder iPad %d Felder lesen, und zwar jederzeit, darunter Listen installierter Anwendungen, Nutzerangaben und Orte. Über das Gateway liest es Folgendes:",
	}, computer.Fields, mobile.Fields)
	head := p.cells(
		text{EN: "Who reads", DE: "Wer liest"}, text{EN: "Kind", DE: "Geräteart"}, text{EN: "Fields", DE: "Felder"}, text{EN: "about applications", DE: "zu Anwendungen"},
		text{EN: "about users", DE: "zu Nutzern"}, text{EN: "about places", DE: "zu Orten"}, text{EN: "name of the device", DE: "Gerätename"},
	)
	row := func(who cell, k device.Kind, e device.Exposure) []cell {
		return []cell{who, plain(p.kind(k)), number(e.Fields), number(e.Apps), number(e.Users), number(e.Locations), plain(p.yes(e.Names > 0))}
	}
	var rows [][]cell
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		who := p.say(text{EN: "any program with the right %q, without the gateway", DE: "jedes Programm mit dem Recht %q, ohne Gateway"}, rightOf(k))
		rows = append(rows, row(plain(who), k, device.Opened(k)))
	}
	for _, c := range f.Clients {
		for _, s := range c.Shown {
			rows = append(rows, row(plain(p.say(text{EN: "%s, from %s", DE: "%s, aus %s"}, c.ID, s.Source)), s.Kind, s.Kept))
		}
	}
	p.table(head, rows)
	p.para(text{
		EN: "Counted are the fields that Jamf documents for the newest version of its lists, for mobile devices those of an iPhone or iPad, whether they are filled or not. Section 6 names each one that leaves, those of older versions of the lists too, which is why it counts a few more.",
		DE: "Gezählt sind die Felder, die Jamf für die neueste Fassung seiner Listen dokumentiert, bei Mobilgeräten die eines iPhones oder iPads, gefüllt oder nicht. Abschnitt 6 führt jedes weitergegebene Feld einzeln auf, auch die älterer Fassungen der Listen, und zählt deshalb einige mehr.",
	})
}

func rightOf(k device.Kind) string {
	if k == device.Computer {
		return "Read Computers"
	}
	return "Read Mobile Devices"
}

// asked is what is requested of Jamf, and what of that is stored.
func (p *page) asked(f Facts) {
	p.heading(2, text{EN: "4. What is asked of Jamf and what is stored", DE: "4. Was bei Jamf abgefragt und was gespeichert wird"})
	p.para(text{
		EN: "The gateway asks for the sections that contain at least one field to be kept. Of the answer everything else is discarded in memory, before anything is stored, cached, logged or traced. A field that Jamf adds is discarded until a release of the gateway knows it and a profile names it.",
		DE: "Das Gateway fragt nur die Abschnitte eines Datensatzes ab, die mindestens ein zu speicherndes Feld enthalten. Alles Übrige wird im Arbeitsspeicher verworfen, bevor etwas gespeichert, zwischengespeichert, protokolliert oder nachverfolgt wird. Felder, die Jamf neu einführt, werden verworfen, bis eine Programmversion sie kennt und ein Profil sie nennt.",
	})
	for _, s := range f.Sources {
		state := text{EN: "Source %s", DE: "Quelle %s"}
		if s.Disabled {
			state = text{EN: "Source %s (switched off: not read, what is stored stays)", DE: "Quelle %s (abgeschaltet: wird nicht gelesen, Gespeichertes bleibt)"}
		}
		p.heading(3, state, s.Name)
		p.para(text{EN: "Address %s, profile of what is stored: %s.", DE: "Adresse %s, Profil der Speicherung: %s."}, s.URL, s.Profile)
		var rows [][]cell
		for _, k := range s.Kinds {
			rows = append(rows, []cell{
				plain(p.kind(k.Kind)), plain(k.Right), code(strings.Join(k.Sections, ", ")), number(k.Asked), number(len(k.Fields)), plain(p.classes(k.Fields)),
			})
		}
		p.table(p.cells(text{EN: "Kind", DE: "Geräteart"}, text{EN: "Right in Jamf", DE: "Recht in Jamf"}, text{EN: "Sections asked for", DE: "Abgefragte Abschnitte"},
			text{EN: "Fields sent by Jamf", DE: "Von Jamf übertragene Felder"}, text{EN: "Fields stored", DE: "Gespeicherte Felder"}, text{EN: "Categories stored", DE: "Gespeicherte Kategorien"}), rows)
		p.askedBeside(s)
		for _, k := range s.Kinds {
			p.storedBeyond(f, s, k)
		}
	}
	p.para(text{
		EN: "Beside that: the connection test and the heartbeats ask which rights the credentials have and for one row of each list, of which the total is kept. Where the list of details does not give a mobile device, the short list is read (12 fields, among them user name and phone number); what the profile does not allow is discarded from it as well.",
		DE: "Daneben: Verbindungstest und Lebenszeichen fragen, welche Rechte die Zugangsdaten haben, und eine Zeile jeder Liste ab, von der nur die Gesamtzahl behalten wird. Liefert die Detailliste ein Mobilgerät nicht, wird die Kurzliste gelesen (12 Felder, darunter Benutzername und Telefonnummer); auch daraus wird verworfen, was das Profil nicht zulässt.",
	})
}

// askedBeside is what of a source is asked for beside records.
func (p *page) askedBeside(s Source) {
	var items []string
	if len(s.Lists) > 0 {
		items = append(items, p.say(text{
			EN: "Names for ids are read, with the rights %s.", DE: "Zu Kennungen werden Namen gelesen, mit den Rechten %s.",
		}, strings.Join(s.Lists, ", ")))
	}
	var terms []string
	for _, k := range s.Kinds {
		for _, t := range k.Terms {
			if !slices.Contains(terms, t) {
				terms = append(terms, t)
			}
		}
	}
	if len(terms) > 0 {
		items = append(items, p.say(text{
			EN: "So that devices can be left out (section 5), the answer yes or no is stored with each device to: %s. No other group or site is stored for it.",
			DE: "Damit Geräte ausgenommen werden können (Abschnitt 5), wird je Gerät die Antwort ja oder nein gespeichert auf: %s. Andere Gruppen oder Standorte werden dafür nicht gespeichert.",
		}, strings.Join(terms, ", ")))
	}
	for _, t := range s.Passthrough {
		items = append(items, p.say(text{
			EN: "Further path of Jamf: GET %s, kept in memory for %s, passed on as Jamf answers it.",
			DE: "Weiterer Pfad von Jamf: GET %s, im Arbeitsspeicher gehalten für %s, unverändert weitergegeben.",
		}, t.Path, p.duration(t.TTL)))
	}
	p.list(items...)
}

// storedBeyond lists what is stored of a kind and shown to nobody.
func (p *page) storedBeyond(f Facts, s Source, k SourceKind) {
	var only []string
	for _, field := range k.Fields {
		if !slices.ContainsFunc(f.Clients, func(c Client) bool {
			return slices.ContainsFunc(c.Shown, func(shown Shown) bool {
				return shown.Source == s.Name && shown.Kind == k.Kind &&
					slices.ContainsFunc(shown.Fields, func(f device.Field) bool { return f.Path == field.Path })
			})
		}) {
			only = append(only, field.Path)
		}
	}
	if len(only) > 0 {
		p.para(text{
			EN: "%s, %s: stored and shown to no client: %s. The profile of the source can be narrowed to what is needed.",
			DE: "%s, %s: gespeichert, aber keinem Empfänger gezeigt: %s. Das Profil der Quelle kann auf das Nötige eingeschränkt werden.",
		}, s.Name, p.kind(k.Kind), strings.Join(only, ", "))
	}
}

// recipients are the clients, and which devices they are shown.
func (p *page) recipients(f Facts) {
	p.heading(2, text{EN: "5. Recipients", DE: "5. Empfänger"})
	p.para(text{
		EN: "Nobody else is given data of devices by the gateway, and nothing is sent to the maker of the program. Where a recipient keeps the data, and whether that is a third country, is to be completed below.",
		DE: "Andere Stellen erhalten vom Gateway keine Gerätedaten; an den Hersteller der Software wird nichts übermittelt. Wo ein Empfänger die Daten speichert und ob dies ein Drittland ist, ist unten zu ergänzen.",
	})
	for _, c := range f.Clients {
		p.heading(3, text{EN: "Client %s", DE: "Empfänger %s"}, c.ID)
		profile := c.Profile
		if profile == "" {
			profile = p.say(text{EN: "whatever the source keeps", DE: "alles, was die Quelle speichert"})
		}
		var from []string
		for _, s := range c.Shown {
			from = append(from, s.Source+" ("+p.kind(s.Kind)+": "+strconv.Itoa(len(s.Fields))+" "+p.say(text{EN: "fields", DE: "Felder"})+")")
		}
		rows := [][]cell{
			{plain(p.say(text{EN: "System and who is responsible for it", DE: "System und zuständige Stelle"})), p.fill(text{EN: "name of the system, department or provider, place of the data", DE: "Bezeichnung des Systems, Organisationseinheit oder Dienstleister, Ort der Daten"})},
			{plain(p.say(text{EN: "Receives from", DE: "Erhält Daten aus"})), plain(p.joined(from))},
			{plain(p.say(text{EN: "Profile of what is shown", DE: "Profil der Anzeige"})), plain(profile)},
			{plain(p.say(text{EN: "Devices left out", DE: "Ausgenommene Geräte"})), plain(p.leftOut(c))},
			{plain(p.say(text{EN: "Names of devices", DE: "Gerätenamen"})), plain(p.namesShown(c.Names))},
			{plain(p.say(text{EN: "Fields about users", DE: "Felder zu Nutzern"})), plain(p.usersShown(c))},
			{plain(p.say(text{EN: "Further paths of Jamf", DE: "Weitere Pfade von Jamf"})), plain(p.pathsOf(f, c))},
			{plain(p.say(text{EN: "May ask by", DE: "Zulässige Schnittstellen"})), plain(p.apis(strings.Join(c.Endpoints, ", ")))},
			{plain(p.say(text{EN: "May ask from", DE: "Zulässige Netze"})), plain(p.fromWhere(c))},
			{plain(p.say(text{EN: "Proves itself by", DE: "Weist sich aus durch"})), plain(p.proof(c))},
			{plain(p.say(text{EN: "Digest of its policy", DE: "Kennung seiner Richtlinie"})), code(c.Policy)},
		}
		p.table(p.cells(text{EN: "Item", DE: "Angabe"}, text{EN: "Entry", DE: "Eintrag"}), rows)
	}
	if f.passing() {
		p.note(text{
			EN: "Further paths are passed on as Jamf answers them: no profile narrows them. Check each of them by itself, or remove them from the settings.",
			DE: "Weitere Pfade werden so weitergegeben, wie Jamf sie beantwortet: Kein Profil schränkt sie ein. Sie sind einzeln zu prüfen oder aus den Einstellungen zu entfernen.",
		})
	}
}

func (p *page) pathsOf(f Facts, c Client) string {
	var out []string
	for _, s := range f.Sources {
		if !c.Passthrough || !slices.ContainsFunc(c.Shown, func(shown Shown) bool { return shown.Source == s.Name }) {
			continue
		}
		for _, t := range s.Passthrough {
			out = append(out, s.Name+": GET "+t.Path)
		}
	}
	return p.joined(out)
}

// apis names the APIs by which a client may ask, from the words of the settings; "" = both.
func (p *page) apis(words string) string {
	switch words {
	case "facade":
		return p.say(text{EN: "Jamf's API alone", DE: "nur die Jamf-Schnittstelle"})
	case "normalized":
		return p.say(text{EN: "the gateway's own API alone", DE: "nur die eigene Schnittstelle des Gateways"})
	default:
		return p.say(text{EN: "Jamf's API and the gateway's own", DE: "Jamf-Schnittstelle und eigene Schnittstelle des Gateways"})
	}
}

func (p *page) fromWhere(c Client) string {
	if len(c.Networks) == 0 {
		return p.say(text{EN: "any address that reaches the gateway", DE: "jede Adresse, die das Gateway erreicht"})
	}
	return p.say(text{EN: "%s alone", DE: "nur %s"}, strings.Join(c.Networks, ", "))
}

func (p *page) proof(c Client) string {
	if c.Certificate {
		return p.say(text{EN: "secret and certificate of its own", DE: "Geheimnis und eigenes Zertifikat"})
	}
	return p.say(text{EN: "secret", DE: "Geheimnis"})
}

func (p *page) leftOut(c Client) string {
	if len(c.View) == 0 {
		return p.say(text{EN: "none: all devices of its sources are shown", DE: "keine: alle Geräte seiner Quellen werden gezeigt"})
	}
	var out []string
	for _, v := range c.View {
		said := p.say(reasons()[v.Reason])
		if len(v.Names) > 0 {
			said += " (" + strings.Join(v.Names, ", ") + ")"
		}
		out = append(out, said)
	}
	return strings.Join(out, "; ")
}

// reasons are why devices are left out of a view.
func reasons() map[device.Reason]text {
	return map[device.Reason]text{
		device.Unmanaged:     {EN: "devices that Jamf does not manage", DE: "Geräte, die Jamf nicht verwaltet"},
		device.Personal:      {EN: "devices enrolled as a person's own (BYOD)", DE: "als Privatgerät angemeldete Geräte (BYOD)"},
		device.WithoutSerial: {EN: "devices without a serial number", DE: "Geräte ohne Seriennummer"},
		device.OtherSite:     {EN: "devices of other sites than", DE: "Geräte anderer Standorte als"},
		device.OtherGroup:    {EN: "devices outside of the groups", DE: "Geräte außerhalb der Gruppen"},
		device.OtherName:     {EN: "devices whose name begins otherwise than", DE: "Geräte, deren Name anders beginnt als"},
		device.OlderTwin:     {EN: "of devices with one serial number all but the one with the newest contact", DE: "von Geräten mit derselben Seriennummer alle außer dem mit dem jüngsten Kontakt"},
	}
}

func (p *page) namesShown(word string) string {
	switch word {
	case device.NamesSerial:
		return p.say(text{EN: "replaced by the serial number", DE: "durch die Seriennummer ersetzt"})
	case device.NamesStripped:
		return p.say(text{EN: "without the owner's name, as far as it can be recognised", DE: "ohne den Namen der Person, soweit er erkennbar ist"})
	case device.Pseudonyms:
		return p.say(text{EN: "pseudonyms (personal data all the same)", DE: "pseudonymisiert (bleibt personenbezogen)"})
	default:
		return p.say(text{EN: "as they are; they may hold names of persons", DE: "unverändert; sie können Namen von Personen enthalten"})
	}
}

func (p *page) usersShown(c Client) string {
	n := 0
	for _, s := range c.Shown {
		n += s.Kept.Users
	}
	switch {
	case c.Users == device.UsersDropped:
		return p.say(text{EN: "dropped", DE: "entfernt"})
	case n == 0:
		return p.say(text{EN: "none: the profile has none", DE: "keine: Das Profil enthält keine"})
	case c.Users == device.Pseudonyms:
		return p.say(text{EN: "user name, full name and e-mail as pseudonyms (personal data all the same), all others dropped", DE: "Benutzername, Name und E-Mail-Adresse pseudonymisiert (bleiben personenbezogen), alle anderen entfernt"})
	default:
		return p.say(text{EN: "as they are", DE: "unverändert"})
	}
}

// fields are the tables of all fields that leave; clients that are shown the same stand above one table.
func (p *page) fields(f Facts) {
	p.heading(2, text{EN: "6. Fields by recipient", DE: "6. Datenfelder je Empfänger"})
	p.para(text{
		EN: "These fields, and no others, can leave to the clients named above each table. Field means Jamf's name of it; the second column is the name in the gateway's own format.",
		DE: "An die über jeder Tabelle genannten Empfänger können genau diese Felder gelangen und keine anderen. Die erste Spalte nennt das Feld, wie es bei Jamf heißt, die zweite seinen Namen im eigenen Format des Gateways.",
	})
	type group struct {
		kind   device.Kind
		who    []string
		fields []device.Field
	}
	var groups []*group
	for _, c := range f.Clients {
		for _, s := range c.Shown {
			i := slices.IndexFunc(groups, func(g *group) bool {
				return g.kind == s.Kind && slices.EqualFunc(g.fields, s.Fields, func(a, b device.Field) bool { return a.Path == b.Path && a.As == b.As })
			})
			if i < 0 {
				i, groups = len(groups), append(groups, &group{kind: s.Kind, fields: s.Fields})
			}
			groups[i].who = append(groups[i].who, p.say(text{EN: "%s from %s", DE: "%s aus %s"}, c.ID, s.Source))
		}
	}
	for _, g := range groups {
		p.heading(3, text{EN: "%s: %d fields, to %s", DE: "%s: %d Felder, an %s"}, p.kind(g.kind), len(g.fields), strings.Join(g.who, ", "))
		var rows [][]cell
		for _, f := range g.fields {
			rows = append(rows, []cell{code(f.Path), code(strings.Join(f.Normalized, ", ")), plain(p.say(classOf(f.Class).name)), plain(p.shownAs(f.As))})
		}
		p.table(p.cells(text{EN: "Field of Jamf", DE: "Feld bei Jamf"}, text{EN: "Normalized", DE: "Vereinheitlicht"}, text{EN: "Category", DE: "Kategorie"}, text{EN: "Shown", DE: "Anzeige"}), rows)
	}
	p.categories(f)
}

func (p *page) shownAs(word string) string {
	switch word {
	case device.NamesSerial:
		return p.say(text{EN: "serial number in its place", DE: "ersetzt durch Seriennummer"})
	case device.NamesStripped:
		return p.say(text{EN: "without the owner", DE: "ohne Personennamen"})
	case device.Pseudonyms:
		return p.say(text{EN: "pseudonym", DE: "pseudonymisiert"})
	default:
		return p.say(text{EN: "as it is", DE: "unverändert"})
	}
}
