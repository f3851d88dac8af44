package main

import (
	"errors"
	"fmt"
	"strings"

	"jamf-gateway/gateway/catalogue"
)

// text is one sentence in each language.
type text struct{ en, de string }

func (t text) in(l catalogue.Language) string {
	if l == catalogue.DE {
		return t.de
	}
	return t.en
}

// languageOf is what --lang says, else what the environment says as POSIX orders it: LC_ALL, LC_MESSAGES, LANG.
func languageOf(args, env []string) catalogue.Language {
	if value := languageFlag(args); value != "" {
		return language(value)
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := variable(env, name); value != "" {
			return language(value)
		}
	}
	return catalogue.EN
}

// languageFlag is what --lang says, "" where it is not there.
func languageFlag(args []string) string {
	for i, arg := range args {
		value, ok := strings.CutPrefix(arg, "--lang=")
		if arg == "--lang" && i+1 < len(args) {
			value, ok = args[i+1], true
		}
		if ok && value != "" {
			return value
		}
	}
	return ""
}

// language reads "de", "de_AT.UTF-8" and the like as German; everything else is English.
func language(value string) catalogue.Language {
	if value == "de" || strings.HasPrefix(value, "de_") || strings.HasPrefix(value, "de.") || strings.HasPrefix(value, "de@") {
		return catalogue.DE
	}
	return catalogue.EN
}

// variable is the value of an environment variable, "" when it is not set.
func variable(env []string, name string) string {
	value := ""
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			value = v
		}
	}
	return value
}

// say is a sentence in the language of the streams, filled like fmt.Sprintf.
func (s streams) say(t text, args ...any) string {
	if len(args) == 0 {
		return t.in(s.lang)
	}
	return fmt.Sprintf(t.in(s.lang), args...)
}

// spokenError is an error that a person reads, in each language.
type spokenError struct{ text }

// Error is the sentence in English.
func (e spokenError) Error() string { return e.en }

// German is the sentence in German.
func (e spokenError) German() string { return e.de }

// spoken makes an error of a sentence; args fill both languages.
func spoken(t text, args ...any) error {
	if len(args) > 0 {
		t = text{fmt.Sprintf(t.en, args...), fmt.Sprintf(t.de, args...)}
	}
	return spokenError{t}
}

// inLanguage is the text of an error, in German where it has one.
func inLanguage(err error, l catalogue.Language) string {
	var g interface {
		error
		German() string
	}
	if l == catalogue.DE && errors.As(err, &g) {
		return g.German()
	}
	return err.Error()
}
