package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
)

type clientCommand struct {
	New    clientNewCommand    `cmd:"" help:"Make a client: its secret, shown once, and the lines for the settings."`
	Rotate clientRotateCommand `cmd:"" help:"Make the next secret of a client, which lives beside the one in use until you remove that one."`
}

// maxLiveSecrets is what the settings accept for a client.
const maxLiveSecrets = 2

// secretLine is how the settings keep a secret.
func secretLine(hash [32]byte) string { return "sha256:" + hex.EncodeToString(hash[:]) }

type clientNewCommand struct {
	ID      string   `name:"id" default:"inventory360" help:"What the client enters as client id; without it inventory360." placeholder:"ID"`
	Sources []string `help:"Which sources it may see, separated by commas; without it all of them." placeholder:"NAME"`
	Profile string   `help:"What it is shown; without it all that a source keeps." placeholder:"PROFILE"`
	Config  string   `help:"Settings file to check the id, the sources and the profile against. It is not changed." placeholder:"FILE"`
}

// Run makes a client. Nothing is written: a person puts the lines into the settings.
func (c clientNewCommand) Run(s streams) error {
	secret := config.NewClientSecret()
	entry := clientEntry{id: c.ID, secrets: []string{secretLine(config.HashSecret(secret))}, sources: c.Sources, profile: c.Profile}
	if err := entry.check(c.Config, s.env); err != nil {
		return usageError{err}
	}
	_, err := fmt.Fprintf(s.out, "%s\n\n  Client ID:     %s\n  Client Secret: %s\n\n%s\n\n%s\n%s\n",
		s.say(text{
			"For the client. The secret is shown only now:",
			"Für den Client. Das Secret wird nur jetzt angezeigt:",
		}), c.ID, secret,
		s.say(text{"For the settings, below clients:", "Für die Einstellungen, unter clients:"}), entry.yaml(),
		s.say(text{
			"A running gateway takes it up within seconds. Then check it: jamf-gateway check --as-client --client %s --config %s",
			"Ein laufendes Gateway übernimmt es binnen Sekunden. Danach prüfen: jamf-gateway check --as-client --client %s --config %s",
		}, c.ID, shellQuote(orElse(c.Config, "gateway.yaml"))))
	return err
}

// clientEntry is one client as it stands in the settings.
type clientEntry struct {
	id      string
	secrets []string
	sources []string
	profile string
}

// yaml is the entry below clients.
func (e clientEntry) yaml() string {
	var b strings.Builder
	id := e.id
	if strings.EqualFold(id, "null") {
		id = `"` + id + `"` // YAML would read nothing
	}
	fmt.Fprintf(&b, "  - id: %s\n    secrets:\n", id)
	for _, line := range e.secrets {
		fmt.Fprintf(&b, "      - %s\n", line)
	}
	if len(e.sources) > 0 {
		fmt.Fprintf(&b, "    sources: [%s]\n", strings.Join(e.sources, ", "))
	}
	if e.profile != "" {
		fmt.Fprintf(&b, "    profile: %s\n", e.profile)
	}
	return b.String()
}

// check lets the settings themselves say what is wrong with the entry: alone, or in the file where one is given.
func (e clientEntry) check(file string, env []string) error {
	names, profiles := e.sources, ""
	if file != "" {
		settings, err := config.LoadOutline(file, env)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(settings.Clients, func(c config.Client) bool { return c.ID == e.id }) {
			return spoken(text{
				"%s has a client %q already; its next secret: jamf-gateway client rotate %s --config %s",
				"%s hat schon einen Client %q; sein nächstes Secret: jamf-gateway client rotate %s --config %s",
			}, file, e.id, e.id, shellQuote(file))
		}
		names = sourceNames(settings)
		for _, name := range e.sources {
			if !slices.Contains(names, name) {
				return noSource("--sources", name, file, names)
			}
		}
		for name := range settings.Profiles {
			profiles += "  " + name + ": {fields: [name]}\n"
		}
	} else if e.profile != "" {
		profiles = "  " + e.profile + ": {fields: [name]}\n" // there is no file that could say that it is missing
		if _, builtin := device.BuiltinProfile(e.profile); builtin {
			profiles = ""
		}
	}
	return e.possible(names, profiles)
}

// possible parses the entry beside sources and profiles of those names.
func (e clientEntry) possible(sources []string, profiles string) error {
	if len(sources) == 0 {
		sources = []string{"any"}
	}
	var b strings.Builder
	b.WriteString("sources:\n")
	for _, name := range sources {
		fmt.Fprintf(&b, "  - {name: %q, url: https://jamf.example.com/api, client_id: x, client_secret: x}\n", name)
	}
	if profiles != "" {
		b.WriteString("profiles:\n" + profiles)
	}
	quoted := e
	quoted.id, quoted.sources = fmt.Sprintf("%q", e.id), nil
	for _, name := range e.sources {
		quoted.sources = append(quoted.sources, fmt.Sprintf("%q", name))
	}
	if e.profile != "" {
		quoted.profile = fmt.Sprintf("%q", e.profile)
	}
	b.WriteString("clients:\n" + quoted.yaml())
	_, err := config.Parse([]byte(b.String()), "client", ".", nil)
	if invalid, ok := errors.AsType[*config.InvalidError](err); ok {
		return ofFlags(invalid)
	}
	return err
}

