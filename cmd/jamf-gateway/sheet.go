package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"jamf-gateway/gateway/availability"
	"jamf-gateway/gateway/catalogue"
)

// sheet is a report for people in the making: as text, or as Markdown.
type sheet struct {
	s        streams
	markdown bool
	b        strings.Builder
}

// moments on a sheet carry their offset: an hour that comes twice in autumn stays unambiguous.
const sheetMoment = "2006-01-02 15:04:05 -07:00"

func (p *sheet) title(level int, words string) {
	if p.markdown {
		fmt.Fprintf(&p.b, "%s %s\n\n", strings.Repeat("#", level), words)
		return
	}
	p.b.WriteString(words + "\n")
	if level == 1 {
		p.b.WriteString(strings.Repeat("=", len([]rune(words))) + "\n")
	}
}

// facts are lines of a name and a value.
func (p *sheet) facts(lines [][2]string) {
	width := 0
	for _, l := range lines {
		width = max(width, len([]rune(l[0]))+1)
	}
	for _, l := range lines {
		if p.markdown {
			fmt.Fprintf(&p.b, "- %s: %s\n", l[0], l[1])
		} else {
			fmt.Fprintf(&p.b, "%s %s\n", padded(l[0]+":", width), l[1])
		}
	}
	p.b.WriteString("\n")
}

// section is a title and a table, or what to say when there are no rows.
func (p *sheet) section(title string, header table.Row, rows []table.Row, none string) {
	p.title(2, title)
	if len(rows) == 0 {
		p.b.WriteString(none + "\n\n")
		return
	}
	t := plainTable()
	t.AppendHeader(header)
	t.AppendRows(rows)
	if p.markdown {
		p.b.WriteString(t.RenderMarkdown() + "\n\n")
		return
	}
	p.b.WriteString("  " + strings.Join(trimmedLines(t.Render()), "\n  ") + "\n\n")
}

