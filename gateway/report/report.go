package report

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/gateway/device"
)

// Markdown is the report as Markdown.
func Markdown(f Facts, l catalogue.Language) string { return compose(f, l).markdown() }

// HTML is the report as one HTML file: no script, nothing loaded from elsewhere, fit for printing.
func HTML(f Facts, l catalogue.Language) string { return compose(f, l).html() }

func compose(f Facts, l catalogue.Language) *page {
	p := &page{lang: l}
	p.title = p.say(text{EN: "Data protection report on the Jamf Gateway", DE: "Datenschutzbericht zum Jamf Gateway"})
	p.head(f)
	p.responsible()
	p.purpose(f)
	p.comparison(f)
	p.asked(f)
	p.recipients(f)
	p.fields(f)
	p.never()
	p.keeping(f)
	p.places(f)
	p.measures(f)
	p.subjects(f)
	p.record(f)
	p.threshold(f)
	p.agreement(f)
	p.policy(f)
	return p
}

func (p *page) head(f Facts) {
	p.note(text{
		EN: "A template, no legal advice. Whoever is responsible for the processing checks it, completes what stands in brackets, and answers for it.",
		DE: "Vorlage, keine Rechtsberatung. Die verantwortliche Stelle prüft den Bericht, ergänzt die Angaben in eckigen Klammern und trägt die Verantwortung für den Inhalt.",
	})
	p.table(p.cells(text{EN: "Report", DE: "Bericht"}, text{EN: "", DE: ""}), [][]cell{
		{plain(p.say(text{EN: "Created", DE: "Erstellt am"})), plain(p.moment(f.CreatedAt))},
		{plain(p.say(text{EN: "From the settings", DE: "Aus den Einstellungen"})), code(f.File)},
		{plain(p.say(text{EN: "Version of the program", DE: "Programmversion"})), plain(f.Version)},
		{plain(p.say(text{EN: "Policy by these settings (SHA-256)", DE: "Richtlinie nach diesen Einstellungen (SHA-256)"})), code(f.Policy.Digest())},
		{plain(p.say(text{EN: "Policy in force", DE: "Richtlinie in Kraft"})), plain(p.inForce(f))},
	})
	p.para(text{
		EN: "What does not stand in brackets was computed from the settings and from the tables by which the program enforces them. The report holds no data of devices or persons. A longer description is docs/privacy.md of the program.",
		DE: "Was nicht in eckigen Klammern steht, wurde aus den Einstellungen und aus den Tabellen berechnet, mit denen das Programm sie durchsetzt. Der Bericht enthält keine Daten von Geräten oder Personen. Eine ausführliche Beschreibung steht in docs/de/datenschutz.md der Software.",
	})
}

// inForce says whether the settings are those with which the gateway was started last.
func (p *page) inForce(f Facts) string {
	if f.Damaged != nil || len(f.History.Entries) == 0 {
		return p.say(text{
			EN: "Not known: there is no readable history in the data directory.",
			DE: "Nicht bekannt: Im Datenverzeichnis liegt kein lesbarer Verlauf.",
		})
	}
	last := f.History.Entries[len(f.History.Entries)-1]
	if last.Digest == f.Policy.Digest() {
		return p.say(text{EN: "The same, since %s", DE: "Dieselbe, seit %s"}, p.moment(last.Since.In(f.CreatedAt.Location())))
	}
	return p.say(text{
		EN: "ANOTHER ONE, %s, since %s: the settings were changed, and the gateway has not taken them up yet.",
		DE: "EINE ANDERE, %s, seit %s: Die Einstellungen wurden geändert, und das Gateway hat sie noch nicht übernommen.",
	}, last.Digest, p.moment(last.Since.In(f.CreatedAt.Location())))
}

