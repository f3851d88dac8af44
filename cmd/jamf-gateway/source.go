package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

type sourceCommand struct {
	Remove sourceRemoveCommand `cmd:"" help:"Have a running gateway take its settings file, in which this source does not stand any more."`
}

type sourceRemoveCommand struct {
	Name    string `arg:"" help:"The source, as the settings named it." placeholder:"SOURCE"`
	Confirm string `help:"The same name once more, for scripts; without it the command asks for it." placeholder:"NAME"`
	actingFlags
}

// removedAnswer is what the removal came to.
type removedAnswer struct {
	Source  string   `json:"source"`
	Devices int      `json:"devices"`
	Clients []string `json:"clients"`
	takenAnswer
}

// Run removes a source of a running gateway and says who lost what by it. Exit code 1 when it is refused, 2 when the name is not repeated.
func (c sourceRemoveCommand) Run(ctx context.Context, s streams) error {
	err := typed(s, c.Confirm, c.Name, text{"%q is not %q: nothing was removed", "%q ist nicht %q: Es wurde nichts entfernt"}, text{
		"All devices of the source %s are gone for every client then. An asset system deletes what it is not shown.\n",
		"Alle Geräte der Quelle %s sind dann für jeden Client verschwunden. Ein Bestandssystem löscht, was ihm nicht gezeigt wird.\n",
	})
	if err != nil {
		return err
	}
	door, err := c.open(s)
	if err != nil {
		return err
	}
	door.client.Timeout = reloadPatience
	query := url.Values{"confirm": {c.Name}, "by": {door.by}}
	var gone removedAnswer
	if err := door.ask(ctx, http.MethodPost, "/v1/admin/sources/"+url.PathEscape(c.Name)+"/remove?"+query.Encode(), &gone); err != nil {
		return door.unknownSource(ctx, c.Name, err)
	}
	if gone.Status != "removed" || gone.Source != c.Name {
		return door.stranger(http.StatusOK)
	}
	_, err = fmt.Fprint(s.out, gone.said(s)+gone.lines(s)+s.say(text{
		"What is stored of it stays, also personal data, until you remove it: jamf-gateway purge %s%s\n",
		"Was von ihr gespeichert ist, bleibt, auch personenbezogene Daten, bis Sie es löschen: jamf-gateway purge %s%s\n",
	}, c.Name, c.again()))
	return err
}

// said tells who is not shown how many devices any more.
func (a removedAnswer) said(s streams) string {
	if len(a.Clients) == 0 {
		return s.say(text{"%s: removed; no client was shown it\n", "%s: entfernt; die Quelle wurde keinem Client gezeigt\n"}, a.Source)
	}
	return s.say(text{
		"%s: removed; %d devices are served no more, clients that were shown them: %s\n",
		"%s: entfernt; %d Geräte werden nicht mehr ausgeliefert, Clients, denen sie gezeigt wurden: %s\n",
	}, a.Source, a.Devices, printableText(strings.Join(a.Clients, ", ")))
}
