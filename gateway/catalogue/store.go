package catalogue

// ofStore is about the files in the data directory.
func ofStore() []Entry {
	return []Entry{
		{
			Code:  "store_lost",
			Title: Text{"Stored data is missing", "Gespeicherte Daten fehlen"},
			Cause: Text{
				"A file that should hold or name the current data of this source is missing, damaged or belongs to another data directory. This is never taken for an empty inventory, and nothing is deleted.",
				"Eine Datei, die den aktuellen Datenstand dieser Quelle enthalten oder benennen soll, fehlt, ist beschädigt oder gehört zu einem anderen Datenverzeichnis. Das wird nie als leerer Bestand gewertet, und nichts wird gelöscht.",
			},
			Action: Text{
				"Check that the disk of data_dir is mounted and sound; the next complete sync writes new data by itself and moves what is there into a directory lost-NUMBER beside it, unless you restore data_dir from a backup first.",
				"Prüfen Sie, ob der Datenträger von data_dir eingehängt und fehlerfrei ist; die nächste vollständige Synchronisierung schreibt von selbst neue Daten und verschiebt das Vorhandene in ein Verzeichnis lost-NUMMER daneben, sofern Sie data_dir nicht vorher aus einer Sicherung wiederherstellen.",
			},
		},
		{
			Code:  "store_newer",
			Title: Text{"Stored data is of a newer version", "Gespeicherte Daten stammen von einer neueren Version"},
			Cause: Text{
				"A newer version of the gateway has written the data of this source. This one can neither read nor replace it, and leaves it as it is.",
				"Eine neuere Version des Gateways hat die Daten dieser Quelle geschrieben. Diese hier kann sie weder lesen noch ersetzen und lässt sie, wie sie sind.",
			},
			Action: Text{
				"Start the newer version again, or start this one with another data_dir to have everything read from Jamf again.",
				"Starten Sie wieder die neuere Version, oder starten Sie diese mit einem anderen data_dir, damit alles neu aus Jamf gelesen wird.",
			},
		},
		{
			Code:  "store_corrupt",
			Title: Text{"Stored data is damaged", "Gespeicherte Daten sind beschädigt"},
			Cause: Text{
				"A file or a record in the data directory does not match its checksum, so it is not given out.",
				"Eine Datei oder ein Datensatz im Datenverzeichnis passt nicht zur Prüfsumme und wird deshalb nicht ausgeliefert.",
			},
			Action: Text{
				"Check the disk for faults; the next successful sync writes a new file.",
				"Prüfen Sie den Datenträger auf Fehler; die nächste erfolgreiche Synchronisierung schreibt eine neue Datei.",
			},
		},
		{
			Code:  "store_full",
			Title: Text{"The disk is full", "Der Datenträger ist voll"},
			Cause: Text{
				"There is not enough space in data_dir to write new data: twice the stored data is needed, at least 64 MiB. If there is earlier complete data, it stays and is served.",
				"In data_dir ist zu wenig Platz, um neue Daten zu schreiben: Nötig ist das Doppelte der gespeicherten Daten, mindestens 64 MiB. Gibt es einen früheren vollständigen Datenstand, bleibt er erhalten und wird ausgeliefert.",
			},
			Action: Text{
				"Free space on the disk of data_dir or enlarge it; the sync is tried again by itself.",
				"Schaffen Sie Platz auf dem Datenträger von data_dir, oder vergrößern Sie ihn; die Synchronisierung wird von selbst wiederholt.",
			},
		},
		{
			Code:  "store_locked",
			Title: Text{"The data directory is in use", "Das Datenverzeichnis wird bereits verwendet"},
			Cause: Text{
				"Another process works with the same data_dir. Two of them would overwrite each other's data.",
				"Ein anderer Prozess arbeitet mit demselben data_dir. Zwei Prozesse würden gegenseitig ihre Daten überschreiben.",
			},
			Action: Text{
				"Stop the other process, or give this one a data_dir of its own.",
				"Beenden Sie den anderen Prozess, oder geben Sie diesem ein eigenes data_dir.",
			},
		},
		{
			Code:  "store_error",
			Title: Text{"New data could not be stored", "Neue Daten konnten nicht gespeichert werden"},
			Cause: Text{
				"Writing to data_dir did not succeed. If there is earlier complete data, it stays and is served.",
				"Das Schreiben in data_dir ist nicht gelungen. Gibt es einen früheren vollständigen Datenstand, bleibt er erhalten und wird ausgeliefert.",
			},
			Action: Text{
				"Check free space and permissions of data_dir; the log of the gateway names the reason.",
				"Prüfen Sie freien Platz und Berechtigungen von data_dir; das Protokoll des Gateways nennt die Ursache.",
			},
		},
	}
}
