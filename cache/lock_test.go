package cache_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"jamf-gateway/cache"
)

// childLock holds a directory until it is killed.
func childLock(dir string) int {
	var disk *cache.Disk
	lock, err := disk.LockDirectory(context.Background(), dir)
	_, _ = fmt.Fprintln(os.Stdout, "locked", err)
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = lock.Release()
	return 0
}

// TestALockNamesItsProcessAndEndsWithItHoweverItEnds leaves nothing behind that somebody would have to remove.
func TestALockNamesItsProcessAndEndsWithItHoweverItEnds(t *testing.T) {
	dir := t.TempDir()
	var disk *cache.Disk
	cmd := child(t, "lock", dir)
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked <nil>\n" {
		t.Fatalf("the other process says %q: %v", line, err)
	}
	_, err := disk.LockDirectory(t.Context(), dir)
	locked, ok := errors.AsType[*cache.LockedError](err)
	if want := fmt.Sprintf("process %d", cmd.Process.Pid); !ok || !errors.Is(err, cache.ErrLocked) || locked.Dir != dir || !strings.HasPrefix(locked.Holder, want) {
		t.Errorf("a directory of %s: %v", want, err)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the other process ended by itself")
	}
	lock, err := disk.LockDirectory(t.Context(), dir)
	if err != nil {
		t.Fatalf("after a crash: %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "lock")); !strings.HasPrefix(string(text), fmt.Sprintf("%d ", os.Getpid())) {
		t.Errorf("%q stands in the lock: %v", text, err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

// TestAFullDiskTakesALockWithoutAName and what stands in its file by other ways is nobody's name.
func TestAFullDiskTakesALockWithoutAName(t *testing.T) {
	full := &cache.Disk{Fail: func(op cache.Op, _ string) error {
		if op == cache.OpWrite {
			return syscall.ENOSPC
		}
		return nil
	}}
	for text, want := range map[string]string{
		"": "", "4711 gw1\n": "process 4711 on host gw1", "4711 \n": "process 4711", "4711 \x1b[2J\n": "process 4711", "x gw1\n": "", "-1 gw1\n": "", "4711": "",
	} {
		dir := t.TempDir()
		first, err := full.LockDirectory(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "lock")
		if signed, err := os.ReadFile(file); err != nil || len(signed) > 0 {
			t.Errorf("a full disk took the name %q: %v", signed, err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) { // whose time is not waited for
			_, err = full.LockDirectory(t.Context(), dir)
		})
		if locked, ok := errors.AsType[*cache.LockedError](err); !ok || locked.Holder != want {
			t.Errorf("%q: %v", text, err)
		}
		if err := first.Release(); err != nil {
			t.Error(err)
		}
	}
}

// TestALockIsNoWayToAnotherFile: the directory of the audit may be one that others write into.
func TestALockIsNoWayToAnotherFile(t *testing.T) {
	dir, other := t.TempDir(), filepath.Join(t.TempDir(), "gateway.key")
	if err := errors.Join(os.WriteFile(other, []byte("a key"), 0o600), os.Symlink(other, filepath.Join(dir, "lock"))); err != nil {
		t.Fatal(err)
	}
	var disk *cache.Disk
	lock, err := disk.LockDirectory(t.Context(), dir)
	if err == nil {
		t.Error("a lock that lies elsewhere is taken:", lock.Release())
	}
	if text, err := os.ReadFile(other); string(text) != "a key" {
		t.Errorf("another file holds %q now: %v", text, err)
	}
}
