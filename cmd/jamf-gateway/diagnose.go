package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/availability"
	"jamf-gateway/gateway/usage"
)

type diagnoseCommand struct {
	Config string `help:"Settings file; its admin door is asked, and its data directory read." placeholder:"FILE" xor:"door"`
	Admin  string `help:"Address of the admin door, which is then all that is asked; without it and --config http://127.0.0.1:9480." placeholder:"URL" xor:"door"`

	AdminTokenFile string `name:"admin-token-file" help:"File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings." placeholder:"FILE"`

	Output string `help:"The file to write, - for standard output; without it jamf-gateway-diagnose-TIME.json." placeholder:"FILE"`
}

// diagnosis is the file for whoever helps.
type diagnosis struct {
	About        []string              `json:"about"`
	CreatedAt    time.Time             `json:"createdAt"`
	Version      string                `json:"version"` // of this program
	Platform     string                `json:"platform"`
	Gateway      gatewaySeen           `json:"gateway"`
	Missing      []string              `json:"missing"` // what could not be read
	Settings     *settingsSeen         `json:"settings"`
	Problems     []problemSeen         `json:"settingsProblems"`
	Warnings     []problemSeen         `json:"settingsWarnings"`
	Environment  []string              `json:"environment"` // names of the variables that may be settings
	Sources      any                   `json:"sources"`     // as status shows them; null = no gateway answers
	Syncs        []pastSeen            `json:"syncs"`
	Usage        *usageSeen            `json:"usage"`
	Availability []availability.Report `json:"availability"`
	Metrics      []string              `json:"metrics"`
}

type gatewaySeen struct {
	Answers bool   `json:"answers"`
	Version string `json:"version,omitempty"`
	Reason  string `json:"reason,omitempty"` // why it does not answer
}

type pastSeen struct {
	Source      string                   `json:"source"`
	Last        any                      `json:"last"`
	Generations []gateway.PastGeneration `json:"generations"`
}

// usageSeen is how clients call, as the admin door tells it or, without it, as it was last written.
type usageSeen struct {
	Clients      []clientUsage `json:"clients"`
	Unidentified usage.Record  `json:"unidentified"`
}

type clientUsage struct {
	Client string `json:"client"`
	usage.Record
}

// Run writes one file. Exit code 1 when no gateway answers: the file is written all the same, with what can be read without one.
func (c diagnoseCommand) Run(ctx context.Context, s streams) error {
	d := diagnosing{s: s, redact: newRedactor(), out: diagnosis{
		CreatedAt: s.clock().UTC().Truncate(time.Second), Version: version, Platform: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		Missing: []string{}, Problems: []problemSeen{}, Warnings: []problemSeen{}, Environment: []string{}, Syncs: []pastSeen{},
		Availability: []availability.Report{}, Metrics: []string{},
	}}
	door, err := c.look(&d)
	if err != nil {
		return err
	}
	d.redact.hideMachine()
	d.environment()
	if door != nil {
		d.ask(ctx, *door)
	}
	d.files()
	d.out.About = aboutDiagnosis(s)
	if err := c.write(s, d.out); err != nil {
		return err
	}
	if !d.out.Gateway.Answers {
		reason := cmp.Or(d.reason, d.out.Gateway.Reason)
		line := text{"No gateway answered: %s", "Kein Gateway hat geantwortet: %s"}
		if d.refused {
			line = text{"The gateway answered and told nothing: %s", "Das Gateway hat geantwortet, aber keine Auskunft gegeben: %s"}
		}
		_, _ = fmt.Fprintln(s.err, s.say(line, reason))
		return errFoundWanting
	}
	return nil
}

// look reads the settings, where they are named, and finds the door. Settings that are refused are a reason to diagnose; which door
// belongs to them is not known then.
func (c diagnoseCommand) look(d *diagnosing) (*adminDoor, error) {
	if c.Config != "" {
		settings, err := config.LoadOutline(c.Config, d.s.env)
		var invalid *config.InvalidError
		switch {
		case errors.As(err, &invalid):
			d.out.Problems = d.problems(invalid.Problems)
			d.missing(text{"settings: they are refused, see settingsProblems", "Einstellungen: Sie werden abgelehnt, siehe settingsProblems"})
			d.out.Gateway.Reason = d.s.say(text{
				"the settings are refused, so that its address is not known: --admin URL asks a gateway that runs",
				"die Einstellungen werden abgelehnt, seine Adresse ist also nicht bekannt: --admin URL fragt ein laufendes Gateway",
			})
			return nil, nil
		case err != nil:
			return nil, usageError{err}
		default:
			d.settings = settings
			d.redact.hideSettings(settings)
			d.out.Settings, d.out.Warnings = seenSettings(settings), d.problems(settings.Warnings)
			if settings.AdminListen == "" {
				d.out.Gateway.Reason = d.s.say(text{"the admin door is off (admin_listen)", "der Verwaltungszugang ist abgeschaltet (admin_listen)"})
				return nil, nil
			}
		}
	}
	door, err := adminFlags{Config: c.Config, Admin: c.Admin, AdminTokenFile: c.AdminTokenFile}.open(d.s)
	return &door, err
}

