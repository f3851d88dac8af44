//go:build !e2e

package e2e_test

// binaryRows are rows that need the real binary, which make scoreboard builds.
func binaryRows() map[string]play { return nil }

// aloneRows measure the real binary by itself.
func aloneRows() map[string]func(*board) { return nil }
