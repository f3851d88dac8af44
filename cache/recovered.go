package cache

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Recovered is what may be written of a panic: what kind it is and where it was. Its words are shown where the runtime made them; others may hold
// a value of a record or of a request.
func Recovered(p any) error {
	said := fmt.Sprintf("%T", p)
	if e, ok := p.(runtime.Error); ok {
		said = e.Error()
	}
	return fmt.Errorf("panic: %s\n%s", said, debug.Stack())
}
