//go:build !race

package fakejamf_test

const raceEnabled = false
