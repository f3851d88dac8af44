package report

import (
	"strings"
)

// measures are the technical and organisational ones, as the settings have them.
func (p *page) measures(f Facts) {
	p.heading(2, text{EN: "10. Technical and organisational measures (Art. 32 GDPR)", DE: "10. Technische und organisatorische Maßnahmen (Art. 32 DSGVO)"})
	var rows [][]cell
	row := func(what text, said string) { rows = append(rows, []cell{plain(p.say(what)), plain(said)}) }
	row(text{EN: "Data minimisation (Arts. 5(1)(c), 25)", DE: "Datenminimierung (Art. 5 Abs. 1 lit. c, Art. 25)"}, p.minimisation(f))
	row(text{EN: "Transport to clients", DE: "Transportverschlüsselung zu den Empfängern"}, p.transport(f.Doors))
	if len(f.Doors.Proxies) > 0 {
		row(text{EN: "Proxies before the gateway", DE: "Vorgeschaltete Proxys"}, p.say(text{
			EN: "%s: what they write in X-Forwarded-For counts as the address of a client, of nobody else; so for its networks, the limits and the audit log",
			DE: "%s: Nur was sie in X-Forwarded-For eintragen, gilt als Adresse eines Empfängers; so für seine Netze, die Begrenzungen und das Prüfprotokoll",
		}, strings.Join(f.Doors.Proxies, ", ")))
	}
	row(text{EN: "Transport to Jamf", DE: "Transportverschlüsselung zu Jamf"}, p.towardsJamf(f))
	row(text{EN: "Access of clients", DE: "Zugang der Empfänger"}, p.say(text{
		EN: "each with an id and a random secret of its own, of which the settings hold the SHA-256 alone; tokens are sealed, live at most 2 hours and end with the secret. Sources, APIs, networks and certificate of each stand in section 5. Secrets live: %s",
		DE: "je Empfänger eigene Kennung und eigenes Zufallsgeheimnis, von dem die Einstellungen nur die SHA-256-Prüfsumme enthalten; Token sind versiegelt, gelten höchstens 2 Stunden und enden mit dem Geheimnis. Quellen, Schnittstellen, Netze und Zertifikat stehen je Empfänger in Abschnitt 5. Gültige Geheimnisse: %s",
	}, p.secrets(f))+p.bounds(f))
	row(text{EN: "Access of administrators", DE: "Zugang der Administration"}, p.adminDoor(f.Doors))
	row(text{EN: "Metrics", DE: "Messwerte"}, p.metricsDoor(f.Doors))
	row(text{EN: "Credentials of Jamf", DE: "Zugangsdaten zu Jamf"}, p.say(text{
		EN: "known to the gateway alone, never to clients; the API role needs the rights %s and no more. The connection test names rights that are too many. Of a secret whose file is older than %s the operator is warned.",
		DE: "kennt nur das Gateway, nie ein Empfänger; die API-Rolle benötigt die Rechte %s und keine weiteren. Der Verbindungstest benennt überzählige Rechte. Vor einem Geheimnis, dessen Datei älter als %s ist, wird der Betrieb gewarnt.",
	}, strings.Join(f.rights(), ", "), p.duration(f.SecretMaxAge)))
	row(text{EN: "Input of others", DE: "Prüfung von Eingaben"}, p.say(text{
		EN: "every request is checked byte by byte before anything is looked up; sizes, numbers of connections and time are limited",
		DE: "jede Anfrage wird vor jeder Verarbeitung auf Byte-Ebene geprüft; Größe, Anzahl der Verbindungen und Dauer sind begrenzt",
	}))
	row(text{EN: "Integrity", DE: "Integrität"}, p.say(text{
		EN: "a state is served only when it was read completely and proved so; every record has a checksum that each reading verifies; unusual losses wait for the approval of a person",
		DE: "ausgeliefert wird nur ein nachweislich vollständig gelesener Stand; jeder Datensatz trägt eine Prüfsumme, die bei jedem Lesen geprüft wird; auffällige Verluste warten auf die Freigabe durch eine Person",
	}))
	row(text{EN: "Availability", DE: "Verfügbarkeit"}, p.say(text{
		EN: "while Jamf is away the last complete state is served and says so, for at most %s", DE: "bei Ausfall von Jamf wird der letzte vollständige Stand ausgeliefert und als solcher gekennzeichnet, höchstens %s lang",
	}, p.duration(f.MaxStale)))
	row(text{EN: "Logs, traces, metrics", DE: "Protokolle, Ablaufverfolgung, Messwerte"}, p.say(text{
		EN: "hold no fields of devices, no secrets and no bodies of answers; level of the log: %s", DE: "enthalten keine Gerätefelder, keine Geheimnisse und keine Antwortinhalte; Stufe des Protokolls: %s",
	}, f.Doors.LogLevel))
	row(text{EN: "Audit log", DE: "Prüfprotokoll"}, p.say(text{
		EN: "what administrators did and what clients asked for, in chained lines in which a change is noticed, for %s", DE: "Eingriffe der Administration und Abrufe der Empfänger in verketteten Zeilen, an denen eine Änderung auffällt; Aufbewahrung %s",
	}, p.duration(f.AuditKept)))
	row(text{EN: "Accountability (Art. 5(2))", DE: "Rechenschaft (Art. 5 Abs. 2)"}, p.say(text{
		EN: "every change of what is stored or shown is kept with its moment (section 15)", DE: "jede Änderung dessen, was gespeichert oder gezeigt wird, ist mit Zeitpunkt festgehalten (Abschnitt 15)",
	}))
	rows = append(rows, []cell{
		plain(p.say(text{EN: "Measures of the operator", DE: "Maßnahmen des Betreibers"})),
		p.fill(text{EN: "encryption of the volume, access to the machine, firewall, updates, backups, who holds the key file", DE: "Datenträgerverschlüsselung, Zutritt und Zugriff auf den Rechner, Firewall, Aktualisierungen, Sicherung, Verwahrung der Schlüsseldatei"}),
	})
	p.table(p.cells(text{EN: "Measure", DE: "Maßnahme"}, text{EN: "As it is set", DE: "Stand nach den Einstellungen"}), rows)
}

