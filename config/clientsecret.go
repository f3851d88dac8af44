package config

import "strings"

// NewClientSecret makes a secret for a client. Secrets of any other form are as good: the settings know only their hash.
func NewClientSecret() string { return NewToken(ClientPrefix) }

// Mistyped tells that a text was to be a secret of NewClientSecret and is none: cut, lengthened or with a wrong character. It looks at nothing but the
// text: nobody learns from it which secrets there are.
func Mistyped(text string) bool {
	return strings.HasPrefix(strings.TrimSpace(text), ClientPrefix) && !TokenIntact(ClientPrefix, text)
}
