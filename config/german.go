package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// German is String in German. What has no German sentence yet, a reason of the operating system for example, stays English.
func (p Problem) German() string {
	p.Text = german(p.Text)
	return p.String()
}

// GermanText is Text in German.
func (p Problem) GermanText() string { return german(p.Text) }

// German lists the problems in German, one a line.
func (e *InvalidError) German() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.German()
	}
	return strings.Join(lines, "\n")
}

// german translates the text of a problem; every %s stands for a value, which stays as it is.
func german(text string) string {
	text, near, meant := strings.Cut(text, "; did you mean ")
	for _, pair := range sentences() {
		parts := strings.Split(pair[0], "%s")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		values := regexp.MustCompile(`(?s)^` + strings.Join(parts, `(.+?)`) + `$`).FindStringSubmatch(text)
		if values == nil {
			continue
		}
		args := make([]any, len(values)-1)
		for i, v := range values[1:] {
			args[i] = v
		}
		text = fmt.Sprintf(pair[1], args...)
		break
	}
	if meant {
		text += "; ist " + strings.TrimSuffix(near, "?") + " gemeint?"
	}
	return text
}

// sentences are the texts of problems and warnings: English, German.
func sentences() [][2]string {
	return slices.Concat(valueSentences(), placeSentences(), secretSentences(), certificateSentences(), scopeSentences(), waySentences())
}

