package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"

	"jamf-gateway/config"
)

type syncCommand struct {
	Source string   `arg:"" help:"The source to read now."`
	Kind   []string `enum:"computer,mobile" help:"Only this kind: computer or mobile. Without it every kind of the source." placeholder:"KIND"`
	Wait   bool     `help:"Wait for the end and tell the result."`
	actingFlags
}

const (
	pollEvery = 250 * time.Millisecond
	// patience is how many unanswered polls in a row are taken for a short pause of the gateway.
	patience = 20
	// idlePolls is how many polls a kind that was asked for may stand still before it is asked for again.
	idlePolls = 8
)

// Run asks a running gateway to read a source now. Exit code 1 when it refuses, when no gateway answers, and with --wait
// when a sync fails.
func (c syncCommand) Run(ctx context.Context, s streams) error {
	door, err := c.open(s)
	if err != nil {
		return err
	}
	before, err := door.sources(ctx)
	if err != nil {
		return err
	}
	err = door.sync(ctx, c.Source, c.Kind...)
	switch {
	case refusedAs(err, "unknown_source"):
		return usageError{before.unknownSource(c.Source)}
	case refusedAs(err, "sync_running") && c.Wait:
		_, _ = fmt.Fprintln(s.out, s.say(text{"%s: a sync is running already, waiting for it", "%s: Eine Synchronisierung läuft schon, es wird auf sie gewartet"}, c.Source))
	case err != nil:
		return err
	case !c.Wait:
		_, err := fmt.Fprintln(s.out, s.say(text{
			"%s: the sync was asked for; `jamf-gateway status` shows how it goes", "%s: Die Synchronisierung ist angefordert; `jamf-gateway status` zeigt ihren Verlauf",
		}, c.Source))
		return err
	}
	w := waiting{door: door, again: c.again(), source: c.Source, kinds: c.Kind, started: time.Now(), since: map[string]time.Time{}, done: map[string]bool{}, idle: map[string]int{}}
	for _, k := range before.kinds(c.Source) {
		if k.LastAttempt != nil {
			w.since[k.Kind] = *k.LastAttempt
		}
	}
	return w.run(ctx)
}

// sync asks for a sync of the kinds, none = all of them.
func (d adminDoor) sync(ctx context.Context, source string, kinds ...string) error {
	var accepted struct {
		Source string `json:"source"`
	}
	query := url.Values{"by": {d.by}}
	if len(kinds) > 0 {
		query["kind"] = kinds
	}
	return d.ask(ctx, http.MethodPost, "/v1/admin/sources/"+url.PathEscape(source)+"/sync?"+query.Encode(), &accepted)
}

// unknownSource says that there is no such source, and which there are: what was probably meant comes first.
func (a sourcesAnswer) unknownSource(name string) error {
	var names []string
	for _, item := range a.Items {
		names = append(names, item.Name)
	}
	return spoken(text{
		"there is no source %q at this gateway; there are: %s [unknown_source]", "es gibt keine Quelle %q an diesem Gateway; es gibt: %s [unknown_source]",
	}, name, strings.Join(config.ByNearness(name, names), ", "))
}

func (a sourcesAnswer) source(name string) sourceStatus {
	for _, item := range a.Items {
		if item.Name == name {
			return item
		}
	}
	return sourceStatus{}
}

func (a sourcesAnswer) kinds(source string) []kindStatus { return a.source(source).Kinds }

// waiting follows the syncs of one source until each has ended.
type waiting struct {
	door    adminDoor
	again   string // flags of a command that is told to the operator
	source  string
	kinds   []string // none: all
	started time.Time
	since   map[string]time.Time // kind -> the attempt before
	done    map[string]bool      // kind -> its sync has ended
	idle    map[string]int       // kind -> polls in a row that saw nothing of its sync
	failed  bool
	why     string // the last reason for the wait that was told
	bars    map[string]*progress.Tracker
	shown   map[string]int // kind -> tenths that were printed
	pw      progress.Writer
}

