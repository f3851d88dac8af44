package cache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"jamf-gateway/cache"
)

// nobody has no rights over files of his own that their mode does not give him; root has.
const nobody = 65534

// forbidden is what a child that is nobody holds against one file that it may not read, at a start and while it is served.
type forbidden struct {
	file         string
	start, later uint64 // the generation that is served; 0: none
	want         error  // of the start, where none is
}

func forbiddens() []forbidden {
	return []forbidden{
		{"00000002.sqlite", 1, 2, nil},
		{"00000001.sqlite", 2, 2, nil},
		{"manifest.json", 0, 2, cache.ErrLost},
		{".", 0, 2, cache.ErrLost}, // the directory of the series
	}
}

// childForbidden answers 0 when all is as it should be.
func childForbidden(dir string) int {
	for i, f := range forbiddens() {
		if err := f.hold(filepath.Join(dir, fmt.Sprint(i))); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", f.file, err)
			return 1
		}
	}
	return 0
}

func (f forbidden) hold(dir string) (err error) {
	s, err := cache.Open(context.Background(), options(dir))
	if err != nil {
		return err
	}
	path := filepath.Join(seriesDir(dir, computers), f.file)
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	allow := func() error { return os.Chmod(path, info.Mode().Perm()) }
	if err := os.Chmod(path, 0); err != nil {
		return err
	}
	if _, err := os.ReadFile(path); !errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("it can be read: %w", err)
	}
	if _, err := s.Scrub(context.Background()); err != nil {
		return err
	}
	if err := f.served(s, f.later, nil); err != nil {
		return fmt.Errorf("while it is served: %w", err)
	}
	if err := errors.Join(s.Close(), allow(), os.Chmod(path, 0)); err != nil {
		return err
	}
	var log bytes.Buffer
	o := options(dir)
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	if s, err = cache.Open(context.Background(), o); err != nil {
		return err
	}
	if err := errors.Join(f.served(s, f.start, f.want), s.Close()); err != nil {
		return fmt.Errorf("at a start: %w", err)
	}
	if f.start != 2 && !strings.Contains(log.String(), "permission denied") {
		return fmt.Errorf("the log does not say why: %s", &log)
	}
	if err := allow(); err != nil { // mended by hand: nothing was touched
		return err
	}
	if s, err = cache.Open(context.Background(), options(dir)); err != nil {
		return err
	}
	return errors.Join(f.served(s, 2, nil), s.Close())
}

func (f forbidden) served(s *cache.Store, number uint64, want error) error {
	g, err := s.Acquire(computers)
	if number == 0 {
		if !errors.Is(err, want) {
			return fmt.Errorf("the error is %w", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	defer g.Release()
	records, err := g.Page(context.Background(), 0, 1000)
	if err != nil || g.Info().Number != number || len(records) != g.Info().Count {
		return fmt.Errorf("generation %d with %d of %d devices: %w", g.Info().Number, len(records), g.Info().Count, err)
	}
	return nil
}

// A file that the gateway's user may not read is treated as a damaged one, says so, and is whole again when its rights are.
func TestAFileThatMayNotBeReadIsSaidAndLeftAlone(t *testing.T) {
	dir, err := os.MkdirTemp("", "forbidden") //nolint:usetesting // t.TempDir is one that nobody else may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	for i := range forbiddens() {
		s := openStore(t, options(filepath.Join(dir, fmt.Sprint(i))))
		publish(t, s, computers, fleet(40, 1))
		publish(t, s, computers, fleet(41, 2))
		closeStore(t, s)
	}
	cmd := child(t, "forbidden", dir)
	cmd.Stderr = os.Stderr
	if os.Geteuid() == 0 {
		cmd.Path = copyForNobody(t, dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		cmd.Dir = dir
	}
	if err := cmd.Run(); err != nil {
		if errors.Is(err, os.ErrPermission) {
			t.Skipf("nobody cannot run a program in %s", dir)
		}
		t.Fatal(err)
	}
}

// copyForNobody gives the files below dir and a copy of this program to nobody.
func copyForNobody(t *testing.T, dir string) (program string) {
	t.Helper()
	program = filepath.Join(dir, "program")
	from, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(program, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, nobody, nobody))
	})
	if err != nil {
		t.Fatal(err)
	}
	return program
}
