package catalogue

import "slices"

// ofDoor is about the way of a client to the gateway: what `check --as-client` finds between the two.
func ofDoor() []Entry { return slices.Concat(ofReach(), ofCertificate(), ofProxy()) }

// ofReach is about names, addresses and credentials.
func ofReach() []Entry {
	return []Entry{
		{
			Code:  "public_url_missing",
			Title: Text{"The public address of the gateway is not set", "Die öffentliche Adresse des Gateways ist nicht gesetzt"},
			Cause: Text{
				"Without public_url nobody knows by which address clients reach the gateway.",
				"Ohne public_url ist nicht bekannt, unter welcher Adresse Clients das Gateway erreichen.",
			},
			Action: Text{
				"Set public_url to the address by which Inventory360 reaches the gateway, like https://gateway.example.com.",
				"Setzen Sie public_url auf die Adresse, unter der Inventory360 das Gateway erreicht, wie https://gateway.example.com.",
			},
		},
		{
			Code:  "client_secret_wrong",
			Title: Text{"This is not a secret of the client", "Das ist kein Secret dieses Clients"},
			Cause: Text{
				"The SHA-256 of what was entered stands in none of the secrets of this client in the settings.",
				"Der SHA-256 der Eingabe steht bei keinem der secrets dieses Clients in den Einstellungen.",
			},
			Action: Text{
				"Enter the secret that was shown when it was made, or make the next one with `jamf-gateway client rotate`.",
				"Geben Sie das Secret ein, das beim Erzeugen angezeigt wurde, oder erzeugen Sie mit `jamf-gateway client rotate` das nächste.",
			},
		},
		{
			Code:  "client_secret_expired",
			Title: Text{"The secret has ended", "Das Secret ist abgelaufen"},
			Cause: Text{
				"The settings say of this secret of the client that it has ended (expires).",
				"Die Einstellungen sagen von diesem Secret des Clients, dass es abgelaufen ist (expires).",
			},
			Action: Text{
				"Enter the newer secret in the client, or make the next one with `jamf-gateway client rotate`.",
				"Tragen Sie im Client das neuere Secret ein, oder erzeugen Sie mit `jamf-gateway client rotate` das nächste.",
			},
		},
		{
			Code:  "client_secret_mistyped",
			Title: Text{"The secret is not whole", "Das Secret ist nicht vollständig"},
			Cause: Text{
				"What was entered begins like a secret of this gateway, but its checksum is wrong: a character is missing, too many or another one.",
				"Die Eingabe beginnt wie ein Secret dieses Gateways, aber ihre Prüfsumme stimmt nicht: Ein Zeichen fehlt, ist zu viel oder falsch.",
			},
			Action: Text{
				"Copy the secret again, from jgw_ to its end (53 characters) and without blanks.",
				"Kopieren Sie das Secret noch einmal, von jgw_ bis zum Ende (53 Zeichen) und ohne Leerzeichen.",
			},
		},
		{
			Code:  "door_dns_failed",
			Title: Text{"The name in public_url is not known", "Der Name in public_url ist nicht bekannt"},
			Cause: Text{
				"The DNS of this machine does not know the host of public_url.",
				"Das DNS dieses Rechners kennt den Host von public_url nicht.",
			},
			Action: Text{
				"Check the spelling of public_url, and add the name to the DNS that Inventory360 uses.",
				"Prüfen Sie die Schreibweise von public_url, und tragen Sie den Namen in das DNS ein, das Inventory360 benutzt.",
			},
		},
		{
			Code:  "door_connect_failed",
			Title: Text{"Nobody answers at public_url", "Unter public_url antwortet niemand"},
			Cause: Text{
				"No connection to host and port of public_url: the gateway or the proxy in front of it does not run, or a firewall stands between.",
				"Keine Verbindung zu Host und Port von public_url: Das Gateway oder der Proxy davor läuft nicht, oder eine Firewall steht dazwischen.",
			},
			Action: Text{
				"Check that `jamf-gateway serve` and the proxy run, and that the port is open for Inventory360.",
				"Prüfen Sie, ob `jamf-gateway serve` und der Proxy laufen und ob der Port für Inventory360 offen ist.",
			},
		},
		{
			Code:  "door_timeout",
			Title: Text{"The gateway does not answer in time", "Das Gateway antwortet nicht rechtzeitig"},
			Cause: Text{
				"No whole answer within 30 seconds.",
				"Keine vollständige Antwort innerhalb von 30 Sekunden.",
			},
			Action: Text{
				"Look at the load of the gateway and of the proxy in front of it.",
				"Sehen Sie nach der Auslastung des Gateways und des Proxys davor.",
			},
		},
		{
			Code:  "door_plain_http",
			Title: Text{"Clients reach the gateway without TLS", "Clients erreichen das Gateway ohne TLS"},
			Cause: Text{
				"public_url begins with http://: secret, tokens and devices can be read on the way.",
				"public_url beginnt mit http://: Secret, Token und Geräte sind unterwegs lesbar.",
			},
			Action: Text{
				"Give the gateway a certificate (tls.cert_file, tls.key_file), or put a proxy with TLS in front of it.",
				"Geben Sie dem Gateway ein Zertifikat (tls.cert_file, tls.key_file), oder stellen Sie einen Proxy mit TLS davor.",
			},
		},
	}
}

