//go:build e2e

package e2e_test

// binaryRows are rows that need the real binary.
func binaryRows() map[string]play {
	return map[string]play{
		"E1": {sockets: func(b *board) {
			TestKillsNeverCostAPublishedGeneration(b.T)
			b.note("8 kills; make crash for 500")
		}},
		"E6":  {sockets: rowStopped},
		"E8":  {sockets: rowLittleMemory},
		"E14": {sockets: rowMuteLog},
		"E15": {sockets: rowBadSettings},
	}
}
