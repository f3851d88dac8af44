package main

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"jamf-gateway/gateway/usage"
)

// usesTable is a row for each secret that a client has used, so that one sees which can be removed; "" when there is none.
func usesTable(s streams, clients []clientUsage) string {
	t := plainTable()
	t.AppendHeader(table.Row{"Client", "Secret", s.say(text{"Last token", "Letztes Token"}), s.say(text{"Last request", "Letzte Anfrage"})})
	rows := 0
	for _, c := range clients {
		for _, one := range c.Secrets {
			t.AppendRow(table.Row{c.Client, one.Name, s.when(one.LastToken), s.when(one.LastRequest)})
			rows++
		}
	}
	if rows == 0 {
		return ""
	}
	return "\n" + strings.Join(trimmedLines(t.Render()), "\n") + "\n"
}

// when is a moment in the zone of the reader.
func (s streams) when(m usage.Moment) string {
	if m.IsZero() {
		return s.moment(nil)
	}
	return s.moment(&m.Time)
}
