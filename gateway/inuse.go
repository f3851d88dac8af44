package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/audit"
)

// InUseError says that a directory of the settings is another gateway's. Trying again helps once that one has ended.
type InUseError struct {
	Setting string // "data_dir" or "audit.dir"
	Dir     string
	Holder  string // as in "process 4711 on host gw1"; "" = not known
	Err     error
}

// Error implements error.
func (e *InUseError) Error() string { return fmt.Sprintf("%s: %v", e.Setting, e.Err) }

// Unwrap returns what the lock said.
func (e *InUseError) Unwrap() error { return e.Err }

// inUse names the setting of a directory that is locked.
func inUse(setting string, err error) error {
	if locked, ok := errors.AsType[*cache.LockedError](err); ok {
		return &InUseError{Setting: setting, Dir: locked.Dir, Holder: locked.Holder, Err: err}
	}
	return err
}

// auditDir is where the audit lies.
func auditDir(c *config.Config) string { return cmp.Or(c.Audit.Dir, audit.Dir(c.DataDir)) }

// lockAudit takes the directory of the audit until Close: the lines of two gateways would break each other's chain, and one would remove
// the days of the other. Who only reads there needs no lock.
func (g *Gateway) lockAudit(ctx context.Context) error {
	dir := auditDir(g.o.Config)
	err := g.store.Disk().MkdirAll(dir)
	if err == nil {
		g.auditLock, err = g.store.Disk().LockDirectory(ctx, dir)
	}
	if err != nil {
		return fmt.Errorf("lock the audit in %s: %w", dir, inUse("audit.dir", err))
	}
	return nil
}
