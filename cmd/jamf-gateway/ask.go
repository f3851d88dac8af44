package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal is the terminal that can be asked; ok is false in scripts and pipes.
func (s streams) terminal() (f *os.File, ok bool) {
	f, ok = s.in.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// secret reads a secret: from a file (- is standard input), else from a variable, else from the terminal, without echo.
// It is never a flag, which would stand in the history and in the list of processes.
func (s streams) secret(file, variableName string, question, missing text) (string, error) {
	if file != "" {
		return s.secretFile(file)
	}
	if value := variable(s.env, variableName); value != "" {
		return value, nil
	}
	tty, ok := s.terminal()
	if !ok {
		return "", spoken(missing)
	}
	_, _ = fmt.Fprint(s.err, s.say(question))
	raw, err := term.ReadPassword(int(tty.Fd()))
	_, _ = fmt.Fprintln(s.err)
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// maxSecretFile is the most that is read of a secret.
const maxSecretFile = 64 << 10

func (s streams) secretFile(file string) (string, error) {
	from := s.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("read the secret: %w", err)
		}
		defer f.Close() //nolint:errcheck // only read
		from = f
	}
	if from == nil {
		from = strings.NewReader("")
	}
	raw, err := io.ReadAll(io.LimitReader(bufio.NewReader(from), maxSecretFile))
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	value := strings.TrimRight(string(raw), "\r\n")
	if value == "" {
		return "", spoken(text{"the secret in %s is empty", "das Secret in %s ist leer"}, file)
	}
	return value, nil
}

// asker asks at the terminal; without one it takes what the flags say and names the flags that are missing.
type asker struct {
	s  streams
	in *bufio.Reader
	on bool
}

func newAsker(s streams) *asker {
	_, tty := s.terminal()
	a := &asker{s: s, on: tty || s.asks}
	if a.on {
		a.in = bufio.NewReader(s.in)
	}
	return a
}

// say writes beside the questions, where there is somebody who reads them.
func (a *asker) say(t text, args ...any) {
	if a.on {
		_, _ = fmt.Fprint(a.s.err, a.s.say(t, args...))
	}
}

func (a *asker) line() (string, error) {
	raw, err := a.in.ReadString('\n')
	if err != nil && raw == "" {
		return "", spoken(text{"the answers ended", "die Antworten sind zu Ende"})
	}
	return strings.TrimSpace(raw), nil
}

// ask returns what the flag says; without it it asks until the answer is good. An empty answer is the fallback; without
// a terminal the fallback is taken, and where there is none the flag is missed.
func (a *asker) ask(flag, given, fallback string, question text, good func(string) error) (string, error) {
	if good == nil {
		good = func(string) error { return nil }
	}
	if given == "" && !a.on {
		given = fallback
	}
	if given != "" {
		if err := good(given); err != nil {
			return "", spoken(text{flag + ": " + err.Error(), flag + ": " + inLanguage(err, "de")})
		}
		return given, nil
	}
	if !a.on {
		return "", spoken(text{"%s is needed where there is no terminal to ask at", "%s ist nötig, wo kein Terminal zum Fragen da ist"}, flag)
	}
	for {
		if fallback == "" {
			a.say(question)
		} else {
			a.say(question, fallback)
		}
		value, err := a.line()
		if err != nil {
			return "", err
		}
		if value == "" {
			value = fallback
		}
		if value == "" {
			continue
		}
		if err := good(value); err != nil {
			_, _ = fmt.Fprintln(a.s.err, "  "+inLanguage(err, a.s.lang))
			continue
		}
		return value, nil
	}
}

// optional is ask for what may stay empty.
func (a *asker) optional(given string, question text) (string, error) {
	if given != "" || !a.on {
		return given, nil
	}
	a.say(question)
	return a.line()
}

// hidden asks for a secret, without echo where there is a terminal.
func (a *asker) hidden(question, missing text) (string, error) {
	for a.on {
		a.say(question)
		value, err := "", error(nil)
		if tty, ok := a.s.terminal(); ok {
			var raw []byte
			raw, err = term.ReadPassword(int(tty.Fd()))
			value = strings.TrimSpace(string(raw))
			a.say(text{"\n", "\n"})
		} else {
			value, err = a.line()
		}
		if err != nil || value != "" {
			return value, err
		}
	}
	return "", spoken(missing)
}

// yes asks for a yes or a no; an empty answer is a yes, and where nobody can be asked it is a no.
func (a *asker) yes(question text) (bool, error) {
	if !a.on {
		return false, nil
	}
	a.say(question)
	a.say(text{" [Y/n] ", " [J/n] "})
	value, err := a.line()
	return err == nil && !strings.HasPrefix(strings.ToLower(value), "n"), err
}