// valueSentences are about values that are not what they should be.
func valueSentences() [][2]string {
	return [][2]string{
		{"is the client_id of the first client; the second must be another API client of Jamf Pro", "ist die client_id des ersten Clients; der zweite muss ein anderer API-Client von Jamf Pro sein"},
		{"is missing", "fehlt"},
		{"is empty", "ist leer"},
		{"stands twice", "steht zweimal da"},
		{"serial needs the serial number, which profile %s does not show of a %s", "serial braucht die Seriennummer, die das Profil %s nicht zeigt (%s)"},
		{"newest needs the serial number, which source %s does not keep of a %s", "newest braucht die Seriennummer, die die Quelle %s nicht behält (%s)"},
		{"is empty; name something, or leave it out to show all devices", "ist leer; nennen Sie etwas, oder lassen Sie es weg, um alle Geräte zu zeigen"},
		{"at most %s can be named", "es können höchstens %s genannt werden"},
		{"must be a name without blanks around it", "muss ein Name ohne Leerzeichen davor und dahinter sein"},
		{"is longer than %s bytes", "ist länger als %s Bytes"},
		{"stands twice, first in line %s", "steht zweimal da, zuerst in Zeile %s"},
		{"%s stands twice", "%s steht zweimal da"},
		{"unknown setting", "unbekannte Einstellung"},
		{"unknown setting; write %s", "unbekannte Einstellung; schreiben Sie %s"},
		{"unknown setting here; it stands at the top of the file", "hier unbekannte Einstellung; sie steht ganz oben in der Datei, nicht eingerückt"},
		{"unknown setting here; it is %s", "hier unbekannte Einstellung; sie heißt %s"},
		{"has no value; give it one or remove the line", "hat keinen Wert; geben Sie einen an, oder entfernen Sie die Zeile"},
		{"must be one YAML document", "muss ein einziges YAML-Dokument sein"},
		{"no valid YAML: an alias names no anchor; put a value that begins with * in quotes", "kein gültiges YAML: Ein Alias nennt keinen Anker; setzen Sie einen Wert, der mit * beginnt, in Anführungszeichen"},
		{"no valid YAML: %s", "kein gültiges YAML: %s"},
		{"no valid YAML", "kein gültiges YAML"},
		{"must be a mapping of settings (name: value)", "muss aus Einstellungen bestehen (Name: Wert)"},
		{"the name of a setting must be a plain word", "der Name einer Einstellung muss ein einfaches Wort sein"},
		{"must be a single value", "muss ein einzelner Wert sein"},
		{"must be a plain value without a tag", "muss ein einfacher Wert ohne Tag sein"},
		{"must be a list", "muss eine Liste sein"},
		{"must be a list (each entry begins with a dash)", "muss eine Liste sein (jeder Eintrag beginnt mit einem Strich)"},
		{"must be one of %s, not %s", "muss eines von %s sein, nicht %s"},
		{"must be true or false, not %s", "muss true oder false sein, nicht %s"},
		{"must be a whole number from %s to %s, not %s", "muss eine ganze Zahl von %s bis %s sein, nicht %s"},
		{"must be a number from %s to %s, not %s", "muss eine Zahl von %s bis %s sein, nicht %s"},
		{"must be a time from %s to %s like 15m, 24h or 30d, not %s", "muss eine Zeitspanne von %s bis %s wie 15m, 24h oder 30d sein, nicht %s"},
		{"must be a size from %s to %s like 256MiB, not %s", "muss eine Größe von %s bis %s wie 256MiB sein, nicht %s"},
		{"lets more pass than usual (%s): what is wrong is then published as if it were right", "lässt mehr durch als üblich (%s): Was falsch ist, wird dann veröffentlicht, als wäre es richtig"},
		{"must be a time of day like 04:30, not %s", "muss eine Uhrzeit wie 04:30 sein, nicht %s"},
		{"must be computer or mobile, not %s", "muss computer oder mobile sein, nicht %s"},
		{"is empty; name computer or mobile, or use status: disabled", "ist leer; nennen Sie computer oder mobile, oder setzen Sie status: disabled"},
		{"must be 1 to 32 small letters, digits and dashes, beginning with a letter or digit, not %s", "muss aus 1 bis 32 Kleinbuchstaben, Ziffern und Bindestrichen bestehen und mit einem Buchstaben oder einer Ziffer beginnen, nicht %s"},
		{"the name must be 1 to 32 small letters, digits and dashes, beginning with a letter or digit", "der Name muss aus 1 bis 32 Kleinbuchstaben, Ziffern und Bindestrichen bestehen und mit einem Buchstaben oder einer Ziffer beginnen"},
		{"must be 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit", "muss aus 1 bis 64 Buchstaben, Ziffern, Punkten, Binde- und Unterstrichen bestehen und mit einem Buchstaben oder einer Ziffer beginnen"},
		{"is not the name of a field", "ist kein Name eines Feldes"},
		{"must be HOST:PORT like 127.0.0.1:8080, or :PORT for every interface", "muss HOST:PORT wie 127.0.0.1:8080 sein, oder :PORT für alle Schnittstellen"},
		{"the port must be a number from 0 to 65535", "der Port muss eine Zahl von 0 bis 65535 sein"},
		{"the host must be an IP address or a host name", "der Host muss eine IP-Adresse oder ein Hostname sein"},
		{"was completed to %s; write it like this", "wurde zu %s vervollständigt; schreiben Sie es so"},
		{"must be the address of a Jamf Pro instance, like https://NAME.jamfcloud.com/api", "muss die Adresse einer Jamf-Pro-Instanz sein, wie https://NAME.jamfcloud.com/api"},
		{"http is possible to a loopback address only, and with allow_insecure_loopback: true", "http ist nur zu einer Loopback-Adresse und mit allow_insecure_loopback: true möglich"},
		{"must begin with https://: the port of a plain http address is seldom the one of https", "muss mit https:// beginnen: Der Port einer http-Adresse ist selten auch der von https"},
		{"must be written %s; credentials belong in client_id and client_secret", "muss %s lauten; Zugangsdaten gehören in client_id und client_secret"},
		{"must be the address by which clients reach the gateway, like https://gateway.example.com, without user, query and fragment", "muss die Adresse sein, unter der Clients das Gateway erreichen, wie https://gateway.example.com, ohne Benutzer, Abfrage und Fragment"},
	}
}

