package jamf

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// German is the detail of a step in German. Names, numbers and what has no German stay as they are.
func German(detail string) string {
	for _, pair := range sentences() {
		if !strings.Contains(pair[0], "%s") {
			if detail == pair[0] {
				return pair[1]
			}
			continue
		}
		parts := strings.Split(pair[0], "%s")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		values := regexp.MustCompile(`^` + strings.Join(parts, `(.+?)`) + `$`).FindStringSubmatch(detail)
		if values == nil {
			continue
		}
		args := make([]any, len(values)-1)
		for i, v := range values[1:] {
			args[i] = strings.ReplaceAll(v, " (only useful for names, which the settings do not use)", " (nur für Namen nützlich, die nach den Einstellungen nicht gelesen werden)")
		}
		return fmt.Sprintf(pair[1], args...)
	}
	return detail
}

// sentences are the details in English and German; %s is a value. The first that fits counts: longer ones come first.
func sentences() [][2]string {
	return slices.Concat(goodSentences(), wayDetails(), addressDetails(), answerSentences())
}

// goodSentences are those of steps that went well or were skipped, and of the settings.
func goodSentences() [][2]string {
	return [][2]string{
		{"a 404 that is not Jamf's: something in front of Jamf or another host answered", "ein 404, das nicht von Jamf stammt: Etwas vor Jamf oder ein anderer Host hat geantwortet"},
		{"API client %s is refused and not asked again yet, client %s is used", "API-Client %s wird abgelehnt und noch nicht wieder gefragt, Client %s ist in Gebrauch"},
		{"API client %s cannot be used (%s), client %s is used", "API-Client %s ist nicht brauchbar (%s), Client %s ist in Gebrauch"},
		{"API client %s lacks rights: %s", "API-Client %s fehlen Rechte: %s"},
		{"API client %s is good as well, client %s is used", "API-Client %s ist auch gut, Client %s ist in Gebrauch"},
		{"after an earlier failure", "nach einem früheren Fehler"},
		{"not done within 30 s, the wait for a free place in the budget included", "nicht fertig innerhalb von 30 s, das Warten auf einen freien Platz im Kontingent eingeschlossen"},
		{"%s to %s through the proxy %s", "%s zu %s über den Proxy %s"},
		{"https to %s", "https zu %s"},
		{"http to %s", "http zu %s"},
		{"an address, no name to resolve", "eine Adresse, kein Name aufzulösen"},
		{"1 addresses", "1 Adresse"},
		{"%s addresses", "%s Adressen"},
		{"a SOCKS proxy: the token step shows it", "ein SOCKS-Proxy: Der Schritt Token zeigt es"},
		{"a SOCKS proxy stands between: the token step shows it", "ein SOCKS-Proxy steht dazwischen: Der Schritt Token zeigt es"},
		{"lets %s through", "lässt %s durch"},
		{"plain http to a loopback address", "unverschlüsseltes http zu einer Loopback-Adresse"},
		{"%s, the certificate is valid until %s", "%s, das Zertifikat gilt bis %s"},
		{"valid for %s s", "gültig für %s s"},
		{"Jamf does not say which rights the token has", "Jamf sagt nicht, welche Rechte das Token hat"},
		{"missing: %s", "es fehlt: %s"},
		{"%s more than needed: %s; only for names: %s; optional, ids stay without names without it: %s", "%s mehr als nötig: %s; nur für Namen: %s; freiwillig, ohne bleiben Ids ohne Namen: %s"},
		{"%s more than needed: %s; only for names: %s", "%s mehr als nötig: %s; nur für Namen: %s"},
		{"%s more than needed: %s; optional, ids stay without names without it: %s", "%s mehr als nötig: %s; freiwillig, ohne bleiben Ids ohne Namen: %s"},
		{"%s more than needed: %s", "%s mehr als nötig: %s"},
		{"%s; only for names: %s; optional, ids stay without names without it: %s", "%s; nur für Namen: %s; freiwillig, ohne bleiben Ids ohne Namen: %s"},
		{"%s; only for names: %s", "%s; nur für Namen: %s"},
		{"%s; optional, ids stay without names without it: %s", "%s; freiwillig, ohne bleiben Ids ohne Namen: %s"},
		{"this kind is not configured", "diese Geräteart ist nicht eingestellt"},
		{"the right is missing", "das Recht fehlt"},
		{"%s devices, read by %s", "%s Geräte, gelesen über %s"},
		{"%s devices", "%s Geräte"},
		{"the text is no URL", "der Text ist keine URL"},
		{"scheme and host are needed: https://HOST/api", "Schema und Host fehlen: https://HOST/api"},
		{"the scheme must be https", "das Schema muss https sein"},
		{"a user name or password must not stand in the URL", "Benutzername oder Kennwort dürfen nicht in der URL stehen"},
		{"the URL must end in /api, without a query or a fragment", "die URL muss auf /api enden, ohne Abfrage und Fragment"},
		{"the URL must end in /api, without a slash after it", "die URL muss auf /api enden, ohne Schrägstrich danach"},
		{"the URL must end in /api", "die URL muss auf /api enden"},
		{"the path must be plain: no dots, double slashes or escapes", "der Pfad muss einfach sein: keine Punkte, doppelten Schrägstriche oder Prozentzeichen"},
		{"the port must be a number from 1 to 65535", "der Port muss eine Zahl von 1 bis 65535 sein"},
		{"http is allowed only to a loopback address such as 127.0.0.1 or [::1], written as a number", "http ist nur zu einer Loopback-Adresse wie 127.0.0.1 oder [::1] erlaubt, als Zahl geschrieben"},
	}
}

