package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"jamf-gateway/config"
)

// token is the admin token, or why there is none. settings are nil where none are named. A gateway that does not run, or that is
// older than its token, is asked all the same: who asks for the token says so.
func (f adminFlags) token(s streams, settings *config.Config) (token string, lack error) {
	file := f.AdminTokenFile
	if file == "" {
		if token = strings.TrimSpace(variable(s.env, config.AdminTokenVariable)); token != "" {
			return token, nil
		}
		if settings == nil {
			return "", spoken(text{
				"the admin door wants its token: name the settings with --config FILE, or its file with --admin-token-file FILE (admin.token beside key_file), or put it into %s",
				"der Verwaltungszugang verlangt sein Token: Nennen Sie die Einstellungen mit --config DATEI oder seine Datei mit --admin-token-file DATEI (admin.token neben key_file), oder setzen Sie %s",
			}, config.AdminTokenVariable)
		}
		file = settings.AdminTokenFile
	}
	raw, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", spoken(text{
			"there is no admin token in %s: the gateway makes it at its start (a running one that has lost it must be restarted), or it lies elsewhere (--admin-token-file FILE)",
			"in %s gibt es kein Verwaltungstoken: Das Gateway erzeugt es beim Start (ein laufendes, das es verloren hat, muss neu gestartet werden), oder es liegt woanders (--admin-token-file DATEI)",
		}, file)
	case errors.Is(err, fs.ErrPermission):
		return "", spoken(text{
			"this user may not read the admin token in %s: run the command as the user of the gateway (sudo -u jamf-gateway jamf-gateway ...)",
			"dieser Benutzer darf das Verwaltungstoken in %s nicht lesen: Rufen Sie den Befehl als Benutzer des Gateways auf (sudo -u jamf-gateway jamf-gateway ...)",
		}, file)
	case err != nil:
		return "", err
	}
	if token = strings.TrimSpace(string(raw)); !config.TokenIntact(config.AdminPrefix, token) {
		return "", spoken(text{
			"%s holds no admin token: restore it, or remove it and restart the gateway to make a new one",
			"%s enthält kein Verwaltungstoken: Stellen Sie es wieder her, oder entfernen Sie die Datei und starten Sie das Gateway neu, um ein neues zu erzeugen",
		}, file)
	}
	return token, nil
}