// placeSentences are about settings, files and secrets that do not go together.
func placeSentences() [][2]string {
	return [][2]string{
		{"at least one Jamf Pro instance must be configured", "mindestens eine Jamf-Pro-Instanz muss eingetragen sein"},
		{"data of source %s, which is not configured, is still in %s; if it is not needed any more: jamf-gateway purge %s --config FILE", "Daten der Quelle %s, die nicht eingetragen ist, liegen noch in %s; wenn sie nicht mehr gebraucht werden: jamf-gateway purge %s --config DATEI"},
		{"is empty; name public, private, loopback or a network, or leave it out", "ist leer; nennen Sie public, private, loopback oder ein Netz, oder lassen Sie die Einstellung weg"},
		{"must be public, private, loopback or a network like 10.20.0.0/16, not %s", "muss public, private, loopback oder ein Netz wie 10.20.0.0/16 sein, nicht %s"},
		{"%s has bits beyond its length; write %s", "%s hat Bits hinter seiner Länge; schreiben Sie %s"},
		{"is empty; name a host, or leave it out", "ist leer; nennen Sie einen Hostnamen, oder lassen Sie die Einstellung weg"},
		{"must be a host name like jamf-a.example.com, without https://, port and path; with other letters than a to z in its xn-- form", "muss ein Hostname wie jamf-a.example.com sein, ohne https://, Port und Pfad; mit anderen Buchstaben als a bis z in der Form xn--"},
		{"is the host of public_url, which serves every source; a source needs another name", "ist der Host von public_url, der jede Quelle bedient; eine Quelle braucht einen anderen Namen"},
		{"%s stands twice, first at source %s", "%s steht zweimal da, zuerst bei der Quelle %s"},
		{"only one source can be the default", "nur eine Quelle kann die Standardquelle sein"},
		{"differ from those of source %s on the same host %s: a Jamf host has one budget", "weichen von denen der Quelle %s auf demselben Host %s ab: Ein Jamf-Host hat ein einziges Budget"},
		{"data is refused when it is older than max_stale (%s): that must be at least 1.25 times the interval of %s", "Daten werden abgelehnt, wenn sie älter als max_stale (%s) sind: Das muss mindestens das 1,25-Fache des Abstands (interval) von %s sein"},
		{"at least one client must be configured, or nobody could ask", "mindestens ein Client muss eingetragen sein, sonst kann niemand zugreifen"},
		{"is empty; name a source, or leave it out for all of them", "ist leer; nennen Sie eine Quelle, oder lassen Sie die Einstellung für alle weg"},
		{"there is no source %s", "es gibt keine Quelle %s"},
		{"there is no profile %s", "es gibt kein Profil %s"},
		{"at least one secret is needed: sha256: and 64 hex digits", "mindestens ein Secret ist nötig: sha256: und 64 Hexadezimalziffern"},
		{"at most %s secrets can be live at once", "höchstens %s Secrets können gleichzeitig gelten"},
		{"must be sha256: and the 64 hex digits of the secret's SHA-256, never the secret itself", "muss sha256: und die 64 Hexadezimalziffern des SHA-256 des Secrets sein, nie das Secret selbst"},
		{"is the placeholder of the example; put yours there", "ist der Platzhalter des Beispiels; setzen Sie Ihren Wert ein"},
		{"is the SHA-256 of an empty text, not of a secret; make one with: jamf-gateway client new", "ist der SHA-256 eines leeren Textes, nicht eines Secrets; erzeugen Sie eines mit: jamf-gateway client new"},
		{"client %s has the same secret: give each its own", "Client %s hat dasselbe Secret: Geben Sie jedem sein eigenes"},
		{"is the placeholder of the example: no secret matches it", "ist der Platzhalter des Beispiels: Kein Secret passt dazu"},
		{"is built in and cannot be changed; choose another name", "ist eingebaut und nicht änderbar; wählen Sie einen anderen Namen"},
		{"names neither fields nor a profile that it extends", "nennt weder Felder noch ein Profil, das es erweitert"},
		{"the profile extends itself", "das Profil erweitert sich selbst"},
		{"cert_file is missing: TLS needs both files", "cert_file fehlt: TLS braucht beide Dateien"},
		{"key_file is missing: TLS needs both files", "key_file fehlt: TLS braucht beide Dateien"},
		{"the secret's file %s can be read by others (mode %s); set it to 0600", "die Secret-Datei %s ist für andere lesbar (Modus %s); setzen Sie den Modus auf 0600"},
		{"the file holds a secret and can be read by others (mode %s); set it to 0600", "die Datei enthält ein Secret und ist für andere lesbar (Modus %s); setzen Sie den Modus auf 0600"},
		{"%s can be read by others (mode %s); set it to 0600", "%s ist für andere lesbar (Modus %s); setzen Sie die Datei auf 0600"},
		{"the secret's file %s has blanks or a byte order mark around the secret; they count as part of it", "in der Secret-Datei %s stehen Leerzeichen oder ein BOM vor oder nach dem Secret; sie zählen dazu"},
		{"read the secret's file: %s is not a file", "die Secret-Datei: %s ist keine Datei"},
		{"read the secret's file: %s is larger than 64 KiB", "die Secret-Datei: %s ist größer als 64 KiB"},
		{"read the secret's file: stat %s: no such file or directory", "die Secret-Datei %s gibt es nicht"},
		{"read the secret's file: open %s: permission denied", "die Secret-Datei %s darf nicht gelesen werden"},
		{"read the secret's file: %s", "die Secret-Datei ist nicht lesbar: %s"},
		{"%s is not the key of the certificate in %s", "%s ist nicht der Schlüssel zum Zertifikat in %s"},
		{"%s holds no usable certificate in PEM", "%s enthält kein brauchbares Zertifikat in PEM"},
		{"%s holds no usable private key in PEM, without a passphrase", "%s enthält keinen brauchbaren privaten Schlüssel in PEM, ohne Kennwort"},
		{"there is no field %s", "es gibt kein Feld %s"},
		{"%s is a secret or a person's place, which no profile keeps: whoever gets hold of the data must not find it there", "%s ist ein Geheimnis oder ein Aufenthaltsort, das behält kein Profil: Wer an die Daten gelangt, darf es dort nicht finden"},
		{
			"%s shows %s fields that source %s does not keep with %s, %s the first; give the source a wider profile or the client a narrower one",
			"%s zeigt %s Felder, die die Quelle %s mit %s nicht behält, als erstes %s; geben Sie der Quelle ein weiteres oder dem Client ein engeres Profil",
		},
		{"%s is not a directory", "%s ist kein Verzeichnis"},
		{"%s cannot be written by this user (%s): check as the user that the gateway runs as, or give it the directory", "%s kann von diesem Benutzer nicht beschrieben werden (%s): Prüfen Sie als der Benutzer, unter dem das Gateway läuft, oder geben Sie ihm das Verzeichnis"},
		{"%s holds no admin token: restore it, or remove it to make a new one", "%s enthält kein Verwaltungstoken: Stellen Sie die Datei wieder her, oder entfernen Sie sie, damit ein neues entsteht"},
		{"%s holds no key of 64 hex digits: restore it, or remove it to make a new one", "%s enthält keinen Schlüssel aus 64 Hexadezimalziffern: Stellen Sie die Datei wieder her, oder entfernen Sie sie, damit ein neuer entsteht"},
		{"%s can be read by others (mode %s): set it to 0600", "%s ist für andere lesbar (Modus %s): Setzen Sie die Datei auf 0600"},
		{"%s can be read by others (mode %s); set it to 0700", "%s ist für andere lesbar (Modus %s); setzen Sie das Verzeichnis auf 0700"},
		{"stat %s: no such file or directory", "die Datei %s gibt es nicht"},
		{"%s is not a file", "%s ist keine Datei"},
		{"is empty; write off to close the admin door", "ist leer; schreiben Sie off, um den Verwaltungszugang zu schließen"},
		{"is the address of %s as well", "ist auch die Adresse von %s"},
		{"must be an IP address or a host name, without a port", "muss eine IP-Adresse oder ein Hostname ohne Port sein"},
		{"is the file of %s as well", "ist auch die Datei von %s"},
		{"is the directory of %s as well", "ist auch das Verzeichnis von %s"},
		{"%s can be reached from other machines, and there is no TLS: set tls.cert_file and tls.key_file, or tls.acme, or insecure_http: true behind a proxy that does TLS", "%s ist von anderen Rechnern erreichbar, und es gibt kein TLS: Setzen Sie tls.cert_file und tls.key_file, oder tls.acme, oder insecure_http: true hinter einem Proxy, der TLS übernimmt"},
		{"secrets and tokens of clients cross the network in the clear (insecure_http)", "Secrets und Token der Clients gehen unverschlüsselt durch das Netz (insecure_http)"},
		{"the admin door can be reached from other machines, and its token crosses the network in the clear", "der Verwaltungszugang ist von anderen Rechnern erreichbar, und sein Token geht unverschlüsselt über das Netz"},
		{"the variable means %s as well; rename one of the two", "die Variable meint auch %s; benennen Sie eines von beiden um"},
		{"no setting has this variable", "keine Einstellung hat diese Variable"},
		{"file: names no file", "file: nennt keine Datei"},
		{"the environment variable %s is not set", "die Umgebungsvariable %s ist nicht gesetzt"},
		{"the environment variable that env: names is not set", "die Umgebungsvariable, die env: nennt, ist nicht gesetzt"},
		{"the secret stands in the file; write file:PATH, env:NAME or cred:NAME instead", "das Secret steht in der Datei; schreiben Sie stattdessen file:PFAD, env:NAME oder cred:NAME"},
		{"is taken for the secret itself, but looks like a variable, which nothing replaces here; write env:NAME", "gilt als das Secret selbst, sieht aber nach einer Variablen aus, die hier niemand ersetzt; schreiben Sie env:NAME"},
		{"is taken for the secret itself, but looks like the name of a file; write file: in front of it", "gilt als das Secret selbst, sieht aber nach einem Dateinamen aus; schreiben Sie file: davor"},
		{"the secret is empty", "das Secret ist leer"},
		{"the secret holds a line break or another control character", "das Secret enthält einen Zeilenumbruch oder ein anderes Steuerzeichen"},
		{"cred: works only where systemd sets CREDENTIALS_DIRECTORY (LoadCredential= in the unit)", "cred: geht nur, wo systemd CREDENTIALS_DIRECTORY setzt (LoadCredential= in der Unit)"},
		{"cred: takes the name of a credential, not a path", "cred: nimmt den Namen eines Credentials, keinen Pfad"},
	}
}