// ofCertificate is about what the door shows of itself.
func ofCertificate() []Entry {
	return []Entry{
		{
			Code:  "door_intermediate_missing",
			Title: Text{"An intermediate certificate is missing", "Ein Zwischenzertifikat fehlt"},
			Cause: Text{
				"The certificate that is sent was issued by an authority whose own certificate is neither sent nor trusted here. Browsers often find it by themselves, Inventory360 and other programs do not.",
				"Das gesendete Zertifikat stammt von einer Stelle, deren eigenes Zertifikat weder mitgesendet wird noch hier als vertrauenswürdig gilt. Browser finden es oft von selbst, Inventory360 und andere Programme nicht.",
			},
			Action: Text{
				"Append the intermediate certificate of the authority to the certificate file (often called fullchain or bundle) of the gateway or the proxy.",
				"Hängen Sie das Zwischenzertifikat der Zertifizierungsstelle an die Zertifikatsdatei (oft fullchain oder bundle genannt) des Gateways oder des Proxys an.",
			},
		},
		{
			Code:  "door_self_signed",
			Title: Text{"The certificate is self-signed", "Das Zertifikat ist selbst signiert"},
			Cause: Text{
				"Nobody but the certificate itself vouches for it, so that Inventory360 refuses the connection.",
				"Für das Zertifikat bürgt nur es selbst, deshalb lehnt Inventory360 die Verbindung ab.",
			},
			Action: Text{
				"Use a certificate of an authority that Inventory360 trusts.",
				"Verwenden Sie ein Zertifikat einer Stelle, der Inventory360 vertraut.",
			},
		},
		{
			Code:  "door_unknown_authority",
			Title: Text{"The certificate's authority is not trusted", "Der Zertifizierungsstelle wird nicht vertraut"},
			Cause: Text{
				"The chain ends at an authority that this machine does not trust, a private one perhaps or that of a proxy that opens TLS.",
				"Die Kette endet bei einer Stelle, der dieser Rechner nicht vertraut, etwa einer eigenen oder der eines Proxys, der TLS aufbricht.",
			},
			Action: Text{
				"Name the certificate of your authority with --ca-file if Inventory360 trusts it too, or use a certificate of a public authority.",
				"Nennen Sie das Zertifikat Ihrer Stelle mit --ca-file, falls auch Inventory360 ihr vertraut, oder verwenden Sie ein Zertifikat einer öffentlichen Stelle.",
			},
		},
		{
			Code:  "door_certificate_expired",
			Title: Text{"A certificate is not valid today", "Ein Zertifikat ist heute nicht gültig"},
			Cause: Text{
				"A certificate of the chain has expired or is not valid yet, or the clock of this machine is wrong.",
				"Ein Zertifikat der Kette ist abgelaufen oder noch nicht gültig, oder die Uhr dieses Rechners geht falsch.",
			},
			Action: Text{
				"Renew the certificate, and restart what serves it.",
				"Erneuern Sie das Zertifikat, und starten Sie neu, was es ausliefert.",
			},
		},
		{
			Code:  "door_certificate_expires",
			Title: Text{"The certificate expires soon", "Das Zertifikat läuft bald ab"},
			Cause: Text{
				"From that day on Inventory360 refuses the connection.",
				"Ab diesem Tag lehnt Inventory360 die Verbindung ab.",
			},
			Action: Text{
				"Renew the certificate in time, best by a program.",
				"Erneuern Sie das Zertifikat rechtzeitig, am besten automatisch.",
			},
		},
		{
			Code:  "door_wrong_name",
			Title: Text{"The certificate is for another name", "Das Zertifikat gilt für einen anderen Namen"},
			Cause: Text{
				"The host of public_url is none of the names in the certificate.",
				"Der Host von public_url ist keiner der Namen im Zertifikat.",
			},
			Action: Text{
				"Use a certificate that names the host, or a public_url with a name that the certificate holds.",
				"Verwenden Sie ein Zertifikat, das den Host nennt, oder eine public_url mit einem Namen aus dem Zertifikat.",
			},
		},
		{
			Code:  "door_tls_failed",
			Title: Text{"TLS to the gateway fails", "TLS zum Gateway kommt nicht zustande"},
			Cause: Text{
				"At this port nobody speaks TLS, or none that both sides know.",
				"An diesem Port wird kein TLS gesprochen, oder keines, das beide Seiten kennen.",
			},
			Action: Text{
				"Check the port in public_url, and that the gateway or the proxy has its certificate and allows TLS 1.2 or newer.",
				"Prüfen Sie den Port in public_url und ob das Gateway oder der Proxy sein Zertifikat hat und TLS 1.2 oder neuer erlaubt.",
			},
		},
	}
}

