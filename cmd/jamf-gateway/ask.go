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