// availability is the report of one source.
func (p *sheet) availability(r availability.Report, version string) {
	s := p.s
	p.title(1, s.say(text{"Availability of Jamf Pro: %s", "Verfügbarkeit von Jamf Pro: %s"}, r.Source))
	var facts [][2]string
	fact := func(name text, value string) { facts = append(facts, [2]string{s.say(name), value}) }
	if r.URL != "" {
		fact(text{"Address", "Adresse"}, r.URL)
	}
	fact(text{"Period", "Zeitraum"}, s.say(text{"%s to %s", "%s bis %s"}, r.From.Format(sheetMoment), r.To.Format(sheetMoment)))
	fact(text{"Time zone", "Zeitzone"}, r.TimeZone)
	if r.RecordedFrom == nil {
		fact(text{"Recorded from", "Aufgezeichnet ab"}, s.say(text{"nothing in this period", "nichts in diesem Zeitraum"}))
	} else {
		fact(text{"Recorded from", "Aufgezeichnet ab"}, r.RecordedFrom.Format(sheetMoment))
	}
	fact(text{"Available", "Verfügbar"}, s.say(text{"%s of the %s that were measured", "%s der gemessenen %s"}, s.percent(r.Availability), length(r.UpSeconds+r.DownSeconds)))
	fact(text{"Not available", "Nicht verfügbar"}, s.say(text{"%s, outages: %d", "%s, Ausfälle: %d"}, length(r.DownSeconds), len(r.Outages)))
	fact(text{"Not measured", "Nicht gemessen"}, s.say(text{"%s, not counted as Jamf's outage", "%s, nicht als Ausfall von Jamf gezählt"}, length(r.GapSeconds)))
	fact(text{"Heartbeats", "Lebenszeichen"}, strconv.Itoa(r.Heartbeats))
	if r.Damaged > 0 {
		fact(text{"Unreadable lines of the history, left out", "Unlesbare Zeilen der Aufzeichnung, ausgelassen"}, strconv.Itoa(r.Damaged))
	}
	p.facts(facts)
	p.outages(r.Outages)
	p.days(r.Days)
	p.errors(r.Errors)
	p.gaps(r.Gaps)
	p.title(2, s.say(text{"How it was measured", "Wie gemessen wurde"}))
	p.b.WriteString(s.say(text{
		`Jamf Gateway %s asks Jamf Pro%s for /api/v1/auth and for one row of each list, as a rule every few minutes, each with a
limit of 10 seconds. While it reads all devices, the answers to that count instead. An outage begins with the first call, of a
heartbeat or of the reading of devices, from which on nothing was properly answered (no connection, timeout, status 5xx, a page in
place of data) and ends with the first heartbeat that was; it may have begun as early as the last answer before. Refused credentials,
missing rights and throttling are answers, not outages.
After repeated failures the gateway sends nothing for up to 5 minutes; a heartbeat of that time counts as the failure that led to
the pause. Time in which the gateway did not run or could not ask is not measured and counts for neither side. p50 and p95 are
measured latencies in milliseconds: half of the answers, and 95 of 100, took no longer.
`,
		`Jamf Gateway %s fragt Jamf Pro%s nach /api/v1/auth und nach einer Zeile jeder Liste, in der Regel alle paar Minuten, mit
einer Grenze von jeweils 10 Sekunden. Während es alle Geräte liest, zählen stattdessen die Antworten darauf. Ein Ausfall beginnt mit
dem ersten Aufruf, für ein Lebenszeichen oder beim Lesen der Geräte, von dem an nichts mehr brauchbar beantwortet wurde (keine
Verbindung, Zeitüberschreitung, Status 5xx, eine Seite statt Daten), und endet mit dem ersten wieder beantworteten Lebenszeichen;
begonnen haben kann er schon nach der letzten Antwort davor. Abgelehnte Zugangsdaten, fehlende Rechte und
Drosselung sind Antworten, keine Ausfälle. Nach wiederholten Fehlern sendet das Gateway bis zu 5 Minuten lang nichts; ein Lebenszeichen
in dieser Zeit zählt als der Fehler, der zur Pause geführt hat. Zeit, in der das Gateway nicht lief oder nicht fragen konnte, ist nicht
gemessen und zählt für keine Seite. p50 und p95 sind gemessene Antwortzeiten in Millisekunden: Die Hälfte der Antworten, und 95 von 100,
brauchten nicht länger.
`,
	}, version, s.manner(r.URL)))
}

// manner is how Jamf is asked, where the address says it.
func (s streams) manner(address string) string {
	if !strings.HasPrefix(strings.ToLower(address), "https://") {
		return ""
	}
	return s.say(text{" over HTTPS", " über HTTPS"})
}

func (p *sheet) outages(outages []availability.Outage) {
	s := p.s
	var rows []table.Row
	for _, o := range outages {
		end := o.End.Format(sheetMoment)
		switch {
		case o.Ongoing:
			end = s.say(text{"lasts", "dauert an"})
		case !o.Ended:
			end = s.say(text{"not seen, lasted at least until ", "nicht gesehen, dauerte mindestens bis "}) + end
		}
		before := "-"
		if o.LastGood != nil {
			before = o.LastGood.Format(sheetMoment)
		}
		var codes []string
		for _, e := range o.Errors {
			codes = append(codes, fmt.Sprintf("%s (%d)", e.Code, e.Heartbeats))
		}
		rows = append(rows, table.Row{o.Start.Format(sheetMoment), end, length(o.Seconds), before, strings.Join(codes, ", ")})
	}
	p.section(s.say(text{"Outages", "Ausfälle"}), table.Row{
		s.say(text{"Start", "Beginn"}), s.say(text{"End", "Ende"}), s.say(text{"Length", "Dauer"}),
		s.say(text{"Last answer before", "Letzte Antwort davor"}), s.say(text{"Errors (heartbeats)", "Fehler (Lebenszeichen)"}),
	}, rows, s.say(text{"None.", "Keine."}))
}

