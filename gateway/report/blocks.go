package report

import (
	"slices"
	"strings"

	"jamf-gateway/gateway/device"
)

// record is the block for the record of processing activities.
func (p *page) record(f Facts) {
	p.heading(2, text{EN: "12. Text for the record of processing activities (Art. 30 GDPR)", DE: "12. Textbaustein: Verzeichnis von Verarbeitungstätigkeiten (Art. 30 DSGVO)"})
	var to []string
	for _, c := range f.Clients {
		to = append(to, c.ID)
	}
	row := func(what text, said string) []cell { return []cell{plain(p.say(what)), plain(said)} }
	p.table(p.cells(text{EN: "Item (Art. 30(1))", DE: "Angabe (Art. 30 Abs. 1)"}, text{EN: "Text", DE: "Textvorschlag"}), [][]cell{
		row(text{EN: "Name", DE: "Bezeichnung"}, p.say(text{EN: "Provision of device inventory from Jamf Pro to the asset system", DE: "Bereitstellung von Gerätebestandsdaten aus Jamf Pro für die Bestandsführung"})),
		{plain(p.say(text{EN: "(a) controller, data protection officer", DE: "lit. a: Verantwortlicher, Datenschutzbeauftragte/r"})), p.fill(text{EN: "as in section 1", DE: "wie Abschnitt 1"})},
		row(text{EN: "(b) purposes", DE: "lit. b: Zwecke"}, p.say(text{
			EN: "Inventory of managed devices: identification, model, operating system, state of management. No monitoring of behaviour or performance.",
			DE: "Führung des Bestands verwalteter Geräte: Kennungen, Modell, Betriebssystem, Verwaltungszustand. Keine Verhaltens- oder Leistungskontrolle.",
		})),
		{plain(p.say(text{EN: "(c) persons concerned", DE: "lit. c: Kategorien betroffener Personen"})), p.fill(text{EN: "as in section 1", DE: "wie Abschnitt 1"})},
		row(text{EN: "(c) categories of data", DE: "lit. c: Kategorien personenbezogener Daten"}, p.classes(f.stored())),
		row(text{EN: "(d) recipients", DE: "lit. d: Empfänger"}, strings.Join(to, ", ")),
		{plain(p.say(text{EN: "(e) third countries", DE: "lit. e: Drittlandübermittlung"})), p.fill(text{EN: "none by the gateway; place of Jamf Pro and of the recipients", DE: "durch das Gateway keine; Standort von Jamf Pro und der Empfänger ergänzen"})},
		row(text{EN: "(f) time limits for erasure", DE: "lit. f: Löschfristen"}, p.say(text{
			EN: "as in section 8: deleted devices leave with the next complete readings (every %s, %d states kept)", DE: "wie Abschnitt 8: gelöschte Geräte entfallen mit den nächsten vollständigen Lesevorgängen (Abstand %s, %d Stände)",
		}, p.intervals(f), f.Generations)),
		row(text{EN: "(g) measures", DE: "lit. g: Technische und organisatorische Maßnahmen"}, p.say(text{EN: "as in section 10", DE: "wie Abschnitt 10"})),
	})
}

// stored are all fields that are kept of any source, by class.
func (f Facts) stored() (out []device.Field) {
	for _, s := range f.Sources {
		for _, k := range s.Kinds {
			out = append(out, k.Fields...)
		}
	}
	return out
}

// about tells whether a field of one of the classes leaves to anybody.
func (f Facts) about(classes ...string) bool {
	return slices.ContainsFunc(f.Clients, func(c Client) bool {
		return slices.ContainsFunc(c.Shown, func(s Shown) bool {
			return slices.ContainsFunc(s.Fields, func(f device.Field) bool { return slices.Contains(classes, f.Class) })
		})
	})
}

