package jamf

import (
	"slices"
	"time"
)

// Login is one API client of Jamf Pro with its secret.
type Login struct {
	ID     string
	Secret func() string // asked for at every call of the token endpoint, so that a rotated secret is used
	Reread func()        // looks at once whether Secret has become another, after a refusal; nil = it never does
}

// login is an API client and what Jamf said of it. Its tokens' lock guards it.
type login struct {
	Login
	refusals []time.Time // of the credentials, within the window, oldest first
	streak   int         // refusals since the API last took a token
	dead     bool        // auth_failed
	since    time.Time   // of the first refusal that nothing has taken back; zero = none
	rights   Rights      // of its token when it was last proved while the other one was in use
	asked    time.Time   // when Jamf last said yes or no; zero = never, or not since the secret changed
	unproved time.Time   // of the last refusal or change: a token from before it says nothing of the secret as it is
}

// refuse counts a refusal of the credentials.
func (l *login) refuse(now time.Time) {
	l.forget(now)
	l.refusals = append(l.refusals, now)
	l.streak++
	l.dead = l.dead || len(l.refusals) >= refusalLimit
	l.asked, l.unproved = now, now
	if l.since.IsZero() {
		l.since = now
	}
}

// accept is told that the API took a token of that birth: whatever was refused before it, the credentials are good.
func (l *login) accept(now, born time.Time) {
	if born.Before(l.unproved) {
		return
	}
	l.refusals, l.streak, l.dead, l.since, l.asked = nil, 0, false, time.Time{}, now
}

// changed is told that the secret is another: what was said of the one before binds nobody. That it is good is still to be seen.
func (l *login) changed(now time.Time) {
	l.refusals, l.streak, l.dead, l.asked, l.unproved = nil, 0, false, time.Time{}, now
}

func (l *login) forget(now time.Time) {
	l.refusals = slices.DeleteFunc(l.refusals, func(at time.Time) bool { return now.Sub(at) >= refusalWindow })
}

// pause tells how long the token endpoint must be left alone: nothing before auth_failed; then a pause that grows
// to 5 min, and never more than 3 refusals in 15 min, so that nobody is locked out by us.
func (l *login) pause(now time.Time) time.Duration {
	l.forget(now)
	if !l.dead {
		return 0
	}
	var until time.Time
	if n := len(l.refusals); n > 0 {
		until = l.refusals[n-1].Add(min(refusalPause<<min(l.streak, 8), maxRefusalPause))
		if n >= refusalLimit {
			until = later(until, l.refusals[n-refusalLimit].Add(refusalWindow))
		}
	}
	return max(0, until.Sub(now))
}
