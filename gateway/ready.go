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
	var problems []config.Problem
	blame := func(setting string, err error) {
		if err != nil {
			p, written := c.Places[setting]
			if !written {
				p = config.Problem{File: c.File, Setting: setting}
			}
			p.Text = strings.TrimPrefix(err.Error(), setting+" ")
			problems = append(problems, p)
		}
	}
	_, err := readKey(c.KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = writable(filepath.Dir(c.KeyFile))
	}
	blame("key_file", err)
	if c.AdminListen != "" {
		_, err = readAdminToken(c.AdminTokenFile)
		if errors.Is(err, fs.ErrNotExist) {
			err = writable(filepath.Dir(c.AdminTokenFile))
		}
		blame("admin_token_file", err)
	}
	blame("data_dir", writable(c.DataDir))
	if len(problems) == 0 {
		return nil
	}
	return &config.InvalidError{Problems: problems}
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