func (p *page) responsible() {
	p.heading(2, text{EN: "1. Responsible body", DE: "1. Verantwortliche Stelle"})
	row := func(what, how text) []cell { return []cell{plain(p.say(what)), p.fill(how)} }
	p.table(p.cells(text{EN: "Item", DE: "Angabe"}, text{EN: "Entry", DE: "Eintrag"}), [][]cell{
		row(text{EN: "Controller (Art. 4(7) GDPR)", DE: "Verantwortlicher (Art. 4 Nr. 7 DSGVO)"}, text{EN: "name, address", DE: "Bezeichnung, Anschrift"}),
		row(text{EN: "Data protection officer", DE: "Datenschutzbeauftragte/r"}, text{EN: "name, how to reach", DE: "Name, Kontaktdaten"}),
		row(text{EN: "Department and contact", DE: "Fachlich zuständige Stelle"}, text{EN: "department, name", DE: "Organisationseinheit, Ansprechperson"}),
		row(text{EN: "Operation of the gateway", DE: "Betrieb des Gateways"}, text{EN: "own operation, or the processor and the date of the contract (Art. 28 GDPR)", DE: "Eigenbetrieb oder Auftragsverarbeiter und Datum des Vertrags (Art. 28 DSGVO)"}),
		row(text{EN: "Operation of Jamf Pro", DE: "Betrieb von Jamf Pro"}, text{EN: "Jamf Cloud with its contract, or own operation", DE: "Jamf Cloud mit Vertrag zur Auftragsverarbeitung oder Eigenbetrieb"}),
		row(text{EN: "Legal basis", DE: "Rechtsgrundlage"}, text{EN: "for example Art. 6(1)(f) GDPR; for public bodies Art. 6(1)(e) GDPR with the law of the state; for employees the agreement or law that applies", DE: "zum Beispiel Art. 6 Abs. 1 lit. f DSGVO, bei öffentlichen Stellen Art. 6 Abs. 1 lit. e DSGVO mit Landesrecht (Schulen: Schulgesetz); im Beschäftigungsverhältnis § 26 BDSG oder Landesrecht, gegebenenfalls Kollektivvereinbarung"}),
		row(text{EN: "Persons concerned", DE: "Betroffene Personen"}, text{EN: "for example employees, teachers, pupils, who use a managed device", DE: "zum Beispiel Beschäftigte, Lehrkräfte, Schülerinnen und Schüler, die ein verwaltetes Gerät nutzen"}),
		row(text{EN: "Works or staff council involved on", DE: "Beteiligung von Betriebs- oder Personalrat am"}, text{EN: "date, result", DE: "Datum, Ergebnis"}),
	})
}

func (p *page) purpose(f Facts) {
	p.heading(2, text{EN: "2. Purpose", DE: "2. Zweck der Verarbeitung"})
	p.para(text{
		EN: "The gateway provides an asset system with the inventory of the devices that Jamf Pro manages: which devices there are, of which model, with which operating system, and whether they are managed. It stands between the asset system and Jamf Pro so that the asset system has neither the credentials of Jamf Pro nor access to data that it does not need.",
		DE: "Das Gateway stellt einem System zur Bestandsführung (Asset-Management) den Bestand der in Jamf Pro verwalteten Geräte bereit: welche Geräte vorhanden sind, welches Modell und welches Betriebssystem sie haben und ob sie verwaltet werden. Es steht zwischen der Bestandsführung und Jamf Pro, damit die Bestandsführung weder die Zugangsdaten von Jamf Pro noch Zugriff auf Daten erhält, die sie nicht benötigt.",
	})
	p.list(
		p.say(text{
			EN: "It only reads. No device is controlled, changed, located or locked by it.",
			DE: "Das Gateway liest ausschließlich. Es steuert, verändert, ortet und sperrt keine Geräte.",
		}),
		p.say(text{
			EN: "Monitoring behaviour or performance is not a purpose. There is no evaluation by person.",
			DE: "Eine Verhaltens- oder Leistungskontrolle ist nicht Zweck der Verarbeitung. Auswertungen nach Personen sind nicht vorgesehen.",
		}),
		p.say(text{
			EN: "Each source is read as a whole at a fixed interval (%s). What clients ask never reaches Jamf as a question about a device%s.",
			DE: "Jede Quelle wird in festem Abstand (%s) als Ganzes gelesen. Abrufe der Empfänger lösen keine Abfrage einzelner Geräte bei Jamf aus%s.",
		}, p.intervals(f), p.exceptPassthrough(f)),
	)
	p.table(p.cells(text{EN: "Purpose in detail", DE: "Zweck im Einzelnen"}, text{EN: "Entry", DE: "Eintrag"}), [][]cell{{
		plain(p.say(text{EN: "What the asset system uses the data for", DE: "Wofür die Bestandsführung die Daten verwendet"})),
		p.fill(text{EN: "for example inventory, lending, warranty, procurement", DE: "zum Beispiel Inventarisierung, Ausgabe und Rücknahme, Gewährleistung, Beschaffungsplanung"}),
	}})
}

