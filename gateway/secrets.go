package gateway

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"jamf-gateway/config"
)

// secretLook is how often the files of secrets are looked at.
const secretLook = 5 * time.Second

// liveSecret is the secret of one of Jamf's API clients. One that came from a file follows it: the last good one counts for as long as the
// file is gone, empty or no secret. Safe for concurrent use.
type liveSecret struct {
	source, setting string // for the log
	clientID        string
	file            string // "" = it never changes
	log             *slog.Logger

	mu      sync.Mutex
	current string
	seen    string // what the look before saw in place of current, "" = nothing
	fault   string // why the file could not be read, as it was logged; "" = it could
}

func newLiveSecret(source, setting string, s config.Secret, log *slog.Logger) *liveSecret {
	return &liveSecret{source: source, setting: setting, file: s.File(), log: log, current: s.Reveal()}
}

// Reveal is the secret that counts.
func (l *liveSecret) Reveal() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current
}

// Reread looks at once, after the secret was refused: there is nothing to lose by what a file holds that may still be written.
func (l *liveSecret) Reread() { l.look(context.Background(), true) }

// look reads the file and tells whether the secret is another one since. Unless the one before is known to be worthless, what two looks in
// a row find is taken, so that half of a file that is being written is not.
func (l *liveSecret) look(ctx context.Context, worthless bool) (changed bool) {
	if l.file == "" {
		return false
	}
	text, err := config.ReadSecret(l.file)
	l.mu.Lock()
	before := l.fault
	l.fault = ""
	switch {
	case err != nil:
		l.fault, l.seen = err.Error(), ""
	case text == l.current:
		l.seen = ""
	case worthless || text == l.seen:
		l.current, l.seen, changed = text, "", true
	default:
		l.seen = text
	}
	fault := l.fault
	l.mu.Unlock()
	at := l.log.With("source", l.source, "setting", l.setting, "file", l.file)
	switch {
	case fault != "" && fault != before:
		at.WarnContext(ctx, "the secret's file cannot be used: the last good secret stays", "error", fault)
	case fault == "" && before != "":
		at.InfoContext(ctx, "the secret's file can be used again")
	}
	if changed {
		at.InfoContext(ctx, "the secret was changed and is used from now on")
	}
	return changed
}

// watchSecrets follows the files of secrets until ctx ends.
func (g *Gateway) watchSecrets(ctx context.Context) error {
	tick := time.NewTicker(secretLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		g.closeRetired(false)
		now := g.fit.Load()
		for _, l := range now.secrets {
			if l.look(ctx, false) {
				now.upstreams[l.source].SecretChanged(l.clientID)
				g.syncer.SecretChanged(l.source)
			}
		}
	}
}
