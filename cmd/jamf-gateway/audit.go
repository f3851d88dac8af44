package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"jamf-gateway/config"
	"jamf-gateway/gateway/audit"
)

type auditCommand struct {
	Show   auditShowCommand   `cmd:"" default:"withargs" help:"Print the lines of the audit, the oldest first. This is what audit without a subcommand does."`
	Verify auditVerifyCommand `cmd:"" help:"Check that no line of the audit is gone or was changed, and name each place where one was."`
}

// auditPlace is where the audit lies.
type auditPlace struct {
	Config string `help:"Settings file; audit.dir is taken from it." placeholder:"FILE" xor:"place"`
	Dir    string `help:"Instead of --config: the directory of the audit, or a copy of it." placeholder:"DIR" xor:"place"`
}

type auditShowCommand struct {
	Since  string `help:"Nothing before this: a day like 2026-11-27, a time like 2026-11-27T18:00:00+01:00, or how long ago, like 90m, 24h or 7d." placeholder:"WHEN"`
	Client string `help:"Only lines about this client." placeholder:"ID"`
	Source string `help:"Only lines about this source." placeholder:"NAME"`
	Kind   string `enum:"computer,mobile," default:"" help:"Only lines about this kind: computer or mobile." placeholder:"KIND"`
	Act    string `help:"Only these events: one like admin.purge, or the words before its dot, like admin, token or read." placeholder:"EVENT"`
	JSON   bool   `name:"json" help:"Print the lines as they stand in the files."`
	auditPlace
}

type auditVerifyCommand struct {
	JSON bool `name:"json" help:"Print the result as JSON."`
	auditPlace
}

// dir is the directory of the audit, which is there.
func (p auditPlace) dir(s streams) (string, error) {
	dir := p.Dir
	switch {
	case p.Config == "" && dir == "":
		return "", usageError{spoken(text{"--config FILE or --dir DIR is needed", "--config DATEI oder --dir VERZEICHNIS fehlt"})}
	case dir == "":
		settings, err := config.LoadOutline(p.Config, s.env)
		if err != nil {
			return "", usageError{err}
		}
		dir = settings.Audit.Dir
	}
	_, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && p.Dir == "":
		return "", spoken(text{"there is no audit in %s: no gateway has run with these settings yet", "in %s liegt kein Prüfprotokoll: Mit diesen Einstellungen lief noch kein Gateway"}, dir)
	case errors.Is(err, fs.ErrPermission):
		return "", spoken(text{
			"the audit in %s cannot be read by this user: run the command as the user of the gateway", "dieser Benutzer kann das Prüfprotokoll in %s nicht lesen: Führen Sie den Befehl als Benutzer des Gateways aus",
		}, dir)
	case err != nil:
		return "", usageError{err}
	}
	return dir, nil
}

// Run prints the lines that are asked for. Exit code 1 when there is no audit, or when some of its lines cannot be read.
func (c auditShowCommand) Run(s streams) error {
	since, err := sinceWhen(c.Since, s.clock(), s.zone())
	if err != nil {
		return usageError{err}
	}
	dir, err := c.dir(s)
	if err != nil {
		return err
	}
	var broken []audit.Flaw
	err = audit.Each(dir, since, func(e audit.Entry, line []byte) error {
		if !c.wants(e) {
			return nil
		}
		out := s.auditLine(e)
		if c.JSON {
			out = printableJSON(line)
		}
		_, err := fmt.Fprintln(s.out, out)
		return err
	}, func(f audit.Flaw) { broken = append(broken, f) })
	if err != nil || len(broken) == 0 {
		return err
	}
	_, _ = fmt.Fprintln(s.err, s.say(text{"%d lines cannot be read, the first is %s line %d: see jamf-gateway audit verify", "%d Zeilen sind nicht lesbar, die erste ist %s Zeile %d: siehe jamf-gateway audit verify"},
		len(broken), broken[0].File, broken[0].Line))
	return errFoundWanting
}

func (c auditShowCommand) wants(e audit.Entry) bool {
	return (c.Client == "" || e.Actor == c.Client) && (c.Source == "" || e.Source == c.Source) && (c.Kind == "" || e.Kind == c.Kind) &&
		(c.Act == "" || e.Event == c.Act || strings.HasPrefix(e.Event, strings.TrimSuffix(c.Act, ".")+"."))
}

// sinceWhen reads a day, which begins at midnight here, a time, or how long ago; "" is the begin of everything.
func sinceWhen(value string, now time.Time, zone *time.Location) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	if at, err := time.ParseInLocation(time.DateOnly, value, zone); err == nil {
		return at, nil
	}
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return at, nil
	}
	if n, days := strings.CutSuffix(value, "d"); days {
		if ago, err := strconv.ParseUint(n, 10, 16); err == nil {
			return now.In(zone).AddDate(0, 0, -int(ago)), nil
		}
	}
	if ago, err := time.ParseDuration(value); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, spoken(text{
		"--since must be a day like 2026-11-27, a time like 2026-11-27T18:00:00+01:00, or how long ago, like 24h or 7d, not %q",
		"--since muss ein Tag wie 2026-11-27, eine Zeit wie 2026-11-27T18:00:00+01:00 oder eine Dauer wie 24h oder 7d sein, nicht %q",
	}, value)
}

