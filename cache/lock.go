package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	lockPatience = 1500 * time.Millisecond // a restart meets the end of its predecessor
	lockPoll     = 50 * time.Millisecond

	mostHolder = 300 // bytes of who holds a lock
)

// LockedError says whose a directory is. It is an ErrLocked.
type LockedError struct {
	Dir    string
	Holder string // as in "process 4711 on host gw1", as far as is known; "" = it is not
}

// Error implements error.
func (e *LockedError) Error() string {
	if e.Holder == "" {
		return fmt.Sprintf("lock %s: %v", e.Dir, ErrLocked)
	}
	return fmt.Sprintf("lock %s: %v (%s)", e.Dir, ErrLocked, e.Holder)
}

// Unwrap returns ErrLocked.
func (e *LockedError) Unwrap() error { return ErrLocked }

// Lock is the one process's right to a directory. The kernel takes it back when the process dies, however it does.
type Lock struct{ file *os.File }

// LockDirectory takes a directory that is there, by a file in it named lock. A LockedError comes within 2 s when another process, or somebody
// else in this one, has it.
func (d *Disk) LockDirectory(ctx context.Context, dir string) (*Lock, error) {
	path := filepath.Join(dir, "lock")
	if err := d.ask(OpCreate, path); err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	// Whoever else may write into the directory must not have another file signed, which empties it.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
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
			d.sign(file)
			return &Lock{file}, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), file.Close())
		}
		select {
		case <-poll.C:
		case <-deadline.C:
			return nil, errors.Join(&LockedError{Dir: dir, Holder: holderOf(file)}, file.Close())
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		}
	}
}

// sign leaves who has the lock, for whoever does not get it. A full disk takes no signature, and the lock holds all the same.
func (d *Disk) sign(file *os.File) {
	if file.Truncate(0) != nil || d.ask(OpWrite, file.Name()) != nil {
		return
	}
	host, _ := os.Hostname() // a number alone says little where containers share a volume
	_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+" "+host+"\n"), 0)
}

// holderOf reads what sign has left. Whatever else stands there is nobody's signature.
func holderOf(file *os.File) string {
	text := make([]byte, mostHolder)
	n, _ := file.ReadAt(text, 0)
	pid, host, ok := strings.Cut(strings.TrimSuffix(string(text[:n]), "\n"), " ")
	if _, err := strconv.ParseUint(pid, 10, 32); err != nil || !ok {
		return ""
	}
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	if host == "" || strings.ContainsFunc(host, odd) {
		return "process " + pid
	}
	return "process " + pid + " on host " + host
}

// Release gives the directory back. A nil Lock has none.
func (l *Lock) Release() error {
	if l == nil {
		return nil
	}
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("release %s: %w", filepath.Dir(l.file.Name()), err)
	}
	return nil
}
