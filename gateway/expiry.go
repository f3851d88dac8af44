package gateway

import (
	"context"
	"time"

	"jamf-gateway/gateway/server"
)

// expiryEvery is how often the ends of clients' secrets and of certificates are looked at; tellExpiryEvery how often the same warning is logged again.
const (
	expiryEvery     = time.Hour
	tellExpiryEvery = 24 * time.Hour
)

// watchExpiry warns of secrets of clients and certificates of the public door that end soon or have ended, at the start, when that changes, and once a day.
func (g *Gateway) watchExpiry(ctx context.Context) error {
	tick := time.NewTicker(expiryEvery)
	defer tick.Stop()
	told := map[string]time.Time{} // warning -> when it was logged
	for {
		now := g.o.Now()
		for _, w := range g.fit.Load().config.ExpiryWarnings(now) {
			text := w.String()
			if at, before := told[text]; before && now.Sub(at) < tellExpiryEvery {
				continue
			}
			told[text] = now
			g.o.Logger.WarnContext(ctx, text)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// warnings are that the settings file is refused, that the policy in force is not written down, what watchExpiry warns of, as it is now, and what clients lost by the settings of the start.
func (g *Gateway) warnings() (out []server.Warning) {
	if g.o.Follower != nil {
		if r := g.o.Follower.Refused(); r != nil {
			out = append(out, r.warning())
		}
	}
	if trouble := g.policies.trouble.Load(); trouble != nil {
		out = append(out, *trouble)
	}
	for _, w := range g.fit.Load().config.ExpiryWarnings(g.o.Now()) {
		out = append(out, server.Warning{EN: w.String(), DE: w.German()})
	}
	if shrunk := g.shrunk.Load(); shrunk != nil {
		out = append(out, *shrunk...)
	}
	return out
}
