package catalogue

import "slices"

// ofRequest is about what a client asked.
func ofRequest() []Entry {
	return slices.Concat(ofQuestion(), ofIdentity(), ofForm())
}

// ofQuestion is about the things asked for.
func ofQuestion() []Entry {
	return []Entry{
		{
			Code:  "unknown_source",
			Title: Text{"There is no such source", "Diese Quelle gibt es nicht"},
			Cause: Text{
				"No source of this name is configured, or this client may not see it.",
				"Eine Quelle dieses Namens ist nicht eingerichtet, oder dieser Client darf sie nicht sehen.",
			},
			Action: Text{
				"Compare the name with GET /v1/sources and with the sources of the client in the settings.",
				"Vergleichen Sie den Namen mit GET /v1/sources und mit den sources des Clients in den Einstellungen.",
			},
		},
		{
			Code:  "not_found",
			Title: Text{"There is nothing at this address", "Unter dieser Adresse gibt es nichts"},
			Cause: Text{
				"The path is not part of what this gateway serves, or the record that it names does not exist.",
				"Der Pfad gehört nicht zum Angebot dieses Gateways, oder der genannte Datensatz existiert nicht.",
			},
			Action: Text{
				"Check the path; a Jamf client needs the address of the gateway that ends in /api.",
				"Prüfen Sie den Pfad; ein Jamf-Client braucht die Adresse des Gateways, die auf /api endet.",
			},
		},
		{
			Code:  "unknown_device",
			Title: Text{"There is no such device", "Dieses Gerät gibt es nicht"},
			Cause: Text{
				"The current, complete data of the source holds no device of this id.",
				"Der aktuelle, vollständige Datenstand der Quelle enthält kein Gerät mit dieser ID.",
			},
			Action: Text{
				"Check the id; a device that was enrolled a moment ago appears after the next sync.",
				"Prüfen Sie die ID; ein gerade erst registriertes Gerät erscheint nach der nächsten Synchronisierung.",
			},
		},
		{
			Code:  "unknown_device_stale",
			Title: Text{"Whether this device exists is not known at present", "Ob es dieses Gerät gibt, ist derzeit nicht bekannt"},
			Cause: Text{
				"The last complete data holds no device of this id, but it is not up to date: the device may have been added since.",
				"Der letzte vollständige Datenstand enthält kein Gerät mit dieser ID. Er ist aber nicht aktuell, das Gerät kann seither hinzugekommen sein.",
			},
			Action: Text{
				"Ask again after the next successful sync, and do not treat the device as deleted until then.",
				"Fragen Sie nach der nächsten erfolgreichen Synchronisierung erneut, und behandeln Sie das Gerät bis dahin nicht als gelöscht.",
			},
		},
		{
			Code:  "cursor_expired",
			Title: Text{"The cursor has expired", "Der Cursor ist abgelaufen"},
			Cause: Text{
				"The data that this cursor belongs to is no longer kept, so the rest of the list cannot be given from the same state.",
				"Der Datenstand, zu dem dieser Cursor gehört, wird nicht mehr aufbewahrt. Der Rest der Liste kann nicht mehr aus demselben Stand geliefert werden.",
			},
			Action: Text{
				"Begin again with the first page and discard the pages read so far.",
				"Beginnen Sie wieder mit der ersten Seite, und verwerfen Sie die bisher gelesenen Seiten.",
			},
		},
		{
			Code:  "list_expired",
			Title: Text{"The list can no longer be continued", "Die Liste lässt sich nicht mehr fortsetzen"},
			Cause: Text{
				"The data that the earlier pages came from is no longer kept. A further page would come from another state, and devices could be missing between the two.",
				"Der Datenstand, aus dem die früheren Seiten stammen, wird nicht mehr aufbewahrt. Eine weitere Seite käme aus einem anderen Stand, und dazwischen könnten Geräte fehlen.",
			},
			Action: Text{
				"Begin again with page 0 and discard the pages read so far.",
				"Beginnen Sie wieder mit der Seite 0, und verwerfen Sie die bisher gelesenen Seiten.",
			},
		},
		{
			Code:  "cursor_invalid",
			Title: Text{"The cursor is not valid", "Der Cursor ist ungültig"},
			Cause: Text{
				"The cursor was not issued by this gateway to this client for this question, or it was changed.",
				"Der Cursor wurde nicht von diesem Gateway für diesen Client und diese Abfrage ausgestellt, oder er wurde verändert.",
			},
			Action: Text{
				"Send nextCursor exactly as received, with the same parameters, or begin without a cursor.",
				"Senden Sie nextCursor unverändert und mit denselben Parametern, oder beginnen Sie ohne Cursor.",
			},
		},
		{
			Code:  "bad_request",
			Title: Text{"The request is not valid", "Die Anfrage ist ungültig"},
			Cause: Text{
				"A parameter has a value that cannot be understood or is out of range.",
				"Ein Parameter hat einen Wert, der nicht verständlich ist oder außerhalb des erlaubten Bereichs liegt.",
			},
			Action: Text{
				"Correct the parameter that the answer names.",
				"Korrigieren Sie den in der Antwort genannten Parameter.",
			},
		},
		{
			Code:  "unknown_parameter",
			Title: Text{"The request has an unknown parameter", "Die Anfrage enthält einen unbekannten Parameter"},
			Cause: Text{
				"A parameter that is not known would be ignored silently, and the answer would not be what was asked for.",
				"Ein unbekannter Parameter würde stillschweigend übergangen, und die Antwort entspräche nicht der Frage.",
			},
			Action: Text{
				"Remove the parameter that the answer names, or correct its spelling.",
				"Entfernen Sie den in der Antwort genannten Parameter, oder korrigieren Sie seine Schreibweise.",
			},
		},
		{
			Code:  "hidden_field",
			Title: Text{"The field is not shown to this client", "Das Feld wird diesem Client nicht gezeigt"},
			Cause: Text{
				"The request uses a field outside the profile of the client or of the source.",
				"Die Anfrage verwendet ein Feld außerhalb des Profils des Clients oder der Quelle.",
			},
			Action: Text{
				"Leave the field out, or have it added to both profiles if it is really needed.",
				"Lassen Sie das Feld weg, oder lassen Sie es in beide Profile aufnehmen, wenn es wirklich gebraucht wird.",
			},
		},
		{
			Code:  "page_size_too_large",
			Title: Text{"The page size is too large", "Die Seitengröße ist zu hoch"},
			Cause: Text{
				"More rows were asked for than max_page_size allows. Cutting the page silently would make the list look shorter than it is.",
				"Es wurden mehr Zeilen verlangt, als max_page_size erlaubt. Eine stillschweigend gekürzte Seite ließe die Liste kürzer erscheinen, als sie ist.",
			},
			Action: Text{
				"Ask for smaller pages, or raise max_page_size.",
				"Fragen Sie kleinere Seiten ab, oder erhöhen Sie max_page_size.",
			},
		},
		{
			Code:  "filter_not_supported",
			Title: Text{"This filter cannot be applied", "Dieser Filter lässt sich nicht anwenden"},
			Cause: Text{
				"The filter is not well-formed, or it names something that cannot be filtered by here.",
				"Der Filter ist nicht wohlgeformt, oder er nennt etwas, wonach hier nicht gefiltert werden kann.",
			},
			Action: Text{
				"Correct the place that the answer names; docs/compatibility.md lists what can be filtered by.",
				"Korrigieren Sie die in der Antwort genannte Stelle; docs/compatibility.md führt auf, wonach gefiltert werden kann.",
			},
		},
		{
			Code:  "sort_not_supported",
			Title: Text{"This order is not possible", "Diese Sortierung ist nicht möglich"},
			Cause: Text{
				"The sort is not well-formed, or it names something that cannot be sorted by here.",
				"Die Sortierung ist nicht wohlgeformt, oder sie nennt etwas, wonach hier nicht sortiert werden kann.",
			},
			Action: Text{
				"Correct the name that the answer gives; docs/compatibility.md lists what can be sorted by.",
				"Korrigieren Sie den in der Antwort genannten Namen; docs/compatibility.md führt auf, wonach sortiert werden kann.",
			},
		},
		{
			Code:  "columns_missing",
			Title: Text{"The data cannot be filtered or sorted by this yet", "Nach dieser Angabe lässt sich der Datenstand noch nicht filtern oder sortieren"},
			Cause: Text{
				"The kept data was written by an older release, which did not write what this filter or sort needs.",
				"Der aufbewahrte Datenstand stammt von einer älteren Version, die nicht geschrieben hat, was dieser Filter oder diese Sortierung braucht.",
			},
			Action: Text{
				"Ask again after the next sync, or without filter and sort.",
				"Fragen Sie nach der nächsten Synchronisierung erneut ab, oder ohne Filter und Sortierung.",
			},
		},
		{
			Code:  "remapping",
			Title: Text{"The data is being prepared for filters and sorts", "Der Datenstand wird für Filter und Sortierungen vorbereitet"},
			Cause: Text{
				"A new release has started, and what it filters and sorts by is being derived again from the kept data. Everything else is served meanwhile.",
				"Eine neue Version ist gestartet und leitet aus dem aufbewahrten Datenstand neu ab, wonach gefiltert und sortiert wird. Alles andere wird unterdessen ausgeliefert.",
			},
			Action: Text{
				"Ask again after Retry-After, or without filter and sort.",
				"Fragen Sie nach Retry-After erneut ab, oder ohne Filter und Sortierung.",
			},
		},
		{
			Code:  "view_not_ready",
			Title: Text{"What this client is shown is not known yet", "Noch ist nicht bekannt, was diesem Client gezeigt wird"},
			Cause: Text{
				"The client is shown a part of the devices, by sites, groups, names or their state in Jamf, and the kept data was read without what tells these apart.",
				"Der Client sieht einen Teil der Geräte, nach Standorten, Gruppen, Namen oder ihrem Zustand in Jamf, und der aufbewahrte Datenstand enthält nicht, was diese unterscheidet.",
			},
			Action: Text{
				"Ask again after the next sync, which comes at once after a change of the settings; a filter by the name of a site also needs the right Read Sites.",
				"Fragen Sie nach der nächsten Synchronisierung erneut ab, die nach einer Änderung der Einstellungen sofort kommt; ein Filter nach dem Namen eines Standorts braucht auch das Recht Read Sites.",
			},
		},
		{
			Code:  "internal",
			Title: Text{"The gateway made a mistake", "Im Gateway ist ein Fehler aufgetreten"},
			Cause: Text{
				"The request or the sync met an error in the gateway itself. Neither the client nor Jamf is the reason.",
				"Bei der Anfrage oder Synchronisierung ist ein Fehler im Gateway selbst aufgetreten. Weder der Client noch Jamf ist die Ursache.",
			},
			Action: Text{
				"Report the error with the request id or the time of the sync; it finds the reason in the log of the gateway.",
				"Melden Sie den Fehler zusammen mit der Anfrage-ID oder der Zeit der Synchronisierung; damit ist die Ursache im Protokoll des Gateways zu finden.",
			},
		},
	}
}

