//go:build race

package device_test

// raceEnabled: tests of one goroutine that are heavy leave the race detector alone.
const raceEnabled = true