func (p *sheet) days(days []availability.Day) {
	s := p.s
	ms := func(v *float64) string {
		if v == nil {
			return "-"
		}
		return s.decimal(strconv.FormatFloat(*v, 'f', 1, 64))
	}
	var rows []table.Row
	for _, d := range days {
		rows = append(rows, table.Row{
			d.Date, s.percent(d.Availability), length(d.DownSeconds), length(d.GapSeconds), d.Heartbeats,
			ms(d.AuthP50), ms(d.AuthP95), ms(d.QueryP50), ms(d.QueryP95),
		})
	}
	p.section(s.say(text{"Days, with latency in milliseconds", "Tage, mit Antwortzeiten in Millisekunden"}), table.Row{
		s.say(text{"Day", "Tag"}), s.say(text{"Available", "Verfügbar"}), s.say(text{"Not available", "Nicht verfügbar"}), s.say(text{"Not measured", "Nicht gemessen"}),
		s.say(text{"Heartbeats", "Lebenszeichen"}), "v1/auth p50", "p95", s.say(text{"List p50", "Liste p50"}), "p95",
	}, rows, s.say(text{"None.", "Keine."}))
}

func (p *sheet) errors(codes []availability.CodeCount) {
	s := p.s
	words := map[availability.State]text{
		availability.Up: {"no", "nein"}, availability.Down: {"yes", "ja"}, availability.Unasked: {"not measured", "nicht gemessen"},
	}
	var rows []table.Row
	for _, c := range codes {
		title := ""
		if e, ok := catalogue.Lookup(c.Code); ok {
			title = e.Title.In(s.lang)
		}
		rows = append(rows, table.Row{c.Code, c.Heartbeats, s.say(words[c.State]), title})
	}
	p.section(s.say(text{"Errors", "Fehler"}), table.Row{
		s.say(text{"Code", "Code"}), s.say(text{"Heartbeats", "Lebenszeichen"}), s.say(text{"Outage", "Ausfall"}), s.say(text{"Meaning", "Bedeutung"}),
	}, rows, s.say(text{"None.", "Keine."}))
}

func (p *sheet) gaps(gaps []availability.Gap) {
	s := p.s
	words := map[string]text{
		availability.NotRunning: {"the gateway was off", "das Gateway war aus"},
		availability.Starting:   {"the gateway had just started", "das Gateway war eben erst gestartet"},
		availability.NotAsked:   {"Jamf could not be asked (own network, proxy or budget)", "Jamf konnte nicht gefragt werden (eigenes Netz, Proxy oder Kontingent)"},
	}
	var rows []table.Row
	for _, g := range gaps {
		rows = append(rows, table.Row{g.Start.Format(sheetMoment), g.End.Format(sheetMoment), length(g.Seconds), s.say(words[g.Reason])})
	}
	p.section(s.say(text{"Not measured", "Nicht gemessen"}), table.Row{
		s.say(text{"Start", "Beginn"}), s.say(text{"End", "Ende"}), s.say(text{"Length", "Dauer"}), s.say(text{"Why", "Warum"}),
	}, rows, s.say(text{"None.", "Keine."}))
}

// percent has three decimals: what is rounded down says 100 only where nothing was missing.
func (s streams) percent(p *float64) string {
	if p == nil {
		return "-"
	}
	return s.decimal(strconv.FormatFloat(*p, 'f', 3, 64)) + " %"
}

// decimal writes a number with the separator of the language.
func (s streams) decimal(number string) string {
	if s.lang == catalogue.DE {
		return strings.Replace(number, ".", ",", 1)
	}
	return number
}

// length is a span of time in its two largest units.
func length(seconds int64) string {
	days, hours, minutes := seconds/86400, seconds/3600, seconds/60
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours%24)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes%60)
	case minutes > 0:
		return fmt.Sprintf("%d min %d s", minutes, seconds%60)
	}
	return fmt.Sprintf("%d s", seconds)
}
