package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/gateway/device"
)

type preflightCommand struct {
	URL              string `arg:"" name:"url" help:"Address of Jamf Pro, as you have it."`
	ClientID         string `name:"client-id" help:"Client ID of the API client in Jamf Pro. Without it JAMF_CLIENT_ID, then the terminal." placeholder:"ID"`
	ClientSecretFile string `name:"client-secret-file" help:"File with its client secret, - for standard input. Without it JAMF_CLIENT_SECRET, then the terminal." placeholder:"FILE"`
	Sample           int    `default:"2000" help:"Look at about so many devices of a kind, in pages from the whole list; without it 2000, 0 looks at all." placeholder:"N"`
	JSON             bool   `name:"json" help:"Print the findings as JSON."`
	CAFile           string `name:"ca-file" help:"Certificates (PEM) of the authority of a Jamf Pro of your own." placeholder:"FILE"`
	Proxy            string `name:"proxy-url" help:"Proxy to Jamf, off for none. Without it HTTPS_PROXY and NO_PROXY." placeholder:"URL"`
	Loopback         bool   `name:"allow-insecure-loopback" help:"Allow http to a loopback address, for a simulated Jamf Pro."`
}

// jamfClientVariable gives preflight the client id of Jamf in scripts.
const jamfClientVariable = "JAMF_CLIENT_ID"

// Run asks what is missing, looks at the Jamf Pro and says what it opens. Nothing is written anywhere. Exit code 1 when Jamf could not be
// read as the gateway must read it.
func (c preflightCommand) Run(ctx context.Context, s streams) error {
	o, err := c.options(s)
	if err != nil {
		return usageError{err}
	}
	found, err := gateway.RunPreflight(ctx, o)
	if err != nil {
		return usageError{err}
	}
	p := preflighted{url: o.URL, Preflight: found}
	if c.JSON {
		err = printJSON(s.out, p.answer(s))
	} else {
		_, err = io.WriteString(s.out, p.text(s))
	}
	if err == nil && !p.good() {
		err = errFoundWanting
	}
	return err
}

func (c preflightCommand) options(s streams) (gateway.PreflightOptions, error) {
	o := gateway.PreflightOptions{
		AllowInsecureLoopback: c.Loopback, CAFile: c.CAFile, Proxy: c.Proxy, Sample: c.Sample, Version: version, Lang: string(s.lang),
		Begins: func(r gateway.Reading) { tellReading(s, r) },
	}
	if c.Sample < 0 {
		return o, spoken(text{"--sample must be 0 or more", "--sample muss 0 oder mehr sein"})
	}
	var problem string
	if o.URL, problem = config.CompleteURL(c.URL, c.Loopback); problem != "" {
		return o, spokenError{text{"url: " + flagged(problem), "url: " + flagged(config.Problem{Text: problem}.GermanText())}}
	}
	a := newAsker(s)
	if o.URL != c.URL {
		a.say(text{"Asked is %s\n", "Gefragt wird %s\n"}, o.URL)
	}
	var err error
	o.ClientID, err = a.ask("--client-id", orElse(c.ClientID, variable(s.env, jamfClientVariable)), "", text{
		"Client ID of the API client in Jamf Pro (Settings > System > API roles and clients): ",
		"Client ID des API-Clients in Jamf Pro (Einstellungen > System > API-Rollen und -Clients): ",
	}, nil)
	if err == nil {
		o.ClientSecret, err = initCommand{ClientSecretFile: c.ClientSecretFile}.jamfSecret(a)
	}
	return o, err
}

// tellReading says beside the report how long it takes, so that nobody has to guess what it waits for.
func tellReading(s streams, r gateway.Reading) {
	line := text{"Reading %s of %s %s, at Jamf's usual pace in about %s ...\n", "Gelesen werden %s von %s %s, bei üblichem Tempo von Jamf in etwa %s ...\n"}
	_, _ = fmt.Fprint(s.err, s.say(line, grouped(s, r.Read), grouped(s, r.Of), s.say(kindNames(r.Kind)), roughly(r.Takes)))
	if r.Read < r.Of {
		_, _ = fmt.Fprint(s.err, s.say(text{"  (all of them: --sample 0, about %s)\n", "  (alle: --sample 0, etwa %s)\n"}, roughly(r.TakesThem)))
	}
}

func kindNames(k device.Kind) text {
	if k == device.Computer {
		return text{"computers", "Computern"}
	}
	return text{"mobile devices", "Mobilgeräten"}
}

// roughly is a duration as one says it.
func roughly(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", max(1, int(d.Round(time.Second).Seconds())))
	case d < 100*time.Minute:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	default:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
}

// grouped is a count with the mark between thousands that the language has.
func grouped(s streams, n int) string {
	digits, mark := strconv.Itoa(n), ","
	if s.lang == catalogue.DE {
		mark = "."
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + mark + digits[at:]
	}
	return digits
}

