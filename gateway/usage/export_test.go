package usage

// Bounds, and what is kept of what clients write, for tests.
const (
	MaxRoutes   = maxRoutes
	MaxDistinct = maxDistinct
	MaxWalks    = maxWalks
	LiveTokens  = liveTokens
)

// Template is what is kept of a path.
func Template(path string) string {
	return newVocabulary(nil).template([]byte(path))
}

// Known tells that a segment is a word of the vocabulary.
func Known(segment string) bool {
	_, ok := newVocabulary(nil).segments[segment]
	return ok
}

// Named is what is kept of a query.
func Named(query string) []string {
	v := newVocabulary(nil)
	return v.names(v.named([]byte(query), true))
}

// Field, Product, Listed and Orders are what is kept of the name of a field, a User-Agent, an Accept header and a sort.
func Field(name string, words ...string) string { return newVocabulary(words).field(name) }
func Product(header string) string              { return string(product([]byte(header))) }
func Listed(header string) string {
	v := newVocabulary(nil)
	return spelled(listed([]byte(header), v.media), v.media)
}
func Orders(sort string, words ...string) []string { return newVocabulary(words).orders(sort) }
func (r *Recorder) Save() error                    { return r.save() }
func (r *Recorder) Distinct(id string) int         { return r.all()[id].distinct }