func (p *page) minimisation(f Facts) string {
	var out []string
	for _, s := range f.Sources {
		out = append(out, s.Name+": "+s.Profile)
	}
	return p.say(text{
		EN: "allow-lists of fields, applied before anything is stored and again to every answer. Profiles of the sources: %s",
		DE: "Positivlisten von Feldern, angewandt vor jeder Speicherung und nochmals auf jede Antwort. Profile der Quellen: %s",
	}, strings.Join(out, ", "))
}

func (p *page) transport(d Doors) string {
	switch {
	case d.Authority != "":
		return p.say(text{
			EN: "TLS 1.2 or newer, at %s; the gateway gets and renews its certificate from %s", DE: "TLS 1.2 oder neuer, auf %s; das Gateway bezieht und erneuert sein Zertifikat bei %s",
		}, d.Listen, d.Authority)
	case d.TLS:
		return p.say(text{EN: "TLS 1.2 or newer with a certificate of its own, at %s", DE: "TLS 1.2 oder neuer mit eigenem Zertifikat, auf %s"}, d.Listen)
	case d.Exposed:
		return p.say(text{
			EN: "NONE of its own (insecure_http), at %s: admissible only behind a proxy that does TLS, over a network that others cannot read. [name the proxy]",
			DE: "KEINE eigene (insecure_http), auf %s: nur zulässig hinter einem Proxy mit TLS und über ein Netz, das andere nicht mitlesen können. [Proxy nennen]",
		}, d.Listen)
	default:
		return p.say(text{
			EN: "reachable from the same machine alone (%s); other machines get in through a proxy with TLS. [name the proxy, or: none]",
			DE: "nur vom selben Rechner erreichbar (%s); andere Rechner gelangen über einen Proxy mit TLS dorthin. [Proxy nennen, oder: keiner]",
		}, d.Listen)
	}
}

