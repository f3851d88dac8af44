package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"jamf-gateway/gateway/device"
)

type showCommand struct {
	Serial string `required:"" xor:"device" help:"Serial number; all devices that have it are shown." placeholder:"SERIAL"`
	UID    string `required:"" name:"uid" xor:"device" help:"A device as SOURCE:KIND:ID, like schule-a:computer:42." placeholder:"UID"`
	Source string `help:"Look in this source alone." placeholder:"SOURCE"`
	Client string `help:"Show what this client sees alone." placeholder:"ID"`
	Shape  string `enum:"both,jamf,normalized" default:"both" help:"What is shown of a client's side: jamf, normalized or both; without it both." placeholder:"SHAPE"`
	JSON   bool   `name:"json" help:"Print what the admin door answers, with whole values; --shape does not count."`
	actingFlags
}

// comparison is what the admin door says of one device or of all with one serial number.
type comparison struct {
	Found   int              `json:"found"`
	Devices []comparedDevice `json:"devices"`
	Unread  []struct {
		Source string `json:"source"`
		Kind   string `json:"kind"`
		Code   string `json:"code"`
	} `json:"unread"`
}

type comparedDevice struct {
	UID        string          `json:"uid"`
	State      string          `json:"state"`
	AsOf       *time.Time      `json:"asOf"`
	Generation uint64          `json:"generation"`
	Profile    string          `json:"profile"`
	NotKept    []string        `json:"notKept"`
	Record     json.RawMessage `json:"record"`
	Clients    []comparedSide  `json:"clients"`
}

type comparedSide struct {
	Client     string          `json:"client"`
	Reason     *string         `json:"reason"`
	Profile    *string         `json:"profile"`
	Jamf       json.RawMessage `json:"jamf"`
	Normalized json.RawMessage `json:"normalized"`
}

// Run shows what is stored of a device beside what the clients see of it. Exit code 1 when nothing stored knows it.
func (c showCommand) Run(ctx context.Context, s streams) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	door, err := c.open(s)
	if err != nil {
		return err
	}
	door.client.Timeout = time.Minute
	query.Set("by", door.by)
	body, err := door.fetch(ctx, http.MethodPost, "/v1/admin/show?"+query.Encode())
	switch {
	case refusedAs(err, "unknown_device"):
		return c.unknown()
	case refusedAs(err, "not_found") && c.Client != "":
		return usageError{spoken(text{"the gateway has no client %q", "das Gateway hat keinen Client %q"}, c.Client)}
	case err != nil:
		source, _, _ := strings.Cut(c.UID, ":")
		return door.unknownSource(ctx, source+c.Source, err)
	}
	var all comparison
	if err := json.Unmarshal(body, &all); err != nil || len(all.Devices) == 0 {
		return door.stranger(http.StatusOK)
	}
	if c.JSON {
		return printJSON(s.out, json.RawMessage(printableJSON(body)))
	}
	for i, d := range all.Devices {
		if i > 0 {
			_, _ = fmt.Fprintln(s.out)
		}
		words, err := s.comparedText(d, c.Shape)
		if err != nil {
			return door.stranger(http.StatusOK)
		}
		if _, err := fmt.Fprint(s.out, words); err != nil {
			return err
		}
	}
	return s.beyond(all)
}

// query is what the admin door is asked.
func (c showCommand) query() (url.Values, error) {
	if c.UID != "" {
		source, _, _ := strings.Cut(c.UID, ":")
		if _, _, _, err := device.ParseUID(c.UID); err != nil {
			return nil, usageError{spoken(text{"%q is no device: SOURCE:KIND:ID like %s:computer:42", "%q ist kein Gerät: QUELLE:ART:ID wie %s:computer:42"}, c.UID, orElse(source, "schule-a"))}
		}
		if c.Source != "" {
			return nil, usageError{spoken(text{"--uid names its source itself: leave out --source", "--uid nennt seine Quelle selbst: Lassen Sie --source weg"})}
		}
	}
	query := url.Values{}
	for name, value := range map[string]string{"serial": c.Serial, "uid": c.UID, "source": c.Source, "client": c.Client} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query, nil
}

// unknown says that no device was found, and where to look.
func (c showCommand) unknown() error {
	if c.UID != "" {
		return spoken(text{
			"there is no device %s in what is stored; what was enrolled a moment ago appears after the next sync [unknown_device]",
			"ein Gerät %s ist nicht gespeichert; ein gerade erst registriertes erscheint nach der nächsten Synchronisierung [unknown_device]",
		}, c.UID)
	}
	return spoken(text{
		"no device with the serial number %q is stored; it was enrolled after the last sync, is in another Jamf Pro, or the profile of its source keeps no serial numbers [unknown_device]",
		"kein Gerät mit der Seriennummer %q ist gespeichert; es wurde nach der letzten Synchronisierung registriert, ist in einem anderen Jamf Pro, oder das Profil seiner Quelle speichert keine Seriennummern [unknown_device]",
	}, c.Serial)
}

// beyond says what is not shown: further devices, and where nobody could look.
func (s streams) beyond(all comparison) error {
	if more := all.Found - len(all.Devices); more > 0 {
		_, _ = fmt.Fprintln(s.out, "\n"+s.say(text{"Further devices with this serial number: %d; name one with --uid or narrow it with --source.", "Weitere Geräte mit dieser Seriennummer: %d; nennen Sie eines mit --uid, oder grenzen Sie mit --source ein."}, more))
	}
	for _, u := range all.Unread {
		_, _ = fmt.Fprintln(s.out, "\n"+s.say(text{"%s, %s: could not be read, there may be more of it. %s", "%s, %s: war nicht lesbar, dort kann es weitere geben. %s"}, u.Source, s.kindWord(u.Kind), s.explained(u.Code)))
	}
	return nil
}