// scopeSentences are about what a client may use and from where.
func scopeSentences() [][2]string {
	return [][2]string{
		{"is empty; name a network like 10.20.0.0/16, or leave it out", "ist leer; nennen Sie ein Netz wie 10.20.0.0/16, oder lassen Sie die Einstellung weg"},
		{"must be an address or a network like 10.20.0.0/16, not %s", "muss eine Adresse oder ein Netz wie 10.20.0.0/16 sein, nicht %s"},
		{"%s is everybody: name the networks that are meant", "%s sind alle: Nennen Sie die Netze, die gemeint sind"},
		{"cert_file and key_file are missing: clients show certificates over TLS alone", "cert_file und key_file fehlen: Clients zeigen Zertifikate nur über TLS"},
		{"needs tls.client_ca_file: without it no client is asked for a certificate", "braucht tls.client_ca_file: Ohne das wird kein Client nach einem Zertifikat gefragt"},
		{
			"must be sha256: and the 64 hex digits of the certificate's fingerprint, or dns: and a name that stands in it, not %s",
			"muss sha256: und die 64 Hexadezimalziffern des Fingerabdrucks des Zertifikats sein, oder dns: und ein Name, der darin steht, nicht %s",
		},
		{"must be facade or normalized, not %s", "muss facade oder normalized sein, nicht %s"},
		{"is empty; name computer or mobile, or leave it out for both", "ist leer; nennen Sie computer oder mobile, oder lassen Sie die Einstellung für beide weg"},
		{"is empty; name facade or normalized, or leave it out for both", "ist leer; nennen Sie facade oder normalized, oder lassen Sie die Einstellung für beide weg"},
		{"passthrough: true needs facade among them: the paths stand below Jamf's API", "passthrough: true braucht facade darunter: Die Pfade liegen unter der Jamf-API"},
	}
}