func (p *page) towardsJamf(f Facts) string {
	var out []string
	for _, s := range f.Sources {
		said := p.say(text{EN: "%s: https, certificate checked, TLS 1.2 or newer", DE: "%s: https, Zertifikat geprüft, TLS 1.2 oder neuer"}, s.Name)
		if !s.Encrypted {
			said = p.say(text{EN: "%s: UNENCRYPTED, to a simulation on the same machine", DE: "%s: UNVERSCHLÜSSELT, zu einer Simulation auf demselben Rechner"}, s.Name)
		}
		if s.OwnCA {
			said += p.say(text{EN: ", with an authority of its own", DE: ", mit eigener Zertifizierungsstelle"})
		}
		if s.Proxy {
			said += p.say(text{EN: ", through a proxy", DE: ", über einen Proxy"})
		}
		if len(s.Networks) > 0 {
			said += p.say(text{EN: ", only to addresses in %s", DE: ", nur zu Adressen in %s"}, strings.Join(s.Networks, ", "))
		}
		out = append(out, said)
	}
	return strings.Join(out, "; ")
}

// bounds are what clients must have beside a secret.
func (p *page) bounds(f Facts) string {
	var networks, certificates []string
	for _, c := range f.Clients {
		if len(c.Networks) > 0 {
			networks = append(networks, c.ID)
		}
		if c.Certificate {
			certificates = append(certificates, c.ID)
		}
	}
	out := ""
	if len(networks) > 0 {
		out += p.say(text{EN: "; only from networks of the settings: %s", DE: "; nur aus festgelegten Netzen: %s"}, strings.Join(networks, ", "))
	}
	if len(certificates) > 0 {
		out += p.say(text{EN: "; only with a certificate of the client: %s", DE: "; nur mit einem Zertifikat des Empfängers: %s"}, strings.Join(certificates, ", "))
	}
	return out
}

func (p *page) secrets(f Facts) string {
	var out []string
	for _, c := range f.Clients {
		out = append(out, c.ID+": "+number(c.Secrets).text)
	}
	return strings.Join(out, ", ")
}

func (p *page) adminDoor(d Doors) string {
	switch {
	case d.Admin == "":
		return p.say(text{EN: "closed", DE: "geschlossen"})
	case d.AdminExposed:
		return p.say(text{
			EN: "REACHABLE FROM OTHER MACHINES at %s, with a token and without TLS: to be limited by a firewall. [name it]",
			DE: "VON ANDEREN RECHNERN ERREICHBAR auf %s, mit Token, aber ohne TLS: durch eine Firewall zu begrenzen. [benennen]",
		}, d.Admin)
	default:
		return p.say(text{
			EN: "from the same machine alone (%s), with a token that lies in a file of its own",
			DE: "nur vom selben Rechner (%s), mit einem Token, das in einer eigenen Datei liegt",
		}, d.Admin)
	}
}

func (p *page) metricsDoor(d Doors) string {
	switch {
	case d.Metrics == "":
		return p.say(text{EN: "only at the door of the administrators; numbers without data of devices", DE: "nur über den Zugang der Administration; Zahlen ohne Gerätedaten"})
	case d.MetricsExposed:
		return p.say(text{EN: "from other machines too (%s); numbers without data of devices", DE: "auch von anderen Rechnern (%s); Zahlen ohne Gerätedaten"}, d.Metrics)
	default:
		return p.say(text{EN: "from the same machine alone (%s); numbers without data of devices", DE: "nur vom selben Rechner (%s); Zahlen ohne Gerätedaten"}, d.Metrics)
	}
}

// rights are those of Jamf that the settings need.
func (f Facts) rights() (out []string) {
	seen := map[string]bool{}
	add := func(right string) {
		if !seen[right] {
			seen[right] = true
			out = append(out, right)
		}
	}
	for _, s := range f.Sources {
		for _, k := range s.Kinds {
			add(k.Right)
		}
	}
	for _, s := range f.Sources {
		for _, r := range s.Lists {
			add(r)
		}
	}
	return out
}