// ofIdentity is about who asks.
func ofIdentity() []Entry {
	return []Entry{
		{
			Code:  "unauthorized",
			Title: Text{"No valid access", "Kein gültiger Zugang"},
			Cause: Text{
				"The request carries no access token, or one that is not valid.",
				"Die Anfrage enthält kein oder kein gültiges Zugriffstoken.",
			},
			Action: Text{
				"Get a token from the token endpoint of the gateway and send it as a bearer token.",
				"Holen Sie am Token-Endpunkt des Gateways ein Token, und senden Sie es als Bearer-Token.",
			},
		},
		{
			Code:  "invalid_token",
			Title: Text{"The access token is not valid", "Das Zugriffstoken ist ungültig"},
			Cause: Text{
				"The token is missing, has expired, was changed, or belongs to a client or secret that was removed.",
				"Das Token fehlt, ist abgelaufen, wurde verändert oder gehört zu einem Client oder Secret, das entfernt wurde.",
			},
			Action: Text{
				"Get a new token from the token endpoint of the gateway.",
				"Holen Sie am Token-Endpunkt des Gateways ein neues Token.",
			},
		},
		{
			Code:  "invalid_client",
			Title: Text{"The client id or the client secret is wrong", "Die Client-ID oder das Client Secret ist falsch"},
			Cause: Text{
				"The gateway has no client of this id with this secret. These are credentials of the gateway, not of Jamf.",
				"Das Gateway kennt keinen Client mit dieser Client-ID und diesem Secret. Gemeint sind Zugangsdaten des Gateways, nicht die von Jamf.",
			},
			Action: Text{
				"Compare id and secret in the client with clients in the settings of the gateway.",
				"Vergleichen Sie Client-ID und Secret im abfragenden System mit clients in den Einstellungen des Gateways.",
			},
		},
		{
			Code:  "admin_token",
			Title: Text{"The admin door wants its token", "Der Verwaltungszugang verlangt sein Token"},
			Cause: Text{
				"The request carries no admin token or a wrong one, or asks for a change without a bearer token. Tokens of clients open nothing here.",
				"Die Anfrage enthält kein oder ein falsches Verwaltungstoken, oder sie verlangt eine Änderung ohne Bearer-Token. Token von Clients öffnen hier nichts.",
			},
			Action: Text{
				"Send what stands in admin_token_file as a bearer token; the commands do it with --config FILE or --admin-token-file FILE.",
				"Senden Sie den Inhalt von admin_token_file als Bearer-Token; die Befehle tun das mit --config DATEI oder --admin-token-file DATEI.",
			},
		},
		{
			Code:  "audit_failed",
			Title: Text{"The audit cannot be written", "Das Prüfprotokoll lässt sich nicht schreiben"},
			Cause: Text{
				"An act at the admin door is done only when it is written down, and the disk did not take the line. Clients are served as before.",
				"Am Verwaltungszugang wird nur ausgeführt, was protokolliert ist, und der Datenträger hat die Zeile nicht angenommen. Clients werden weiter bedient.",
			},
			Action: Text{
				"Make room on the disk of the audit (audit.dir), or correct the rights there, and repeat the command.",
				"Schaffen Sie Platz auf dem Datenträger des Prüfprotokolls (audit.dir), oder korrigieren Sie dort die Rechte, und wiederholen Sie den Befehl.",
			},
		},
		{
			Code:  "audit_full",
			Title: Text{"The audit is full", "Das Prüfprotokoll ist voll"},
			Cause: Text{
				"An act at the admin door is done only when there is room for its line and for that of its outcome. The audit of this day has reached 128 MiB, or the whole audit 16 MiB for each day that it is kept. Clients are served as before.",
				"Am Verwaltungszugang wird nur ausgeführt, wofür samt Ergebnis noch Platz im Protokoll ist. Das Protokoll dieses Tages hat 128 MiB erreicht oder das gesamte Protokoll 16 MiB je Tag der Aufbewahrung. Clients werden weiter bedient.",
			},
			Action: Text{
				"Look who fills it and stop that; repeat the command after midnight UTC, or, where the whole is full, after moving the files of old days elsewhere.",
				"Stellen Sie fest, wer es füllt, und beenden Sie das; wiederholen Sie den Befehl nach Mitternacht UTC oder, wenn das gesamte Protokoll voll ist, nachdem Sie die Dateien alter Tage an einen anderen Ort verschoben haben.",
			},
		},
		{
			Code:  "too_many_attempts",
			Title: Text{"Too many wrong credentials", "Zu viele falsche Zugangsdaten"},
			Cause: Text{
				"Many requests with wrong credentials came in a short time. The right ones are let in all the same.",
				"In kurzer Zeit kamen viele Anfragen mit falschen Zugangsdaten. Mit den richtigen wird trotzdem eingelassen.",
			},
			Action: Text{
				"Find out who sends them, and correct the credentials there.",
				"Stellen Sie fest, wer sie sendet, und korrigieren Sie dort die Zugangsdaten.",
			},
		},
		{
			Code:  "forbidden",
			Title: Text{"This client may not do that", "Dieser Client darf das nicht"},
			Cause: Text{
				"The client is known, but the settings do not give it access to this.",
				"Der Client ist bekannt, hat nach den Einstellungen aber hierauf keinen Zugriff.",
			},
			Action: Text{
				"Add the source to the sources of the client if the access is wanted.",
				"Ergänzen Sie die Quelle unter sources des Clients, wenn der Zugriff gewünscht ist.",
			},
		},
		{
			Code:  "misdirected",
			Title: Text{"Nothing is served under this host name", "Unter diesem Hostnamen wird nichts bedient"},
			Cause: Text{
				"The Host of the request is neither a name of a source (hosts) nor the one of public_url.",
				"Der Host der Anfrage ist weder ein Name einer Quelle (hosts) noch der von public_url.",
			},
			Action: Text{
				"Correct the host name, add it to hosts of a source or as public_url, or let the proxy pass Host on unchanged.",
				"Korrigieren Sie den Hostnamen, tragen Sie ihn unter hosts einer Quelle oder als public_url ein, oder lassen Sie den Proxy Host unverändert durchreichen.",
			},
		},
		{
			Code:  "forbidden_origin",
			Title: Text{"Requests from other web pages are refused", "Anfragen von fremden Webseiten werden abgelehnt"},
			Cause: Text{
				"A browser sent this request from a page of another origin, or under another host name.",
				"Ein Browser hat diese Anfrage von einer Seite anderer Herkunft oder unter einem anderen Hostnamen gesendet.",
			},
			Action: Text{
				"Open the page of the gateway directly, or use a program instead of a browser.",
				"Öffnen Sie die Seite des Gateways direkt, oder verwenden Sie statt des Browsers ein Programm.",
			},
		},
	}
}

