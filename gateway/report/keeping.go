package report

import (
	"path/filepath"
	"strings"
	"time"
)

// never is what no settings can bring about.
func (p *page) never() {
	p.heading(2, text{EN: "7. What is never stored or passed on", DE: "7. Was nie gespeichert oder weitergegeben wird"})
	p.para(text{
		EN: "No profile can allow these fields; settings that name one are refused at the start:",
		DE: "Diese Felder kann kein Profil zulassen; Einstellungen, die eines davon nennen, werden beim Start abgewiesen:",
	})
	p.list(
		p.say(text{EN: "place, message, phone number and footnote of the lost mode of a mobile device", DE: "Ort, Nachricht, Telefonnummer und Fußnote des Verloren-Modus eines Mobilgeräts"}),
		p.say(text{EN: "passwords (AirPlay, recovery lock), PINs, unlock tokens, bootstrap tokens, recovery keys", DE: "Kennwörter (AirPlay, Recovery Lock), PINs, Entsperr-Token, Bootstrap-Token, Wiederherstellungsschlüssel"}),
		p.say(text{EN: "files attached to devices in Jamf Pro", DE: "in Jamf Pro an Geräte angehängte Dateien"}),
	)
	p.para(text{
		EN: "A filter or a sort order cannot ask about a field that is not shown: it is refused, because the length and the order of a list would answer it.",
		DE: "Auch über Filter oder Sortierungen lassen sich nicht gezeigte Felder nicht erfragen: Solche Abfragen werden abgewiesen, weil schon Länge und Reihenfolge einer Liste eine Antwort wären.",
	})
}

// keeping is how long what is stored.
func (p *page) keeping(f Facts) {
	p.heading(2, text{EN: "8. Retention and erasure", DE: "8. Speicherdauer und Löschung"})
	days := func(n int) string { return p.duration(time.Duration(n) * 24 * time.Hour) }
	row := func(what, how text, args ...any) []cell {
		return []cell{plain(p.say(what)), plain(p.say(how, args...))}
	}
	rows := [][]cell{
		row(text{EN: "Inventory of a source and kind", DE: "Bestand je Quelle und Geräteart"},
			text{
				EN: "the served state and the ones before it, %d in all; each complete reading replaces the oldest. A client that is reading keeps its state for at most 2 hours more",
				DE: "der ausgelieferte Stand und die davor, zusammen %d; jedes vollständige Lesen ersetzt den ältesten. Ein Empfänger, der gerade liest, hält seinen Stand höchstens 2 Stunden länger",
			}, f.Generations),
		row(text{EN: "A device that is deleted in Jamf Pro", DE: "In Jamf Pro gelöschte Geräte"},
			text{
				EN: "leaves what is served with the next complete reading, and the last stored state %d complete readings after that (read every %s), at the latest %s after that state was read. Until Jamf confirms that it is deleted, and while a guard holds a reading back for approval, it stays in what is served",
				DE: "entfallen mit dem nächsten vollständigen Lesen aus der Auslieferung und %d vollständige Lesevorgänge später aus dem letzten gespeicherten Stand (Leseabstand: %s), spätestens %s nach dem Lesen dieses Standes. Bis Jamf die Löschung bestätigt und solange eine Schutzprüfung einen Stand zur Freigabe zurückhält, bleiben sie im ausgelieferten Stand erhalten",
			}, f.Generations-1, p.intervals(f), p.duration(f.DeletedKept)),
		row(text{EN: "A state that is held back for approval", DE: "Zur Freigabe zurückgehaltener Stand"},
			text{EN: "until it is approved or another reading takes its place, at most %s", DE: "bis zur Freigabe oder bis ein weiterer Lesevorgang ihn ersetzt, höchstens %s"}, p.duration(f.DeletedKept)),
		row(text{EN: "Files set aside after a loss or damage", DE: "Nach Verlust oder Beschädigung beiseitegelegte Dateien"},
			text{EN: "%s, and of the last three losses", DE: "%s, und nur die der letzten drei Verluste"}, p.duration(min(f.DeletedKept, 90*24*time.Hour))),
		row(text{EN: "Answers in memory", DE: "Antworten im Arbeitsspeicher"},
			text{EN: "not used any more after the next reading; gone at the latest %s after their data was read", DE: "nach dem nächsten Lesevorgang nicht mehr verwendet; spätestens %s nach dem Lesen ihrer Daten gelöscht"}, p.duration(f.DeletedKept)),
		row(text{EN: "Data that is not renewed", DE: "Nicht erneuerte Daten"},
			text{EN: "served up to an age of %s; stays on disk until it is read again or removed", DE: "ausgeliefert bis zu einem Alter von höchstens %s; bleiben gespeichert, bis neu gelesen oder gelöscht wird"}, p.ageOf(f.MaxStale)),
		row(text{EN: "How clients call (routes, counts, client id; no data of devices)", DE: "Nutzung durch Empfänger (Pfade, Anzahlen, Kennung; keine Gerätedaten)"},
			text{EN: "a route %s after its last call; a client that is removed from the settings at once", DE: "ein Pfad %s nach dem letzten Aufruf; ein aus den Einstellungen entfernter Empfänger sofort"}, days(90)),
		row(text{EN: "Heartbeats of Jamf (reachable, latency, counts)", DE: "Lebenszeichen von Jamf (Erreichbarkeit, Antwortzeit, Anzahlen)"}, text{EN: "%s", DE: "%s"}, days(90)),
		row(text{EN: "History of the policy (settings, no data of devices)", DE: "Verlauf der Richtlinie (Einstellungen, keine Gerätedaten)"}, text{EN: "as long as the data directory", DE: "so lange wie das Datenverzeichnis"}),
	}
	rows = append(rows, row(text{EN: "Audit log (who did and read what, from which address; no fields of devices)", DE: "Prüfprotokoll (wer hat was veranlasst und gelesen, mit Netzadresse; keine Gerätefelder)"}, text{EN: "%s", DE: "%s"}, p.duration(f.AuditKept)))
	rows = append(rows,
		[]cell{plain(p.say(text{EN: "Log of the program (no fields of devices)", DE: "Protokoll der Software (keine Gerätefelder)"})), p.fill(text{EN: "as the operating system keeps it", DE: "nach Einstellung des Betriebssystems"})},
		[]cell{plain(p.say(text{EN: "Backups of the data directory", DE: "Sicherungen des Datenverzeichnisses"})), p.fill(text{EN: "whether there are any, and for how long", DE: "ob vorhanden, und Aufbewahrungsdauer"})},
		[]cell{plain(p.say(text{EN: "Data at the recipients", DE: "Daten bei den Empfängern"})), p.fill(text{EN: "rules of the asset system", DE: "Löschregeln der Bestandsführung"})},
	)
	p.table(p.cells(text{EN: "What", DE: "Daten"}, text{EN: "How long", DE: "Dauer"}), rows)
	p.para(text{
		EN: "Narrowing the profile of a source acts when the settings are taken up: the served state is cut to it, and every other stored one is removed at once. Data of a source that was taken out of the settings is removed with jamf-gateway purge SOURCE; the start names it.",
		DE: "Wird das Profil einer Quelle enger gefasst, wirkt das mit Übernahme der Einstellungen: Der ausgelieferte Stand wird darauf gekürzt, alle anderen gespeicherten Stände werden sofort gelöscht. Daten einer Quelle, die aus den Einstellungen entfernt wurde, löscht jamf-gateway purge QUELLE; der Start weist darauf hin.",
	})
	p.para(text{
		EN: "A single device leaves everything that is stored at once with jamf-gateway purge SOURCE:KIND:ID: current, earlier, held and set-aside data. What Jamf Pro still has comes back with the next reading: it is to be deleted there first. Without a purge, what was read more than %s ago and is not what is served is removed every hour and at each start.",
		DE: "Ein einzelnes Gerät entfernt jamf-gateway purge QUELLE:ART:ID sofort aus allem Gespeicherten: aus dem aktuellen und aus früheren, zurückgehaltenen und beiseitegelegten Ständen. Was Jamf Pro noch führt, kommt mit dem nächsten Lesevorgang zurück: Zuerst ist es dort zu löschen. Auch ohne diesen Befehl wird stündlich und bei jedem Start gelöscht, was nicht der ausgelieferte Stand ist und dessen Lesen zu lange zurückliegt (Frist: %s).",
	}, p.duration(f.DeletedKept))
}

