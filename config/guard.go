package config

// Guard says when a finished generation is held back until a person approves it (docs/guards.md). A share and a number go
// together: what is counted must be more than both the percentage of the devices before and the number.
type Guard struct {
	RemovedPercent, RemovedCount         int // deletions that Jamf confirmed
	UnconfirmedPercent, UnconfirmedCount int // devices that Jamf neither lists nor confirms as deleted
	SmallPercent, SmallCount             int // both of them together, in a kind with fewer than 50 devices
	WeekPercent                          int // confirmed deletions of 7 days
	SerialPercent, SerialCount           int // devices with another serial number than before
	HardwarePercent                      int // fewer devices than this keep their serial number or UDID: another Jamf
	BlankedPoints                        int // of the devices, lose a field or a whole section
	GrownPercent                         int // a warning, never a hold
}

// DefaultGuard is what holds where the settings say nothing.
func DefaultGuard() Guard {
	return Guard{
		RemovedPercent: 15, RemovedCount: 25, UnconfirmedPercent: 3, UnconfirmedCount: 10, SmallPercent: 20, SmallCount: 3,
		WeekPercent: 25, SerialPercent: 2, SerialCount: 5, HardwarePercent: 50, BlankedPoints: 50, GrownPercent: 50,
	}
}

// readGuard reads the guards. Their bounds keep each one alive, and one that is looser than usual is said.
func readGuard(m *mapping) Guard {
	defer m.done()
	g := DefaultGuard()
	m.looser(&g.RemovedPercent, "removed_percent", 1, 50)
	m.looser(&g.RemovedCount, "removed_count", 0, 1000)
	m.looser(&g.UnconfirmedPercent, "unconfirmed_percent", 1, 50)
	m.looser(&g.UnconfirmedCount, "unconfirmed_count", 0, 1000)
	m.looser(&g.SmallPercent, "small_percent", 1, 50)
	m.looser(&g.SmallCount, "small_count", 0, 25)
	m.looser(&g.WeekPercent, "week_percent", 1, 75)
	m.looser(&g.SerialPercent, "serial_percent", 1, 50)
	m.looser(&g.SerialCount, "serial_count", 0, 1000)
	m.guard(&g.HardwarePercent, "hardware_percent", 10, 90, func(n, usual int) bool { return n < usual })
	m.looser(&g.BlankedPoints, "blanked_points", 5, 90)
	m.looser(&g.GrownPercent, "grown_percent", 5, 1000)
	return g
}

// looser reads a limit that lets more pass the higher it is.
func (m *mapping) looser(n *int, key string, least, most int) {
	m.guard(n, key, least, most, func(n, usual int) bool { return n > usual })
}

func (m *mapping) guard(n *int, key string, least, most int, loose func(n, usual int) bool) {
	usual := *n
	*n = m.number(key, usual, least, most)
	if loose(*n, usual) {
		m.doc.warn(m.from(key), "lets more pass than usual (%d): what is wrong is then published as if it were right", usual)
	}
}
