package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/gateway/report"
)

type dataProtectionCommand struct {
	Config string `required:"" help:"Settings file." placeholder:"FILE"`
	Format string `enum:"markdown,html," default:"" help:"markdown or html. Without it the ending of --out decides, else markdown." placeholder:"FORMAT"`
	Out    string `help:"File to write, which must not exist yet. Without it standard output." placeholder:"FILE"`
}

// Run writes the report from the settings and from the history in the data directory. It asks neither Jamf nor a running gateway.
func (c dataProtectionCommand) Run(s streams) error {
	settings, err := config.LoadOutline(c.Config, s.env)
	if err != nil {
		return usageError{err}
	}
	facts, err := gateway.DataProtection(settings, version, s.clock().In(s.zone()))
	if err != nil {
		return usageError{err}
	}
	lang := catalogue.DE
	if s.asked {
		lang = s.lang
	}
	text := report.Markdown
	if ending := strings.ToLower(filepath.Ext(c.Out)); c.Format == "html" || c.Format == "" && (ending == ".html" || ending == ".htm") {
		text = report.HTML
	}
	if c.Out == "" {
		_, err = io.WriteString(s.out, text(facts, lang))
		return err
	}
	return writeNew(c.Out, text(facts, lang))
}

// writeNew writes a file that is not there yet, for the eyes of its owner.
func writeNew(path, content string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usageError{spoken(text{"%s exists already: name another file with --out", "%s gibt es schon: Nennen Sie mit --out eine andere Datei"}, path)}
	}
	if err != nil {
		return usageError{err}
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Close())
}
