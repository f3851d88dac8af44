package main

import (
	"errors"
	"strings"
	"syscall"

	"jamf-gateway/gateway"
)

// closedDoor says what to do about an address that cannot be listened on. byFlag: it came from a flag, not from a setting.
func closedDoor(err error, byFlag bool) error {
	var door *gateway.ListenError
	if !errors.As(err, &door) {
		return err
	}
	name := door.Setting
	if byFlag {
		name = "--" + strings.ReplaceAll(name, "_", "-")
	}
	switch {
	case errors.Is(door, syscall.EADDRINUSE):
		return spoken(text{
			"%s: %s is in use. Another gateway, or another program, listens there (ss -ltnp names it): end it, or choose another address with %s",
			"%s: %s ist belegt. Dort lauscht ein anderes Gateway oder Programm (ss -ltnp nennt es): Beenden Sie es, oder wählen Sie mit %s eine andere Adresse",
		}, name, door.Address, name)
	case errors.Is(door, syscall.EADDRNOTAVAIL):
		return spoken(text{
			"%s: %s is no address of this machine (ip address lists them): choose another one with %s",
			"%s: %s ist keine Adresse dieses Rechners (ip address listet sie auf): Wählen Sie mit %s eine andere",
		}, name, door.Address, name)
	case errors.Is(door, syscall.EACCES):
		return spoken(text{
			"%s: this user may not listen on %s. Ports below 1024 need a right (AmbientCapabilities=CAP_NET_BIND_SERVICE in the systemd unit), or choose a higher one with %s",
			"%s: Dieser Benutzer darf auf %s nicht lauschen. Ports unter 1024 brauchen ein Recht (AmbientCapabilities=CAP_NET_BIND_SERVICE in der systemd-Unit), oder wählen Sie mit %s einen höheren",
		}, name, door.Address, name)
	}
	return err
}

// inUse says what to do about a directory that another gateway has.
func inUse(taken *gateway.InUseError) error {
	if taken.Holder == "" {
		return spoken(text{
			"%s: another gateway uses %s: end it, or choose another %[1]s",
			"%s: Ein anderes Gateway benutzt %s: Beenden Sie es, oder wählen Sie ein anderes %[1]s",
		}, taken.Setting, taken.Dir)
	}
	return spoken(text{
		"%s: another gateway uses %s (%s): end it, or choose another %[1]s",
		"%s: Ein anderes Gateway benutzt %s (%s): Beenden Sie es, oder wählen Sie ein anderes %[1]s",
	}, taken.Setting, taken.Dir, taken.Holder)
}
