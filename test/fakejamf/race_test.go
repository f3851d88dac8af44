//go:build race

package fakejamf_test

// raceEnabled: tests of one goroutine that are heavy leave the race detector alone.
const raceEnabled = true
