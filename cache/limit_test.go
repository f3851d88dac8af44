package cache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"jamf-gateway/cache"
)

// childLimited lets every file end at ever larger sizes, so that SQLite's own writes fail, wherever they are: the kernel refuses them
// (RLIMIT_FSIZE), as a quota does. It runs in a process of its own, because the limit is the process's.
func childLimited(dir string) int {
	s, err := cache.Open(context.Background(), options(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := tryPublish(s, fleet(150, 1)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	const page = 8192
	for pages := uint64(1); ; pages++ {
		err := limited(pages*page-1, func() error { return tryPublish(s, fleet(151, 2)) })
		if err == nil {
			if pages < 8 {
				fmt.Fprintln(os.Stderr, "it was never refused")
				return 1
			}
			return closeCode(s)
		}
		g, openErr := s.Acquire(computers)
		if openErr != nil || g.Info().Number != 1 || g.Info().Count != 150 {
			fmt.Fprintf(os.Stderr, "%d pages: %v, then %v\n", pages, err, openErr)
			return 1
		}
		g.Release()
		entries, readErr := os.ReadDir(seriesDir(dir, computers))
		if readErr != nil || len(entries) != 2 { // the manifest and generation 1
			fmt.Fprintf(os.Stderr, "%d pages: left behind: %v %v\n", pages, entries, readErr)
			return 1
		}
	}
}

// limited runs f while no file can grow beyond size.
func limited(size uint64, f func() error) (err error) {
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	now := was
	now.Cur = size
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &now); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was)) }()
	return f()
}

func TestAGenerationThatCannotGrowHurtsNothing(t *testing.T) {
	cmd := child(t, "limited", t.TempDir())
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("it ended with %v", err)
	}
}
