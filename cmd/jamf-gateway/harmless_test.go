package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// hostile are texts that a terminal obeys, or that look like others.
func hostile() []string {
	return []string{
		"\x1b[2Jgone", "\x1b]0;title\x07", "a\r\nb", "\b\b\b", "a\x00b", "a\x7fb", "\u009b31mred", "a\u0085b", "a\u2028b", "\u202egpj.exe", "\u2066a\u2069", "\u200bhidden", "a\tb", "\ufeff", "\U000e0041",
	}
}

func TestNothingThatIsLoggedReachesATerminalRaw(t *testing.T) {
	for _, text := range hostile() {
		var out bytes.Buffer
		newLogger(streams{err: &out}, "info").Info(text, text, text)
		line := out.String()
		printable(t, line)
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil || got["msg"] != text || got[text] != text || strings.Count(line, "\n") != 1 {
			t.Errorf("%q is logged as %s: %v", text, line, err)
		}
	}
}

func TestNoErrorReachesATerminalRaw(t *testing.T) {
	for _, text := range hostile() {
		if strings.Contains(text, "\x00") {
			continue // no argument can hold it
		}
		for _, args := range [][]string{
			{text},
			{"show", "--serial", "x", "--admin", text},
			{"status", "--config", text},
			{"fields", "--config", text},
			{"purge", text, "--confirm", text},
			{"check", "--config", text, "--lang", "de"},
			{"report", "availability", "--data-dir", text},
			{"audit", "--dir", text},
			{"show", "--uid", text},
			{"status", "--" + text},
			{"completion", text},
		} {
			r := command(t, nil, args...)
			if r.code == exitGood {
				t.Errorf("%q is good", args)
			}
			printable(t, r.out+r.err)
		}
	}
}