// comparedText is one device: a row for each value that is stored, or that some client sees otherwise.
func (s streams) comparedText(d comparedDevice, shape string) (string, error) {
	var b strings.Builder
	fmt.Fprintln(&b, s.say(text{"%s: as of %s, generation %d, profile %s of the source", "%[1]s: Datenstand %[3]d vom %[2]s, Profil %[4]s der Quelle"}, d.UID, s.moment(d.AsOf), d.Generation, d.Profile))
	fmt.Fprintln(&b, s.say(text{
		"Stored is what this profile keeps of what Jamf sent; a field that it does not keep was dropped, or never asked for.",
		"Gespeichert ist, was dieses Profil von dem behält, was Jamf gesendet hat; andere Felder wurden verworfen oder nie abgefragt.",
	}))
	switch d.State {
	case "quarantined":
		fmt.Fprintln(&b, s.say(text{"It could not be read as usual: this is its last good version, or what a plain list says.", "Es war nicht wie üblich lesbar: Das ist seine letzte gute Fassung, oder was eine einfache Liste sagt."}))
	case "missing":
		fmt.Fprintln(&b, s.say(text{"Jamf no longer lists it and does not confirm that it is deleted: this is its last good version.", "Jamf listet es nicht mehr und bestätigt seine Löschung nicht: Das ist seine letzte gute Fassung."}))
	}
	if len(d.NotKept) > 0 {
		fmt.Fprintln(&b, s.say(text{"Nothing is kept of: %s", "Nichts wird behalten von: %s"}, strings.Join(d.NotKept, ", ")))
	}
	stored, err := flatten(d.Record)
	if err != nil {
		return "", err
	}
	inJamf, normalized := sides{stored: &stored}, sides{}
	for _, c := range d.Clients {
		if c.Reason != nil {
			fmt.Fprintln(&b, s.say(text{"%s does not see it: %s", "%s sieht es nicht: %s"}, c.Client, s.unseen(*c.Reason)))
			continue
		}
		if string(c.Jamf) == "null" && shape == "jamf" {
			fmt.Fprintln(&b, s.say(text{"%s reads the normalized API alone: --shape normalized shows its side", "%s liest nur die vereinheitlichte API: --shape normalized zeigt seine Seite"}, c.Client))
		}
		if string(c.Normalized) == "null" && shape == "normalized" {
			fmt.Fprintln(&b, s.say(text{"%s reads Jamf's API alone: --shape jamf shows its side", "%s liest nur die API von Jamf: --shape jamf zeigt seine Seite"}, c.Client))
		}
		if err := errors.Join(inJamf.add(c.Client, c.Jamf), normalized.add(c.Client, c.Normalized)); err != nil {
			return "", err
		}
	}
	if shape != "normalized" {
		fmt.Fprint(&b, "\n"+s.sideTable(inJamf))
	}
	if shape != "jamf" && len(normalized.clients) > 0 {
		fmt.Fprintln(&b, "\n"+s.say(text{"Normalized:", "Vereinheitlicht:"}))
		fmt.Fprint(&b, s.sideTable(normalized))
	}
	switch {
	case len(inJamf.clients) > 0 && shape != "normalized":
		fmt.Fprintln(&b, "\n"+s.say(text{"= the client sees the same value, - it sees nothing there (null or no key). --json prints whole values.", "= der Client sieht denselben Wert, - er sieht dort nichts (null oder kein Schlüssel). --json gibt vollständige Werte aus."}))
	case len(normalized.clients) > 0 && shape != "jamf":
		fmt.Fprintln(&b, "\n"+s.say(text{"- the client sees nothing there (null or no key). --json prints whole values.", "- der Client sieht dort nichts (null oder kein Schlüssel). --json gibt vollständige Werte aus."}))
	}
	return b.String(), nil
}

// unseen is why a client is not shown a device.
func (s streams) unseen(reason string) string {
	words := map[string]text{
		"other_source":    {"the settings do not give it this source", "die Einstellungen geben ihm diese Quelle nicht"},
		"other_kind":      {"the settings do not give it this kind of device", "die Einstellungen geben ihm diese Geräteart nicht"},
		"unmanaged":       {"its filter managed_only leaves out what Jamf does not manage", "sein Filter managed_only lässt aus, was Jamf nicht verwaltet"},
		"personal":        {"its filter no_byod leaves out personal devices", "sein Filter no_byod lässt private Geräte aus"},
		"without_serial":  {"its filter with_serial leaves out what has no serial number", "sein Filter with_serial lässt aus, was keine Seriennummer hat"},
		"other_site":      {"its filter sites names other sites", "sein Filter sites nennt andere Standorte"},
		"other_group":     {"its filter groups names groups that it is not in", "sein Filter groups nennt Gruppen, in denen es nicht ist"},
		"other_name":      {"its filter prefixes names other names", "sein Filter prefixes nennt andere Namen"},
		"older_duplicate": {"its filter duplicates: newest shows another device of this serial number", "sein Filter duplicates: newest zeigt ein anderes Gerät mit dieser Seriennummer"},
	}
	if t, ok := words[reason]; ok {
		return s.say(t)
	}
	return s.explained(reason)
}