// wayDetails are about the way to Jamf: name, connection, TLS, proxy, budget.
func wayDetails() [][2]string {
	return [][2]string{
		{"the name of the host cannot be resolved", "der Name des Hosts ist nicht auflösbar"},
		{"the name of the proxy cannot be resolved", "der Name des Proxys ist nicht auflösbar"},
		{"no connection to the host", "keine Verbindung zum Host"},
		{"no connection to the proxy", "keine Verbindung zum Proxy"},
		{"no TLS connection to the proxy", "keine TLS-Verbindung zum Proxy"},
		{"the connection broke before the answer was complete", "die Verbindung brach ab, bevor die Antwort vollständig war"},
		{"Jamf did not answer in full before the deadline", "Jamf antwortete nicht rechtzeitig vollständig"},
		{"the certificate of the host has expired or is not valid yet", "das Zertifikat des Hosts ist abgelaufen oder gilt noch nicht"},
		{"the certificate of the host is for another name", "das Zertifikat des Hosts gilt für einen anderen Namen"},
		{"the certificate of the host comes from an authority that is not trusted here", "das Zertifikat des Hosts stammt von einer Stelle, der hier nicht vertraut wird"},
		{"the host does not speak TLS on this port", "der Host spricht auf diesem Port kein TLS"},
		{"no TLS connection to the host could be agreed on", "mit dem Host kam keine TLS-Verbindung zustande"},
		{"HTTPS_PROXY of the environment is not the address of a proxy", "HTTPS_PROXY der Umgebung ist keine Adresse eines Proxys"},
		{"proxy_url is not the address of a proxy", "proxy_url ist keine Adresse eines Proxys"},
		{networksBehindProxy, "networks lässt sich über einen Proxy nicht einhalten, da er den Namen selbst auflöst: networks weglassen oder proxy_url: off setzen"},
		{"the proxy did not answer CONNECT", "der Proxy antwortete nicht auf CONNECT"},
		{"the proxy gave no way to Jamf before the deadline", "der Proxy gab den Weg zu Jamf nicht rechtzeitig frei"},
		{"the proxy answered CONNECT with HTTP %s: it wants a user and a password, or others than these", "der Proxy antwortete auf CONNECT mit HTTP %s: Er will Benutzer und Kennwort, oder andere als diese"},
		{"the proxy answered CONNECT with HTTP %s: it cannot reach Jamf", "der Proxy antwortete auf CONNECT mit HTTP %s: Er erreicht Jamf nicht"},
		{"the proxy answered CONNECT with HTTP %s", "der Proxy antwortete auf CONNECT mit HTTP %s"},
		{"too many calls to this host failed, so that none is sent for a while", "zu viele Anfragen an diesen Host schlugen fehl, darum wird eine Weile keine gesendet"},
		{"Jamf asked for fewer requests: nothing is sent before %s", "Jamf bat um weniger Anfragen: Vor %s wird nichts gesendet"},
		{"Jamf refused the credentials 3 times: no token is asked for before %s", "Jamf lehnte die Zugangsdaten dreimal ab: Vor %s wird kein Token verlangt"},
		{"the call ended in an unknown way", "der Aufruf endete auf unbekannte Weise"},
		{"the caller ended the call", "der Aufruf wurde abgebrochen"},
		{"the source is closed", "die Quelle ist geschlossen"},
		{"the request cannot be built", "die Anfrage lässt sich nicht bilden"},
	}
}

