package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"jamf-gateway/gateway/device"
)

type purgeCommand struct {
	What    string `arg:"" help:"A source that is disabled or no longer in the settings, or a device as SOURCE:KIND:ID, like schule-a:computer:42." placeholder:"SOURCE|DEVICE"`
	Confirm string `help:"The same name once more, for scripts; without it the command asks for it." placeholder:"NAME"`
	actingFlags
}

// purgePatience is how long a purge may take: of one device every other one of its kind is written anew.
const purgePatience = 30 * time.Minute

// Run removes a source or a device from everything that the gateway has stored. Exit code 1 when it is refused or not finished, 2 when the name
// is not repeated.
func (c purgeCommand) Run(ctx context.Context, s streams) error {
	source, _, isDevice := strings.Cut(c.What, ":")
	if isDevice {
		if _, _, _, err := device.ParseUID(c.What); err != nil {
			return usageError{spoken(text{"%q is no device: SOURCE:KIND:ID like %s:computer:42", "%q ist kein Gerät: QUELLE:ART:ID wie %s:computer:42"}, c.What, orElse(source, "schule-a"))}
		}
	}
	if err := c.confirm(s, isDevice); err != nil {
		return err
	}
	door, err := c.open(s)
	if err != nil {
		return err
	}
	door.client.Timeout = purgePatience
	path := "/v1/admin/sources/"
	if isDevice {
		path = "/v1/admin/devices/"
	}
	query := url.Values{"confirm": {c.What}, "by": {door.by}}
	var done struct {
		Returns *bool `json:"returns"`
	}
	if err := door.ask(ctx, http.MethodPost, path+url.PathEscape(c.What)+"/purge?"+query.Encode(), &done); err != nil {
		return door.unknownSource(ctx, source, err)
	}
	line := text{"%s: purged; nothing of it is stored any more", "%s: gelöscht; davon ist nichts mehr gespeichert"}
	switch {
	case done.Returns == nil:
	case *done.Returns:
		line = text{
			"%s: purged. The next sync brings it back if Jamf still has it: delete it in Jamf",
			"%s: gelöscht. Die nächste Synchronisierung bringt es zurück, wenn Jamf es noch hat: Löschen Sie es in Jamf",
		}
	}
	_, err = fmt.Fprintln(s.out, s.say(line, c.What))
	return err
}

// confirm has the name typed.
func (c purgeCommand) confirm(s streams, isDevice bool) error {
	warning := text{
		"This removes everything that is stored of the source %s: devices, kept and held data, the history of its heartbeats.\n",
		"Das entfernt alles, was von der Quelle %s gespeichert ist: Geräte, aufbewahrte und zurückgehaltene Datenstände, die Historie ihrer Heartbeats.\n",
	}
	if isDevice {
		warning = text{
			"This removes the device %s from everything that is stored, and the older data of its kind with it. Lists that clients are reading just now begin again.\n",
			"Das entfernt das Gerät %s aus allem, was gespeichert ist, und mit ihm die älteren Datenstände seiner Art. Listen, die Clients gerade lesen, beginnen neu.\n",
		}
	}
	return typed(s, c.Confirm, c.What, text{"%q is not %q: nothing was purged", "%q ist nicht %q: Es wurde nichts gelöscht"}, warning)
}

// typed has the name typed after a warning with it, where given is not it already; otherwise says that nothing was done, with both names.
func typed(s streams, given, name string, otherwise, warning text) error {
	if given == "" {
		a := newAsker(s)
		if !a.on {
			return usageError{spoken(text{"nobody can be asked here: repeat the name with --confirm %s", "hier kann niemand gefragt werden: Wiederholen Sie den Namen mit --confirm %s"}, name)}
		}
		a.say(warning, name)
		a.say(text{"Type the name to go on: ", "Geben Sie den Namen ein, um fortzufahren: "})
		var err error
		if given, err = a.line(); err != nil {
			return usageError{err}
		}
	}
	if given != name {
		return usageError{spoken(otherwise, given, name)}
	}
	return nil
}
