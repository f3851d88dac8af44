package report

import (
	"jamf-gateway/gateway/catalogue"
)

// ClassNames are the categories that have words.
func ClassNames() (out []string) {
	for _, c := range classes() {
		out = append(out, c.id)
	}
	return out
}

// ReasonWords are why a device is left out, as it is said.
func ReasonWords() (out map[string]string) {
	out = map[string]string{}
	for r, t := range reasons() {
		out[string(r)] = t.In(catalogue.DE)
	}
	return out
}

// Page is a page with one of each block, all of it the same text.
func Page(hostile string) (markdown, html string) {
	p := &page{lang: catalogue.DE, title: hostile}
	said := text{EN: "%s", DE: "%s"}
	p.heading(2, said, hostile)
	p.para(said, hostile)
	p.note(said, hostile)
	p.list(hostile, hostile)
	p.table([]string{hostile, "x"}, [][]cell{{code(hostile), plain(hostile)}, {p.fill(text{DE: hostile}), code("")}})
	return p.markdown(), p.html()
}
