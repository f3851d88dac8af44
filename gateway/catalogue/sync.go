package catalogue

// ofSync is about walks that were read but could not be proved complete. The data before stays and is served.
func ofSync() []Entry {
	return []Entry{
		{
			Code:  "count_mismatch",
			Title: Text{"The number of devices does not add up", "Die Anzahl der Geräte geht nicht auf"},
			Cause: Text{
				"Jamf reports another number of devices than could be read, and the difference stayed unexplained after a second look. The new data was discarded. If there is earlier complete data, it is served.",
				"Jamf meldet eine andere Anzahl von Geräten, als gelesen werden konnte, und die Abweichung blieb auch nach erneuter Prüfung ungeklärt. Die neuen Daten wurden verworfen. Gibt es einen früheren vollständigen Datenstand, wird er ausgeliefert.",
			},
			Action: Text{
				"Wait for the next attempt, and set sync.at to a quieter hour if this happens often.",
				"Warten Sie den nächsten Versuch ab, und legen Sie sync.at auf eine ruhigere Uhrzeit, falls das häufiger vorkommt.",
			},
		},
		{
			Code:  "held",
			Title: Text{"A sync waits for approval", "Eine Synchronisierung wartet auf Freigabe"},
			Cause: Text{
				"The newest data is complete, but it changes more than usual: many devices are gone, are others, or lost their values. It is kept back, and the data before is served.",
				"Der neueste Datenstand ist vollständig, ändert aber mehr als üblich: Viele Geräte fehlen, sind andere oder haben ihre Werte verloren. Er wird zurückgehalten; ausgeliefert wird der Datenstand davor.",
			},
			Action: Text{
				"Look at what changes with jamf-gateway approve SOURCE --config FILE, and approve it with the digest that stands there if it is right; if it is not, put it right in Jamf, and a later sync inside the limits is published by itself.",
				"Sehen Sie sich mit jamf-gateway approve QUELLE --config DATEI an, was sich ändert, und geben Sie es mit dem dort genannten Digest frei, wenn es richtig ist; wenn nicht, bringen Sie es in Jamf in Ordnung, dann wird eine spätere Synchronisierung innerhalb der Grenzen von selbst veröffentlicht.",
			},
		},
		{
			Code:  "not_held",
			Title: Text{"Nothing is held under this digest", "Unter diesem Digest wird nichts zurückgehalten"},
			Cause: Text{
				"What was held is published, was replaced by a newer sync that changes something else, or the digest is not written in full.",
				"Was zurückgehalten wurde, ist veröffentlicht oder durch eine neuere Synchronisierung mit anderen Änderungen ersetzt, oder der Digest ist nicht vollständig.",
			},
			Action: Text{
				"Look at what is held now with jamf-gateway approve SOURCE --config FILE, and approve that.",
				"Sehen Sie mit jamf-gateway approve QUELLE --config DATEI nach, was jetzt zurückgehalten wird, und geben Sie das frei.",
			},
		},
		{
			Code:  "source_in_use",
			Title: Text{"The source is in use", "Die Quelle ist in Gebrauch"},
			Cause: Text{
				"The source is active. To its readers everything that is purged would be deleted, and the next sync would bring it back.",
				"Die Quelle ist aktiv. Für ihre Leser wäre alles Gelöschte ausgemustert, und die nächste Synchronisierung brächte es zurück.",
			},
			Action: Text{
				"Set status: disabled, which a running gateway takes up within seconds, or take the source out of service, and purge it then.",
				"Setzen Sie status: disabled, was ein laufendes Gateway binnen Sekunden übernimmt, oder nehmen Sie die Quelle außer Betrieb, und löschen Sie sie dann.",
			},
		},
		{
			Code:  "settings_refused",
			Title: Text{"The settings were not taken", "Die Einstellungen wurden nicht übernommen"},
			Cause: Text{
				"The settings file has a problem, or a guard refuses what it says. The settings before stay in force.",
				"Die Einstellungsdatei hat einen Fehler, oder eine Sicherung lehnt ab, was darin steht. Die bisherigen Einstellungen bleiben in Kraft.",
			},
			Action: Text{
				"Mend what is told, with file and line, and reload again.",
				"Beheben Sie, was mit Datei und Zeile genannt ist, und laden Sie neu.",
			},
		},
		{
			Code:  "purge_unfinished",
			Title: Text{"The purge is begun and not finished", "Die Löschung ist begonnen und nicht fertig"},
			Cause: Text{
				"An operation on data_dir failed; the log of the gateway says which. What is to be purged is written down: it goes on every hour and at every start.",
				"Ein Zugriff auf data_dir ist fehlgeschlagen; das Log des Gateways sagt, welcher. Was zu löschen ist, ist notiert: Es wird stündlich und bei jedem Start fortgesetzt.",
			},
			Action: Text{
				"Mend the disk, and ask for the same purge again: what is done already is no error.",
				"Bringen Sie den Datenträger in Ordnung, und fordern Sie dieselbe Löschung noch einmal an: Was schon getan ist, ist kein Fehler.",
			},
		},
		{
			Code:  "no_progress",
			Title: Text{"The sync made no progress", "Die Synchronisierung kam nicht voran"},
			Cause: Text{
				"No further page could be read from Jamf for 30 minutes, so the sync was given up. If there is earlier complete data, it is served.",
				"Seit 30 Minuten konnte keine weitere Seite aus Jamf gelesen werden, deshalb wurde die Synchronisierung abgebrochen. Gibt es einen früheren vollständigen Datenstand, wird er ausgeliefert.",
			},
			Action: Text{
				"Run the connection test of the source, and check whether Jamf itself is slow or down.",
				"Führen Sie den Verbindungstest der Quelle aus, und prüfen Sie, ob Jamf selbst langsam oder gestört ist.",
			},
		},
		{
			Code:  "too_many_devices",
			Title: Text{"Jamf counts more devices than a fleet has", "Jamf zählt mehr Geräte, als eine Flotte hat"},
			Cause: Text{
				"The list counts more than 5,000,000 devices. No more are read; the last complete data stays.",
				"Die Liste zählt mehr als 5.000.000 Geräte. Mehr werden nicht gelesen; der letzte vollständige Datenstand bleibt.",
			},
			Action: Text{
				"Check that the URL leads to your own Jamf Pro and that nothing in front of it changes its answers.",
				"Prüfen Sie, ob die URL zu Ihrem eigenen Jamf Pro führt und ob nichts davor dessen Antworten verändert.",
			},
		},
		{
			Code:  "too_many_quarantined",
			Title: Text{"Too many records cannot be read", "Zu viele Datensätze sind nicht lesbar"},
			Cause: Text{
				"More records of this source than is acceptable are damaged or have an unknown form. The new data was discarded. If there is earlier complete data, it is served.",
				"Mehr Datensätze dieser Quelle als vertretbar sind beschädigt oder haben eine unbekannte Form. Die neuen Daten wurden verworfen. Gibt es einen früheren vollständigen Datenstand, wird er ausgeliefert.",
			},
			Action: Text{
				"Check whether Jamf Pro was updated a short time ago, and whether there is a newer version of the gateway.",
				"Prüfen Sie, ob Jamf Pro kürzlich aktualisiert wurde und ob es eine neuere Version des Gateways gibt.",
			},
		},
		{
			Code:  "order_not_rising",
			Title: Text{"Jamf does not list the devices in order", "Jamf liefert die Geräte nicht in Reihenfolge"},
			Cause: Text{
				"The ids do not rise from row to row although this order was asked for, so it cannot be proved that no device was skipped.",
				"Die IDs steigen nicht von Zeile zu Zeile an, obwohl diese Reihenfolge verlangt wurde. Es ist daher nicht nachweisbar, dass kein Gerät übersprungen wurde.",
			},
			Action: Text{
				"Wait for the next attempt, and report the version of Jamf Pro if this stays.",
				"Warten Sie den nächsten Versuch ab, und melden Sie die Version von Jamf Pro, falls es dabei bleibt.",
			},
		},
		{
			Code:  "empty_unconfirmed",
			Title: Text{"Jamf reports no devices, and that is not believed yet", "Jamf meldet keine Geräte, und das gilt noch nicht als sicher"},
			Cause: Text{
				"An empty list can also mean a missing right or a fault in Jamf. It is taken as true only when it is confirmed.",
				"Eine leere Liste kann auch auf eine fehlende Berechtigung oder eine Störung in Jamf hinweisen. Sie gilt erst, wenn sie bestätigt ist.",
			},
			Action: Text{
				"Check in Jamf Pro whether there really are no devices, and whether the API client may see all sites.",
				"Prüfen Sie in Jamf Pro, ob es wirklich keine Geräte gibt und ob der API-Client alle Standorte sehen darf.",
			},
		},
	}
}