// threshold is the block for the question whether an impact assessment is needed.
func (p *page) threshold(f Facts) {
	p.heading(2, text{EN: "13. Text for the threshold analysis (Art. 35 GDPR)", DE: "13. Textbaustein: Schwellwertanalyse zur Datenschutz-Folgenabschätzung (Art. 35 DSGVO)"})
	p.para(text{
		EN: "The criteria are those of the guidelines WP 248 rev. 01; as a rule of thumb an impact assessment is needed where two of them hold. The findings below come from the settings; the assessment is for the controller to make, with the lists of the supervisory authority (Art. 35(4)).",
		DE: "Die Kriterien folgen den Leitlinien WP 248 Rev. 01; als Faustregel ist eine Datenschutz-Folgenabschätzung erforderlich, wenn zwei davon erfüllt sind. Die Befunde stammen aus den Einstellungen; die Bewertung trifft der Verantwortliche, auch anhand der Liste der Aufsichtsbehörde (Art. 35 Abs. 4).",
	})
	found := func(on bool, yes, no text) cell {
		if on {
			return plain(p.say(yes))
		}
		return plain(p.say(no))
	}
	judge := p.fill(text{EN: "met / not met, why", DE: "erfüllt / nicht erfüllt, Begründung"})
	no := text{EN: "not by the gateway", DE: "durch das Gateway nicht"}
	row := func(what text, finding cell) []cell { return []cell{plain(p.say(what)), finding, judge} }
	p.table(p.cells(text{EN: "Criterion", DE: "Kriterium"}, text{EN: "Finding from the settings", DE: "Befund aus den Einstellungen"}, text{EN: "Assessment", DE: "Bewertung"}), [][]cell{
		row(text{EN: "Evaluation or scoring", DE: "Bewerten oder Einstufen (Scoring)"}, plain(p.say(no))),
		row(text{EN: "Automated decisions with legal effect", DE: "Automatisierte Entscheidung mit Rechtswirkung"}, plain(p.say(no))),
		row(text{EN: "Systematic monitoring", DE: "Systematische Überwachung"}, found(f.about("location", "apps", "content"),
			text{EN: "fields about places, applications or contents leave (section 6): to be judged", DE: "Felder zu Orten, Anwendungen oder Inhalten werden weitergegeben (Abschnitt 6): zu bewerten"},
			text{EN: "no places, applications or contents; dates of contact with the management system tell when a device was in operation", DE: "keine Orte, Anwendungen oder Inhalte; Kontaktzeitpunkte mit der Geräteverwaltung lassen erkennen, wann ein Gerät in Betrieb war"})),
		row(text{EN: "Sensitive data", DE: "Vertrauliche oder höchst persönliche Daten"}, found(f.about("apps", "content", "groups", "ext"),
			text{EN: "applications, contents, groups or extension attributes can tell sensitive things", DE: "Anwendungen, Inhalte, Gruppen oder Erweiterungsattribute können vertrauliche Angaben erkennen lassen"},
			text{EN: "no such fields", DE: "keine solchen Felder"})),
		row(text{EN: "Large scale", DE: "Umfangreiche Verarbeitung"}, p.fill(text{EN: "number of devices and persons", DE: "Anzahl der Geräte und Personen"})),
		row(text{EN: "Matching of data sets", DE: "Abgleich oder Zusammenführen von Datensätzen"}, found(len(f.Sources) > 1,
			text{EN: "several sources in one list; devices are not merged, equal serial numbers are marked", DE: "mehrere Quellen in einer Liste; Geräte werden nicht zusammengeführt, gleiche Seriennummern gekennzeichnet"},
			text{EN: "one source; what the asset system matches is to be added", DE: "eine Quelle; was die Bestandsführung abgleicht, ist zu ergänzen"})),
		row(text{EN: "Vulnerable persons (employees, pupils)", DE: "Schutzbedürftige Personen (Beschäftigte, Schülerinnen und Schüler)"}, p.fill(text{EN: "who uses the devices", DE: "wer die Geräte nutzt"})),
		row(text{EN: "New technology", DE: "Neue technologische Lösungen"}, plain(p.say(no))),
		row(text{EN: "Hindering a right or a contract", DE: "Hinderung an Rechten oder Verträgen"}, plain(p.say(no))),
	})
	p.table(p.cells(text{EN: "Result", DE: "Ergebnis"}, text{EN: "Entry", DE: "Eintrag"}), [][]cell{
		{plain(p.say(text{EN: "Impact assessment needed", DE: "Datenschutz-Folgenabschätzung erforderlich"})), p.fill(text{EN: "yes / no, why, date, name", DE: "ja / nein, Begründung, Datum, Name"})},
		{plain(p.say(text{EN: "Advice of the data protection officer (Art. 35(2))", DE: "Rat der/des Datenschutzbeauftragten (Art. 35 Abs. 2)"})), p.fill(text{EN: "date, result", DE: "Datum, Ergebnis"})},
	})
}