// ofForm is about requests that cannot be taken as they are.
func ofForm() []Entry {
	return []Entry{
		{
			Code:  "method_not_allowed",
			Title: Text{"The method is not allowed", "Die Methode ist nicht erlaubt"},
			Cause: Text{
				"The gateway only reads: nothing in Jamf can be changed through it.",
				"Das Gateway liest nur: In Jamf kann darüber nichts geändert werden.",
			},
			Action: Text{
				"Use one of the methods that the Allow header names, and make changes in Jamf itself.",
				"Verwenden Sie eine der im Header Allow genannten Methoden, und nehmen Sie Änderungen direkt in Jamf vor.",
			},
		},
		{
			Code:  "unknown_method",
			Title: Text{"The method is not known", "Die Methode ist unbekannt"},
			Cause: Text{
				"The request uses an HTTP method that the gateway does not know.",
				"Die Anfrage verwendet eine HTTP-Methode, die das Gateway nicht kennt.",
			},
			Action: Text{
				"Use GET, HEAD or POST.",
				"Verwenden Sie GET, HEAD oder POST.",
			},
		},
		{
			Code:  "unsupported_media_type",
			Title: Text{"The type of the body is not supported", "Der Inhaltstyp der Anfrage wird nicht unterstützt"},
			Cause: Text{
				"The body has a Content-Type that this endpoint does not read.",
				"Der Inhalt der Anfrage hat einen Content-Type, den dieser Endpunkt nicht verarbeitet.",
			},
			Action: Text{
				"Send application/x-www-form-urlencoded to the token endpoint, and no body elsewhere.",
				"Senden Sie an den Token-Endpunkt application/x-www-form-urlencoded und sonst keinen Inhalt.",
			},
		},
		{
			Code:  "not_acceptable",
			Title: Text{"No acceptable encoding", "Keine annehmbare Codierung"},
			Cause: Text{
				"Accept-Encoding refuses everything that the gateway can send: zstd, gzip, and also the plain answer (identity).",
				"Accept-Encoding schließt alles aus, was das Gateway senden kann: zstd, gzip und auch die unkomprimierte Antwort (identity).",
			},
			Action: Text{
				"Accept gzip or zstd, or do not refuse identity.",
				"Erlauben Sie gzip oder zstd, oder schließen Sie identity nicht aus.",
			},
		},
		{
			Code:  "content_encoding",
			Title: Text{"Encoded bodies are not accepted", "Komprimierte Anfragen werden nicht angenommen"},
			Cause: Text{
				"The body is compressed or encoded. A few bytes could unfold to gigabytes, so the gateway does not read such bodies.",
				"Der Inhalt der Anfrage ist komprimiert oder codiert. Wenige Bytes könnten sich zu Gigabytes entfalten, deshalb liest das Gateway solche Inhalte nicht.",
			},
			Action: Text{
				"Send the body without Content-Encoding.",
				"Senden Sie den Inhalt ohne Content-Encoding.",
			},
		},
		{
			Code:  "request_malformed",
			Title: Text{"The request is malformed", "Die Anfrage ist fehlerhaft aufgebaut"},
			Cause: Text{
				"The request is ambiguous or breaks the rules of HTTP, so it is not processed at all.",
				"Die Anfrage ist mehrdeutig oder verletzt die Regeln von HTTP und wird deshalb nicht verarbeitet.",
			},
			Action: Text{
				"Check the client and any proxy between it and the gateway.",
				"Prüfen Sie den Client und etwaige Proxys zwischen ihm und dem Gateway.",
			},
		},
		{
			Code:  "http_version",
			Title: Text{"The HTTP version is not supported", "Die HTTP-Version wird nicht unterstützt"},
			Cause: Text{
				"The gateway speaks HTTP/1.1 to its clients.",
				"Das Gateway spricht gegenüber seinen Clients HTTP/1.1.",
			},
			Action: Text{
				"Send the request as HTTP/1.1.",
				"Senden Sie die Anfrage mit HTTP/1.1.",
			},
		},
		{
			Code:  "request_timeout",
			Title: Text{"The request took too long to arrive", "Die Anfrage kam zu langsam an"},
			Cause: Text{
				"The client did not finish sending the request in time.",
				"Der Client hat die Anfrage nicht rechtzeitig vollständig gesendet.",
			},
			Action: Text{
				"Repeat the request, and check the network between client and gateway if this happens again.",
				"Wiederholen Sie die Anfrage, und prüfen Sie im Wiederholungsfall das Netzwerk zwischen Client und Gateway.",
			},
		},
		{
			Code:  "too_large",
			Title: Text{"The request is too large", "Die Anfrage ist zu groß"},
			Cause: Text{
				"The address, the headers or the body are larger than the gateway accepts.",
				"Adresse, Header oder Inhalt sind größer, als das Gateway annimmt.",
			},
			Action: Text{
				"Shorten the request; a long list of ids can be asked in several requests.",
				"Kürzen Sie die Anfrage; eine lange Liste von IDs lässt sich auf mehrere Anfragen verteilen.",
			},
		},
		{
			Code:  "body_too_large",
			Title: Text{"The body is too large", "Der Inhalt der Anfrage ist zu groß"},
			Cause: Text{
				"The body is larger than any request of the gateway's API can be.",
				"Der Inhalt ist größer, als es bei irgendeiner Anfrage an das Gateway vorkommen kann.",
			},
			Action: Text{
				"Send the request without a body, or with the form fields of the token request only.",
				"Senden Sie die Anfrage ohne Inhalt oder nur mit den Formularfeldern der Token-Anfrage.",
			},
		},
		{
			Code:  "passthrough_failed",
			Title: Text{"Jamf did not answer what is passed on", "Jamf hat nicht beantwortet, was durchgereicht wird"},
			Cause: Text{
				"The path is passed on to Jamf, and no usable answer came.",
				"Der Pfad wird an Jamf durchgereicht, und es kam keine brauchbare Antwort.",
			},
			Action: Text{
				"Try again later; if it stays, check that the API role in Jamf has the right for this path.",
				"Versuchen Sie es später erneut; bleibt es so, prüfen Sie, ob die API-Rolle in Jamf das Recht für diesen Pfad hat.",
			},
		},
		{
			Code:  "passthrough_paused",
			Title: Text{"Jamf is not asked at the moment", "Jamf wird derzeit nicht gefragt"},
			Cause: Text{
				"The path is passed on to Jamf, and the budget towards Jamf has no place for it now.",
				"Der Pfad wird an Jamf durchgereicht, und das Kontingent für Jamf hat dafür gerade keinen Platz.",
			},
			Action: Text{
				"Try again after the time that Retry-After names.",
				"Versuchen Sie es nach der Zeit erneut, die Retry-After nennt.",
			},
		},
		{
			Code:  "headers_too_large",
			Title: Text{"The headers are too large", "Die Header sind zu groß"},
			Cause: Text{
				"The request line and the headers together are larger than the gateway accepts.",
				"Anfragezeile und Header sind zusammen größer, als das Gateway annimmt.",
			},
			Action: Text{
				"Send fewer or shorter headers; cookies of other sites are the usual reason.",
				"Senden Sie weniger oder kürzere Header; häufige Ursache sind Cookies anderer Seiten.",
			},
		},
	}
}