// write writes the file, readable for its owner alone, and says where it is.
func (c diagnoseCommand) write(s streams, d diagnosis) error {
	if c.Output == "-" {
		return printJSON(s.out, d)
	}
	name := c.Output
	if name == "" {
		name = "jamf-gateway-diagnose-" + d.CreatedAt.Format("20060102T150405Z") + ".json"
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usageError{spoken(text{"%s exists already: name another file with --output", "%s gibt es schon: Nennen Sie mit --output eine andere Datei"}, name)}
	}
	if err != nil {
		return err
	}
	if err := errors.Join(printJSON(f, d), f.Close()); err != nil {
		return err
	}
	_, err = io.WriteString(s.out, s.say(text{
		"%s is written. It holds no secret, no address and no data of devices or users; source names and client ids are in it. Read it before you pass it on.\n",
		"%s ist geschrieben. Die Datei enthält kein Secret, keine Adresse und keine Daten von Geräten oder Benutzern, aber die Namen der Quellen und die Ids der Clients. Lesen Sie sie, bevor Sie sie weitergeben.\n",
	}, name))
	return err
}

// aboutDiagnosis says in the file what is in it.
func aboutDiagnosis(s streams) []string {
	lines := []text{
		{"This file is for whoever helps with a Jamf Gateway. Read it before you pass it on.", "Diese Datei ist für jemanden, der bei einem Jamf Gateway hilft. Lesen Sie sie, bevor Sie sie weitergeben."},
		{
			"In it: versions, the settings as far as they are no secret and no address, the state of each source, the last syncs, how each client calls, what the heartbeats saw in 30 days, metrics.",
			"Darin: Versionen, die Einstellungen, soweit sie weder Secret noch Adresse sind, der Zustand jeder Quelle, die letzten Synchronisierungen, wie jeder Client anfragt, was die Lebenszeichen in 30 Tagen zeigten, Metriken.",
		},
		{
			"Also in it: the names of the sources, the ids of the clients, the names of own profiles, numbers of devices, and times. Change them if they tell too much.",
			"Ebenfalls darin: die Namen der Quellen, die Ids der Clients, die Namen eigener Profile, Gerätezahlen und Zeiten. Ändern Sie sie, wenn sie zu viel verraten.",
		},
		{
			"Not in it: secrets, tokens, host names, URLs, IP addresses, directories, names, ids and serial numbers of devices, users, and anything that was read of Jamf or searched for.",
			"Nicht darin: Secrets, Tokens, Hostnamen, URLs, IP-Adressen, Verzeichnisse, Namen, Ids und Seriennummern von Geräten, Benutzer und alles, was aus Jamf gelesen oder gesucht wurde.",
		},
	}
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = s.say(line)
	}
	return out
}

// diagnosing gathers what stands in the file.
type diagnosing struct {
	s        streams
	redact   *redactor
	settings *config.Config // nil = not named, or refused
	refused  bool           // one answers, and does not let in
	reason   string         // why none tells anything, with the address that was asked: for the terminal alone
	out      diagnosis
}

// missing notes what could not be read.
func (d *diagnosing) missing(t text, args ...any) {
	d.out.Missing = append(d.out.Missing, d.s.say(t, args...))
}

// unread notes what an error kept away.
func (d *diagnosing) unread(what text, err error) {
	if err != nil {
		d.out.Missing = append(d.out.Missing, d.s.say(what)+": "+d.redact.files(inLanguage(err, d.s.lang)))
	}
}

// away notes why no gateway tells anything.
func (d *diagnosing) away(err error) {
	d.reason = inLanguage(err, d.s.lang)
	d.out.Gateway.Reason = d.redact.files(d.reason)
}

