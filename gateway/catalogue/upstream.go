package catalogue

import "slices"

// ofUpstream is about the way to Jamf and Jamf's answers.
func ofUpstream() []Entry {
	return slices.Concat(ofConnection(), ofAnswer(), ofRights())
}

// ofConnection is about reaching Jamf at all.
func ofConnection() []Entry {
	return []Entry{
		{
			Code:  "url_invalid",
			Title: Text{"The address of the source is not valid", "Die Adresse der Quelle ist ungültig"},
			Cause: Text{
				"The URL is not the https address of a Jamf Pro instance that ends in /api.",
				"Die URL ist keine https-Adresse einer Jamf-Pro-Instanz, die auf /api endet.",
			},
			Action: Text{
				"Write the URL as https://NAME.jamfcloud.com/api.",
				"Tragen Sie die URL in der Form https://NAME.jamfcloud.com/api ein.",
			},
		},
		{
			Code:  "dns_failed",
			Title: Text{"The name of the Jamf server cannot be resolved", "Der Name des Jamf-Servers kann nicht aufgelöst werden"},
			Cause: Text{
				"DNS knows no address for the host name in the URL of the source.",
				"DNS liefert zu dem Hostnamen in der URL der Quelle keine Adresse.",
			},
			Action: Text{
				"Check the spelling of the URL and the DNS settings of the machine on which the gateway runs.",
				"Prüfen Sie die Schreibweise der URL und die DNS-Einstellungen des Rechners, auf dem das Gateway läuft.",
			},
		},
		{
			Code:  "address_refused",
			Title: Text{"The name of the Jamf server leads to an address that is not dialed", "Der Name des Jamf-Servers führt zu einer Adresse, die nicht angewählt wird"},
			Cause: Text{
				"The address is one that no Jamf Pro has (link-local, cloud metadata, multicast, NAT64), or one that the networks of the source do not allow.",
				"Es ist eine Adresse, die kein Jamf Pro hat (link-local, Cloud-Metadaten, Multicast, NAT64), oder eine, die networks der Quelle nicht erlaubt.",
			},
			Action: Text{
				"Check what DNS answers on this machine; if Jamf really stands there, name private, loopback or its network in the networks of the source.",
				"Prüfen Sie, was DNS auf diesem Rechner antwortet; steht Jamf wirklich dort, nennen Sie private, loopback oder sein Netz unter networks der Quelle.",
			},
		},
		{
			Code:  "connect_failed",
			Title: Text{"The Jamf server cannot be reached", "Der Jamf-Server ist nicht erreichbar"},
			Cause: Text{
				"No connection to the address and port in the URL of the source can be made.",
				"Zu Adresse und Port in der URL der Quelle kommt keine Verbindung zustande.",
			},
			Action: Text{
				"Allow outgoing connections to this host, usually on port 443, in the firewall, and check that the server is up.",
				"Erlauben Sie in der Firewall ausgehende Verbindungen zu diesem Host, in der Regel auf Port 443, und prüfen Sie, ob der Server läuft.",
			},
		},
		{
			Code:  "tls_failed",
			Title: Text{"No secure connection to the Jamf server", "Keine sichere Verbindung zum Jamf-Server"},
			Cause: Text{
				"The certificate of the server has expired, is made for another name, or is signed by an authority that this machine does not trust.",
				"Das Zertifikat des Servers ist abgelaufen, für einen anderen Namen ausgestellt oder von einer Stelle signiert, der dieser Rechner nicht vertraut.",
			},
			Action: Text{
				"Check the certificate of the server; name the certificate authority in ca_file of the source if it is your own or that of a proxy that opens TLS.",
				"Prüfen Sie das Zertifikat des Servers; nennen Sie eine eigene Zertifizierungsstelle, auch die eines Proxys, der TLS aufbricht, in ca_file der Quelle.",
			},
		},
		{
			Code:  "proxy_invalid",
			Title: Text{"The address of the proxy is not valid", "Die Adresse des Proxys ist ungültig"},
			Cause: Text{
				"HTTPS_PROXY of the environment, or proxy_url of the source, is not an address like http://proxy.example.com:3128, or the source has networks, which no proxy holds.",
				"HTTPS_PROXY der Umgebung oder proxy_url der Quelle ist keine Adresse wie http://proxy.example.com:3128, oder die Quelle hat networks, die kein Proxy einhält.",
			},
			Action: Text{
				"Correct the address, leave networks out, or set proxy_url of the source to off if Jamf is reached directly.",
				"Berichtigen Sie die Adresse, lassen Sie networks weg, oder setzen Sie proxy_url der Quelle auf off, wenn Jamf direkt erreicht wird.",
			},
		},
		{
			Code:  "proxy_unreachable",
			Title: Text{"The proxy cannot be reached", "Der Proxy ist nicht erreichbar"},
			Cause: Text{
				"No connection to the proxy comes about that proxy_url of the source or HTTPS_PROXY of the environment names. Jamf was not asked.",
				"Zu dem Proxy, den proxy_url der Quelle oder HTTPS_PROXY der Umgebung nennt, kommt keine Verbindung zustande. Jamf wurde nicht gefragt.",
			},
			Action: Text{
				"Check name, port and scheme (http or https) of the proxy, and that this machine may connect to it.",
				"Prüfen Sie Name, Port und Schema (http oder https) des Proxys und ob dieser Rechner sich mit ihm verbinden darf.",
			},
		},
		{
			Code:  "proxy_login_refused",
			Title: Text{"The proxy refuses the login", "Der Proxy lehnt die Anmeldung ab"},
			Cause: Text{
				"The proxy answered 407: it wants a user and a password, or does not accept these. Jamf was not asked.",
				"Der Proxy hat mit 407 geantwortet: Er verlangt Benutzer und Kennwort oder nimmt die angegebenen nicht an. Jamf wurde nicht gefragt.",
			},
			Action: Text{
				"Enter the user and password in proxy_url as http://USER:PASSWORD@HOST:PORT, special characters percent-encoded, best by file:.",
				"Tragen Sie Benutzer und Kennwort in proxy_url als http://BENUTZER:KENNWORT@HOST:PORT ein, Sonderzeichen prozentkodiert, am besten über file:.",
			},
		},
		{
			Code:  "proxy_refused",
			Title: Text{"The proxy gives no way to Jamf", "Der Proxy gibt keinen Weg zu Jamf frei"},
			Cause: Text{
				"The proxy answered CONNECT with an error: it forbids this host or port, or cannot reach Jamf itself. Whether Jamf is up is unknown.",
				"Der Proxy hat CONNECT mit einem Fehler beantwortet: Er verbietet diesen Host oder Port oder erreicht Jamf selbst nicht. Ob Jamf läuft, ist unbekannt.",
			},
			Action: Text{
				"Allow CONNECT to the host and port of Jamf in the proxy, and look into the log of the proxy for the reason.",
				"Erlauben Sie im Proxy CONNECT zu Host und Port von Jamf, und sehen Sie den Grund im Protokoll des Proxys nach.",
			},
		},
		{
			Code:  "timeout",
			Title: Text{"Jamf did not answer in time", "Jamf hat nicht rechtzeitig geantwortet"},
			Cause: Text{
				"The answer did not arrive before the deadline. Large pages or a busy Jamf Pro are the usual reasons.",
				"Die Antwort ist nicht innerhalb der Frist eingetroffen. Übliche Gründe sind große Seiten oder ein ausgelastetes Jamf Pro.",
			},
			Action: Text{
				"Wait for the next attempt, which asks for smaller pages; set sync.page_size lower or sync.at to a quieter hour if this happens often.",
				"Warten Sie den nächsten Versuch mit kleineren Seiten ab; verringern Sie sync.page_size, oder legen Sie sync.at auf eine ruhigere Uhrzeit, falls das häufiger vorkommt.",
			},
		},
		{
			Code:  "redirect_refused",
			Title: Text{"Jamf redirects to another address", "Jamf leitet auf eine andere Adresse um"},
			Cause: Text{
				"The server answered with a redirect. It is not followed, so that no secret and no token reach another host.",
				"Der Server hat mit einer Umleitung geantwortet. Ihr wird nicht gefolgt, damit weder Secret noch Token an einen anderen Host gelangen.",
			},
			Action: Text{
				"Enter the final address of Jamf Pro, beginning with https:// and ending in /api, as the URL of the source.",
				"Tragen Sie als URL der Quelle die endgültige Adresse von Jamf Pro ein, die mit https:// beginnt und auf /api endet.",
			},
		},
		{
			Code:  "jamf_unavailable",
			Title: Text{"Jamf is not available", "Jamf ist nicht verfügbar"},
			Cause: Text{
				"Jamf Pro answers with a server error, as it does during an outage or maintenance. If there is earlier complete data, it is served.",
				"Jamf Pro antwortet mit einem Serverfehler, wie bei einer Störung oder Wartung. Gibt es einen früheren vollständigen Datenstand, wird er ausgeliefert.",
			},
			Action: Text{
				"Look at status.jamf.com; the sync is tried again by itself.",
				"Sehen Sie auf status.jamf.com nach; die Synchronisierung wird von selbst wiederholt.",
			},
		},
		{
			Code:  "throttled",
			Title: Text{"Jamf asks for fewer requests", "Jamf verlangt weniger Anfragen"},
			Cause: Text{
				"Jamf Pro answered that it gets too many requests. The gateway waits as long as Jamf asks for.",
				"Jamf Pro hat gemeldet, dass es zu viele Anfragen erhält. Das Gateway wartet so lange, wie Jamf es verlangt.",
			},
			Action: Text{
				"Lower limits.requests_per_second of the source if this happens often, and check what else uses the API of this instance.",
				"Verringern Sie limits.requests_per_second der Quelle, falls das häufiger vorkommt, und prüfen Sie, was die API dieser Instanz sonst noch nutzt.",
			},
		},
		{
			Code:  "breaker_open",
			Title: Text{"Requests to Jamf are paused", "Anfragen an Jamf sind ausgesetzt"},
			Cause: Text{
				"After repeated faults the gateway leaves this Jamf host alone for a while. If there is earlier complete data, it is served.",
				"Nach wiederholten Fehlern lässt das Gateway diesen Jamf-Host eine Weile in Ruhe. Gibt es einen früheren vollständigen Datenstand, wird er ausgeliefert.",
			},
			Action: Text{
				"Wait, since the gateway tries again by itself, and look at the last error of the source for the reason.",
				"Warten Sie, da das Gateway es von selbst erneut versucht, und sehen Sie die Ursache im letzten Fehler der Quelle nach.",
			},
		},
		{
			Code:  "canceled",
			Title: Text{"The operation was canceled", "Der Vorgang wurde abgebrochen"},
			Cause: Text{
				"The gateway was stopped, or whoever asked did not wait for the answer.",
				"Das Gateway wurde beendet, oder die anfragende Stelle hat nicht auf die Antwort gewartet.",
			},
			Action: Text{
				"Nothing needs to be done; a sync that is due starts again by itself.",
				"Sie müssen nichts tun; eine fällige Synchronisierung beginnt von selbst erneut.",
			},
		},
	}
}