// places is where data lies.
func (p *page) places(f Facts) {
	p.heading(2, text{EN: "9. Where data lies", DE: "9. Speicherorte"})
	row := func(what text, where string, mode text) []cell {
		return []cell{plain(p.say(what)), code(where), plain(p.say(mode))}
	}
	own := text{EN: "files 0600, directories 0700: the gateway's own user alone", DE: "Dateien 0600, Verzeichnisse 0700: nur das Benutzerkonto des Gateways"}
	rows := [][]cell{
		row(text{EN: "Inventory, usage, heartbeats, history", DE: "Bestand, Nutzung, Lebenszeichen, Verlauf"}, f.Places.Data, own),
	}
	for _, s := range f.Sources {
		rows = append(rows, row(text{EN: "of these, the inventory of " + s.Name, DE: "davon der Bestand aus " + s.Name}, filepath.Join(f.Places.Data, s.Name), own))
	}
	rows = append(rows, row(text{EN: "Audit log", DE: "Prüfprotokoll"}, f.Places.Audit, own))
	rows = append(rows, row(text{EN: "Key of tokens and pseudonyms", DE: "Schlüssel für Token und Pseudonyme"}, f.Places.Key, text{EN: "0600; belongs into no backup that others can read", DE: "0600; gehört in keine Sicherung, die andere lesen können"}))
	if f.Places.AdminToken != "" {
		rows = append(rows, row(text{EN: "Token of the administrators", DE: "Token der Administration"}, f.Places.AdminToken, text{EN: "0600", DE: "0600"}))
	}
	rows = append(rows, row(text{EN: "Settings (addresses, hashes of client secrets)", DE: "Einstellungen (Adressen, Prüfsummen der Client-Geheimnisse)"}, f.File, text{EN: "as the operator set them", DE: "nach Einstellung des Betreibers"}))
	if f.Places.Certificate != "" {
		rows = append(rows, row(text{EN: "Private key of the public door", DE: "Privater Schlüssel des öffentlichen Zugangs"}, f.Places.CertificateKey, text{EN: "as the operator set them; the gateway warns where others can read it", DE: "nach Einstellung des Betreibers; können andere ihn lesen, warnt das Gateway"}))
		rows = append(rows, row(text{EN: "Certificate of the public door", DE: "Zertifikat des öffentlichen Zugangs"}, f.Places.Certificate, text{EN: "public", DE: "öffentlich"}))
	}
	if f.Places.ACME != "" {
		rows = append(rows, row(text{EN: "Certificates of the public door, their keys and the account at the authority", DE: "Zertifikate des öffentlichen Zugangs, ihre Schlüssel und das Konto bei der Zertifizierungsstelle"}, f.Places.ACME, own))
	}
	p.table(p.cells(text{EN: "What", DE: "Daten"}, text{EN: "Place", DE: "Ort"}, text{EN: "Access", DE: "Zugriff"}), rows)
	p.table(p.cells(text{EN: "Of the machine", DE: "Zum Rechner"}, text{EN: "Entry", DE: "Eintrag"}), [][]cell{
		{plain(p.say(text{EN: "Machine and place", DE: "Rechner und Standort"})), p.fill(text{EN: "name, data centre", DE: "Bezeichnung, Rechenzentrum oder Serverraum"})},
		{plain(p.say(text{EN: "Encryption of the volume", DE: "Verschlüsselung des Datenträgers"})), p.fill(text{EN: "yes or no, method. The gateway does not encrypt the stored inventory by itself: encrypt the volume that holds the data directory", DE: "ja oder nein, Verfahren. Das Gateway verschlüsselt den gespeicherten Bestand nicht selbst: Der Datenträger mit dem Datenverzeichnis ist zu verschlüsseln"})},
	})
}