// secretSentences are about the entries of clients' secrets and their ends.
func secretSentences() [][2]string {
	return [][2]string{
		{"hash stands beside it: one of the two says which secret it is", "daneben steht hash: Nur eines von beiden sagt, welches Secret es ist"},
		{"needs hash (sha256: and 64 hex digits) or secret (file:, env: or cred:)", "braucht hash (sha256: und 64 Hexadezimalziffern) oder secret (file:, env: oder cred:)"},
		{"must be the last day on which it is good, like 2026-12-24, not %s", "muss der letzte Tag sein, an dem es gilt, wie 2026-12-24, nicht %s"},
		{
			"must be 1 to 32 letters, digits, dots, dashes and underscores, beginning with a letter or digit",
			"muss aus 1 bis 32 Buchstaben, Ziffern, Punkten, Strichen und Unterstrichen bestehen und mit Buchstabe oder Ziffer beginnen",
		},
		{"ends after %s; if the client still uses it, make the next one: jamf-gateway client rotate %s", "endet nach dem %s; falls der Client es noch benutzt, erzeugen Sie das nächste: jamf-gateway client rotate %s"},
		{"has ended after %s: whoever uses it is refused; remove it", "ist nach dem %s abgelaufen: Wer es benutzt, wird abgewiesen; entfernen Sie es"},
	}
}

