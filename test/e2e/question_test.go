//go:build e2e

package e2e_test

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// pick takes one of a list.
func pick[T any](w *witness, of ...T) T { return of[w.dice.IntN(len(of))] }

// nameOf takes a name of the list that may be used so.
func (w *witness) nameOf(l listed, may func(named) bool) named {
	for {
		if n := l.names[pick(w, slices.Sorted(maps.Keys(l.names))...)]; may(n) {
			return n
		}
	}
}

// filter makes a filter and one of its spellings; nil where the list has none or nobody asks.
func (w *witness) filter(l listed) (*asked, string) {
	if l.standard == "id" || w.dice.IntN(8) == 0 {
		return nil, ""
	}
	a := w.expression(l, 3)
	return &a, w.spell(a, "")
}

func (w *witness) expression(l listed, depth int) asked {
	if depth == 0 || w.dice.IntN(5) < 3 {
		return w.comparison(l)
	}
	a := asked{joint: pick(w, "and", "or")}
	for range 2 + w.dice.IntN(2) {
		a.of = append(a.of, w.expression(l, depth-1))
	}
	return a
}

func (w *witness) comparison(l listed) asked {
	n := w.nameOf(l, func(n named) bool { return n.filter })
	a := asked{name: n, op: pick(w, "==", "==", "!=", "=in=", "=out=", "=lt=", "=le=", "=gt=", "=ge=")}
	if n.reads == "boolean" || n.reads == "many" {
		a.op = pick(w, "==", "!=", "=in=", "=out=")
	}
	many := a.op == "=in=" || a.op == "=out="
	stars := many || a.op == "==" || a.op == "!="
	for range 1 + w.dice.IntN(4) {
		a.values = append(a.values, w.value(l, n, stars))
		if !many {
			break
		}
	}
	return a
}

// value is one that a device of the list has, or close to it.
func (w *witness) value(l listed, n named, stars bool) pattern {
	text := ""
	for range 20 { // not every device has one
		texts := pick(w, l.records...).texts(n)
		if len(texts) > 0 && plainText(texts[0]) {
			text = pick(w, texts...)
			break
		}
	}
	if !plainText(text) {
		text = ""
	}
	if stars && w.dice.IntN(12) == 0 {
		return pick(w, pattern{""}, pattern{"", ""}, pattern{"", "", ""})
	}
	switch n.reads {
	case "number":
		return pattern{pick(w, orElse(text, "3"), orElse(text, "3"), "0", "12.5", "1e3", "-1")}
	case "id":
		return pattern{orElse(text, "5")}
	case "boolean":
		return pattern{pick(w, "true", "false", "TRUE", "False")}
	case "time":
		return pattern{w.timeLike(orElse(text, "2026-11-20T06:00:00Z"))}
	}
	return w.textLike(orElse(text, "nobody"), stars)
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// timeLike spells a moment otherwise, or moves it.
func (w *witness) timeLike(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return pick(w, text, text, at.Format(time.DateOnly), at.In(time.FixedZone("", 5400)).Format(time.RFC3339Nano),
		at.UTC().Format("2006-01-02T15:04:05.000Z"), at.Add(time.Millisecond).Format(time.RFC3339Nano), at.AddDate(0, 0, -7).Format(time.RFC3339Nano))
}

// textLike changes the case of a text, or puts stars into it.
func (w *witness) textLike(text string, stars bool) pattern {
	text = pick(w, text, text, strings.ToUpper(text), strings.ToLower(text), text+pick(w, "*", `\`, `"`, "'", " x", "ä", "(", ";,"))
	if !stars || w.dice.IntN(2) == 0 {
		return pattern{text}
	}
	letters := []rune(text)
	from := w.dice.IntN(len(letters))
	to := from + 1 + w.dice.IntN(len(letters)-from)
	before, middle, after := string(letters[:from]), string(letters[from:to]), string(letters[to:])
	return pick(w, pattern{before, ""}, pattern{"", middle, ""}, pattern{before, after}, pattern{"", after}, pattern{before, "", after})
}

// spell writes a filter in one of its spellings.
func (w *witness) spell(a asked, outer string) string {
	if a.joint == "" {
		return a.name.name + w.blank() + w.spellOp(a.op) + w.blank() + w.spellValues(a)
	}
	joint := map[string][]string{"and": {";", " ; ", " and ", " AND "}, "or": {",", " , ", " or ", " Or "}}[a.joint]
	var out strings.Builder
	for i, one := range a.of {
		if i > 0 {
			out.WriteString(pick(w, joint...))
		}
		out.WriteString(w.spell(one, a.joint))
	}
	if outer == "and" && a.joint == "or" || w.dice.IntN(4) == 0 {
		return "(" + w.blank() + out.String() + w.blank() + ")"
	}
	return out.String()
}

func (w *witness) blank() string { return pick(w, "", "", "", " ") }

func (w *witness) spellOp(op string) string {
	short := map[string]string{"=lt=": "<", "=le=": "<=", "=gt=": ">", "=ge=": ">="}[op]
	if short != "" && w.dice.IntN(2) == 0 {
		return short
	}
	return op
}

func (w *witness) spellValues(a asked) string {
	list := make([]string, len(a.values))
	for i, p := range a.values {
		list[i] = w.spellValue(p)
	}
	if a.op == "=in=" || a.op == "=out=" {
		return "(" + w.blank() + strings.Join(list, w.blank()+","+w.blank()) + ")"
	}
	return list[0]
}

// spellValue puts a value into quotes, which it may do without where it is made of plain signs.
func (w *witness) spellValue(p pattern) string {
	text := strings.Join(p, "*")
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-+@"
	if text != "" && strings.Trim(strings.Join(p, ""), plain) == "" && w.dice.IntN(2) == 0 {
		return text
	}
	mark := pick(w, `"`, `"`, `'`)
	parts := make([]string, len(p))
	for i, part := range p {
		parts[i] = strings.NewReplacer(`\`, `\\`, mark, `\`+mark, `*`, `\*`).Replace(part)
	}
	return mark + strings.Join(parts, "*") + mark
}

// criteria makes a sort of up to three names; none is the list's own order.
func (w *witness) criteria(l listed) []criterion {
	var by []criterion
	for range w.dice.IntN(4) {
		n := w.nameOf(l, func(n named) bool { return n.sort })
		if slices.ContainsFunc(by, func(k criterion) bool { return k.name.name == n.name }) {
			break
		}
		by = append(by, criterion{n, w.dice.IntN(2) == 0})
	}
	return by
}

func (w *witness) spellSort(by []criterion) string {
	out := make([]string, len(by))
	for i, k := range by {
		out[i] = k.name.name + pick(w, ":asc", ":ASC", "")
		if k.desc {
			out[i] = k.name.name + pick(w, ":desc", ":DESC", ":Desc")
		}
	}
	return strings.Join(out, pick(w, ",", ", "))
}
