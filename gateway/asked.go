package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/server"
)

// Follower reads the file of the settings.
type Follower interface {
	// Read reads the settings as they are now and hands them to take, which goes over to them or says why not. It reads and takes one at a
	// time: what was read earlier is not taken later. why is for the log.
	Read(ctx context.Context, why string, take func(context.Context, *config.Config) (Plan, error)) (Plan, error)
	// Try is Read of an act that may fail for itself: where the settings are not taken, it is as if they had not been read.
	Try(ctx context.Context, why string, take func(context.Context, *config.Config) (Plan, error)) (Plan, error)
	// Refused is what keeps the settings that were read last from being in force; nil = they are. It never waits.
	Refused() *Refused
}

// Refused are settings that were read and not taken. Immutable.
type Refused struct {
	Since, Taken time.Time // of the first refusal in a row; of those in force
	Problem      error     // of the last
}

// warning tells it to an operator.
func (r *Refused) warning() server.Warning {
	why, since, taken := said(r.Problem), r.Since.UTC().Format(time.RFC3339), r.Taken.UTC().Format(time.RFC3339)
	line := func(text string) string { return strings.ReplaceAll(text, "\n", "; ") }
	return server.Warning{
		EN: fmt.Sprintf("The settings file has been refused since %s; in force are the settings that were taken at %s: %s", since, taken, line(why.EN)),
		DE: fmt.Sprintf("Die Einstellungsdatei wird seit %s abgelehnt; in Kraft sind die um %s übernommenen Einstellungen: %s", since, taken, line(why.DE)),
	}
}

// errNotFollowed is what a gateway says that was not started from a file, as the demo is not.
var errNotFollowed = refusal{
	"this gateway was not started from a settings file", "dieses Gateway wurde nicht aus einer Einstellungsdatei gestartet", nil,
}

// refusal is a sentence in both languages.
type refusal struct {
	en, de string
	kind   error // asked with errors.Is; nil = none
}

// Error is the sentence in English.
func (r refusal) Error() string { return r.en }

// German is the sentence in German.
func (r refusal) German() string { return r.de }

// Unwrap returns the kind.
func (r refusal) Unwrap() error { return r.kind }

// Reload implements server.Control.
func (c *control) Reload(ctx context.Context) (server.Taken, error) {
	return c.reload(ctx)
}

// asked is a reload that an operator asks for.
func (g *Gateway) asked(ctx context.Context) (server.Taken, error) {
	if g.o.Follower == nil {
		return server.Taken{}, settingsError(errNotFollowed)
	}
	plan, err := g.o.Follower.Read(ctx, "asked for", g.take)
	if err != nil {
		return server.Taken{}, settingsError(err)
	}
	return takenOf(plan), nil
}

func takenOf(p Plan) server.Taken {
	return server.Taken{Added: notNil(p.Added), Changed: notNil(p.Changed), Restart: notNil(p.Restart)}
}

// settingsError is what the server tells of settings that were not taken: the operator's own words, which hold no secret.
func settingsError(err error) error {
	return &server.SettingsError{Why: said(err), Outcome: outcomeOf(err), Err: err}
}

// said is an error in both languages; one without German stays as it is.
func said(err error) server.Warning {
	out := server.Warning{EN: err.Error(), DE: err.Error()}
	if german, ok := errors.AsType[interface {
		error
		German() string
	}](err); ok {
		out.DE = german.German()
	}
	return out
}