// ofFlags says the problems of an entry that flags were made to, by these flags; the file that was parsed is nobody's.
func ofFlags(invalid *config.InvalidError) error {
	var en, de []string
	for _, p := range invalid.Problems {
		flag := "--sources"
		switch {
		case strings.HasSuffix(p.Setting, ".id"):
			flag = "--id"
		case strings.HasSuffix(p.Setting, ".profile"):
			flag = "--profile"
		}
		en, de = append(en, flag+": "+p.Text), append(de, flag+": "+p.GermanText())
	}
	return spokenError{text{strings.Join(en, "\n"), strings.Join(de, "\n")}}
}

// sourceNames are the sources of settings, in their order.
func sourceNames(settings *config.Config) []string {
	var names []string
	for _, src := range settings.Sources {
		names = append(names, src.Name)
	}
	return names
}

// noSource says that there is no such source, and which there are: what was probably meant comes first.
func noSource(flag, name, where string, names []string) error {
	known := strings.Join(config.ByNearness(name, names), ", ")
	return spoken(text{"%s: there is no source %q in %s; there are: %s", "%s: Es gibt keine Quelle %q in %s; es gibt: %s"}, flag, name, where, known)
}

type clientRotateCommand struct {
	ID     string `arg:"" name:"id" help:"The client, as the settings name it."`
	Config string `required:"" help:"Settings file; it is read, not changed." placeholder:"FILE"`
	Days   int    `default:"14" help:"How many days the old secret stays good beside the new one, 1 to 365; without it 14." placeholder:"N"`
}

// Run makes the next secret of a client.
func (c clientRotateCommand) Run(s streams) error {
	settings, err := config.LoadOutline(c.Config, s.env)
	if err != nil {
		return usageError{err}
	}
	i := slices.IndexFunc(settings.Clients, func(cl config.Client) bool { return cl.ID == c.ID })
	if i < 0 {
		return usageError{spoken(text{"there is no client %q in %s", "es gibt keinen Client %q in %s"}, c.ID, c.Config)}
	}
	if c.Days < 1 || c.Days > 365 {
		return usageError{spoken(text{"--days must be from 1 to 365", "--days muss von 1 bis 365 sein"})}
	}
	old, err := c.lines(settings.Clients[i], time.Now())
	if err != nil {
		return err
	}
	secret := config.NewClientSecret()
	_, err = fmt.Fprintf(s.out, "%s\n\n  Client ID:     %s\n  Client Secret: %s\n\n%s\n\n    secrets:\n%s      - %s\n\n%s\n",
		s.say(text{
			"The next secret of this client. It is shown only now:",
			"Das nächste Secret dieses Clients. Es wird nur jetzt angezeigt:",
		}), c.ID, secret,
		s.say(text{
			"1. Replace the secrets of client %s in %s by these; the old secret stays good beside the new one until the day that stands there:",
			"1. Ersetzen Sie die secrets des Clients %s in %s durch diese; das alte Secret gilt neben dem neuen bis zu dem Tag, der dort steht:",
		}, c.ID, c.Config), old, secretLine(config.HashSecret(secret)),
		s.say(text{
			"2. Wait until a running gateway has taken it up, which its log says within seconds.\n3. Enter the new secret in the client (Inventory360) and test the connection there.\n4. Remove the lines of the old secret: with that its tokens end as well. They end with the day that stands there in any case.",
			"2. Warten Sie, bis ein laufendes Gateway es übernommen hat, was binnen Sekunden in seinem Log steht.\n3. Tragen Sie das neue Secret im Client (Inventory360) ein, und testen Sie dort die Verbindung.\n4. Entfernen Sie die Zeilen des alten Secret: Damit enden auch seine Token. Mit dem Tag, der dort steht, enden sie in jedem Fall.",
		}))
	return err
}

// lines are the secrets that stay, each with its end. One that has ended needs no line any more.
func (c clientRotateCommand) lines(client config.Client, now time.Time) (string, error) {
	var b strings.Builder
	live := 0
	for _, hash := range client.Secrets {
		terms := client.Terms[hash]
		if hash == [32]byte{} {
			return "", spoken(text{
				"client %s has a secret that the settings do not hold (secret:): put the next one where it stands",
				"Client %s hat ein Secret, das nicht in den Einstellungen steht (secret:): Legen Sie das nächste dort ab",
			}, c.ID)
		}
		ends := now.AddDate(0, 0, c.Days)
		switch {
		case terms.Expires.IsZero() || terms.Expires.After(ends):
		case now.Before(terms.Expires):
			ends = terms.Expires.AddDate(0, 0, -1) // its last day
		default:
			continue
		}
		live++
		fmt.Fprintf(&b, "      - hash: %s\n        expires: %s\n", secretLine(hash), ends.Format(time.DateOnly))
		if terms.Name != "" {
			fmt.Fprintf(&b, "        name: %q\n", terms.Name)
		}
	}
	if live >= maxLiveSecrets {
		return "", spoken(text{
			"client %s has two live secrets already: remove the lines of the one that is no longer used (the upper one is the older, as rotate writes it), and rotate again",
			"Client %s hat schon zwei gültige Secrets: Entfernen Sie die Zeilen dessen, das nicht mehr benutzt wird (das obere ist das ältere, so wie rotate es schreibt), und rufen Sie rotate erneut auf",
		}, c.ID)
	}
	return b.String(), nil
}

// orElse is the first of two texts that is not empty.
func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
