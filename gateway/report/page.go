package report

import (
	"fmt"
	"html"
	"strings"
	"unicode"

	"jamf-gateway/gateway/catalogue"
)

// page is a document in the making. Whatever is put on it is plain text; how it is escaped is known to its writers alone.
type page struct {
	lang   catalogue.Language
	title  string
	blocks []block
}

// block is one part of a page; the fields that its kind does not have are empty.
type block struct {
	kind  blockKind
	level int // of a heading
	text  string
	head  []string
	rows  [][]cell
	items []string
}

type blockKind int

const (
	heading blockKind = iota
	paragraph
	note
	list
	table
)

// cell is one field of a table.
type cell struct {
	text string
	code bool // is a name of settings or of Jamf
	fill bool // is to be written by whoever is responsible
}

func plain(text string) cell     { return cell{text: text} }
func code(text string) cell      { return cell{text: text, code: true} }
func (p *page) fill(t text) cell { return cell{text: "[" + p.say(t) + "]", fill: true} }
func (p *page) cells(ts ...text) []string {
	out := make([]string, 0, len(ts))
	for _, t := range ts {
		out = append(out, p.say(t))
	}
	return out
}

// text is one thing said in each language, filled like fmt.Sprintf.
type text = catalogue.Text

func (p *page) say(t text, args ...any) string {
	if len(args) == 0 {
		return t.In(p.lang)
	}
	return fmt.Sprintf(t.In(p.lang), args...)
}

func (p *page) heading(level int, t text, args ...any) {
	p.blocks = append(p.blocks, block{kind: heading, level: level, text: p.say(t, args...)})
}

func (p *page) para(t text, args ...any) {
	p.blocks = append(p.blocks, block{kind: paragraph, text: p.say(t, args...)})
}

// note is a paragraph that must not be overlooked.
func (p *page) note(t text, args ...any) {
	p.blocks = append(p.blocks, block{kind: note, text: p.say(t, args...)})
}

func (p *page) list(items ...string) {
	if len(items) > 0 {
		p.blocks = append(p.blocks, block{kind: list, items: items})
	}
}

func (p *page) table(head []string, rows [][]cell) {
	p.blocks = append(p.blocks, block{kind: table, head: head, rows: rows})
}

// visible shows what would not be seen, or would change how the rest is read: control characters, marks of direction, lines.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == 0x2028 || r == 0x2029 || r == unicode.ReplacementChar {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// markdown writes the page as Markdown (GFM).
func (p *page) markdown() string {
	var b strings.Builder
	b.WriteString("# " + inMarkdown(p.title) + "\n")
	for _, bl := range p.blocks {
		b.WriteString("\n")
		switch bl.kind {
		case heading:
			b.WriteString(strings.Repeat("#", bl.level) + " " + inMarkdown(bl.text) + "\n")
		case paragraph:
			b.WriteString(lineInMarkdown(bl.text) + "\n")
		case note:
			b.WriteString("> " + lineInMarkdown(bl.text) + "\n")
		case list:
			for _, item := range bl.items {
				b.WriteString("- " + lineInMarkdown(item) + "\n")
			}
		case table:
			bl.markdownTable(&b)
		}
	}
	return b.String()
}

func (bl block) markdownTable(b *strings.Builder) {
	for _, h := range bl.head {
		b.WriteString("| " + inMarkdown(h) + " ")
	}
	b.WriteString("|\n" + strings.Repeat("|---", len(bl.head)) + "|\n")
	for _, row := range bl.rows {
		for _, c := range row {
			shown := inMarkdown(c.text)
			if c.code && c.text != "" && !strings.ContainsAny(c.text, "`|\\<") {
				shown = "`" + visible(c.text) + "`"
			}
			b.WriteString("| " + shown + " ")
		}
		b.WriteString("|\n")
	}
}

// inMarkdown escapes what Markdown, or HTML in it, would take for more than a letter.
func inMarkdown(s string) string {
	var b strings.Builder
	for _, r := range visible(s) {
		if strings.ContainsRune("\\`*_<>[]|~&", r) {
			b.WriteRune('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// lineInMarkdown is inMarkdown for what stands at the beginning of a line, where some letters make a list or a heading.
func lineInMarkdown(s string) string {
	out := inMarkdown(s)
	digits := len(out) - len(strings.TrimLeft(out, "0123456789"))
	if rest := out[digits:]; digits > 0 && strings.HasPrefix(rest, ".") || digits > 0 && strings.HasPrefix(rest, ")") {
		return out[:digits] + "\\" + rest
	}
	if out != "" && strings.ContainsRune("#+-=", rune(out[0])) {
		return "\\" + out
	}
	return out
}

// style is all that the HTML has: no script, nothing from elsewhere, and tables that break over printed pages.
const style = `body{font:11pt/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}
h1{font-size:1.7rem}h2{font-size:1.3rem;margin-top:2.2rem;border-bottom:1px solid #999}h3{font-size:1.05rem;margin-top:1.5rem}
table{border-collapse:collapse;width:100%;margin:.8rem 0}th,td{border:1px solid #999;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{background:#eee}code{font:.92em ui-monospace,monospace}.fill{background:#fff3c4}.note{border-left:.3rem solid #b36b00;padding:.4rem .8rem;background:#fff8e6}
@media print{body{max-width:none;margin:0;font-size:9.5pt}h2,h3{break-after:avoid}tr{break-inside:avoid}thead{display:table-header-group}}`

// html writes the page as one HTML file that needs nothing else.
func (p *page) html() string {
	var b strings.Builder
	title := inHTML(p.title)
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=%q>\n<head>\n<meta charset=\"utf-8\">\n", string(p.lang))
	b.WriteString("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n")
	b.WriteString("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
	fmt.Fprintf(&b, "<title>%s</title>\n<style>\n%s\n</style>\n</head>\n<body>\n<h1>%s</h1>\n", title, style, title)
	for _, bl := range p.blocks {
		switch bl.kind {
		case heading:
			fmt.Fprintf(&b, "<h%d>%s</h%d>\n", bl.level, inHTML(bl.text), bl.level)
		case paragraph:
			fmt.Fprintf(&b, "<p>%s</p>\n", inHTML(bl.text))
		case note:
			fmt.Fprintf(&b, "<p class=\"note\">%s</p>\n", inHTML(bl.text))
		case list:
			b.WriteString("<ul>\n")
			for _, item := range bl.items {
				fmt.Fprintf(&b, "<li>%s</li>\n", inHTML(item))
			}
			b.WriteString("</ul>\n")
		case table:
			bl.htmlTable(&b)
		}
	}
	b.WriteString("</body>\n</html>\n")
	return b.String()
}

func (bl block) htmlTable(b *strings.Builder) {
	b.WriteString("<table>\n<thead><tr>")
	for _, h := range bl.head {
		fmt.Fprintf(b, "<th scope=\"col\">%s</th>", inHTML(h))
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for _, row := range bl.rows {
		b.WriteString("<tr>")
		for _, c := range row {
			switch {
			case c.code && c.text != "":
				fmt.Fprintf(b, "<td><code>%s</code></td>", inHTML(c.text))
			case c.fill:
				fmt.Fprintf(b, "<td class=\"fill\">%s</td>", inHTML(c.text))
			default:
				fmt.Fprintf(b, "<td>%s</td>", inHTML(c.text))
			}
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>\n")
}

func inHTML(s string) string { return html.EscapeString(visible(s)) }
