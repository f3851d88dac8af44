package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"jamf-gateway/gateway/device"
)

type statusCommand struct {
	adminFlags
	Watch bool `help:"Show it again every two seconds, until Ctrl-C." xor:"form"`
	JSON  bool `name:"json" help:"Print what the admin door answers." xor:"form"`
}

const watchEvery = 2 * time.Second

// Run shows the state of every source of a running gateway. Exit code 1 when a source cannot be served or is stale,
// when its Jamf does not answer, or when no gateway answers.
func (c statusCommand) Run(ctx context.Context, s streams) error {
	door, err := c.open(s)
	if err != nil {
		return err
	}
	if c.JSON {
		return c.printRaw(ctx, door)
	}
	if !c.Watch {
		return c.show(ctx, door, "")
	}
	clearScreen := ""
	if isTerminal(s.out) {
		clearScreen = "\x1b[H\x1b[2J"
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		err := c.show(ctx, door, clearScreen)
		if ctx.Err() != nil {
			return nil // Ctrl-C ends the watch, that is no failure
		}
		if err != nil && err != errFoundWanting { //nolint:errorlint // only shown, never wrapped
			_, _ = fmt.Fprintln(s.out, inLanguage(err, s.lang))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (c statusCommand) printRaw(ctx context.Context, door adminDoor) error {
	var raw json.RawMessage
	if err := door.ask(ctx, http.MethodGet, "/v1/admin/sources", &raw); err != nil {
		return err
	}
	var a sourcesAnswer
	if err := json.Unmarshal(raw, &a); err != nil {
		return door.stranger(http.StatusOK)
	}
	if err := printJSON(door.s.out, raw); err != nil {
		return err
	}
	return a.verdict()
}

// verdict is errFoundWanting when something that is asked for is not served as fresh, or cannot be for long: Jamf is down.
func (a sourcesAnswer) verdict() error {
	if slices.ContainsFunc(a.Items, func(i sourceStatus) bool { return i.Status == "degraded" || i.Status == "failing" || i.down() }) {
		return errFoundWanting
	}
	return nil
}

func (c statusCommand) show(ctx context.Context, door adminDoor, before string) error {
	a, err := door.sources(ctx)
	if err != nil {
		return err
	}
	var calls usageSeen
	if err := door.ask(ctx, http.MethodGet, "/v1/admin/usage", &calls); err != nil {
		calls = usageSeen{} // of a gateway that does not tell: the state of the sources is what was asked for
	}
	_, err = fmt.Fprint(door.s.out, before+statusTable(door.s, a, time.Now())+usesTable(door.s, calls.Clients))
	if err != nil {
		return err
	}
	return a.verdict()
}

// statusTable is a row for each kind of each source, and below it what to do about what is wrong.
func statusTable(s streams, a sourcesAnswer, now time.Time) string {
	t := plainTable()
	t.AppendHeader(table.Row{
		s.say(text{"Source", "Quelle"}), s.say(text{"Kind", "Geräteart"}), s.say(text{"State", "Zustand"}),
		s.say(text{"Devices", "Geräte"}), s.say(text{"Data as of", "Datenstand"}), s.say(text{"Next sync", "Nächste Synchronisierung"}),
	})
	for _, src := range a.Items {
		for _, k := range src.Kinds {
			t.AppendRow(table.Row{src.Name, s.kindWord(k.Kind), s.stateWord(k), number(k.Count), s.moment(k.AsOf), s.moment(k.NextSync)})
		}
	}
	out := strings.Join(trimmedLines(t.Render()), "\n") + "\n"
	if views := s.viewTable(a); views != "" {
		out += "\n" + views
	}
	if notes := s.notes(a, now); len(notes) > 0 {
		out += "\n" + strings.Join(notes, "\n") + "\n"
	}
	return out
}

// viewTable is a row for each client with filters and kind: what it is shown, and why it is not shown the others. "" = nobody has filters.
func (s streams) viewTable(a sourcesAnswer) string {
	t := plainTable()
	t.AppendHeader(table.Row{
		s.say(text{"Client", "Client"}), s.say(text{"Source", "Quelle"}), s.say(text{"Kind", "Geräteart"}), s.say(text{"Shown", "Gezeigt"}), s.say(text{"Left out", "Ausgelassen"}),
	})
	for _, src := range a.Items {
		for _, v := range src.Views {
			left := []string{}
			for _, reason := range slices.Sorted(maps.Keys(v.LeftOut)) {
				left = append(left, strconv.Itoa(v.LeftOut[reason])+" "+s.reasonWord(reason))
			}
			why := cmp.Or(strings.Join(left, ", "), "-")
			if v.Count == nil {
				why = s.say(text{"not known before the next sync", "erst nach der nächsten Synchronisierung bekannt"})
			}
			t.AppendRow(table.Row{v.Client, src.Name, s.kindWord(v.Kind), number(v.Count), why})
		}
	}
	if t.Length() == 0 {
		return ""
	}
	return strings.Join(trimmedLines(t.Render()), "\n") + "\n"
}

// reasonWord says why a filter leaves a device out; one that this program does not know is said as it is called.
func (s streams) reasonWord(reason string) string {
	words := map[device.Reason]text{
		device.Unmanaged: {"unmanaged", "nicht verwaltet"}, device.Personal: {"personal", "privat"}, device.WithoutSerial: {"without serial number", "ohne Seriennummer"},
		device.OtherSite: {"of other sites", "anderer Standorte"}, device.OtherGroup: {"of other groups", "anderer Gruppen"},
		device.OtherName: {"with other names", "mit anderen Namen"}, device.OlderTwin: {"older duplicates", "ältere Duplikate"},
	}
	if t, ok := words[device.Reason(reason)]; ok {
		return s.say(t)
	}
	return reason
}

// notes are what is wrong and what to do about it, each once for a source.
func (s streams) notes(a sourcesAnswer, now time.Time) []string {
	var notes []string
	for _, src := range a.Items {
		if src.down() {
			notes = append(notes, src.Name+": "+s.outage(*src.Heartbeat, now))
		}
		codes, last := src.troubles()
		for _, code := range codes {
			line := src.Name + ": " + s.explained(code)
			if at := last[code]; !at.IsZero() {
				line += " " + s.say(text{"(last at %s)", "(zuletzt %s)"}, clock(at, now))
			}
			notes = append(notes, line)
		}
		for _, k := range src.Kinds {
			if k.Undecided > 0 {
				notes = append(notes, src.Name+": "+s.say(text{
					"%d %s have been kept for more than 14 days although Jamf neither lists them nor confirms that they are deleted. Decide in Jamf Pro: delete them there for good, or make them readable; GET /v1/sources/%s names them.",
					"%d %s werden seit mehr als 14 Tagen behalten, obwohl Jamf sie weder listet noch ihre Löschung bestätigt. Entscheiden Sie in Jamf Pro: dort endgültig löschen oder lesbar machen; GET /v1/sources/%s nennt sie.",
				}, k.Undecided, s.kindWord(k.Kind), src.Name))
			}
		}
		if src.Expected != nil {
			notes = append(notes, s.window(src.Name, *src.Expected))
		}
		notes = append(notes, s.refusedClients(src, now)...)
	}
	for _, w := range a.Warnings {
		notes = append(notes, printableText(s.say(text{"Warning: %s", "Warnung: %s"}, s.say(text{w.EN, w.DE}))))
	}
	return notes
}

// refusedClients says which API clients Jamf refuses, and whether that keeps the source from being read.
func (s streams) refusedClients(src sourceStatus, now time.Time) (notes []string) {
	for _, l := range src.Logins {
		if l.Refused != nil {
			notes = append(notes, s.refusedClient(src.Name, l, now))
		}
	}
	return notes
}

func (s streams) refusedClient(source string, l apiClient, now time.Time) string {
	since := clock(*l.Refused, now)
	if l.InUse {
		return s.say(text{"%s: Jamf has refused API client %s since %s", "%s: Jamf lehnt den API-Client %s seit %s ab"}, source, printableText(l.ID), since)
	}
	return s.say(text{
		"%s: Jamf has refused API client %s since %s; the other one is in use: enter the secret of the refused one anew",
		"%s: Jamf lehnt den API-Client %s seit %s ab; der andere wird benutzt: Tragen Sie das Secret des abgelehnten neu ein",
	}, source, printableText(l.ID), since)
}

// window says that removals are announced.
func (s streams) window(source string, e expected) string {
	return s.say(text{
		"%s: up to %d deletions in Jamf are published without approval until %s",
		"%s: bis zu %d Löschungen in Jamf werden bis %s ohne Freigabe veröffentlicht",
	}, source, e.Left, s.moment(e.Until))
}

// troubles are the codes that the kinds of a source show, each once, and when one of them last met it.
func (i sourceStatus) troubles() (codes []string, last map[string]time.Time) {
	last = map[string]time.Time{}
	add := func(code string) {
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	for _, k := range i.Kinds {
		if k.Reason != nil && i.Status != "disabled" {
			add(*k.Reason)
		}
		if e := k.LastError; e != nil {
			add(e.Code)
			if e.At != nil && e.At.After(last[e.Code]) {
				last[e.Code] = *e.At
			}
		}
	}
	return codes, last
}

// outage says since when Jamf does not answer, and when it is asked again.
func (s streams) outage(h signOfLife, now time.Time) string {
	since := clock(*h.DownSince, now)
	if h.NextAt == nil || h.NextAt.Before(now) {
		return s.say(text{"Jamf has not answered since %s, it is being asked again now", "Jamf antwortet seit %s nicht, ein neuer Versuch läuft"}, since)
	}
	return s.say(text{"Jamf has not answered since %s, asked again at %s", "Jamf antwortet seit %s nicht, nächster Versuch %s"}, since, clock(*h.NextAt, now))
}

// plainTable has columns and no lines.
func plainTable() table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Format.Header = 0
	style.Options = table.Options{SeparateColumns: true}
	style.Box.MiddleVertical, style.Box.PaddingLeft = " ", ""
	t.SetStyle(style)
	return t
}

func trimmedLines(in string) []string {
	lines := strings.Split(in, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

func (s streams) stateWord(k kindStatus) string {
	words := map[string]text{
		"fresh": {"fresh", "aktuell"}, "stale": {"stale", "veraltet"}, "never_synced": {"never synced", "nie gelesen"}, "disabled": {"disabled", "deaktiviert"},
	}
	word := k.State
	if t, ok := words[k.State]; ok {
		word = s.say(t)
	}
	if k.Held != nil {
		word += ", " + s.say(text{"held back", "zurückgehalten"})
	}
	if !k.Syncing {
		return word
	}
	if k.Progress == nil || k.Progress.Total == 0 {
		return word + ", " + s.say(text{"reading", "liest"})
	}
	return word + ", " + s.say(text{"reading %d of %d", "liest %d von %d"}, k.Progress.Held, k.Progress.Total)
}

func number(n *int) string {
	if n == nil {
		return "-"
	}
	return strconv.Itoa(*n)
}

// moment is a point in time in the zone of the reader.
func (s streams) moment(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04")
}

// clock is a point in time in the zone of the reader, without the date where that is today's.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}
