package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
)

type approveCommand struct {
	Source string `arg:"" help:"The source whose sync is held."`
	Digest string `arg:"" optional:"" help:"What is approved. Without it the command shows what is held, and under which digest."`
	actingFlags
}

type expectRemovalsCommand struct {
	Source string `arg:"" help:"The source of which devices will be deleted in Jamf."`
	Count  int    `arg:"" help:"So many at most, computers and mobile devices together; 0 closes the window again." placeholder:"N"`
	Until  string `help:"The last day, like 2026-12-24, or a time like 2026-12-24T18:00:00+01:00." placeholder:"DATE"`
	actingFlags
}

// heldAnswer is what the admin door says of held generations.
type heldAnswer struct {
	Source   string     `json:"source"`
	Items    []heldKind `json:"items"`
	Expected *expected  `json:"expectedRemovals"`
}

// mostExpected is the largest number that the admin door takes.
const mostExpected = 5_000_000

type heldKind struct {
	Kind    string     `json:"kind"`
	Digest  string     `json:"digest"`
	Since   *time.Time `json:"since"`
	Count   int        `json:"count"`
	Removed int        `json:"removed"`
	Guards  []guard    `json:"guards"`
	Devices []struct {
		UID    string `json:"uid"`
		Name   string `json:"name"`
		Serial string `json:"serialNumber"`
	} `json:"devices"`
}

type guard struct {
	Guard string   `json:"guard"`
	Count int      `json:"count"`
	Of    int      `json:"of"`
	Limit int      `json:"limit"`
	Names []string `json:"names"`

	Client string `json:"client"` // whose view loses as much
}

// Run shows what is held of a source, or approves it. Exit code 1 when nothing is held under the digest, and when something is
// held and no digest is given: a person is waited for.
func (c approveCommand) Run(ctx context.Context, s streams) error {
	door, err := c.open(s)
	if err != nil {
		return err
	}
	path := "/v1/admin/sources/" + url.PathEscape(c.Source)
	if c.Digest != "" {
		query := url.Values{"digest": {strings.ToLower(strings.TrimSpace(c.Digest))}, "by": {door.by}}
		var done struct {
			Status string `json:"status"`
		}
		if err := door.ask(ctx, http.MethodPost, path+"/approve?"+query.Encode(), &done); err != nil {
			return door.unknownSource(ctx, c.Source, err)
		}
		if done.Status == "reading" {
			_, err = fmt.Fprintln(s.out, s.say(text{"%s: approved, Jamf is read again now", "%s: freigegeben, Jamf wird jetzt neu gelesen"}, c.Source))
			return err
		}
		_, err = fmt.Fprintln(s.out, s.say(text{"%s: approved, it is served now", "%s: freigegeben, wird ab jetzt ausgeliefert"}, c.Source))
		return err
	}
	var held heldAnswer
	if err := door.ask(ctx, http.MethodGet, path+"/held?"+url.Values{"by": {door.by}}.Encode(), &held); err != nil {
		return door.unknownSource(ctx, c.Source, err)
	}
	if held.Expected != nil {
		if _, err := fmt.Fprintln(s.out, s.window(c.Source, *held.Expected)); err != nil {
			return err
		}
	}
	if len(held.Items) == 0 {
		_, err := fmt.Fprintln(s.out, s.say(text{"%s: nothing is held", "%s: Es wird nichts zurückgehalten"}, c.Source))
		return err
	}
	for _, k := range held.Items {
		if _, err := fmt.Fprint(s.out, s.heldText(c.Source, k, c.again())); err != nil {
			return err
		}
	}
	return errFoundWanting
}

// unknownSource says which sources there are where err says that there is none of this name.
func (d adminDoor) unknownSource(ctx context.Context, name string, err error) error {
	if !refusedAs(err, "unknown_source") {
		return err
	}
	there, unknown := d.sources(ctx)
	if unknown != nil {
		return usageError{err}
	}
	return usageError{there.unknownSource(name)}
}

// heldText says what is held of a kind, why, which devices would go, and how it is approved; again are the flags of the next command.
func (s streams) heldText(source string, k heldKind, again string) string {
	var b strings.Builder
	since := ""
	if k.Since != nil {
		since = s.moment(k.Since)
	}
	fmt.Fprintln(&b, s.say(text{"%s, %s: held since %s", "%s, %s: zurückgehalten seit %s"}, source, s.kindWord(k.Kind), since))
	for _, g := range k.Guards {
		fmt.Fprintln(&b, "  - "+s.guardText(g))
	}
	fmt.Fprintln(&b, "  "+s.say(text{"The held data has %d devices; %d that are served now are not among them.", "Der zurückgehaltene Datenstand hat %d Geräte; %d, die jetzt ausgeliefert werden, sind nicht dabei."}, k.Count, k.Removed))
	if len(k.Devices) > 0 {
		t := plainTable()
		for _, d := range k.Devices {
			t.AppendRow(table.Row{"   ", d.UID, printableText(d.Serial), printableText(d.Name)})
		}
		fmt.Fprintln(&b, strings.Join(trimmedLines(t.Render()), "\n"))
		if more := k.Removed - len(k.Devices); more > 0 {
			fmt.Fprintln(&b, "    "+s.say(text{"and %d more", "und %d weitere"}, more))
		}
	}
	fmt.Fprintln(&b, "  "+s.say(text{"If that is right: jamf-gateway approve %s %s%s", "Wenn das richtig ist: jamf-gateway approve %s %s%s"}, source, k.Digest, again))
	fmt.Fprintln(&b, "  "+s.say(text{"If not, mend it in Jamf, then: jamf-gateway sync %s --wait%s", "Wenn nicht, bringen Sie es in Jamf in Ordnung, dann: jamf-gateway sync %s --wait%s"}, source, again))
	return b.String()
}

