//go:build race

package server_test

// raceEnabled: tests of one goroutine that are heavy leave the race detector alone.
const raceEnabled = true
