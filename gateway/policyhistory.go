package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/report"
	"jamf-gateway/gateway/server"
)

// mostUnwritten bounds the policies that wait for the disk; the oldest go first.
const mostUnwritten = 50

// policyHistory writes down which policy begins when. What the disk does not take waits for it, in its order and with its time. Safe for
// concurrent use.
type policyHistory struct {
	disk    *cache.Disk
	dataDir string
	version string
	log     *slog.Logger

	mu      sync.Mutex
	waiting []begun
	written string // digest of the last one that stands in the history; "" = not known

	trouble atomic.Pointer[server.Warning] // nil = nothing waits
}

// begun is a policy that is in force since a moment.
type begun struct {
	policy report.Policy
	since  time.Time
}

// begin writes down that this policy begins, where it is not the one that was in force already. That the disk refuses it does not keep anybody from
// being served.
func (h *policyHistory) begin(ctx context.Context, p report.Policy, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.waiting) == 0 && p.Digest() == h.written {
		return // most reloads change no policy, and the history may be long
	}
	if h.waiting = append(h.waiting, begun{p, now}); len(h.waiting) > mostUnwritten {
		h.waiting = h.waiting[1:]
	}
	h.writeLocked(ctx)
}

// again tries what waits.
func (h *policyHistory) again(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.waiting) > 0 {
		h.writeLocked(ctx)
	}
}

func (h *policyHistory) writeLocked(ctx context.Context) {
	for len(h.waiting) > 0 {
		one := h.waiting[0]
		digest := one.policy.Digest()
		began, err := report.Record(h.disk, h.dataDir, one.since, h.version, one.policy)
		if err != nil {
			h.log.ErrorContext(ctx, "the policy in force could not be written into its history; it is tried again in an hour", "policy", digest, "error", err)
			since := one.since.UTC().Format(time.RFC3339)
			h.trouble.Store(&server.Warning{
				EN: fmt.Sprintf("What is kept and shown since %s does not stand in the history of policies: %v. It is tried again every hour.", since, err),
				DE: fmt.Sprintf("Was seit %s gespeichert und gezeigt wird, steht nicht in der Geschichte der Regeln: %v. Es wird stündlich wieder versucht.", since, err),
			})
			return
		}
		if began {
			h.log.InfoContext(ctx, "another policy is in force", "policy", digest)
		}
		h.waiting, h.written = h.waiting[1:], digest
	}
	h.trouble.Store(nil)
}
