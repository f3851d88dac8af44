package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"golang.org/x/term"

	"jamf-gateway/cache"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/syncer"
)

// keptKinds are the kinds of the demo that an earlier one has read into the same data directory.
func keptKinds(g *gateway.Gateway) []cache.Info {
	var kept []cache.Info
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		if info, err := g.Store().Look(cache.Series{Source: demoSource, Kind: k}); err == nil {
			kept = append(kept, info)
		}
	}
	return kept
}

// demoAdmin is the admin door of the demo: its address, and the file that opens it.
type demoAdmin struct{ address, tokenFile string }

// flags are what a command needs to talk to it.
func (a demoAdmin) flags() string {
	return "--admin " + a.address + " --admin-token-file " + shellQuote(a.tokenFile)
}

// tellKept says what is served without being read again.
func tellKept(out io.Writer, kept []cache.Info, admin demoAdmin) {
	for _, info := range kept {
		_, _ = fmt.Fprintf(out, "Kept %d %s, read at %s\n", info.Count, plural(info.Kind), info.Ended.Local().Format(time.DateTime))
	}
	if len(kept) > 0 {
		_, _ = fmt.Fprintf(out, "Read again at once: jamf-gateway sync %s %s\n", demoSource, admin.flags())
	}
}

// watchFirstSync shows the first sync of every kind that is not kept: bars on a terminal, a line each elsewhere.
func watchFirstSync(ctx context.Context, out io.Writer, g *gateway.Gateway, kept []cache.Info) {
	started := time.Now()
	tty := isTerminal(out)
	trackers := map[device.Kind]*progress.Tracker{}
	pw := progress.NewWriter()
	pw.SetOutputWriter(out)
	pw.SetUpdateFrequency(100 * time.Millisecond)
	pw.Style().Visibility.ETA = false
	if tty {
		go pw.Render()
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	done := map[device.Kind]bool{}
	for _, info := range kept {
		done[info.Kind] = true
	}
	for {
		waiting := false
		for _, k := range g.Status()[0].Kinds {
			show(out, tty, pw, trackers, done, k, started)
			waiting = waiting || !done[k.Kind]
		}
		if !waiting {
			break
		}
		select {
		case <-ctx.Done():
			pw.Stop()
			return
		case <-tick.C:
		}
	}
	if tty {
		for pw.IsRenderInProgress() && pw.LengthActive() > 0 {
			<-tick.C
		}
		pw.Stop()
		for pw.IsRenderInProgress() {
			<-tick.C
		}
	}
}

// show brings one kind's bar up to date and marks it done when its first sync has ended.
func show(out io.Writer, tty bool, pw progress.Writer, bars map[device.Kind]*progress.Tracker, done map[device.Kind]bool,
	k syncer.KindStatus, started time.Time,
) {
	if done[k.Kind] {
		return
	}
	bar := bars[k.Kind]
	if bar == nil {
		bar = &progress.Tracker{Message: "Reading " + plural(k.Kind) + " from Jamf", Units: progress.UnitsDefault}
		bars[k.Kind] = bar
		pw.AppendTracker(bar)
	}
	if k.Total > 0 {
		bar.UpdateTotal(int64(k.Total))
		bar.SetValue(int64(min(k.Held, k.Total-1)))
	}
	switch {
	case !k.Tried || k.Syncing:
		return
	case k.LastResult == "ok":
		bar.SetValue(int64(max(1, k.Total)))
		bar.MarkAsDone()
	default:
		bar.MarkAsErrored()
	}
	done[k.Kind] = true
	if tty && k.LastResult == "ok" {
		return
	}
	if k.LastResult == "ok" {
		_, _ = fmt.Fprintf(out, "Read %d %s from Jamf in %.1f s\n", k.Held, plural(k.Kind), time.Since(started).Seconds())
		return
	}
	_, _ = fmt.Fprintf(out, "Reading %s failed: %s (%s). The next try is at %s.\n",
		plural(k.Kind), k.ErrorDetail, k.ErrorCode, k.NextSync.Local().Format(time.TimeOnly))
}

func plural(k device.Kind) string {
	if k == device.Computer {
		return "computers"
	}
	return "mobile devices"
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	return term.IsTerminal(int(f.Fd()))
}

// firstDevices are the uids of the first device of each kind, so that the printed lines work.
func firstDevices(ctx context.Context, g *gateway.Gateway) map[device.Kind]int64 {
	out := map[device.Kind]int64{}
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		gen, err := g.Store().Acquire(cache.Series{Source: demoSource, Kind: k})
		if err != nil {
			continue
		}
		if ids, err := gen.IDs(ctx); err == nil && len(ids) > 0 {
			out[k] = ids[0]
		}
		gen.Release()
	}
	return out
}

// printLines prints what to copy. Each line works as it stands in a POSIX shell with curl.
func printLines(out io.Writer, base string, admin demoAdmin, id, secret string, first map[device.Kind]int64) {
	kind, jamfID := device.Computer, first[device.Computer]
	if jamfID == 0 {
		kind, jamfID = device.Mobile, first[device.Mobile]
	}
	uid := device.UID(demoSource, kind, jamfID)
	_, _ = fmt.Fprintf(out, `
Copy these lines into another terminal:

# 1. a token, as Inventory360 would ask for it (lives two hours)
TOKEN=$(curl -s %[1]s/api/oauth/token -d grant_type=client_credentials -d client_id=%[2]s -d client_secret=%[3]s | sed -E 's/.*"access_token":"([^"]+)".*/\1/')

# 2. normalized devices, computers and mobile devices in one shape
curl -s -H "Authorization: Bearer $TOKEN" '%[1]s/v1/devices?limit=2'

# 3. one device
curl -s -H "Authorization: Bearer $TOKEN" '%[1]s/v1/devices/%[4]s'

# 4. health: state, age and next sync of every source
curl -s -H "Authorization: Bearer $TOKEN" '%[1]s/v1/health'

# 5. the connection test, step by step
curl -s -X POST -H "Authorization: Bearer $TOKEN" '%[1]s/v1/sources/%[5]s/test'

# 6. Jamf's own API, as an unchanged Jamf client sees it
curl -s -H "Authorization: Bearer $TOKEN" '%[1]s/api/v4/computers-inventory?section=GENERAL&section=HARDWARE&page-size=2'
curl -s -H "Authorization: Bearer $TOKEN" '%[1]s/api/v2/mobile-devices?page-size=2'

# 7. metrics
curl -s %[6]s/metrics | grep ^jamf_

# 8. the admin door, which has a token of its own; for commands: jamf-gateway status %[8]s
ADMIN_TOKEN_FILE=%[7]s
curl -s -H "Authorization: Bearer $(cat "$ADMIN_TOKEN_FILE")" %[6]s/v1/admin/sources

In Inventory360 the URL would be %[1]s/jamf/%[5]s/api. Ctrl-C ends the demo.
`, base, shellQuote(id), shellQuote(secret), uid, demoSource, admin.address, shellQuote(admin.tokenFile), admin.flags())
}

// shellQuote makes a value safe to paste; plain ones stay readable.
func shellQuote(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:"
	if strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
