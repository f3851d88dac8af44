//go:build race

package syncer

// raceEnabled: tests of one goroutine that are heavy leave the race detector alone.
const raceEnabled = true
