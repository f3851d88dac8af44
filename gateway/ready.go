package gateway

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"jamf-gateway/config"
)

// ready tells whether New finds a key, an admin token and a data directory that it can use, or could make them. It makes and changes
// nothing, and does not disturb a gateway that runs with the same settings. The error is a *config.InvalidError.
func ready(c *config.Config) error {
	b := blames{c: c}
	b.files(writable)
	b.blame("data_dir", writable(c.DataDir))
	if c.Audit.Dir != "" {
		b.blame("audit.dir", writable(c.Audit.Dir))
	}
	return b.err()
}

// startable tells whether New can begin: what does not mend itself by a restart refuses it, by the line of the settings. Whether what is
// missing can be made shows when it is made.
func startable(c *config.Config) error {
	b := blames{c: c}
	b.files(func(string) error { return nil })
	if _, named := c.Places["audit.dir"]; named {
		b.blame("audit.dir", writable(c.Audit.Dir))
	}
	return b.err()
}

// blames are the settings that cannot be used, where they are written.
type blames struct {
	c        *config.Config
	problems []config.Problem
}

func (b *blames) blame(setting string, err error) {
	if err == nil {
		return
	}
	p, written := b.c.Places[setting]
	if !written {
		p = config.Problem{File: b.c.File, Setting: setting}
	}
	p.Text = strings.TrimPrefix(err.Error(), setting+" ")
	b.problems = append(b.problems, p)
}

// files reads key and admin token, or asks of a missing one whether it can be made.
func (b *blames) files(missing func(dir string) error) {
	_, err := readKey(b.c.KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = missing(filepath.Dir(b.c.KeyFile))
	}
	b.blame("key_file", err)
	if b.c.AdminListen == "" {
		return
	}
	_, err = readAdminToken(b.c.AdminTokenFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = missing(filepath.Dir(b.c.AdminTokenFile))
	}
	b.blame("admin_token_file", err)
}

func (b *blames) err() error {
	if len(b.problems) == 0 {
		return nil
	}
	return &config.InvalidError{Problems: b.problems}
}

// writable tells whether this user can write into a directory, or make it where it is missing.
func writable(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir:
		return writable(filepath.Dir(dir))
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", dir)
	}
	const writeAndEnter = 2 | 1 // W_OK|X_OK
	if err := syscall.Access(dir, writeAndEnter); err != nil {
		return fmt.Errorf("%s cannot be written by this user (%w): check as the user that the gateway runs as, or give it the directory", dir, err)
	}
	return nil
}