// environment lists the variables that can be settings, by their names.
func (d *diagnosing) environment() {
	for _, e := range d.s.env {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "JAMF_GATEWAY_") || strings.HasPrefix(name, "OTEL_") || slices.Contains([]string{"HTTPS_PROXY", "NO_PROXY", "GOMEMLIMIT", "GOMAXPROCS", "TZ"}, strings.ToUpper(name)) {
			d.out.Environment = append(d.out.Environment, name)
		}
	}
	slices.Sort(d.out.Environment)
}

// ask reads what a running gateway tells. Its metrics name the hosts, so they come first.
func (d *diagnosing) ask(ctx context.Context, door adminDoor) {
	metrics, err := door.fetch(ctx, http.MethodGet, "/metrics")
	if _, away := errors.AsType[gone](err); away {
		d.away(err)
		return
	}
	d.unread(text{"metrics", "Metriken"}, err)
	for _, m := range hostLabel().FindAllStringSubmatch(string(metrics), -1) {
		d.redact.hideHost(m[1])
	}
	for line := range strings.Lines(string(metrics)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			d.out.Metrics = append(d.out.Metrics, d.redact.metric(line))
		}
	}
	var sources struct {
		Version string `json:"version"`
		Items   []any  `json:"items"`
	}
	if err = door.ask(ctx, http.MethodGet, "/v1/admin/sources", &sources); err != nil {
		_, away := errors.AsType[gone](err)
		d.refused = !away
		d.away(err)
		return
	}
	d.out.Gateway = gatewaySeen{Answers: true, Version: sources.Version}
	d.out.Sources = d.redact.value(sources.Items, "", membersOf(sourceMembers))
	var calls usageSeen
	if err := door.ask(ctx, http.MethodGet, "/v1/admin/usage", &calls); err != nil {
		d.unread(text{"usage", "Anfragen der Clients"}, err)
		return
	}
	d.out.Usage = &calls
}

// What may be passed on of a source as the admin door shows it, and of what the schedule remembers: numbers, words of ours and
// times. Not among them: which devices a person has let go, and the ids of API clients.
const (
	sourceMembers = `name status sourceState token tokenExpiresAt breaker notBefore rights jamfVersion lastError heartbeat kinds
		everySeconds lastAt reachable latencyMs downSince nextAt error
		kind state reason asOf generation count quarantined held syncing progress total lastAttemptAt lastSuccessAt nextSyncAt lastResult
		hold digest since removed guards guard of limit names code title cause action detail at
		apiClients inUse refusedSince provedAt`
	scheduleMembers = `format rights credentialsRefused jamfVersion kinds computer mobile
		anchor lastAttempt lastEnd lastSuccess failures lastResult errorCode errorDetail errorAt
		expected left until removals at count of`
)

// files reads what needs no gateway.
func (d *diagnosing) files() {
	if d.settings == nil {
		d.missing(text{
			"syncs, availability: they need the settings (--config FILE)", "Synchronisierungen, Verfügbarkeit: Dafür sind die Einstellungen nötig (--config DATEI)",
		})
		return
	}
	to := d.out.CreatedAt
	for _, src := range d.settings.Sources {
		past, err := gateway.ReadPast(d.settings, src)
		d.unread(text{"syncs of " + src.Name, "Synchronisierungen von " + src.Name}, err)
		var last any
		if err := json.Unmarshal(past.Last, &last); err == nil {
			last = d.redact.value(last, "", membersOf(scheduleMembers))
		}
		d.out.Syncs = append(d.out.Syncs, pastSeen{past.Source, last, past.Generations})

		from := to.AddDate(0, 0, -30)
		entries, damaged, err := availability.Read(availability.Dir(d.settings.DataDir, src.Name), from, to)
		d.unread(text{"availability of " + src.Name, "Verfügbarkeit von " + src.Name}, err)
		r := availability.Make(entries, from, to, time.UTC)
		r.Source, r.URL, r.Damaged = src.Name, "", damaged
		d.out.Availability = append(d.out.Availability, r)
	}
	if d.out.Usage != nil {
		return
	}
	clients, nobody, err := gateway.ReadUsage(d.settings)
	if err != nil {
		d.unread(text{"usage", "Anfragen der Clients"}, err)
		return
	}
	d.out.Usage = &usageSeen{Clients: []clientUsage{}, Unidentified: nobody}
	for _, one := range clients {
		d.out.Usage.Clients = append(d.out.Usage.Clients, clientUsage(one))
	}
}