// addressDetails are about addresses that are not dialed.
func addressDetails() (out [][2]string) {
	for _, kind := range [][2]string{
		{"a public address", "eine öffentliche Adresse"},
		{"a private address", "eine private Adresse"},
		{"this machine itself", "dieser Rechner selbst"},
		{"no address of a machine", "keine Adresse eines Rechners"},
		{"the metadata service of a cloud", "der Metadaten-Dienst einer Cloud"},
		{"a link-local address", "eine Link-Local-Adresse"},
		{"a multicast address", "eine Multicast-Adresse"},
		{"a reserved address", "eine reservierte Adresse"},
		{"an IPv4 address inside an IPv6 address (NAT64, 6to4, Teredo)", "eine IPv4-Adresse in einer IPv6-Adresse (NAT64, 6to4, Teredo)"},
	} {
		out = append(out, [2]string{"%s is " + kind[0] + ", which is never dialed", "%s ist " + kind[1] + " und wird nie angewählt"},
			[2]string{"%s is " + kind[0] + ", which networks does not allow", "%s ist " + kind[1] + ", die networks nicht erlaubt"})
	}
	return append(out, [2]string{"networks must be public, private, loopback or a network like 10.20.0.0/16", "networks muss public, private, loopback oder ein Netz wie 10.20.0.0/16 sein"})
}