func (p *page) intervals(f Facts) string {
	var out []string
	for _, s := range f.Sources {
		if v := p.duration(s.Interval); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return strings.Join(out, ", ")
}

// passing tells whether somebody may ask for further paths of Jamf.
func (f Facts) passing() bool {
	return slices.ContainsFunc(f.Sources, func(s Source) bool { return len(s.Passthrough) > 0 }) &&
		slices.ContainsFunc(f.Clients, func(c Client) bool { return c.Passthrough })
}

func (p *page) exceptPassthrough(f Facts) string {
	if !f.passing() {
		return ""
	}
	return p.say(text{EN: ", except for the further paths of section 5", DE: "; ausgenommen sind die weiteren Pfade nach Abschnitt 5"})
}

// moment is a time as one writes it in a document, with its offset.
func (p *page) moment(t time.Time) string {
	if p.lang == catalogue.DE {
		return t.Format("02.01.2006, 15:04 Uhr (-07:00)")
	}
	return t.Format("2006-01-02 15:04 -07:00")
}

// duration is a span in its largest unit that is whole.
func (p *page) duration(d time.Duration) string {
	unit := func(n time.Duration, one, more text) string {
		if n == 1 {
			return "1 " + p.say(one)
		}
		return strconv.FormatInt(int64(n), 10) + " " + p.say(more)
	}
	switch {
	case d%(24*time.Hour) == 0:
		return unit(d/(24*time.Hour), text{EN: "day", DE: "Tag"}, text{EN: "days", DE: "Tage"})
	case d%time.Hour == 0:
		return unit(d/time.Hour, text{EN: "hour", DE: "Stunde"}, text{EN: "hours", DE: "Stunden"})
	default:
		return unit(d/time.Minute, text{EN: "minute", DE: "Minute"}, text{EN: "minutes", DE: "Minuten"})
	}
}

// ageOf is a span after a preposition: German has another case there.
func (p *page) ageOf(d time.Duration) string {
	said := p.duration(d)
	if p.lang == catalogue.DE && strings.HasSuffix(said, "Tage") {
		return said + "n"
	}
	return said
}

func (p *page) kind(k device.Kind) string {
	if k == device.Computer {
		return p.say(text{EN: "computers", DE: "Computer"})
	}
	return p.say(text{EN: "mobile devices", DE: "Mobilgeräte"})
}

func (p *page) yes(on bool) string {
	if on {
		return p.say(text{EN: "yes", DE: "ja"})
	}
	return p.say(text{EN: "no", DE: "nein"})
}

func (p *page) none() string { return p.say(text{EN: "none", DE: "keine"}) }

func number(n int) cell { return plain(strconv.Itoa(n)) }

// joined is a list of words, or that there are none.
func (p *page) joined(words []string) string {
	if len(words) == 0 {
		return p.none()
	}
	return strings.Join(words, ", ")
}