// ofProxy is about what stands between and changes what passes.
func ofProxy() []Entry {
	return []Entry{
		{
			Code:  "door_redirect",
			Title: Text{"The way to the gateway redirects", "Der Weg zum Gateway leitet um"},
			Cause: Text{
				"Instead of the gateway a redirect answers: to https, to a login page, or to a path with a slash at its end. Clients lose the request's body on the way.",
				"Statt des Gateways antwortet eine Umleitung: auf https, auf eine Anmeldeseite oder auf einen Pfad mit Schrägstrich. Clients verlieren dabei den Inhalt der Anfrage.",
			},
			Action: Text{
				"Set public_url to the final address, and let the proxy pass requests to the gateway without a redirect.",
				"Setzen Sie public_url auf die endgültige Adresse, und lassen Sie den Proxy Anfragen ohne Umleitung an das Gateway weitergeben.",
			},
		},
		{
			Code:  "door_html",
			Title: Text{"A web page answers instead of the gateway", "Statt des Gateways antwortet eine Webseite"},
			Cause: Text{
				"The answer is HTML: a login page, an error page of the proxy, or another service at this address.",
				"Die Antwort ist HTML: eine Anmeldeseite, eine Fehlerseite des Proxys oder ein anderer Dienst unter dieser Adresse.",
			},
			Action: Text{
				"Exempt the path of the gateway from single sign-on and web filters, and check to where the proxy passes it.",
				"Nehmen Sie den Pfad des Gateways von Single Sign-on und Webfiltern aus, und prüfen Sie, wohin der Proxy ihn weitergibt.",
			},
		},
		{
			Code:  "door_bad_gateway",
			Title: Text{"The proxy does not reach the gateway", "Der Proxy erreicht das Gateway nicht"},
			Cause: Text{
				"The proxy answers 502, 503 or 504 by itself: the gateway does not run at the address that the proxy knows, or answers too late for it.",
				"Der Proxy antwortet selbst mit 502, 503 oder 504: Das Gateway läuft nicht unter der Adresse, die der Proxy kennt, oder antwortet ihm zu spät.",
			},
			Action: Text{
				"Check that the gateway runs, that the proxy's upstream is its `listen` address, and that the proxy waits at least 60 s.",
				"Prüfen Sie, ob das Gateway läuft, ob das Ziel des Proxys seine Adresse aus `listen` ist und ob der Proxy mindestens 60 s wartet.",
			},
		},
		{
			Code:  "door_path_lost",
			Title: Text{"The path does not arrive at the gateway", "Der Pfad kommt nicht beim Gateway an"},
			Cause: Text{
				"The gateway or the proxy does not know the path. Most often a proxy cuts the prefix off or adds one.",
				"Das Gateway oder der Proxy kennt den Pfad nicht. Meist schneidet ein Proxy den Präfix ab oder fügt einen hinzu.",
			},
			Action: Text{
				"Let the proxy pass the path unchanged: /jamf/NAME/api (in nginx proxy_pass without a path at its end).",
				"Lassen Sie den Proxy den Pfad unverändert weitergeben: /jamf/NAME/api (in nginx proxy_pass ohne Pfad am Ende).",
			},
		},
		{
			Code:  "door_host_lost",
			Title: Text{"The host name does not arrive at the gateway", "Der Hostname kommt nicht beim Gateway an"},
			Cause: Text{
				"A proxy puts its own Host in place of the source's: the gateway would answer with the default source, not with this one.",
				"Ein Proxy ersetzt den Host der Quelle durch einen eigenen: Das Gateway würde mit der Standardquelle antworten, nicht mit dieser.",
			},
			Action: Text{
				"Let the proxy pass Host on unchanged (in nginx proxy_set_header Host $host).",
				"Lassen Sie den Proxy den Host unverändert weitergeben (in nginx proxy_set_header Host $host).",
			},
		},
		{
			Code:  "door_query_lost",
			Title: Text{"The query does not arrive at the gateway", "Die Abfrageparameter kommen nicht beim Gateway an"},
			Cause: Text{
				"One row was asked for and more came: a proxy drops what follows the question mark. Clients would read the first page over and over.",
				"Eine Zeile war verlangt, mehr kamen: Ein Proxy lässt weg, was nach dem Fragezeichen steht. Clients läsen immer wieder die erste Seite.",
			},
			Action: Text{
				"Let the proxy pass the query unchanged, and let it cache nothing of the gateway.",
				"Lassen Sie den Proxy die Abfrageparameter unverändert weitergeben und nichts vom Gateway zwischenspeichern.",
			},
		},
		{
			Code:  "door_authorization_lost",
			Title: Text{"The Authorization header does not arrive", "Der Header Authorization kommt nicht an"},
			Cause: Text{
				"The gateway issued a token and then got a request without one: a proxy strips the Authorization header.",
				"Das Gateway hat ein Token ausgestellt und danach eine Anfrage ohne Token erhalten: Ein Proxy entfernt den Header Authorization.",
			},
			Action: Text{
				"Let the proxy pass the Authorization header, and exempt the gateway from the proxy's own authentication.",
				"Lassen Sie den Proxy den Header Authorization weitergeben, und nehmen Sie das Gateway von der eigenen Anmeldung des Proxys aus.",
			},
		},
		{
			Code:  "door_token_foreign",
			Title: Text{"The gateway does not know its own token", "Das Gateway kennt sein eigenes Token nicht"},
			Cause: Text{
				"The token was refused right after it was issued: the proxy changes it, or spreads requests over gateways with different keys.",
				"Das Token wurde gleich nach dem Ausstellen abgelehnt: Der Proxy verändert es, oder er verteilt die Anfragen auf Gateways mit verschiedenen Schlüsseln.",
			},
			Action: Text{
				"Let the proxy pass the Authorization header unchanged to one gateway.",
				"Lassen Sie den Proxy den Header Authorization unverändert an ein einziges Gateway weitergeben.",
			},
		},
		{
			Code:  "door_body_changed",
			Title: Text{"The answer is changed on the way", "Die Antwort wird unterwegs verändert"},
			Cause: Text{
				"What arrives is not what the gateway sent: a proxy rewrites, shortens or adds to it.",
				"Was ankommt, ist nicht das, was das Gateway gesendet hat: Ein Proxy schreibt um, kürzt oder ergänzt.",
			},
			Action: Text{
				"Switch rewriting, filtering and injection of content off in the proxy for the paths of the gateway.",
				"Schalten Sie im Proxy für die Pfade des Gateways das Umschreiben, Filtern und Einfügen von Inhalten ab.",
			},
		},
		{
			Code:  "door_refused",
			Title: Text{"The way to the gateway refuses the request", "Der Weg zum Gateway lehnt die Anfrage ab"},
			Cause: Text{
				"The answer is a refusal that does not come from the gateway: a proxy, a firewall or an access list.",
				"Die Antwort ist eine Ablehnung, die nicht vom Gateway stammt: ein Proxy, eine Firewall oder eine Zugriffsliste.",
			},
			Action: Text{
				"Allow GET and POST to the paths of the gateway for the address from which Inventory360 comes.",
				"Erlauben Sie GET und POST auf die Pfade des Gateways für die Adresse, von der Inventory360 kommt.",
			},
		},
	}
}