// auditLine is one line for people.
func (s streams) auditLine(e audit.Entry) string {
	zone := s.zone()
	who := e.Actor
	if e.By != "" {
		who += " (" + e.By + ")"
	}
	var more []string
	add := func(given bool, t text, args ...any) {
		if given {
			more = append(more, s.say(t, args...))
		}
	}
	add(e.Source != "" && !strings.HasPrefix(e.Target, e.Source), text{"source %s", "Quelle %s"}, e.Source)
	add(e.Target != "", text{"%s", "%s"}, e.Target)
	add(e.Kind != "" && !strings.HasPrefix(e.Target, e.Source+":"), text{"%s", "%s"}, s.kindWord(e.Kind))
	add(e.Credential != "", text{"secret %s", "Secret %s"}, e.Credential)
	add(e.Profile != "", text{"profile %s", "Profil %s"}, e.Profile)
	add(e.View != "", text{"view %s", "Sicht %s"}, e.View)
	add(e.Generation > 0, text{"generation %d", "Datenstand %d"}, e.Generation)
	add(e.Requests == 1, text{"1 request", "1 Anfrage"})
	add(e.Requests > 1, text{"%d requests", "%d Anfragen"}, e.Requests)
	add(e.AtMost, text{"%d rows at most", "höchstens %d Zeilen"}, e.Rows)
	add(e.Requests > 0 && e.Event == "read" && !e.AtMost, text{"%d rows", "%d Zeilen"}, e.Rows)
	add(e.Complete != nil && *e.Complete, text{"complete", "vollständig"})
	add(e.Count > 1, text{"%d times", "%d-mal"}, e.Count)
	add(!e.From.IsZero() && !e.From.Equal(e.Time), text{"since %s", "seit %s"}, e.From.In(zone).Format(time.TimeOnly))
	fields := []string{e.Time.In(zone).Format(time.DateTime), fmt.Sprintf("%-20s", e.Event), dash(who), dash(e.Address), dash(e.Outcome), strings.Join(more, ", ")}
	return escaped(strings.TrimSpace(strings.Join(fields, "  ")))
}

func dash(value string) string {
	if value == "" {
		return "-"
	}
	return value
}

// escaped is a text of a file that may be anybody's, written so that it cannot move the cursor of a terminal.
func escaped(in string) string {
	if !strings.ContainsFunc(in, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return in
	}
	quoted := strconv.Quote(in)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// printableJSON is a line of JSON, which stays the same JSON, with nothing in it that a terminal obeys.
func printableJSON(line []byte) string {
	var b strings.Builder
	for _, r := range string(line) {
		switch {
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r < ' ':
			b.WriteByte(' ') // between values; inside a text JSON allows none
		case r > 0xffff:
			for _, half := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, half)
			}
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// verified is what --json prints of a check.
type verified struct {
	Dir   string       `json:"dir"`
	Lines int          `json:"lines"`
	Whole bool         `json:"whole"`
	Flaws []verifyFlaw `json:"flaws"`
}

type verifyFlaw struct {
	File string `json:"file"`
	Line int    `json:"line"`
	What string `json:"what"` // broken or chain
}

// mostFlaws are named; of more it says how many.
const mostFlaws = 20

// Run checks the chain. Exit code 1 where it is broken.
func (c auditVerifyCommand) Run(s streams) error {
	dir, err := c.dir(s)
	if err != nil {
		return err
	}
	lines, flaws, err := audit.Verify(dir)
	if err != nil {
		return err
	}
	if c.JSON {
		v := verified{Dir: dir, Lines: lines, Whole: len(flaws) == 0, Flaws: []verifyFlaw{}}
		for _, f := range flaws {
			v.Flaws = append(v.Flaws, verifyFlaw(f))
		}
		err = printJSON(s.out, v)
	} else {
		err = s.verifyText(dir, lines, flaws)
	}
	if err == nil && len(flaws) > 0 {
		return errFoundWanting
	}
	return err
}

func (s streams) verifyText(dir string, lines int, flaws []audit.Flaw) error {
	var b strings.Builder
	if len(flaws) == 0 {
		fmt.Fprintln(&b, s.say(text{"%s: %d lines, each follows the one before", "%s: %d Zeilen, jede folgt auf die vorige"}, dir, lines))
	} else {
		fmt.Fprintln(&b, s.say(text{"%s: %d lines; places that are not as they were written: %d", "%s: %d Zeilen; Stellen, die nicht so sind, wie sie geschrieben wurden: %d"}, dir, lines, len(flaws)))
	}
	for _, f := range flaws[:min(len(flaws), mostFlaws)] {
		what := text{"the line before it was changed, or is gone", "die Zeile davor wurde geändert oder fehlt"}
		if f.What == "broken" {
			what = text{"no whole line, as a crash or a full disk leaves one, or it was changed", "keine ganze Zeile, wie ein Absturz oder ein voller Datenträger sie hinterlässt, oder geändert"}
		}
		fmt.Fprintln(&b, s.say(text{"  %s line %d: %s", "  %s Zeile %d: %s"}, f.File, f.Line, s.say(what)))
	}
	if more := len(flaws) - mostFlaws; more > 0 {
		fmt.Fprintln(&b, s.say(text{"  and %d more", "  und %d weitere"}, more))
	}
	_, err := fmt.Fprint(s.out, b.String())
	return err
}
