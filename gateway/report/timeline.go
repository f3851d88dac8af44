package report

import (
	"slices"
	"strconv"
	"strings"

	"jamf-gateway/gateway/device"
)

// maxNamed is how many fields a change names; more are counted.
const maxNamed = 40

// policy tells which policy is in force, and which were before it.
func (p *page) policy(f Facts) {
	p.heading(2, text{EN: "15. Policy and its history", DE: "15. Richtlinie und ihr Verlauf"})
	p.para(text{
		EN: "The policy is what is stored of each source and shown to each client: profiles, fields, views, policies on names and users, further paths. Its SHA-256 changes when one of these does. The gateway writes down each policy that begins with a start or with other settings, in the data directory, and changes no line of it later.",
		DE: "Die Richtlinie umfasst, was je Quelle gespeichert und je Empfänger gezeigt wird: Profile, Felder, Sichten, Regeln für Gerätenamen und Nutzer, weitere Pfade. Ihre SHA-256-Prüfsumme ändert sich, sobald sich davon etwas ändert. Das Gateway schreibt jede Richtlinie, die mit einem Start oder einer Übernahme der Einstellungen beginnt, in das Datenverzeichnis und ändert daran später keine Zeile.",
	})
	if f.Damaged != nil {
		p.note(text{EN: "The history cannot be read: %s", DE: "Der Verlauf ist nicht lesbar: %s"}, f.Damaged.Error())
		return
	}
	if f.History.Damaged > 0 {
		p.note(text{EN: "%d lines of the history cannot be read or do not match their digest; they are left out.", DE: "%d Zeilen des Verlaufs sind nicht lesbar oder passen nicht zu ihrer Prüfsumme; sie sind ausgelassen."}, f.History.Damaged)
	}
	if len(f.History.Entries) == 0 {
		p.para(text{EN: "No policy was in force yet: the gateway has not been started with this data directory.", DE: "Noch war keine Richtlinie in Kraft: Das Gateway wurde mit diesem Datenverzeichnis noch nicht gestartet."})
		return
	}
	var rows [][]cell
	for i, e := range slices.Backward(f.History.Entries) {
		changed := p.say(text{EN: "first policy recorded", DE: "erste aufgezeichnete Richtlinie"})
		if i > 0 {
			var said []string
			for _, c := range e.Policy.Changes(f.History.Entries[i-1].Policy) {
				said = append(said, p.change(c))
			}
			changed = strings.Join(said, "; ")
		}
		rows = append(rows, []cell{plain(p.moment(e.Since.In(f.CreatedAt.Location()))), code(e.Digest), plain(changed), plain(e.Version)})
	}
	p.table(p.cells(text{EN: "In force since", DE: "In Kraft seit"}, text{EN: "SHA-256", DE: "SHA-256"}, text{EN: "What changed", DE: "Änderung"}, text{EN: "Version", DE: "Version"}), rows)
}

// change says one difference between two policies.
func (p *page) change(c Change) string {
	whose := p.say(text{EN: "source %s", DE: "Quelle %s"}, c.Source)
	if c.Client != "" {
		whose = p.say(text{EN: "client %s", DE: "Empfänger %s"}, c.Client)
		if c.Source != "" {
			whose += p.say(text{EN: " from %s", DE: " aus %s"}, c.Source)
		}
	}
	if c.Kind != "" {
		whose += " (" + p.kind(c.Kind) + ")"
	}
	switch c.What {
	case SourceCame, ClientCame, ShownCame:
		return p.say(text{EN: "%s: added", DE: "%s: hinzugekommen"}, whose)
	case SourceWent, ClientWent, ShownWent:
		return p.say(text{EN: "%s: removed", DE: "%s: entfallen"}, whose)
	case Kept:
		return whose + ": " + p.moved(c, text{EN: "stored in addition: ", DE: "zusätzlich gespeichert: "}, text{EN: "no longer stored: ", DE: "nicht mehr gespeichert: "})
	case ShownFields:
		return whose + ": " + p.moved(c, text{EN: "shown in addition: ", DE: "zusätzlich gezeigt: "}, text{EN: "no longer shown: ", DE: "nicht mehr gezeigt: "})
	case OtherwiseSeen:
		return p.say(text{EN: "%s: how it is shown", DE: "%s: Art der Anzeige"}, whose)
	default:
		return p.say(text{EN: "%s: %s: %s (before: %s)", DE: "%s: %s: %s (vorher: %s)"}, whose, p.say(respects()[c.What]), p.word(c.What, c.Now), p.word(c.What, c.Before))
	}
}

func respects() map[What]text {
	return map[What]text{
		NamesRead:   {EN: "names for ids", DE: "Namen zu Kennungen"},
		PathsPassed: {EN: "further paths", DE: "weitere Pfade"},
		View:        {EN: "devices left out", DE: "ausgenommene Geräte"},
		DeviceNames: {EN: "names of devices", DE: "Gerätenamen"},
		Users:       {EN: "fields about users", DE: "Felder zu Nutzern"},
		Sentinels:   {EN: "Jamf's words for nothing", DE: "Jamfs Wörter für „kein Wert“"},
		AskedBy:     {EN: "APIs by which it may ask", DE: "zulässige Schnittstellen"},
		MayPass:     {EN: "may ask for further paths", DE: "darf weitere Pfade abfragen"},
	}
}

// word is a value of the settings as it is said; lists of names and paths stay as they are.
func (p *page) word(what What, value string) string {
	switch {
	case what == MayPass || what == NamesRead:
		return p.yes(value != "")
	case what == AskedBy:
		return p.apis(value)
	case what == DeviceNames:
		return p.namesShown(value)
	case value != "" && what == View:
		conditions := strings.Split(value, "; ")
		for i, c := range conditions {
			reason, names, _ := strings.Cut(c, ": ")
			if said, known := reasons()[device.Reason(reason)]; known {
				conditions[i] = strings.TrimSuffix(p.say(said)+": "+names, ": ")
			}
		}
		return strings.Join(conditions, "; ")
	case value == "" && (what == Users || what == Sentinels):
		return p.say(text{EN: "as they are", DE: "unverändert"})
	case value == device.UsersDropped:
		return p.say(text{EN: "dropped", DE: "entfernt"})
	case value == device.Pseudonyms:
		return p.say(text{EN: "pseudonyms", DE: "pseudonymisiert"})
	case value == "":
		return p.none()
	default:
		return value
	}
}

// moved names the fields that came and went.
func (p *page) moved(c Change, more, fewer text) string {
	var out []string
	for _, m := range []struct {
		said   text
		fields []string
	}{{more, c.More}, {fewer, c.Fewer}} {
		switch n := len(m.fields); {
		case n == 0:
		case n > maxNamed:
			out = append(out, p.say(m.said)+strings.Join(m.fields[:maxNamed], ", ")+p.say(text{EN: " and %d more", DE: " und %d weitere"}, n-maxNamed))
		default:
			out = append(out, p.say(m.said)+strings.Join(m.fields, ", "))
		}
	}
	said := strings.Join(out, "; ")
	if c.Before != c.Now {
		said += p.say(text{EN: " (profile %s, before %s)", DE: " (Profil %s, vorher %s)"}, strconv.Quote(c.Now), strconv.Quote(c.Before))
	}
	return said
}
