package main

import (
	"os"
	"os/user"
	"strconv"
	"strings"
)

// actingFlags are those of a command that changes something in a running gateway.
type actingFlags struct {
	adminFlags
	By string `help:"Who acts, for the audit; without it the user of this terminal, also behind sudo." placeholder:"NAME"`
}

// mostBy is how long a name the gateway keeps.
const mostBy = 64

// open is that of the flags, and knows who acts.
func (f actingFlags) open(s streams) (adminDoor, error) {
	by := f.By
	if by == "" {
		by = operator(s.env, user.Current, os.Getuid())
	} else if len(by) > mostBy || strings.TrimSpace(by) == "" || strings.ContainsFunc(by, func(r rune) bool { return r < ' ' || r > '~' }) {
		return adminDoor{}, usageError{spoken(text{
			"--by must be 1 to %d ASCII characters (oe for ö), not %q", "--by muss aus 1 bis %d ASCII-Zeichen bestehen (oe statt ö), nicht %q",
		}, mostBy, by)}
	}
	d, err := f.adminFlags.open(s)
	d.by = by
	return d, err
}

// again are the flags for a command that is told to the operator.
func (f actingFlags) again() string {
	if f.By == "" {
		return f.adminFlags.again()
	}
	return f.adminFlags.again() + " --by " + shellQuote(f.By)
}

// operator is who sits at this terminal, as the system knows him, also behind sudo. A container often knows no names: then it is the number.
func operator(env []string, current func() (*user.User, error), uid int) string {
	if who := variable(env, "SUDO_USER"); who != "" {
		return who
	}
	if u, err := current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "uid " + strconv.Itoa(uid)
}
