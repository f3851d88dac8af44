package report

import (
	"slices"
	"strings"

	"jamf-gateway/gateway/device"
)

// class is a category of data.
type class struct {
	id       string
	name     text
	personal text // how it is about a person
}

// classes are the categories of fields.tsv, the most personal ones first.
func classes() []class {
	direct := text{EN: "directly about a person", DE: "unmittelbar"}
	through := text{EN: "about a person through the device that she uses", DE: "mittelbar, über das genutzte Gerät"}
	free := text{EN: "free text: depends on what was entered", DE: "Freitext: abhängig vom Inhalt"}
	return []class{
		{"user", text{EN: "users and accounts", DE: "Nutzer und Konten"}, direct},
		{"location", text{EN: "places (building, room, time zone)", DE: "Orte (Gebäude, Raum, Zeitzone)"}, direct},
		{"apps", text{EN: "installed applications", DE: "installierte Anwendungen"}, direct},
		{"content", text{EN: "contents (books, fonts, files)", DE: "Inhalte (Bücher, Schriften, Dateien)"}, direct},
		{"groups", text{EN: "memberships in groups", DE: "Gruppenzugehörigkeiten"}, direct},
		{"ext", text{EN: "extension attributes", DE: "Erweiterungsattribute"}, free},
		{"cellular", text{EN: "cellular network", DE: "Mobilfunk"}, through},
		{"network", text{EN: "network", DE: "Netzwerk"}, through},
		{"identity", text{EN: "identifiers and name of the device", DE: "Gerätekennungen und Gerätename"}, text{EN: "about a person through the device; the name may hold that of a person", DE: "mittelbar, über das genutzte Gerät; der Gerätename kann den Namen einer Person enthalten"}},
		{"management", text{EN: "management, dates of contact", DE: "Verwaltung, Kontaktzeitpunkte"}, text{EN: "about a person through the device; dates of contact tell when it was in use", DE: "mittelbar; Kontaktzeitpunkte lassen erkennen, wann das Gerät in Betrieb war"}},
		{"security", text{EN: "state of security", DE: "Sicherheitszustand"}, through},
		{"purchasing", text{EN: "purchasing", DE: "Beschaffung"}, through},
		{"os", text{EN: "operating system", DE: "Betriebssystem"}, through},
		{"hardware", text{EN: "hardware", DE: "Hardware"}, through},
		{"secret", text{EN: "secrets", DE: "Geheimnisse"}, text{EN: "never stored (section 7)", DE: "werden nie gespeichert (Abschnitt 7)"}},
	}
}

// classOf is a class by its word in the table; one that is new there is shown by its word.
func classOf(id string) class {
	all := classes()
	if i := slices.IndexFunc(all, func(c class) bool { return c.id == id }); i >= 0 {
		return all[i]
	}
	return class{id: id, name: text{EN: id, DE: id}}
}

// classes are the names of the categories that fields have.
func (p *page) classes(fields []device.Field) string {
	var out []string
	for _, c := range classes() {
		if slices.ContainsFunc(fields, func(f device.Field) bool { return f.Class == c.id }) {
			out = append(out, p.say(c.name))
		}
	}
	return strings.Join(out, ", ")
}

// categories are what kinds of data leave to whom.
func (p *page) categories(f Facts) {
	p.heading(3, text{EN: "Categories by recipient", DE: "Datenkategorien je Empfänger"})
	var rows [][]cell
	for _, c := range classes() {
		var to []string
		for _, client := range f.Clients {
			if slices.ContainsFunc(client.Shown, func(s Shown) bool {
				return slices.ContainsFunc(s.Fields, func(f device.Field) bool { return f.Class == c.id })
			}) {
				to = append(to, client.ID)
			}
		}
		rows = append(rows, []cell{plain(p.say(c.name)), plain(p.say(c.personal)), plain(p.joined(to))})
	}
	p.table(p.cells(text{EN: "Category", DE: "Kategorie"}, text{EN: "About persons", DE: "Personenbezug"}, text{EN: "To", DE: "An"}), rows)
}