func (w *waiting) run(ctx context.Context) error {
	w.shown = map[string]int{}
	if isTerminal(w.door.s.out) {
		w.bars, w.pw = map[string]*progress.Tracker{}, progress.NewWriter()
		w.pw.SetOutputWriter(w.door.s.out)
		w.pw.SetUpdateFrequency(100 * time.Millisecond)
		go w.pw.Render()
		defer w.stopBars()
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	unanswered := 0
	for {
		a, err := w.door.sources(ctx)
		var nobody gone
		switch {
		case ctx.Err() != nil:
			return spoken(text{"not waited for the end; the sync goes on in the gateway", "nicht bis zum Ende gewartet; die Synchronisierung geht im Gateway weiter"})
		case errors.As(err, &nobody) && unanswered < patience:
			unanswered++
		case err != nil:
			return err
		default:
			unanswered = 0
			if w.look(a.kinds(w.source)) {
				return w.verdict()
			}
			if err := w.askAgain(ctx); err != nil {
				return err
			}
			w.explain(w.door.s.standstill(a.source(w.source), time.Now()))
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// askAgain asks for what nobody reads: where a sync was just ending when this one was asked for, the gateway took it for
// running and began no other, while its time was already known.
func (w *waiting) askAgain(ctx context.Context) error {
	for kind, polls := range w.idle {
		if polls < idlePolls {
			continue
		}
		w.idle[kind] = 0
		if err := w.door.sync(ctx, w.source, kind); err != nil && !refusedAs(err, "sync_running") {
			return err
		}
	}
	return nil
}

// explain tells why nothing moves, once for each reason.
func (w *waiting) explain(why string) {
	if why == w.why {
		return
	}
	w.why = why
	if why != "" {
		w.tell(w.source + ": " + why)
	}
}

// tell prints a line, above the bars where there are any.
func (w *waiting) tell(line string) {
	if w.pw != nil {
		w.pw.Log("%s", line)
		return
	}
	_, _ = fmt.Fprintln(w.door.s.out, line)
}

// standstill says why Jamf is not asked, or does not answer; "" = it is asked and answers, as far as is known.
func (s streams) standstill(src sourceStatus, now time.Time) string {
	paused := src.NotBefore != nil && src.NotBefore.After(now)
	switch {
	case src.Breaker == "open" && paused:
		return s.say(text{
			"too many calls to Jamf failed, it is asked again at %s (circuit breaker open)",
			"zu viele Anfragen an Jamf sind fehlgeschlagen, nächster Versuch %s (Schutzschalter offen)",
		}, clock(*src.NotBefore, now))
	case src.Breaker == "open":
		return s.say(text{"too many calls to Jamf failed (circuit breaker open)", "zu viele Anfragen an Jamf sind fehlgeschlagen (Schutzschalter offen)"})
	case paused:
		return s.say(text{"Jamf asked for fewer requests, paused until %s", "Jamf verlangt weniger Anfragen, Pause bis %s"}, clock(*src.NotBefore, now))
	case src.down():
		return s.outage(*src.Heartbeat, now)
	}
	return ""
}

func (w *waiting) verdict() error {
	if w.failed {
		return errFoundWanting
	}
	return nil
}

// look takes a new state in, shows it and tells whether every sync has ended.
func (w *waiting) look(kinds []kindStatus) bool {
	all := true
	for _, k := range kinds {
		if len(w.kinds) > 0 && !slices.Contains(w.kinds, k.Kind) || w.done[k.Kind] {
			continue
		}
		if k.Syncing || k.LastAttempt == nil || !k.LastAttempt.After(w.since[k.Kind]) {
			w.progress(k)
			all = false
			if w.idle[k.Kind]++; k.Syncing {
				w.idle[k.Kind] = 0
			}
			continue
		}
		w.done[k.Kind] = true
		w.end(k)
	}
	return all
}

func (w *waiting) progress(k kindStatus) {
	if k.Progress == nil || k.Progress.Total == 0 {
		return
	}
	s := w.door.s
	if w.pw != nil {
		bar := w.bars[k.Kind]
		if bar == nil {
			bar = &progress.Tracker{Message: s.kindWord(k.Kind), Units: progress.UnitsDefault}
			w.bars[k.Kind] = bar
			w.pw.AppendTracker(bar)
		}
		bar.UpdateTotal(int64(k.Progress.Total))
		bar.SetValue(int64(min(k.Progress.Held, k.Progress.Total-1)))
		return
	}
	if tenths := k.Progress.Held * 10 / k.Progress.Total; tenths > w.shown[k.Kind] {
		w.shown[k.Kind] = tenths
		_, _ = fmt.Fprintln(s.out, s.say(text{"%s: %d of %d %s", "%s: %d von %d %s"}, w.source, k.Progress.Held, k.Progress.Total, s.kindsOf(k.Kind)))
	}
}

// end tells how a sync ended.
func (w *waiting) end(k kindStatus) {
	s := w.door.s
	line := ""
	if k.LastResult != nil && *k.LastResult == "held" {
		w.failed = true
		line = s.say(text{
			"%s: %s read completely, and held back: see jamf-gateway approve %[1]s%[3]s", "%s: %s vollständig gelesen und zurückgehalten: siehe jamf-gateway approve %[1]s%[3]s",
		}, w.source, s.kindWord(k.Kind), w.again)
		if bar := w.bars[k.Kind]; bar != nil {
			bar.MarkAsErrored()
		}
	} else if k.LastResult != nil && *k.LastResult == "ok" {
		line = s.say(text{"%s: %s read completely, %s devices", "%s: %s vollständig gelesen, %s Geräte"}, w.source, s.kindWord(k.Kind), number(k.Count))
		if bar := w.bars[k.Kind]; bar != nil {
			bar.MarkAsDone()
		}
	} else {
		w.failed = true
		if bar := w.bars[k.Kind]; bar != nil {
			bar.MarkAsErrored()
		}
		line = s.say(text{"%s: reading %s failed", "%s: %s konnten nicht gelesen werden"}, w.source, s.kindWord(k.Kind))
		if k.LastError != nil {
			line += ": " + s.explained(k.LastError.Code)
			if k.LastError.Detail != nil {
				line += " (" + *k.LastError.Detail + ")"
			}
		}
	}
	w.tell(line)
}

// stopBars lets the last state be drawn.
func (w *waiting) stopBars() {
	w.pw.Stop()
	for limit := time.Now().Add(2 * time.Second); w.pw.IsRenderInProgress() && time.Now().Before(limit); {
		<-time.After(20 * time.Millisecond)
	}
}
