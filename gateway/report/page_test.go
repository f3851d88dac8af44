package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/report"
)

// wellFormed reads HTML and tells which elements and attributes it has.
func wellFormed(t *testing.T, page string) (elements, attributes map[string]bool) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(page, "<!DOCTYPE html>")))
	d.Strict, d.AutoClose, d.Entity = false, []string{"meta"}, xml.HTMLEntity
	elements, attributes = map[string]bool{}, map[string]bool{}
	open := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("no HTML: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			elements[e.Name.Local] = true
			for _, a := range e.Attr {
				attributes[a.Name.Local] = true
			}
			open++
		case xml.EndElement:
			open--
		}
	}
	if open != 0 {
		t.Errorf("%d elements are not closed", open)
	}
	return elements, attributes
}

func TestWhatStandsInTheSettingsIsOnlyTextInAReport(t *testing.T) {
	escaped, span := regexp.MustCompile(`\\[^a-z]`), regexp.MustCompile("`[^`]*`")
	_, plain := report.Page("North")
	wantElements, wantAttributes := wellFormed(t, plain)
	for _, hostile := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</td></table><iframe src="https://example.com">`, `&lt;b&gt;`, `' onmouseover='x`,
		"a\r\nb", "\x1b[31mred\x1b[0m", "one|two|three", "`code`", "[link](https://example.com)", "![image](https://example.com/x.png)", "<https://example.com>", "**bold** _it_ ~~no~~",
		"# heading", "1. list", "2) list", "- list", "+ list", "= line", "\u202egnitteg\u2069", "a\u2028b", "\\", "a\\|b", "-->", "<!--",
	} {
		markdown, html := report.Page(hostile)
		elements, attributes := wellFormed(t, html)
		for e := range elements {
			if !wantElements[e] {
				t.Errorf("%q makes the element %s", hostile, e)
			}
		}
		for a := range attributes {
			if !wantAttributes[a] {
				t.Errorf("%q makes the attribute %s", hostile, a)
			}
		}
		if n := strings.Count(markdown, "\n"); n != strings.Count(mustMarkdown("North"), "\n") {
			t.Errorf("%q makes another line:\n%s", hostile, markdown)
		}
		for _, page := range []string{markdown, html} {
			if i := strings.IndexFunc(page, func(r rune) bool {
				return r < ' ' && r != '\n' || r == 0x7f || strings.ContainsRune("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029", r)
			}); i >= 0 {
				t.Errorf("%q is written as it is", hostile)
			}
		}
		for l := range strings.Lines(markdown) {
			raw := span.ReplaceAllString(escaped.ReplaceAllString(l, ""), "")
			if strings.Count(raw, "|") > 3 || strings.ContainsAny(strings.TrimPrefix(raw, "> "), "<>[]*_~`&\\") {
				t.Errorf("%q is more than text: %s", hostile, l)
			}
		}
		if strings.ContainsAny(hostile[:1], "#-+=12") && strings.Contains(markdown, "\n"+hostile) {
			t.Errorf("%q begins a line", hostile)
		}
	}
}

func mustMarkdown(s string) string {
	markdown, _ := report.Page(s)
	return markdown
}

func TestEveryCategoryAndEveryReasonHasWords(t *testing.T) {
	known := report.ClassNames()
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		for _, f := range device.FieldsOf(k) {
			if !slices.Contains(known, f.Class) {
				t.Errorf("the category %s of %s has no words", f.Class, f.Path)
			}
		}
	}
	words := report.ReasonWords()
	for _, r := range device.Reasons() {
		if words[string(r)] == "" {
			t.Errorf("%s has no words", r)
		}
	}
}