// ofAnswer is about answers of Jamf that cannot be used.
func ofAnswer() []Entry {
	return []Entry{
		{
			Code:  "html_instead_of_json",
			Title: Text{"A web page came instead of data", "Statt Daten kam eine Webseite"},
			Cause: Text{
				"The answer is HTML. The URL leads to a login page or a proxy, or Jamf shows a maintenance page.",
				"Die Antwort ist HTML. Die URL führt zu einer Anmeldeseite oder einem Proxy, oder Jamf zeigt eine Wartungsseite.",
			},
			Action: Text{
				"Open the URL of the source in a browser, and check that it is the address of Jamf Pro followed by /api.",
				"Öffnen Sie die URL der Quelle in einem Browser, und prüfen Sie, ob sie die Adresse von Jamf Pro gefolgt von /api ist.",
			},
		},
		{
			Code:  "unexpected_answer",
			Title: Text{"Jamf's answer has an unexpected form", "Die Antwort von Jamf hat eine unerwartete Form"},
			Cause: Text{
				"The answer is not the list or object that Jamf's API describes. It is never taken for an empty list.",
				"Die Antwort ist nicht die Liste oder das Objekt, das die API von Jamf beschreibt. Sie wird nie als leere Liste gewertet.",
			},
			Action: Text{
				"Check that the URL leads directly to Jamf Pro, and whether there is a newer version of the gateway for this version of Jamf Pro.",
				"Prüfen Sie, ob die URL direkt zu Jamf Pro führt und ob es für diese Version von Jamf Pro eine neuere Version des Gateways gibt.",
			},
		},
		{
			Code:  "answer_too_large",
			Title: Text{"Jamf's answer is too large", "Die Antwort von Jamf ist zu groß"},
			Cause: Text{
				"The answer is larger than the gateway reads at once: 64 MiB for a page, 4 MiB for a record.",
				"Die Antwort ist größer, als das Gateway auf einmal liest: 64 MiB je Seite, 4 MiB je Datensatz.",
			},
			Action: Text{
				"Set sync.page_size lower, or keep fewer sections in the profile of the source.",
				"Verringern Sie sync.page_size, oder behalten Sie im Profil der Quelle weniger Bereiche.",
			},
		},
		{
			Code:  "jamf_cannot_render",
			Title: Text{"Jamf cannot give out a record", "Jamf kann einen Datensatz nicht ausgeben"},
			Cause: Text{
				"Jamf Pro answers with an internal error for this part of the inventory again and again. A damaged record in Jamf is the usual reason.",
				"Jamf Pro antwortet bei diesem Teil des Bestands immer wieder mit einem internen Fehler. Üblicher Grund ist ein beschädigter Datensatz in Jamf.",
			},
			Action: Text{
				"Open the devices named in the health report in Jamf Pro, have them send a new inventory, and ask Jamf's support if that does not help.",
				"Öffnen Sie die im Zustandsbericht genannten Geräte in Jamf Pro, lassen Sie deren Inventar aktualisieren, und wenden Sie sich an den Jamf-Support, falls das nicht hilft.",
			},
		},
		{
			Code:  "bad_request_upstream",
			Title: Text{"Jamf rejects the request", "Jamf weist die Anfrage zurück"},
			Cause: Text{
				"Jamf Pro does not accept a request that its documentation describes. Its version may be too old or too new for this gateway.",
				"Jamf Pro nimmt eine Anfrage nicht an, die seine Dokumentation beschreibt. Möglicherweise ist seine Version für dieses Gateway zu alt oder zu neu.",
			},
			Action: Text{
				"Report the version of Jamf Pro, and check whether there is a newer version of the gateway.",
				"Melden Sie die Version von Jamf Pro, und prüfen Sie, ob es eine neuere Version des Gateways gibt.",
			},
		},
		{
			Code:  "upstream_not_found",
			Title: Text{"Jamf does not know the address asked for", "Jamf kennt die abgefragte Adresse nicht"},
			Cause: Text{
				"The server answered 404: the URL does not lead to the API of Jamf Pro, or this Jamf Pro is too old for it.",
				"Der Server hat mit 404 geantwortet: Die URL führt nicht zur API von Jamf Pro, oder dieses Jamf Pro ist dafür zu alt.",
			},
			Action: Text{
				"Check that the URL of the source is the address of Jamf Pro followed by /api.",
				"Prüfen Sie, ob die URL der Quelle die Adresse von Jamf Pro gefolgt von /api ist.",
			},
		},
	}
}

