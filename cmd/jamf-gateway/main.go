// Command jamf-gateway stands between an asset system and Jamf Pro: see README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"jamf-gateway/config"
	"jamf-gateway/gateway/catalogue"
)

// version is set by the linker (-X main.version=...).
var version = "dev"

// Exit codes of every command.
const (
	exitGood  = 0 // done
	exitWrong = 1 // found wanting, or failed
	exitUsage = 2 // wrong use
)

// streams are where a command reads and writes: the terminal in production, buffers in tests.
type streams struct {
	in       io.Reader // nil: nothing can be asked
	out, err io.Writer
	env      []string
	lang     catalogue.Language // of the sentences
	asked    bool               // for that language, by --lang

	asks        bool             // in is somebody who can be asked, though no terminal
	startJitter time.Duration    // of the first syncs; 0: the usual one, negative: none
	now         func() time.Time // nil: the clock of the system
}

type commands struct {
	Lang string `enum:"en,de," default:"" help:"Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide." placeholder:"LANG"`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`

	Init       initCommand           `cmd:"" help:"Ask what is needed and write the settings."`
	Preflight  preflightCommand      `cmd:"" help:"Say what a Jamf Pro opens to any program with these credentials, before there are settings. Stores nothing."`
	Serve      serveCommand          `cmd:"" help:"Run the gateway."`
	Demo       demoCommand           `cmd:"" help:"Run a simulated Jamf Pro and the gateway in one process, and print what to try."`
	Fakejamf   fakejamfCommand       `cmd:"" help:"Run the simulated Jamf Pro alone."`
	Check      checkCommand          `cmd:"" help:"Check the settings, then test the connection of each source."`
	Status     statusCommand         `cmd:"" help:"Show the state of every source of a running gateway."`
	Reload     reloadCommand         `cmd:"" help:"Have a running gateway take its settings file as it is now."`
	Sync       syncCommand           `cmd:"" help:"Have a running gateway read a source now."`
	Approve    approveCommand        `cmd:"" help:"Show what a guard holds back of a source, or approve it."`
	Expect     expectRemovalsCommand `cmd:"" name:"expect-removals" help:"Announce deletions in Jamf, so that they are published without approval."`
	Source     sourceCommand         `cmd:"" help:"Remove a source of a running gateway, which its settings file names no more."`
	Purge      purgeCommand          `cmd:"" help:"Have a running gateway remove everything that it stored of a source, or of one device."`
	Show       showCommand           `cmd:"" help:"Show what is stored of a device, and beside it what each client sees."`
	Fields     fieldsCommand         `cmd:"" help:"Print exactly what leaves, for each client of the settings."`
	Report     reportCommand         `cmd:"" help:"Report what the gateway has recorded."`
	Audit      auditCommand          `cmd:"" help:"Print the audit, or check that nothing of it is gone: who approved, purged, was refused, and what each client read."`
	Diagnose   diagnoseCommand       `cmd:"" help:"Write one file for support: without secrets, addresses and data of devices."`
	Client     clientCommand         `cmd:"" help:"Make the id and the secret of a client of the gateway, or its next secret."`
	Completion completionCommand     `cmd:"" help:"Print a script with which bash, zsh or fish completes commands and flags."`
	Help       helpCommand           `cmd:"" help:"Show how a command is used."`
	Version    versionCommand        `cmd:"" help:"Print the version."`
}

func main() {
	limitMemory(os.Environ(), os.DirFS("/"))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Environ()})
	stop()
	os.Exit(code)
}

// errFoundWanting ends a command with exit code 1 when everything worth saying was already printed.
var errFoundWanting = errors.New("found wanting")

// usageError is wrong use of a command: exit code 2.
type usageError struct{ error }

// Unwrap returns what was wrong.
func (e usageError) Unwrap() error { return e.error }

// run is the whole program as a function: arguments, environment and output are parameters, the exit code is the result.
func run(ctx context.Context, args []string, s streams) (code int) {
	exited := -1
	s.lang, s.asked = languageOf(args, s.env), languageFlag(args) != ""
	var c commands
	parser, err := kong.New(&c,
		kong.Name("jamf-gateway"),
		kong.Description("Stands between an asset system and Jamf Pro: reads Jamf once a day, proves that it read everything, and serves it."),
		kong.Writers(s.out, s.err),
		kong.Vars{"version": "jamf-gateway " + version},
		kong.Exit(func(n int) { exited = n }),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(s),
	)
	if err != nil {
		_, _ = fmt.Fprintln(s.err, "jamf-gateway:", harmless(err.Error()))
		return exitUsage
	}
	if len(args) == 0 {
		return withoutCommand(parser, s)
	}
	k, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help, --version
	}
	if err != nil {
		_, _ = fmt.Fprintln(s.err, "jamf-gateway:", harmless(err.Error()))
		_, _ = fmt.Fprintln(s.err, s.say(text{"How it is used: %s --help", "Verwendung: %s --help"}, harmless(usedCommand(err))))
		return exitUsage
	}
	var usage usageError
	var invalid *config.InvalidError
	switch err := k.Run(); {
	case err == nil:
		return exitGood
	case errors.Is(err, errFoundWanting):
		return exitWrong
	case errors.As(err, &usage), errors.As(err, &invalid):
		_, _ = fmt.Fprintln(s.err, "jamf-gateway:", harmless(inLanguage(err, s.lang)))
		return exitUsage
	default:
		_, _ = fmt.Fprintln(s.err, "jamf-gateway:", harmless(inLanguage(err, s.lang)))
		return exitWrong
	}
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, "jamf-gateway", version)
	return err
}