// certificateSentences are about the certificate of the public door.
func certificateSentences() [][2]string {
	return [][2]string{
		{"stands beside cert_file and key_file: the certificate comes from files or from an authority", "steht neben cert_file und key_file: Das Zertifikat kommt aus Dateien oder von einer Stelle"},
		{
			"must be a host name like gateway.example.com, without https://, port, path and *; with other letters than a to z in its xn-- form",
			"muss ein Hostname wie gateway.example.com sein, ohne https://, Port, Pfad und *; mit anderen Buchstaben als a bis z in der Form xn--",
		},
		{"names no host for which a certificate is wanted", "nennt keinen Hostnamen, für den ein Zertifikat gewünscht ist"},
		{"must be one address like it@example.com", "muss eine einzelne Adresse wie it@example.com sein"},
		{"must be the directory of an ACME authority, like %s", "muss das Verzeichnis (directory) einer ACME-Stelle sein, wie %s"},
		{
			"the secret's file was last changed on %s, which is longer ago than secret_max_age (%s): rotate the secret in Jamf Pro",
			"die Secret-Datei wurde zuletzt am %s geändert, das ist länger her als secret_max_age (%s): Erneuern Sie das Secret in Jamf Pro",
		},
		{"the certificate for %s ends on %s; renew it", "das Zertifikat für %s endet am %s; erneuern Sie es"},
		{"the certificate for %s ended on %s: clients refuse it; renew it", "das Zertifikat für %s ist am %s abgelaufen: Clients lehnen es ab; erneuern Sie es"},
		{"the certificate for %s ends on %s and was not renewed; the log says why", "das Zertifikat für %s endet am %s und wurde nicht erneuert; das Protokoll sagt, warum"},
		{"the certificate for %s ended on %s and was not renewed: clients refuse it; the log says why", "das Zertifikat für %s ist am %s abgelaufen und wurde nicht erneuert: Clients lehnen es ab; das Protokoll sagt, warum"},
	}
}

