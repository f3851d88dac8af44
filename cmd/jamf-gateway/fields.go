package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/device"
)

type fieldsCommand struct {
	Config string `required:"" help:"Settings file." placeholder:"FILE"`
	Client string `help:"Only what leaves to this client." placeholder:"ID"`
	Format string `enum:"text,markdown,json" default:"text" help:"text, markdown or json; without it text." placeholder:"FORMAT"`
}

// Run prints what leaves, by the tables that enforce it. It asks neither Jamf nor a running gateway.
func (c fieldsCommand) Run(s streams) error {
	settings, err := config.LoadOutline(c.Config, s.env)
	if err != nil {
		return usageError{err}
	}
	all, err := gateway.Leaving(settings)
	if err != nil {
		return usageError{err}
	}
	if c.Client != "" {
		var ids []string
		for _, one := range all {
			ids = append(ids, one.Client)
		}
		if all = slices.DeleteFunc(all, func(one gateway.ClientLeaving) bool { return one.Client != c.Client }); len(all) == 0 {
			return usageError{spoken(text{"%s has no client %q; it has %s", "%s hat keinen Client %q; es gibt %s"}, c.Config, c.Client, strings.Join(ids, ", "))}
		}
	}
	if c.Format == "json" {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	for i, one := range all {
		if i > 0 {
			_, _ = fmt.Fprintln(s.out)
		}
		s.leaving(one, c.Format == "markdown")
	}
	return nil
}

// leaving prints one client as text or Markdown.
func (s streams) leaving(one gateway.ClientLeaving, markdown bool) {
	title, heading, item := s.say(text{"Client %s (policy %s)", "Client %s (Richtlinie %s)"}, one.Client, one.Policy), "", "  "
	if markdown {
		title, heading, item = "## "+title+"\n", "### ", "- "
	}
	_, _ = fmt.Fprintln(s.out, title)
	if len(one.View) == 0 {
		_, _ = fmt.Fprintln(s.out, s.say(text{"All devices of its sources.", "Alle Geräte seiner Quellen."}))
	} else {
		_, _ = fmt.Fprintln(s.out, s.say(text{"Left out are devices for these reasons:", "Nicht gezeigt werden Geräte aus diesen Gründen:"}))
		for _, v := range one.View {
			_, _ = fmt.Fprintln(s.out, harmless(strings.TrimRight(item+string(v.Reason)+": "+strings.Join(v.Names, ", "), ": ")))
		}
	}
	switch strings.Join(one.Endpoints, " ") {
	case config.EndpointFacade:
		_, _ = fmt.Fprintln(s.out, s.say(text{"By Jamf's API alone.", "Nur über die Jamf-API."}))
	case config.EndpointNormalized:
		_, _ = fmt.Fprintln(s.out, s.say(text{"By the normalized API alone.", "Nur über die vereinheitlichte API."}))
	}
	kinds := map[device.Kind]text{device.Computer: {"computer", "Computer"}, device.Mobile: {"mobile", "Mobilgeräte"}}
	for _, src := range one.Sources {
		_, _ = fmt.Fprintf(s.out, "\n%s%s\n", heading, s.say(text{"%s, %s: %d fields", "%s, %s: %d Felder"}, src.Source, s.say(kinds[src.Kind]), len(src.Fields)))
		if markdown {
			_, _ = fmt.Fprint(s.out, "\n| ", s.say(text{"field of Jamf", "Feld von Jamf"}), " | ", s.say(text{"normalized", "vereinheitlicht"}), " | ",
				s.say(text{"class", "Klasse"}), " | ", s.say(text{"shown", "gezeigt"}), " |\n|---|---|---|---|\n")
		}
		for _, f := range src.Fields {
			fieldLine(s.out, f, markdown)
		}
	}
}

func fieldLine(out io.Writer, f gateway.FieldLeaving, markdown bool) {
	if markdown {
		_, _ = fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", f.Path, strings.Join(f.Normalized, ", "), f.Class, f.As)
		return
	}
	line := fmt.Sprintf("  %-12s%s", f.Class, f.Path)
	if len(f.Normalized) > 0 {
		line += " (" + strings.Join(f.Normalized, ", ") + ")"
	}
	if f.As != "" {
		line += " -> " + f.As
	}
	_, _ = fmt.Fprintln(out, line)
}