// ofRights is about what Jamf lets the gateway do.
func ofRights() []Entry {
	return []Entry{
		{
			Code:  "auth_failed",
			Title: Text{"Jamf refuses the client id or the client secret", "Jamf lehnt die Client-ID oder das Client Secret ab"},
			Cause: Text{
				"The API client does not exist, is disabled, or its secret was rotated. If there is earlier complete data, it is served.",
				"Der API-Client existiert nicht, ist deaktiviert, oder sein Secret wurde neu erzeugt. Gibt es einen früheren vollständigen Datenstand, wird er ausgeliefert.",
			},
			Action: Text{
				"In Jamf Pro open Settings > System > API roles and clients, check that the client is enabled, and put its current client_id and client_secret into the settings of the gateway.",
				"Öffnen Sie in Jamf Pro Einstellungen > System > API-Rollen und -Clients, prüfen Sie, ob der Client aktiviert ist, und tragen Sie seine aktuellen Werte als client_id und client_secret in die Einstellungen des Gateways ein.",
			},
		},
		{
			Code:  "token_refused",
			Title: Text{"Jamf refuses its own access token", "Jamf lehnt das eigene Zugriffstoken ab"},
			Cause: Text{
				"Jamf Pro issued a token and then answered 401 to it, also after a renewal.",
				"Jamf Pro hat ein Token ausgestellt und es danach mit 401 abgelehnt, auch nach einer Erneuerung.",
			},
			Action: Text{
				"Check under Settings > System > API roles and clients that the client is enabled and has a role, and wait for the next attempt.",
				"Prüfen Sie unter Einstellungen > System > API-Rollen und -Clients, ob der Client aktiviert ist und eine Rolle hat, und warten Sie den nächsten Versuch ab.",
			},
		},
		{
			Code:  "right_missing",
			Title: Text{"A right is missing in Jamf", "In Jamf fehlt eine Berechtigung"},
			Cause: Text{
				"The API role does not hold a right that this source needs: Read Computers for computers, Read Mobile Devices for mobile devices.",
				"Der API-Rolle fehlt eine Berechtigung, die diese Quelle braucht: „Read Computers“ für Computer, „Read Mobile Devices“ für Mobilgeräte.",
			},
			Action: Text{
				"Add the right to the role under Settings > System > API roles and clients, or take the kind out of kinds of the source.",
				"Ergänzen Sie die Berechtigung in der Rolle unter Einstellungen > System > API-Rollen und -Clients, oder nehmen Sie die Geräteart aus kinds der Quelle heraus.",
			},
		},
		{
			Code:  "rights_surplus",
			Title: Text{"The API client may do more than it needs to", "Der API-Client darf mehr als nötig"},
			Cause: Text{
				"The API role holds rights that the gateway does not use. Should the secret be stolen, they could be abused.",
				"Die API-Rolle enthält Berechtigungen, die das Gateway nicht nutzt. Bei einem gestohlenen Secret könnten sie missbraucht werden.",
			},
			Action: Text{
				"Give the gateway a role of its own with the rights Read Computers and Read Mobile Devices, and Read Departments, Read Buildings and Read Sites only where the profile keeps such ids, under Settings > System > API roles and clients.",
				"Geben Sie dem Gateway unter Einstellungen > System > API-Rollen und -Clients eine eigene Rolle, die nur „Read Computers“ und „Read Mobile Devices“ enthält, und „Read Departments“, „Read Buildings“ und „Read Sites“ nur dann, wenn das Profil solche Ids behält.",
			},
		},
		{
			Code:  "rights_unknown",
			Title: Text{"The rights of the API client are not known", "Die Berechtigungen des API-Clients sind nicht bekannt"},
			Cause: Text{
				"Jamf Pro did not say which rights the access token has. Whether they are enough is seen from the queries alone.",
				"Jamf Pro hat nicht mitgeteilt, welche Berechtigungen das Zugriffstoken hat. Ob sie ausreichen, zeigen nur die Abfragen selbst.",
			},
			Action: Text{
				"Check under Settings > System > API roles and clients that the role holds Read Computers and Read Mobile Devices.",
				"Prüfen Sie unter Einstellungen > System > API-Rollen und -Clients, ob die Rolle „Read Computers“ und „Read Mobile Devices“ enthält.",
			},
		},
	}
}