// subjects is what persons concerned can ask for.
func (p *page) subjects(f Facts) {
	p.heading(2, text{EN: "11. Rights of the persons concerned", DE: "11. Rechte der betroffenen Personen"})
	p.list(
		p.say(text{
			EN: "Information (Arts. 13 to 15 GDPR): section 6 names the fields. What is stored of one device, and what each client sees of it, is shown by jamf-gateway show --serial NUMBER; who looked stands in the audit log.",
			DE: "Information und Auskunft (Art. 13 bis 15 DSGVO): Abschnitt 6 nennt die Felder. Was zu einem Gerät gespeichert ist und was jeder Empfänger davon sieht, zeigt jamf-gateway show --serial NUMMER; wer nachgesehen hat, steht im Prüfprotokoll.",
		}),
		p.say(text{
			EN: "Rectification and erasure (Arts. 16, 17 GDPR): Jamf Pro leads. What is corrected or deleted there follows with the next reading, and leaves the stored states as section 8 says; jamf-gateway purge SOURCE:KIND:ID removes it at once, and the audit log says who did. At the asset system it is to be seen to separately.",
			DE: "Berichtigung und Löschung (Art. 16, 17 DSGVO): Führend ist Jamf Pro. Was dort berichtigt oder gelöscht wird, folgt mit dem nächsten Lesevorgang und entfällt nach den Fristen aus Abschnitt 8; sofort löscht jamf-gateway purge QUELLE:ART:ID, mit Eintrag im Prüfprotokoll. In der Bestandsführung ist es gesondert zu veranlassen.",
		}),
		p.say(text{
			EN: "Restriction and objection (Arts. 18, 21 GDPR): single devices are left out by a view (sites, groups, name prefixes, no personal devices).",
			DE: "Einschränkung und Widerspruch (Art. 18, 21 DSGVO): Geräte lassen sich über die Sicht eines Empfängers ausnehmen (Standorte, Gruppen, Namensanfänge, keine Privatgeräte).",
		}),
		p.say(text{
			EN: "Automated decisions (Art. 22 GDPR): the gateway makes none.",
			DE: "Automatisierte Entscheidungen (Art. 22 DSGVO): Das Gateway trifft keine.",
		}),
	)
	if len(f.Clients) > 0 && f.anyPseudonyms() {
		p.para(text{
			EN: "Pseudonyms are keyed hashes, with a key of its own for each client. Whoever has the key file can try names; they remain personal data.",
			DE: "Pseudonyme sind schlüsselabhängige Prüfsummen mit eigenem Schlüssel je Empfänger. Wer die Schlüsseldatei besitzt, kann Namen durchprobieren; sie bleiben personenbezogene Daten.",
		})
	}
}

func (f Facts) anyPseudonyms() bool {
	for _, c := range f.Clients {
		if strings.Contains(c.Names+" "+c.Users, "pseudonym") {
			return true
		}
	}
	return false
}