// printableText is a text of Jamf's that cannot move the cursor of a terminal.
func printableText(in string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, in)
}

// guardText is one guard that is tripped, with its numbers.
func (s streams) guardText(g guard) string {
	if client := g.Client; client != "" {
		g.Client = ""
		n := s.say(text{"%d of %d devices that it is shown would be gone (limit %d)", "%d von %d Geräten, die er sieht, wären weg (Grenze %d)"}, g.Count, g.Of, g.Limit)
		switch g.Guard {
		case "empty", "lost":
			n = s.guardText(g)
		case "week":
			n = s.say(text{"%d of %d devices that it was shown have left it within 7 days (limit %d)", "%d von %d Geräten, die er sah, haben sie innerhalb von 7 Tagen verlassen (Grenze %d)"}, g.Count, g.Of, g.Limit)
		}
		return s.say(text{"view of the client %s: %s", "Sicht des Clients %s: %s"}, client, n)
	}
	switch g.Guard {
	case "removed":
		return s.say(text{"%d of %d devices were deleted in Jamf; more than %d are not published unasked", "%d von %d Geräten wurden in Jamf gelöscht; mehr als %d werden nicht ungefragt veröffentlicht"}, g.Count, g.Of, g.Limit)
	case "unconfirmed":
		return s.say(text{"%d of %d devices are no longer listed, and Jamf does not confirm that they are deleted (limit %d)", "%d von %d Geräten werden nicht mehr gelistet, und Jamf bestätigt ihre Löschung nicht (Grenze %d)"}, g.Count, g.Of, g.Limit)
	case "small":
		return s.say(text{"%d of only %d devices are gone (limit %d)", "%d von nur %d Geräten fehlen (Grenze %d)"}, g.Count, g.Of, g.Limit)
	case "week":
		return s.say(text{"%d of %d devices were deleted within 7 days (limit %d)", "%d von %d Geräten wurden innerhalb von 7 Tagen gelöscht (Grenze %d)"}, g.Count, g.Of, g.Limit)
	case "empty":
		return s.say(text{"none of %d devices is left", "von %d Geräten ist keines mehr da"}, g.Of)
	case "serial":
		return s.say(text{"%d of %d devices have another serial number than before (limit %d)", "%d von %d Geräten haben eine andere Seriennummer als vorher (Grenze %d)"}, g.Count, g.Of, g.Limit)
	case "instance":
		return s.say(text{"another Jamf Pro seems to answer: %d of %d devices kept their serial number or UDID, %d are expected", "es scheint ein anderes Jamf Pro zu antworten: %d von %d Geräten haben Seriennummer oder UDID behalten, erwartet sind %d"}, g.Count, g.Of, g.Limit)
	case "lost":
		return s.say(text{"the stored data was lost, and Jamf lists %d fewer devices than the %d that there were (limit %d)", "der Datenstand ging verloren, und Jamf listet %d Geräte weniger als die %d, die es gab (Grenze %d)"}, g.Count, g.Of, g.Limit)
	case "blanked":
		return s.say(text{"values are gone in up to %d of %d devices: %s", "Werte fehlen bei bis zu %d von %d Geräten: %s"}, g.Count, g.Of, strings.Join(g.Names, ", "))
	}
	return fmt.Sprintf("%s: %d of %d (%d)", g.Guard, g.Count, g.Of, g.Limit)
}

// Run announces deletions, so that they are not held.
func (c expectRemovalsCommand) Run(ctx context.Context, s streams) error {
	if c.Count < 0 || c.Count > mostExpected {
		return usageError{spoken(text{"the number of devices must be 0 to %d", "die Anzahl der Geräte muss 0 bis %d sein"}, mostExpected)}
	}
	until, err := endOf(c.Until, time.Now())
	if c.Count > 0 && err != nil {
		return usageError{err}
	}
	door, err := c.open(s)
	if err != nil {
		return err
	}
	query := url.Values{"count": {strconv.Itoa(c.Count)}, "until": {until.Format(time.RFC3339)}, "by": {door.by}}
	var done struct {
		Count int `json:"count"`
	}
	if err := door.ask(ctx, http.MethodPost, "/v1/admin/sources/"+url.PathEscape(c.Source)+"/expect-removals?"+query.Encode(), &done); err != nil {
		return door.unknownSource(ctx, c.Source, err)
	}
	line := s.say(text{"%s: no removals are expected any more", "%s: Löschungen werden nicht mehr erwartet"}, c.Source)
	if c.Count > 0 {
		line = s.window(c.Source, expected{c.Count, &until})
	}
	_, err = fmt.Fprintln(s.out, line)
	return err
}

// endOf reads a day, which ends at its midnight here, or a time.
func endOf(value string, now time.Time) (time.Time, error) {
	at, err := time.ParseInLocation(time.DateOnly, value, time.Local)
	if err == nil {
		at = at.AddDate(0, 0, 1)
	} else {
		at, err = time.Parse(time.RFC3339, value)
	}
	switch {
	case value == "":
		return at, spoken(text{"--until is needed: a day like 2026-12-24", "--until ist nötig: ein Tag wie 2026-12-24"})
	case err != nil:
		return at, spoken(text{"--until must be a day like 2026-12-24, not %q", "--until muss ein Tag wie 2026-12-24 sein, nicht %q"}, value)
	case !at.After(now):
		return at, spoken(text{"--until %s has passed", "--until %s ist vorbei"}, value)
	case at.Sub(now) > 366*24*time.Hour:
		return at, spoken(text{"--until %s is more than a year ahead", "--until %s liegt mehr als ein Jahr in der Zukunft"}, value)
	}
	return at, nil
}
