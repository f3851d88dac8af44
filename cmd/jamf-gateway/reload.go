package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

type reloadCommand struct {
	actingFlags
}

// reloadPatience is how long settings may take to come into force: data that is kept is cut to a narrower profile first.
const reloadPatience = 10 * time.Minute

// takenAnswer is what going over to other settings came to.
type takenAnswer struct {
	Status  string   `json:"status"`
	Added   []string `json:"added"`
	Changed []string `json:"changed"`
	Restart []string `json:"restart"`
}

// Run has a running gateway read its settings file and says what came of it. Exit code 1 when they are refused or no gateway answers.
func (c reloadCommand) Run(ctx context.Context, s streams) error {
	door, err := c.open(s)
	if err != nil {
		return err
	}
	door.client.Timeout = reloadPatience
	var taken takenAnswer
	if err := door.ask(ctx, http.MethodPost, "/v1/admin/reload?"+url.Values{"by": {door.by}}.Encode(), &taken); err != nil {
		return err
	}
	if taken.Status != "taken" {
		return door.stranger(http.StatusOK)
	}
	_, err = fmt.Fprint(s.out, s.say(text{"The settings are in force as their file says now.\n", "Die Einstellungen gelten jetzt so, wie sie in der Datei stehen.\n"})+taken.lines(s))
	return err
}

// lines are what changed and what waits, each where there is any.
func (a takenAnswer) lines(s streams) string {
	var out strings.Builder
	for _, l := range []struct {
		label text
		names []string
	}{
		{text{"Sources added: %s\n", "Neue Quellen: %s\n"}, a.Added},
		{text{"Sources changed: %s\n", "Geänderte Quellen: %s\n"}, a.Changed},
		{text{"Waits for a restart: %s\n", "Wartet auf einen Neustart: %s\n"}, a.Restart},
	} {
		if len(l.names) > 0 {
			out.WriteString(s.say(l.label, printableText(strings.Join(l.names, ", "))))
		}
	}
	return out.String()
}
