package syncer

// SecretChanged is told that the credentials of a source are others: a heartbeat proves them now, and syncs that failed because the ones
// before were refused are tried again without their pause.
func (s *Syncer) SecretChanged(source string) {
	for _, h := range s.crew.Load().hearts {
		if h.src.Name == source {
			poke(h.poke)
		}
	}
	for _, l := range s.crew.Load().lines {
		if l.src.Name != source || l.isRunning() {
			continue
		}
		if code := l.book.kind(l.kind).ErrorCode; code == codeRefused || code == "token_refused" {
			poke(l.wake)
		}
	}
}

// poke asks a loop to go on; one that was asked already is.
func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