// preflighted is what a preflight found.
type preflighted struct {
	url string
	gateway.Preflight
}

func (p preflighted) good() bool { return p.Test.OK && p.Problem == nil }

func (p preflighted) text(s streams) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", p.url)
	writeSteps(&b, s, p.Test.Steps)
	p.writeRights(&b, s)
	p.writeDevices(&b, s)
	p.writeExposure(&b, s)
	if p.Problem != nil {
		e, _ := catalogue.Lookup(p.Problem.Code)
		fmt.Fprintf(&b, "\n%s\n  %s\n  %s\n  [%s] %s\n", s.say(text{"The devices could not be read to the end; the counts above are of what was read.", "Die Geräte konnten nicht bis zum Ende gelesen werden; die Zahlen oben gelten für das Gelesene."}),
			e.Title.In(s.lang), e.Cause.In(s.lang), p.Problem.Code, e.Action.In(s.lang))
	}
	b.WriteString("\n" + s.say(text{"Nothing of this was stored.", "Nichts davon wurde gespeichert."}) + "\n")
	if p.good() {
		return b.String() + s.say(text{"Result: good", "Ergebnis: in Ordnung"}) + "\n"
	}
	return b.String() + s.say(text{"Result: something is missing, see above", "Ergebnis: Es fehlt etwas, siehe oben"}) + "\n"
}

func (p preflighted) writeRights(b *strings.Builder, s streams) {
	fmt.Fprintf(b, "\n%s\n", s.say(text{"The API client", "Der API-Client"}))
	unknown := len(p.Test.RightsPresent)+len(p.Test.RightsMissing) == 0 // two are always asked for
	list := func(label text, names []string) {
		said := strings.Join(names, ", ")
		switch {
		case unknown:
			said = s.say(text{"not known", "nicht bekannt"})
		case len(names) == 0:
			said = s.say(text{"none", "keine"})
		}
		fmt.Fprintf(b, "  %s %s\n", padded(s.say(label)+":", 18), said)
	}
	list(text{"rights present", "Rechte vorhanden"}, p.Test.RightsPresent)
	list(text{"rights missing", "Rechte fehlen"}, p.Test.RightsMissing)
	list(text{"rights too many", "Rechte zu viel"}, p.Test.RightsSurplus)
	if p.TokenSeconds > 0 {
		fmt.Fprintf(b, "  %s %s\n", padded(s.say(text{"life of a token:", "Token gilt:"}), 18), strconv.Itoa(p.TokenSeconds)+" s")
	}
}

// writeDevices prints a column for each kind that was read, and says of what the counts are.
func (p preflighted) writeDevices(b *strings.Builder, s streams) {
	if len(p.Kinds) == 0 {
		return
	}
	t := columns{s: s, b: b, label: 42, cell: 16}
	t.head(text{"Devices", "Geräte"}, p.kindHeads()...)
	row := func(label text, count func(gateway.Survey) int) {
		cells := make([]string, 0, len(p.Kinds))
		for _, k := range p.Kinds {
			cells = append(cells, grouped(s, count(k)))
		}
		t.row(label, cells...)
	}
	row(text{"in Jamf", "in Jamf"}, func(k gateway.Survey) int { return k.Count })
	row(text{"looked at", "angesehen"}, func(k gateway.Survey) int { return k.Read })
	row(text{"without serial number", "ohne Seriennummer"}, func(k gateway.Survey) int { return k.WithoutSerial })
	row(text{"serial numbers of more than one device", "mehrfach vergebene Seriennummern"}, func(k gateway.Survey) int { return k.TwinSerials })
	row(text{"devices with such a number", "Geräte mit solchen Nummern"}, func(k gateway.Survey) int { return k.TwinDevices })
	row(text{"personal devices (BYOD)", "private Geräte (BYOD)"}, func(k gateway.Survey) int { return k.Personal })
	row(text{"Jamf does not say whose", "Jamf sagt nicht, wem sie gehören"}, func(k gateway.Survey) int { return k.UnknownOwner })
	row(text{"that Jamf cannot render", "die Jamf nicht ausgeben kann"}, func(k gateway.Survey) int { return k.Unreadable })
	for _, k := range p.Kinds {
		kind := s.say(kindNames(k.Kind))
		switch {
		case k.Sampled:
			fmt.Fprintf(b, "  %s\n", s.say(text{
				"The counts are of a sample: %s of %s %s, in pages from the whole list. Of a number on two devices it may hold one: there are at least so many. --sample 0 looks at all, in about %s.",
				"Die Zahlen gelten für eine Stichprobe: %s von %s %s, in Seiten aus der ganzen Liste. Von einer Nummer auf zwei Geräten enthält sie vielleicht nur eines: Es gibt mindestens so viele. --sample 0 sieht alle an, in etwa %s.",
			}, grouped(s, k.Read), grouped(s, k.Count), kind, roughly(k.AllTakesAbout)))
		case k.Read != k.Count && p.Problem == nil:
			fmt.Fprintf(b, "  %s\n", s.say(text{
				"%s of %s %s could be looked at: Jamf cannot render some, or devices came and went meanwhile.",
				"%s von %s %s konnten angesehen werden: Jamf kann einige nicht ausgeben, oder Geräte kamen und gingen währenddessen.",
			}, grouped(s, k.Read), grouped(s, k.Count), kind))
		}
	}
}

