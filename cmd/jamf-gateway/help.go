package main

import (
	"errors"
	"strings"

	"github.com/alecthomas/kong"
)

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command; without it all of them are listed."`
}

// Run shows what COMMAND --help shows.
func (c helpCommand) Run(k *kong.Context) error {
	of, err := kong.Trace(k.Kong, c.Command)
	if err != nil {
		return err
	}
	if understood := wordsOf(of); len(understood) < len(c.Command) {
		return usageError{spoken(text{"there is no command %q", "es gibt kein Kommando %q"}, strings.Join(c.Command[:len(understood)+1], " "))}
	}
	for len(wordsOf(of)) > len(c.Command) { // what a command does without a subcommand was not asked for
		of.Path = of.Path[:len(of.Path)-1]
	}
	return of.PrintUsage(false)
}

// withoutCommand answers a call without arguments, which is wrong use: the help goes to the error stream.
func withoutCommand(parser *kong.Kong, s streams) int {
	parser.Stdout = s.err
	of, err := kong.Trace(parser, nil)
	if err == nil {
		err = of.PrintUsage(false)
	}
	if err != nil {
		return exitWrong
	}
	return exitUsage
}

// usedCommand is how far a command line was understood.
func usedCommand(err error) string {
	var parse *kong.ParseError
	words := []string{"jamf-gateway"}
	if errors.As(err, &parse) && parse.Context != nil {
		words = append(words, wordsOf(parse.Context)...)
	}
	return strings.Join(words, " ")
}

// wordsOf are the commands that were understood.
func wordsOf(k *kong.Context) []string {
	var words []string
	for _, step := range k.Path {
		if step.Command != nil {
			words = append(words, step.Command.Name)
		}
	}
	return words
}