// answerSentences are about answers of Jamf, or of something in its place.
func answerSentences() [][2]string {
	return [][2]string{
		{"Jamf answered with HTTP %s and a redirect to %s", "Jamf antwortete mit HTTP %s und einer Umleitung nach %s"},
		{"Jamf answered with HTTP %s and a redirect", "Jamf antwortete mit HTTP %s und einer Umleitung"},
		{"Jamf answered with HTTP %s where 200 was due", "Jamf antwortete mit HTTP %s, wo 200 nötig war"},
		{"Jamf answered with HTTP %s: the edge gave up waiting", "Jamf antwortete mit HTTP %s: Der vorgelagerte Server gab das Warten auf"},
		{"Jamf answered with HTTP %s and HTML: something in front of Jamf answered", "Jamf antwortete mit HTTP %s und HTML: Etwas vor Jamf hat geantwortet"},
		{"Jamf answered with HTTP %s: the token endpoint refused the API client: another error", "Jamf antwortete mit HTTP %s: Der Token-Endpunkt lehnte den API-Client ab: ein anderer Fehler"},
		{"Jamf answered with HTTP %s: the token endpoint refused the API client: %s", "Jamf antwortete mit HTTP %s: Der Token-Endpunkt lehnte den API-Client ab: %s"},
		{"Jamf answered with HTTP %s: the token endpoint refused the API client", "Jamf antwortete mit HTTP %s: Der Token-Endpunkt lehnte den API-Client ab"},
		{"Jamf answered with HTTP %s and HTML to the token call: something in front of Jamf answered", "Jamf antwortete mit HTTP %s und HTML auf die Token-Anfrage: Etwas vor Jamf hat geantwortet"},
		{"Jamf answered with HTTP %s and no reason to the token call: something in front of Jamf answered", "Jamf antwortete mit HTTP %s ohne Grund auf die Token-Anfrage: Etwas vor Jamf hat geantwortet"},
		{"Jamf answered with HTTP %s", "Jamf antwortete mit HTTP %s"},
		{"there is no token endpoint below this URL: is it that of a Jamf Pro, ending in /api?", "unter dieser URL gibt es keinen Token-Endpunkt: Ist es die eines Jamf Pro, und endet sie auf /api?"},
		{"no token within 3 minutes: the budget towards this host is busy", "kein Token innerhalb von 3 Minuten: Das Kontingent für diesen Host ist belegt"},
		{"the token endpoint did not answer in time", "der Token-Endpunkt antwortete nicht rechtzeitig"},
		{"the token endpoint did not answer within 10 s", "der Token-Endpunkt antwortete nicht innerhalb von 10 s"},
		{"the token endpoint refused the API client: another error", "der Token-Endpunkt lehnte den API-Client ab: ein anderer Fehler"},
		{"the token endpoint refused the API client: %s", "der Token-Endpunkt lehnte den API-Client ab: %s"},
		{"the token endpoint answered with an empty body", "der Token-Endpunkt antwortete ohne Inhalt"},
		{"the token endpoint answered with HTML: something in front of Jamf answered", "der Token-Endpunkt antwortete mit HTML: Etwas vor Jamf hat geantwortet"},
		{"the token endpoint answered with something that is no JSON object", "der Token-Endpunkt antwortete mit etwas, das kein JSON-Objekt ist"},
		{"the token endpoint answered without a usable access_token", "der Token-Endpunkt antwortete ohne brauchbares access_token"},
		{"the token endpoint gave a token of another type than Bearer", "der Token-Endpunkt gab ein Token einer anderen Art als Bearer"},
		{"Jamf refuses tokens that it has just issued", "Jamf lehnt Token ab, die es eben ausgestellt hat"},
		{"HTML came where JSON was due: something in front of Jamf answered", "HTML kam, wo JSON nötig war: Etwas vor Jamf hat geantwortet"},
		{"the answer is not declared as JSON", "die Antwort ist nicht als JSON bezeichnet"},
		{"the answer is larger than %s MiB", "die Antwort ist größer als %s MiB"},
		{"the answer is not what Jamf documents", "die Antwort ist nicht die, die Jamf dokumentiert"},
		{"the answer has an encoding that was not asked for", "die Antwort hat eine Kodierung, die nicht verlangt war"},
		{"a refusal without Jamf's envelope: something in front of Jamf answered", "eine Ablehnung nicht in der Form von Jamf: Etwas vor Jamf hat geantwortet"},
		{"the answer is truncated or no strict JSON", "die Antwort ist abgeschnitten oder kein strenges JSON"},
		{"the answer is neither a JSON object nor an array", "die Antwort ist weder ein JSON-Objekt noch ein Array"},
		{"the answer is an empty object", "die Antwort ist ein leeres Objekt"},
		{"the answer goes on after its end", "die Antwort geht nach ihrem Ende weiter"},
		{"the answer lacks totalCount or results: it is no list", "der Antwort fehlen totalCount oder results: Sie ist keine Liste"},
		{"the answer is no JSON object", "die Antwort ist kein JSON-Objekt"},
		{"the answer is truncated or no JSON", "die Antwort ist abgeschnitten oder kein JSON"},
		{"the answer holds no version", "die Antwort enthält keine Version"},
		{"%s stands there twice", "%s steht zweimal da"},
		{"totalCount is no count", "totalCount ist keine Anzahl"},
		{"results is no array", "results ist kein Array"},
		{"more rows than the page was asked for", "mehr Zeilen, als von der Seite verlangt"},
		{"a page needs a known list, a page from 0 and a size from 1", "eine Seite braucht eine bekannte Liste, eine Seite ab 0 und eine Größe ab 1"},
	}
}
