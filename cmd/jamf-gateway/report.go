package main

import (
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/availability"
)

type reportCommand struct {
	Availability   availabilityCommand   `cmd:"" help:"Show what the heartbeats saw of Jamf: outages, latency, errors, and when nothing was measured."`
	DataProtection dataProtectionCommand `cmd:"" name:"data-protection" help:"Write what a data protection officer and a works council are shown: fields, recipients, retention, measures, text blocks. In German unless --lang says en."`
}

type availabilityCommand struct {
	Days    int    `default:"30" help:"How many days, today included; 90 at most."`
	Source  string `help:"Only this source." placeholder:"NAME"`
	Config  string `help:"Settings file; sources and data_dir are taken from it." placeholder:"FILE" xor:"place"`
	DataDir string `help:"Instead of --config: the data directory, or a copy of it, without settings." placeholder:"DIR" xor:"place"`
	JSON    bool   `name:"json" help:"Print the reports as JSON."`
	Format  string `enum:"text,markdown" default:"text" help:"Without --json: text or markdown; without it text." placeholder:"FORMAT"`
}

// Run reports from the files, whether a gateway runs or not. Exit code 1 when there is no history to report from.
func (c availabilityCommand) Run(s streams) error {
	if c.Days < 1 || c.Days > availability.KeptDays {
		return usageError{spoken(text{"--days must lie between 1 and %d, not %d", "--days muss zwischen 1 und %d liegen, nicht %d"}, availability.KeptDays, c.Days)}
	}
	if c.JSON && c.Format != "text" {
		return usageError{spoken(text{"--json and --format markdown exclude each other", "--json und --format markdown schließen einander aus"})}
	}
	sources, dir, err := c.sources(s)
	if err != nil {
		return err
	}
	zone := s.zone()
	to := s.clock().In(zone).Truncate(time.Second)
	from := time.Date(to.Year(), to.Month(), to.Day()-c.Days+1, 0, 0, 0, 0, zone)
	a := availabilityAnswer{Version: version, CreatedAt: to, Sources: []availability.Report{}}
	recorded := false
	for _, src := range sources {
		entries, damaged, err := availability.Read(availability.Dir(dir, src.Name), from, to)
		if err != nil {
			return err
		}
		recorded = recorded || len(entries) > 0
		r := availability.Make(entries, from, to, zone)
		r.Source, r.URL, r.Damaged = src.Name, src.URL, damaged
		a.Sources = append(a.Sources, r)
	}
	if !recorded {
		return spoken(text{
			"no heartbeat was recorded in these %d days below %s: the gateway did not run, heartbeat is off, or it is another data_dir",
			"in diesen %d Tagen wurde unter %s kein Lebenszeichen aufgezeichnet: Das Gateway lief nicht, heartbeat ist off, oder es ist ein anderes data_dir",
		}, c.Days, dir)
	}
	if c.JSON {
		return printJSON(s.out, a)
	}
	return a.print(s, c.Format == "markdown")
}

// availabilityAnswer is what --json prints.
type availabilityAnswer struct {
	Version   string                `json:"version"`
	CreatedAt time.Time             `json:"createdAt"`
	Sources   []availability.Report `json:"sources"`
}

// sources are those of the settings, then those that only have a history, and where the history lies.
func (c availabilityCommand) sources(s streams) (sources []config.Source, dir string, err error) {
	dir, place := c.DataDir, c.DataDir
	switch {
	case c.Config == "" && c.DataDir == "":
		return nil, "", usageError{spoken(text{"--config FILE or --data-dir DIR is needed", "--config DATEI oder --data-dir VERZEICHNIS fehlt"})}
	case c.Config != "":
		settings, err := config.LoadOutline(c.Config, s.env)
		if err != nil {
			return nil, "", usageError{err}
		}
		sources, dir, place = settings.Sources, settings.DataDir, c.Config
	default:
		info, err := os.Stat(dir)
		if err != nil {
			return nil, "", usageError{err}
		}
		if !info.IsDir() {
			return nil, "", usageError{spoken(text{"%s is not a directory", "%s ist kein Verzeichnis"}, dir)}
		}
	}
	recorded, err := availability.Sources(dir)
	if err != nil {
		return nil, "", err
	}
	for _, name := range recorded {
		if !slices.ContainsFunc(sources, func(src config.Source) bool { return src.Name == name }) {
			sources = append(sources, config.Source{Name: name})
		}
	}
	if c.Source == "" {
		return sources, dir, nil
	}
	i := slices.IndexFunc(sources, func(src config.Source) bool { return src.Name == c.Source })
	if i < 0 {
		return nil, "", usageError{spoken(text{"there is no source %q in %s", "es gibt keine Quelle %q in %s"}, c.Source, place)}
	}
	return sources[i : i+1], dir, nil
}

// clock is the present moment.
func (s streams) clock() time.Time {
	if s.now != nil {
		return s.now()
	}
	return time.Now()
}

// zone is the time zone that TZ names, else that of the system.
func (s streams) zone() *time.Location {
	name := strings.TrimPrefix(variable(s.env, "TZ"), ":")
	if zone, err := time.LoadLocation(name); err == nil && name != "" {
		return zone
	}
	return time.Local
}

// print writes one report after the other.
func (a availabilityAnswer) print(s streams, markdown bool) error {
	var errs []error
	for i, r := range a.Sources {
		page := sheet{s: s, markdown: markdown}
		if i > 0 {
			page.b.WriteString("\n\n")
		}
		page.availability(r, a.Version)
		_, err := s.out.Write([]byte(page.b.String()))
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