func (p preflighted) kindHeads() []text {
	var out []text
	for _, k := range p.Kinds {
		if k.Kind == device.Computer {
			out = append(out, text{"computers", "Computer"})
		} else {
			out = append(out, text{"mobile devices", "Mobilgeräte"})
		}
	}
	return out
}

// exposed are the devices of which something of a kind can be read: today, and with minimal.
func (p preflighted) exposed(of func(device.Exposure) int) (today, minimal int) {
	for _, k := range p.Kinds {
		if of(k.Open) > 0 {
			today += k.Count
		}
		if of(k.Minimal) > 0 {
			minimal += k.Count
		}
	}
	return today, minimal
}

func (p preflighted) writeExposure(b *strings.Builder, s streams) {
	if len(p.Kinds) == 0 {
		return
	}
	t := columns{s: s, b: b, label: 58, cell: 10}
	t.head(text{"What any program with these credentials can read", "Was jedes Programm mit diesen Zugangsdaten lesen kann"}, text{"today", "heute"}, text{"minimal", "minimal"})
	for _, k := range p.Kinds {
		label := text{"fields of a computer", "Felder eines Computers"}
		if k.Kind == device.Mobile {
			label = text{"fields of an iPhone or iPad", "Felder eines iPhones oder iPads"}
		}
		t.row(label, grouped(s, k.Open.Fields), grouped(s, k.Minimal.Fields))
	}
	for _, line := range exposures() {
		today, minimal := p.exposed(line.of)
		t.row(line.label, grouped(s, today), grouped(s, minimal))
	}
	fmt.Fprintf(b, "  %s\n", s.say(text{
		"Counted are devices whose fields Jamf opens, filled or not. Jamf's rights open all fields of a kind or none; minimal is what the gateway keeps and passes on unless told otherwise.",
		"Gezählt sind Geräte, deren Felder Jamf öffnet, gefüllt oder nicht. Jamfs Rechte öffnen alle Felder einer Geräteart oder keines; minimal ist, was das Gateway ohne andere Einstellung behält und weitergibt.",
	}))
	if n := len(p.Test.RightsSurplus); n > 0 {
		fmt.Fprintf(b, "  %s\n", s.say(text{"Further rights, which open more than is counted here: %d.", "Weitere Rechte, die mehr öffnen, als hier gezählt ist: %d."}, n))
	}
	if slices.ContainsFunc(p.Kinds, func(k gateway.Survey) bool { return k.Minimal.Names > 0 }) {
		fmt.Fprintf(b, "  %s\n", s.say(text{"Names of devices stay: they often hold the name of a person.", "Gerätenamen bleiben: Sie enthalten oft den Namen einer Person."}))
	}
}

type exposure struct {
	name  string // in JSON
	label text
	of    func(device.Exposure) int
}

func exposures() []exposure {
	return []exposure{
		{"appLists", text{"devices whose list of apps can be read", "Geräte, deren App-Liste lesbar ist"}, func(e device.Exposure) int { return e.Apps }},
		{"userNames", text{"devices whose users can be read (name, mail, phone)", "Geräte, deren Nutzer lesbar sind (Name, E-Mail, Telefon)"}, func(e device.Exposure) int { return e.Users }},
		{"locations", text{"devices whose location can be read (building, room, lost)", "Geräte, deren Ort lesbar ist (Gebäude, Raum, verloren)"}, func(e device.Exposure) int { return e.Locations }},
		{"deviceNames", text{"devices whose own name can be read", "Geräte, deren eigener Name lesbar ist"}, func(e device.Exposure) int { return e.Names }},
	}
}

// columns prints labels and figures under each other.
type columns struct {
	s           streams
	b           *strings.Builder
	label, cell int // widths in letters
}

func (c columns) head(title text, names ...text) {
	fmt.Fprintf(c.b, "\n%s", padded(c.s.say(title), c.label+2))
	for _, name := range names {
		c.right(c.s.say(name))
	}
	c.b.WriteString("\n")
}

func (c columns) row(label text, cells ...string) {
	fmt.Fprintf(c.b, "  %s", padded(c.s.say(label), c.label))
	for _, cell := range cells {
		c.right(cell)
	}
	c.b.WriteString("\n")
}

func (c columns) right(word string) {
	fmt.Fprint(c.b, strings.Repeat(" ", max(1, c.cell-utf8.RuneCountInString(word)))+word)
}
