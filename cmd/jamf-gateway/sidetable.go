package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"golang.org/x/term"
)

// sides is one device in one shape: what is stored of it, nil where that has another shape, and what clients see.
type sides struct {
	stored  *leaves
	clients []string
	seen    []leaves // of each client
}

// add takes the side of a client that has one.
func (s *sides) add(client string, object json.RawMessage) error {
	if len(object) == 0 || string(object) == "null" {
		return nil
	}
	side, err := flatten(object)
	if err != nil {
		return err
	}
	s.clients, s.seen = append(s.clients, client), append(s.seen, side)
	return nil
}

// Characters of a value in the table: usually, and at least where the terminal is narrow.
const (
	widestValue    = 48
	narrowestValue = 12
)

// sideTable is a row for each value. Where a table is wider than the terminal, each client has its own, of shorter values.
func (s streams) sideTable(all sides) string {
	columns := s.columns()
	lines := s.sideLines(all, widestValue)
	if columns == 0 || widest(lines) <= columns {
		return strings.Join(lines, "\n") + "\n"
	}
	var parts []string
	for i := range max(1, len(all.clients)) {
		one := all
		if len(all.clients) > 0 {
			one.clients, one.seen = all.clients[i:i+1], all.seen[i:i+1]
		}
		value := widestValue
		for lines = s.sideLines(one, value); value > narrowestValue && widest(lines) > columns; lines = s.sideLines(one, value) {
			value -= 2
		}
		parts = append(parts, strings.Join(lines, "\n")+"\n")
	}
	return strings.Join(parts, "\n")
}

// sideLines are the lines of one table, its values of so many characters at most.
func (s streams) sideLines(all sides, value int) []string {
	header := table.Row{s.say(text{"Field", "Feld"})}
	if all.stored != nil {
		header = append(header, s.say(text{"Stored", "Gespeichert"}))
	}
	for _, client := range all.clients {
		header = append(header, client)
	}
	t := plainTable()
	t.AppendHeader(header)
	for _, path := range all.paths() {
		row, stored := table.Row{shortened(escaped(path), widestValue)}, ""
		if all.stored != nil {
			stored = all.stored.values[path]
			row = append(row, shortened(stored, value))
		}
		for _, side := range all.seen {
			switch has, there := side.values[path]; {
			case there && has == stored:
				row = append(row, "=")
			case !there || has == "null" || has == "[]":
				row = append(row, "-")
			default:
				row = append(row, shortened(has, value))
			}
		}
		t.AppendRow(row)
	}
	return trimmedLines(t.Render())
}

// widest is the length of the longest line.
func widest(lines []string) (n int) {
	for _, line := range lines {
		n = max(n, len([]rune(line)))
	}
	return n
}

// columns is the width of the terminal: what COLUMNS says, or the terminal itself; 0 = it is none, and nothing is to be cut.
func (s streams) columns() int {
	if n, err := strconv.Atoi(variable(s.env, "COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := s.out.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 0
}

// leaves are the values of a JSON object by their paths, as JSON, in the order in which they stand.
type leaves struct {
	paths  []string
	values map[string]string
}

// mostElements are the elements of one array that are shown.
const mostElements = 3

// flatten reads a JSON object. Of an array the first elements are noted, and how many there are.
func flatten(object []byte) (leaves, error) {
	out := leaves{values: map[string]string{}}
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	return out, out.read(d, "", true)
}

// read takes the next value; keep tells whether it is noted.
func (l *leaves) read(d *json.Decoder, path string, keep bool) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		return l.members(d, path, keep)
	case json.Delim('['):
		return l.elements(d, path, keep)
	}
	var value bytes.Buffer
	e := json.NewEncoder(&value)
	e.SetEscapeHTML(false)
	if err := e.Encode(token); err != nil {
		return err
	}
	l.note(path, printableJSON(bytes.TrimSpace(value.Bytes())), keep)
	return nil
}

func (l *leaves) members(d *json.Decoder, path string, keep bool) error {
	none := true
	for ; d.More(); none = false {
		name, err := d.Token()
		if err != nil {
			return err
		}
		if err := l.read(d, strings.TrimPrefix(fmt.Sprintf("%s.%s", path, name), "."), keep); err != nil {
			return err
		}
	}
	l.note(path, "{}", keep && none)
	_, err := d.Token()
	return err
}

func (l *leaves) elements(d *json.Decoder, path string, keep bool) error {
	n := 0
	for ; d.More(); n++ {
		if err := l.read(d, fmt.Sprintf("%s[%d]", path, n), keep && n < mostElements); err != nil {
			return err
		}
	}
	l.note(path, "[]", keep && n == 0)
	l.note(path+"[]", fmt.Sprintf("(%d)", n), keep && n > mostElements)
	_, err := d.Token()
	return err
}

func (l *leaves) note(path, value string, keep bool) {
	if !keep {
		return
	}
	if _, twice := l.values[path]; !twice {
		l.paths = append(l.paths, path)
	}
	l.values[path] = value
}

// paths are the stored paths, and after them those that only clients have values for.
func (s sides) paths() []string {
	var out []string
	have := map[string]bool{}
	if s.stored != nil {
		out = append(out, s.stored.paths...)
	}
	for _, path := range out {
		have[path] = true
	}
	for _, side := range s.seen {
		for _, path := range side.paths {
			if value := side.values[path]; !have[path] && value != "null" && value != "[]" && value != "{}" {
				out, have[path] = append(out, path), true
			}
		}
	}
	return out
}

// shortened cuts a text to n characters.
func shortened(in string, n int) string {
	if r := []rune(in); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return in
}
