package usage

// Bounds, and what is kept of what clients write, for tests.
const (
	MaxRoutes   = maxRoutes
	MaxDistinct = maxDistinct
	MaxWalks    = maxWalks
	LiveTokens  = liveTokens
)

// Template is what is kept of a path.
func Template(path string, trusted bool) string {
	return newVocabulary().template([]byte(path), trusted)
}

// Known tells that a segment is a word of the vocabulary.
func Known(segment string) bool {
	_, ok := newVocabulary().segments[segment]
	return ok
}

// Named is what is kept of a query.
func Named(query string) []string {
	v := newVocabulary()
	return v.names(v.named([]byte(query)))
}

// Selector, Product and Listed are what is kept of the name of a field, of a User-Agent and of an Accept header.
func Selector(name string) string  { return selectorOrOther(name) }
func Product(header string) string { return string(product([]byte(header))) }
func Listed(header string) string {
	v := newVocabulary()
	return spelled(listed([]byte(header), v.media), v.media)
}
func Orders(sort string) []string          { return orders(sort) }
func (r *Recorder) Save() error            { return r.save() }
func (r *Recorder) Distinct(id string) int { return r.clients[id].distinct }
