package catalogue

// ofState is about the data that is served: whether there is any, and how old it is.
func ofState() []Entry {
	return []Entry{
		{
			Code:  "never_synced",
			Title: Text{"No data has been read yet", "Es wurden noch keine Daten gelesen"},
			Cause: Text{
				"No sync of this source has been completed so far, so there is no complete list that could be given.",
				"Diese Quelle wurde noch nie vollständig synchronisiert. Deshalb gibt es noch keine vollständige Liste.",
			},
			Action: Text{
				"Wait for the first sync, or run the connection test if it does not come to an end.",
				"Warten Sie die erste Synchronisierung ab, oder führen Sie den Verbindungstest aus, falls sie nicht zum Ende kommt.",
			},
		},
		{
			Code:  "stale",
			Title: Text{"The data is not up to date", "Die Daten sind nicht aktuell"},
			Cause: Text{
				"The last due sync did not succeed, so only the last complete state is known.",
				"Die letzte fällige Synchronisierung ist nicht gelungen. Bekannt ist nur der letzte vollständige Datenstand.",
			},
			Action: Text{
				"Look at the last error of the source in its health report, and remove its cause.",
				"Sehen Sie im Zustandsbericht der Quelle nach dem letzten Fehler, und beheben Sie dessen Ursache.",
			},
		},
		{
			Code:  "overdue",
			Title: Text{"The next sync is overdue", "Die nächste Synchronisierung ist überfällig"},
			Cause: Text{
				"The data is older than one and a quarter sync intervals. This is usual after the gateway was switched off.",
				"Die Daten sind älter als das Eineinviertelfache des Synchronisierungsintervalls. Das ist üblich, wenn das Gateway ausgeschaltet war.",
			},
			Action: Text{
				"Wait for the sync that is due, and look at the last error of the source if it does not come.",
				"Warten Sie die fällige Synchronisierung ab, und prüfen Sie den letzten Fehler der Quelle, falls sie ausbleibt.",
			},
		},
		{
			Code:  "stale_limit",
			Title: Text{"The data is too old to be served", "Die Daten sind zu alt, um ausgeliefert zu werden"},
			Cause: Text{
				"The last complete sync is longer ago than max_stale allows.",
				"Die letzte vollständige Synchronisierung liegt länger zurück, als max_stale erlaubt.",
			},
			Action: Text{
				"Run the connection test of the source and remove the cause that it names, or raise max_stale knowingly.",
				"Führen Sie den Verbindungstest der Quelle aus und beheben Sie die genannte Ursache, oder erhöhen Sie bewusst max_stale.",
			},
		},
		{
			Code:  "source_disabled",
			Title: Text{"The source is disabled", "Die Quelle ist deaktiviert"},
			Cause: Text{
				"The settings say status: disabled. The source is neither synced nor tested; its last complete data stays as it was.",
				"In den Einstellungen steht status: disabled. Die Quelle wird weder synchronisiert noch geprüft; ihr letzter vollständiger Datenstand bleibt unverändert.",
			},
			Action: Text{
				"Set status: active if the source is to be read again; a running gateway takes it up within seconds.",
				"Setzen Sie status: active, wenn die Quelle wieder gelesen werden soll; ein laufendes Gateway übernimmt es binnen Sekunden.",
			},
		},
		{
			Code:  "sync_running",
			Title: Text{"A sync is already running", "Eine Synchronisierung läuft bereits"},
			Cause: Text{
				"Every kind of a source is read by one sync at a time, so that Jamf is spared.",
				"Jede Geräteart einer Quelle wird von höchstens einer Synchronisierung gleichzeitig gelesen, um Jamf zu schonen.",
			},
			Action: Text{
				"Wait until the running sync has ended.",
				"Warten Sie, bis die laufende Synchronisierung beendet ist.",
			},
		},
		{
			Code:  "test_running",
			Title: Text{"A connection test is already running", "Ein Verbindungstest läuft bereits"},
			Cause: Text{
				"Every source is tested once at a time, so that Jamf is spared.",
				"Für jede Quelle läuft höchstens ein Verbindungstest gleichzeitig, um Jamf zu schonen.",
			},
			Action: Text{
				"Wait for the result of the running test.",
				"Warten Sie das Ergebnis des laufenden Tests ab.",
			},
		},
		{
			Code:  "not_fresh",
			Title: Text{"Not every source is fresh", "Nicht alle Quellen sind aktuell"},
			Cause: Text{
				"The request asks for fresh data only (require=fresh), and at least one source can give its last complete data only.",
				"Die Anfrage verlangt ausschließlich aktuelle Daten (require=fresh), mindestens eine Quelle kann aber nur ihren letzten vollständigen Datenstand liefern.",
			},
			Action: Text{
				"Ask without require=fresh to get the last complete data, or remove the cause that the health report of the source names.",
				"Fragen Sie ohne require=fresh nach dem letzten vollständigen Datenstand, oder beheben Sie die Ursache, die der Zustandsbericht der Quelle nennt.",
			},
		},
		{
			Code:  "not_ready",
			Title: Text{"The gateway is not ready yet", "Das Gateway ist noch nicht bereit"},
			Cause: Text{
				"At least one active source can neither be served nor has its first sync been tried.",
				"Mindestens eine aktive Quelle kann noch nicht ausgeliefert werden, und ihre erste Synchronisierung wurde noch nicht versucht.",
			},
			Action: Text{
				"Wait for the first sync of every source.",
				"Warten Sie die erste Synchronisierung jeder Quelle ab.",
			},
		},
		{
			Code:  "kind_off",
			Title: Text{"This kind of device is switched off", "Diese Geräteart ist abgeschaltet"},
			Cause: Text{
				"The settings of the source do not list this kind under kinds, so it is not read from Jamf.",
				"In den Einstellungen der Quelle ist diese Geräteart unter kinds nicht aufgeführt; sie wird deshalb nicht aus Jamf gelesen.",
			},
			Action: Text{
				"Add the kind to kinds of the source if its devices are wanted; a running gateway takes it up within seconds.",
				"Ergänzen Sie die Geräteart unter kinds der Quelle, wenn diese Geräte gewünscht sind; ein laufendes Gateway übernimmt es binnen Sekunden.",
			},
		},
		{
			Code:  "kind_disabled",
			Title: Text{"This kind of device is not served", "Diese Geräteart wird nicht ausgeliefert"},
			Cause: Text{
				"The source or the client is configured without this kind, which answers like a missing right in Jamf.",
				"Die Quelle oder der Client ist ohne diese Geräteart eingerichtet; das Gateway antwortet daher wie Jamf bei einer fehlenden Berechtigung.",
			},
			Action: Text{
				"Add the kind to kinds of the source, and of the client where it has the setting (a running gateway takes it up within seconds), or do not ask for it.",
				"Ergänzen Sie die Geräteart unter kinds der Quelle und, falls dort gesetzt, des Clients (ein laufendes Gateway übernimmt es binnen Sekunden), oder fragen Sie diese Geräteart nicht ab.",
			},
		},
		{
			Code:  "out_of_scope",
			Title: Text{"This client may not use this part of the gateway", "Dieser Client darf diesen Teil des Gateways nicht benutzen"},
			Cause: Text{
				"The endpoints of this client in the settings do not name it.",
				"Die endpoints dieses Clients in den Einstellungen nennen ihn nicht.",
			},
			Action: Text{
				"Use the other API, or add its word to endpoints of the client: facade is Jamf's API, normalized is the gateway's own.",
				"Benutzen Sie die andere API, oder ergänzen Sie ihr Wort unter endpoints des Clients: facade ist die API von Jamf, normalized die eigene des Gateways.",
			},
		},
		{
			Code:  "network_not_allowed",
			Title: Text{"This client may not ask from here", "Dieser Client darf von hier aus nicht anfragen"},
			Cause: Text{
				"The token is good, but the request comes from an address outside of the networks of its client.",
				"Das Token gilt, aber die Anfrage kommt von einer Adresse außerhalb der networks seines Clients.",
			},
			Action: Text{
				"Add the address to networks of the client, state the reverse proxy in trusted_proxies, or replace the secret if nobody of yours asked.",
				"Ergänzen Sie die Adresse unter networks des Clients, tragen Sie den Reverse-Proxy in trusted_proxies ein, oder ersetzen Sie das Secret, falls niemand von Ihnen gefragt hat.",
			},
		},
		{
			Code:  "profile_changed",
			Title: Text{"The profile has changed", "Das Profil wurde geändert"},
			Cause: Text{
				"The field profile of the source was widened; the new fields are known only after the next sync.",
				"Das Feldprofil der Quelle wurde erweitert; die neuen Felder sind erst nach der nächsten Synchronisierung bekannt.",
			},
			Action: Text{
				"Wait for the next sync, or start one.",
				"Warten Sie die nächste Synchronisierung ab, oder starten Sie eine.",
			},
		},
		{
			Code:  "rate_limited",
			Title: Text{"Too many requests", "Zu viele Anfragen"},
			Cause: Text{
				"This client asks faster than its requests_per_second allow.",
				"Dieser Client fragt schneller, als sein requests_per_second erlaubt.",
			},
			Action: Text{
				"Repeat the request after the time that Retry-After names, ask less often, or raise requests_per_second of the client.",
				"Wiederholen Sie die Anfrage nach der in Retry-After genannten Zeit, fragen Sie seltener, oder erhöhen Sie requests_per_second des Clients.",
			},
		},
		{
			Code:  "busy",
			Title: Text{"The gateway is busy", "Das Gateway ist ausgelastet"},
			Cause: Text{
				"More requests than the gateway takes at once are in progress.",
				"Es werden mehr Anfragen gleichzeitig gestellt, als das Gateway annimmt.",
			},
			Action: Text{
				"Repeat the request after the time that Retry-After names, and ask with fewer connections at once.",
				"Wiederholen Sie die Anfrage nach der in Retry-After genannten Zeit, und verwenden Sie weniger gleichzeitige Verbindungen.",
			},
		},
	}
}
