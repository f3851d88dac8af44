package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	lockPatience = 1500 * time.Millisecond // a restart meets the end of its predecessor
	lockPoll     = 50 * time.Millisecond
)

// lock is the one process's right to a data directory. The kernel takes it back when the process dies.
type lock struct{ file *os.File }

// lockDirectory answers ErrLocked within 2 s when another process, or another Store of this one, has the directory.
func (d *Disk) lockDirectory(ctx context.Context, dir string) (*lock, error) {
	if err := d.ask(OpCreate, filepath.Join(dir, "lock")); err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	deadline := time.NewTimer(lockPatience)
	defer deadline.Stop()
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return &lock{file}, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock data directory: %w", err), file.Close())
		}
		select {
		case <-poll.C:
		case <-deadline.C:
			return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, ErrLocked), file.Close())
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		}
	}
}

func (l *lock) release() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("release data directory: %w", err)
	}
	return nil
}