// waySentences are about the way to Jamf: proxy and authorities.
func waySentences() [][2]string {
	return [][2]string{
		{"must be a time from %s to %s like 5m, or off, not %s", "muss eine Zeitspanne von %s bis %s wie 5m sein, oder off, nicht %s"},
		{"without a heartbeat nothing records whether Jamf is reachable, and a lost right or a refused secret shows at the next sync only", "ohne Heartbeat zeichnet nichts auf, ob Jamf erreichbar ist, und ein entzogenes Recht oder ein abgelehntes Secret zeigt sich erst bei der nächsten Synchronisierung"},
		{"must be the address of a proxy, like http://proxy.example.com:3128, or off", "muss die Adresse eines Proxys sein, wie http://proxy.example.com:3128, oder off"},
		{"must end after the host and port of the proxy, like http://proxy.example.com:3128", "muss nach Host und Port des Proxys enden, wie http://proxy.example.com:3128"},
		{"a source with http is asked directly: nothing goes through a proxy in the clear", "eine Quelle mit http wird direkt gefragt: Nichts geht unverschlüsselt durch einen Proxy"},
		{"the proxy's password stands in the file; write file:PATH, env:NAME or cred:NAME instead", "das Kennwort des Proxys steht in der Datei; schreiben Sie stattdessen file:PFAD, env:NAME oder cred:NAME"},
		{"at most %s paths can be passed on", "höchstens %s Pfade können durchgereicht werden"},
		{"must be a path of Jamf's API like /v1/departments or /v1/computer-groups/{id}: /v1 to /v4, words in small letters, at most one {id}", "muss ein Pfad der Jamf-API sein wie /v1/departments oder /v1/computer-groups/{id}: /v1 bis /v4, Wörter in Kleinbuchstaben, höchstens ein {id}"},
		{"no source of this client passes paths on", "keine Quelle dieses Clients reicht Pfade durch"},
		{"the view of this client does not hold for paths that are passed on: it is shown what Jamf answers", "die Sicht (view) dieses Clients gilt nicht für durchgereichte Pfade: Er bekommt, was Jamf antwortet"},
		{"is never passed on: the gateway answers it itself", "wird nie durchgereicht: Das Gateway beantwortet es selbst"},
		{"no client may use it: set passthrough: true at one", "kein Client darf es benutzen: Setzen Sie bei einem passthrough: true"},
		{"is never passed on: computers are served from the store", "wird nie durchgereicht: Computer werden aus dem Bestand geliefert"},
		{"is never passed on: mobile devices are served from the store", "wird nie durchgereicht: Mobilgeräte werden aus dem Bestand geliefert"},
		{"is never passed on: it can show recovery keys", "wird nie durchgereicht: dort können Wiederherstellungsschlüssel stehen"},
		{"is never passed on: it can show codes that lock or unlock devices", "wird nie durchgereicht: dort können Codes zum Sperren und Entsperren von Geräten stehen"},
		{"is never passed on: it can show bootstrap tokens", "wird nie durchgereicht: dort können Bootstrap-Token stehen"},
		{"is never passed on: it can show passwords", "wird nie durchgereicht: dort können Kennwörter stehen"},
		{"is never passed on: it can show tokens, keys or sign-in settings", "wird nie durchgereicht: dort können Token, Schlüssel oder Einstellungen der Anmeldung stehen"},
		{"is never passed on: it can show files, which nobody can look through", "wird nie durchgereicht: dort können Dateien stehen, die niemand durchsehen kann"},
		{"is never passed on: it can show secrets of enrollment", "wird nie durchgereicht: dort können Geheimnisse der Registrierung stehen"},
		{"is never passed on: it is about accounts and rights of Jamf itself", "wird nie durchgereicht: dort geht es um Konten und Rechte von Jamf selbst"},
		{"is never passed on: it can show certificates and their keys", "wird nie durchgereicht: dort können Zertifikate und ihre Schlüssel stehen"},
		{"is never passed on: it can show passwords of other systems", "wird nie durchgereicht: dort können Kennwörter anderer Systeme stehen"},
		{"is never passed on: it can show programs and parameters, which often hold secrets", "wird nie durchgereicht: dort können Programme und Parameter stehen, die oft Geheimnisse enthalten"},
		{"is never passed on: it can show settings of devices and commands, which often hold secrets", "wird nie durchgereicht: dort können Geräteeinstellungen und Befehle stehen, die oft Geheimnisse enthalten"},
		{"is never passed on: it can show tokens, logs or settings of Jamf itself", "wird nie durchgereicht: dort können Token, Protokolle oder Einstellungen von Jamf selbst stehen"},
		{"names no file; remove the line where the certificates of the system are enough", "nennt keine Datei; entfernen Sie die Zeile, wenn die Zertifikate des Systems genügen"},
		{"%s is larger than 4 MiB", "%s ist größer als 4 MiB"},
		{"%s holds a private key; only certificates belong there", "%s enthält einen privaten Schlüssel; dort gehören nur Zertifikate hin"},
		{"certificate %s in %s cannot be read", "Zertifikat %s in %s ist nicht lesbar"},
		{"%s holds no certificate (PEM, -----BEGIN CERTIFICATE-----)", "%s enthält kein Zertifikat (PEM, -----BEGIN CERTIFICATE-----)"},
	}
}