// agreement is the block for a works agreement.
func (p *page) agreement(f Facts) {
	p.heading(2, text{EN: "14. Text for a works agreement", DE: "14. Textbaustein: Betriebs- oder Dienstvereinbarung"})
	p.para(text{
		EN: "In Germany the works council has a say in technical devices that are suited to monitor behaviour or performance (§ 87(1) no. 6 BetrVG); in public bodies and schools the laws on staff representation of the federation and the states hold instead. Read by case law, being suited is enough.",
		DE: "Der Betriebsrat bestimmt mit bei technischen Einrichtungen, die dazu bestimmt sind, Verhalten oder Leistung der Beschäftigten zu überwachen (§ 87 Abs. 1 Nr. 6 BetrVG); nach der Rechtsprechung genügt die objektive Eignung dazu. In Dienststellen und Schulen gilt das Personalvertretungsrecht des Bundes (BPersVG) oder des Landes.",
	})
	clauses := []text{
		{
			EN: "Object. The agreement covers the transfer of device inventory from Jamf Pro through the Jamf Gateway to the recipients named in section 5.",
			DE: "Gegenstand. Die Vereinbarung regelt die Übermittlung von Gerätebestandsdaten aus Jamf Pro über das Jamf Gateway an die in Abschnitt 5 genannten Empfänger.",
		},
		{
			EN: "Purpose. The data serves to keep the inventory of devices. Evaluations of behaviour or performance are excluded; knowledge gained against this agreement must not be used to the disadvantage of employees.",
			DE: "Zweckbindung. Die Daten dienen ausschließlich der Bestandsführung. Auswertungen zur Verhaltens- oder Leistungskontrolle sind ausgeschlossen; unter Verstoß gegen diese Vereinbarung gewonnene Erkenntnisse dürfen nicht zum Nachteil von Beschäftigten verwendet werden.",
		},
		{
			EN: "Fields. Only the fields of section 6 are transferred. The section is an annex to this agreement, under the policy with the SHA-256 %s.",
			DE: "Datenfelder. Übermittelt werden ausschließlich die in Abschnitt 6 aufgeführten Felder. Der Abschnitt ist Anlage dieser Vereinbarung und trägt die Richtlinie mit der SHA-256-Prüfsumme %s.",
		},
		f.excluded(),
		{
			EN: "Dates of contact and inventory show only whether a device is still in use; they are not evaluated for times of work or presence.",
			DE: "Kontakt- und Inventarzeitpunkte dienen nur der Feststellung, ob ein Gerät noch in Gebrauch ist. Sie werden nicht zur Feststellung von Arbeits- oder Anwesenheitszeiten ausgewertet.",
		},
		{
			EN: "Changes. A wider profile, another recipient or a further path needs the consent of the council before it is put in force. The gateway keeps the history of the policy (section 15); the council may have it shown at any time.",
			DE: "Änderungen. Ein weiter gefasstes Profil, ein weiterer Empfänger oder ein weiterer Pfad bedarf vor der Inbetriebnahme der Zustimmung der Interessenvertretung. Das Gateway hält den Verlauf der Richtlinie fest (Abschnitt 15); die Interessenvertretung kann ihn jederzeit einsehen.",
		},
		{
			EN: "Checks. The council may have this report made anew at any time and compare its SHA-256 with the one named here.",
			DE: "Kontrolle. Die Interessenvertretung kann jederzeit verlangen, dass dieser Bericht neu erstellt wird, und die Prüfsumme mit der hier genannten vergleichen.",
		},
		{
			EN: "Retention. Section 8 holds.",
			DE: "Speicherdauer. Es gilt Abschnitt 8.",
		},
	}
	var items []string
	for _, c := range clauses {
		if strings.Contains(c.EN, "%s") {
			items = append(items, p.say(c, f.Policy.Digest()))
		} else {
			items = append(items, p.say(c))
		}
	}
	p.list(items...)
	p.table(p.cells(text{EN: "Agreement", DE: "Vereinbarung"}, text{EN: "Entry", DE: "Eintrag"}), [][]cell{
		{plain(p.say(text{EN: "Parties, scope, start, end", DE: "Vertragsparteien, Geltungsbereich, Inkrafttreten, Kündigung"})), p.fill(text{EN: "to be agreed", DE: "zu vereinbaren"})},
	})
}

// excluded is the clause on what is not transferred: it says of each category only what the settings bear out.
func (f Facts) excluded() text {
	var en, de []string
	for _, c := range []struct {
		classes []string
		said    text
	}{
		{[]string{"location"}, text{EN: "buildings, rooms and time zones", DE: "Gebäude, Räume und Zeitzonen"}},
		{[]string{"apps"}, text{EN: "lists of installed applications", DE: "Listen installierter Anwendungen"}},
		{[]string{"user"}, text{EN: "names, e-mail addresses and phone numbers of users", DE: "Namen, E-Mail-Adressen und Telefonnummern von Nutzern"}},
		{[]string{"content"}, text{EN: "contents of devices", DE: "Inhalte von Geräten"}},
		{[]string{"groups"}, text{EN: "memberships in groups", DE: "Gruppenzugehörigkeiten"}},
		{[]string{"ext"}, text{EN: "extension attributes", DE: "Erweiterungsattribute"}},
	} {
		if !f.about(c.classes...) {
			en, de = append(en, c.said.EN), append(de, c.said.DE)
		}
	}
	en, de = append(en, "the place of lost devices"), append(de, "der Ort verlorener Geräte")
	out := text{
		EN: "Exclusions. Not transferred as fields are: " + strings.Join(en, ", ") + ". Names of devices may hold names of persons.",
		DE: "Ausschlüsse. Nicht als Felder übermittelt werden: " + strings.Join(de, ", ") + ". Gerätenamen können Namen von Personen enthalten.",
	}
	if f.passing() {
		out.EN += " Further paths (section 5) are not covered by this clause."
		out.DE += " Weitere Pfade (Abschnitt 5) sind von diesem Ausschluss nicht erfasst."
	}
	return out
}
